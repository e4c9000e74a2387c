"""What a stack would install, as the judgement needs it: render, AppProjects and Applications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gitops_stack.gitops_tree.manifest_set import ObjectKey, object_key
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.add_ons import build_add_ons
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.applications import (
    build_projects_application,
    build_root_application,
    build_self_management_application,
    build_workload_application,
)
from gitops_stack.settings import StackSettings


@dataclass(frozen=True)
class Wanted:
    """What would be installed: ``manifests`` is the render of the tree, ``version`` may be empty.

    ``applications`` are the stack's Applications and ApplicationSets.
    """

    stack: str
    namespace: str
    version: str
    manifests: Sequence[Manifest] = field(repr=False)
    app_projects: Sequence[Manifest] = field(default=(), repr=False)
    applications: Sequence[Manifest] = field(default=(), repr=False)

    @cached_property
    def rendered(self) -> Mapping[ObjectKey, Manifest]:
        """The render by what identifies each object."""
        return {object_key(manifest): manifest for manifest in self.manifests}


def build_wanted(settings: StackSettings, manifests: Sequence[Manifest], authored: Iterable[Manifest] = ()) -> Wanted:
    """Build what ``settings`` and the tree's render would install.

    ``authored`` are Applications and ApplicationSets that people wrote into the tree's `apps/`.
    """
    applications = [
        build_root_application(settings),
        build_self_management_application(settings),
        build_projects_application(settings),
        *build_add_ons(settings).values(),
        *(build_workload_application(settings, name) for name in settings.workloads),
        *authored,
    ]
    return Wanted(
        settings.stack,
        settings.argocd.namespace,
        settings.argocd.version,
        manifests,
        build_app_projects(settings),
        applications,
    )
