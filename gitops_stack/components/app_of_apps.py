"""Seed the AppProjects and the root Application, from which Argo CD creates everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
from typing_extensions import TypedDict

from gitops_stack import conventions
from gitops_stack.components.registration import register_handed_over, register_kept

# Deleting root waits for every child's workloads; load balancers and volumes take minutes to go.
_TEARDOWN_LIMIT = "15m"


class AppOfAppsArgs(TypedDict):
    """What :class:`AppOfApps` seeds: AppProjects (handed over to application `projects`) and the root Application."""

    app_projects: Sequence[dict[str, Any]]
    root_application: dict[str, Any]


class AppOfApps(pulumi.ComponentResource):
    """AppProjects, then the root Application.

    Pass `depends_on=argocd.objects` in ``opts``: it makes `pulumi destroy` take the applications down first, while the
    controllers that finalize them are alive. It is handed on to the children, which Pulumi would not do by itself.
    """

    root_application: pulumi.Output[str]

    def __init__(self, name: str, args: AppOfAppsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:AppOfApps", name, {}, opts)
        root = args["root_application"]
        namespace = root["metadata"]["namespace"]
        before = _dependencies(opts)
        projects = [
            register_handed_over(project, conventions.PROJECTS_APPLICATION, namespace, self, before)
            for project in args["app_projects"]
        ]
        register_kept(root, self, [*before, *projects], delete_timeout=_TEARDOWN_LIMIT)
        self.root_application = pulumi.Output.from_input(root["metadata"]["name"])
        self.register_outputs({"rootApplication": self.root_application})


def _dependencies(opts: pulumi.ResourceOptions | None) -> list[pulumi.Resource]:
    given = opts.depends_on if opts else None
    if isinstance(given, pulumi.Resource):
        return [given]
    return [resource for resource in given if isinstance(resource, pulumi.Resource)] if isinstance(given, list) else []
