"""Seed the AppProjects and the root Application, from which Argo CD creates everything else."""

from collections.abc import Sequence
from typing import Any

import pulumi
from typing_extensions import NotRequired

from gitops_stack import conventions
from gitops_stack.components.cluster_connection import ConnectionArgs, with_provider
from gitops_stack.components.guards import ClusterGuardResource, TeardownGuardResource, build_registered
from gitops_stack.components.ordering import Registered, depend_on, inherited_dependencies
from gitops_stack.components.registration import register_handed_over, register_kept
from gitops_stack.guard.root_application import build_source


class AppOfAppsArgs(ConnectionArgs):
    """What :class:`AppOfApps` seeds, and after what."""

    app_projects: Sequence[dict[str, Any]]
    """AppProjects, handed over to application `projects`."""
    root_application: dict[str, Any]
    """The root Application, which stays with Pulumi."""
    definitions: NotRequired[Sequence[Registered]]
    """Argo CD's CRDs, `definitions` of `ArgoCD`; in Python."""
    installation: NotRequired[Sequence[Registered]]
    """All of Argo CD, `objects` of `ArgoCD`; in Python."""
    installed: NotRequired[pulumi.Input[str]]
    """In place of both in other languages: `installed` of `ArgoCD`."""
    take_over: NotRequired[str]
    """The stack (`project/stack`) or cluster (UID of kube-system) that is taken over on purpose."""
    tree: NotRequired[str]
    """Folder of the GitOps tree root follows: when root moves to another, its applications are compared."""


class AppOfApps(pulumi.ComponentResource):
    """AppProjects as soon as their CRD is there, and the root Application last.

    AppProjects do not wait for the controllers: argocd-server would create a permissive `default` in the meantime.
    Root depends on everything, so that `pulumi destroy` takes it down first, while the controllers that finalize its
    children, and the projects they belong to, are there. Only root carries the whole list, which the engine stores
    with every resource that has it.
    """

    root_application: pulumi.Output[str]
    """Name of the root Application."""

    def __init__(self, name: str, args: AppOfAppsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:AppOfApps", name, {}, with_provider(name, args, opts))
        root = args["root_application"]
        namespace = root["metadata"]["namespace"]
        source = (root.get("spec") or {}).get("source") or {}
        # The guard of a teardown waits for the whole installation already.
        installation, elsewhere = args.get("installation", ()), depend_on(args.get("installed"))
        ends = [one for one in installation if isinstance(one, TeardownGuardResource)]
        standalone = not (ends or elsewhere)
        guard = ClusterGuardResource(
            f"{name}/cluster-guard",
            self,
            namespace,
            [
                *build_registered([root], handed_over=False),
                *build_registered(args["app_projects"], handed_over=True),
            ],
            inherited_dependencies(opts),
            take_over=args.get("take_over", ""),
            source=build_source(source),
            root=root["metadata"]["name"],
            tree=args.get("tree"),
            releases=standalone,
        )
        projects = [
            # Retained: the applications of a team that leaves still need theirs. On destroy they go with their CRD.
            register_handed_over(
                project,
                conventions.PROJECTS_APPLICATION,
                namespace,
                self,
                [*guard.cleared, *args.get("definitions", ()), *elsewhere],
                retain=True,
                guard=guard,
            )
            for project in args["app_projects"]
        ]
        before = [*guard.cleared, *(ends or installation), *elsewhere, *projects]
        # Retained: every workload goes with root. Its guard alone ends it, which tells a destroy from a replacement.
        top = register_kept(root, self, before, retain=True, guard=guard)
        TeardownGuardResource(
            f"{name}/teardown-guard",
            self,
            namespace,
            guard,
            [top, *inherited_dependencies(opts)],
            root["metadata"]["name"],
        )
        self.root_application = pulumi.Output.from_input(root["metadata"]["name"])
        self.register_outputs({"rootApplication": self.root_application})
