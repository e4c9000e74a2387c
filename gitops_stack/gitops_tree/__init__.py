"""The GitOps tree of one stack as data: built, rendered, written, compared and locked.

``build_tree`` and ``manifest_set`` are pure. The outside is touched in three places only: ``kustomize`` and ``release``
run a program, ``files`` reads and writes the tree.
"""

from gitops_stack.gitops_tree.installation import load_installation, load_manifests

__all__ = ["load_installation", "load_manifests"]
