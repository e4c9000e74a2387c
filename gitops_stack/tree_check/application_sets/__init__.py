"""Expand ApplicationSets as Argo CD's controller does, as far as Git and the stack's cluster Secret decide.

Held against the controller's own code by tests/e2e/test_application_sets.py; docs/adr/0011 says what was weighed.
"""

from gitops_stack.tree_check.application_sets.clusters import Cluster
from gitops_stack.tree_check.application_sets.deciding_files import note_deciding_files, note_read
from gitops_stack.tree_check.application_sets.errors import NotExpandableError, RefusedError
from gitops_stack.tree_check.application_sets.expansion import Expansion, expand_application_set
from gitops_stack.tree_check.application_sets.git_generator import path_parameters
from gitops_stack.tree_check.application_sets.repository import Repository
from gitops_stack.tree_check.application_sets.tree_sets import TreeSets

__all__ = [
    "Cluster",
    "Expansion",
    "NotExpandableError",
    "RefusedError",
    "Repository",
    "TreeSets",
    "expand_application_set",
    "note_deciding_files",
    "note_read",
    "path_parameters",
]
