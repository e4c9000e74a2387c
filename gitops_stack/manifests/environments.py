"""Environments of a pull request or a developer: a namespace, a quota, and applications of the stack in it.

An ApplicationSet makes the applications from a list. The one AppProject of all environments stays when the last of them
goes: an Application whose project is gone cannot be finalized (argo-cd#1329).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_project
from gitops_stack.manifests.argocd.access import quote_group
from gitops_stack.manifests.group_kinds import build_group_kind
from gitops_stack.settings import StackSettings
from gitops_stack.settings.teams import TEAM_KINDS

QUOTA = "quota"
"""Name of the application that brings an environment's quota."""
# Half a minute in all: Argo CD deletes no Application whose operation goes on (v3.2.11 controller/appcontroller.go,
# processAppOperationQueueItem), and it goes on between retries. An environment that never ran would stay for minutes.
RETRY = {"limit": 4, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "10s"}, "refresh": True}
_ACTIONS = ("get", "update", "sync")
_IMAGES = "/spec/source/kustomize/images"


@dataclass(frozen=True)
class Quota:
    """What all pods of an environment may ask for together."""

    cpu: str = "2"
    memory: str = "4Gi"
    pods: int = 20


@dataclass(frozen=True)
class Environment:
    """One environment: whose it is, when it expires, and its applications by name with their source."""

    name: str
    applications: dict[str, dict[str, Any]]
    owner: str = ""
    expires: datetime | None = None
    quota: Quota = Quota()

    @property
    def namespace(self) -> str:
        """Return its namespace, which is also the name of its ApplicationSet."""
        return f"env-{self.name}"

    def application(self, name: str) -> str:
        """Return the name of one of its Applications."""
        return f"{self.namespace}-{name}"

    def images(self, name: str) -> list[str] | None:
        """Return the images that Git sets on one of its Applications, as kustomize writes them."""
        images: list[str] | None = (self.applications[name].get("kustomize") or {}).get("images")
        return images


def build_environment(settings: StackSettings, environment: Environment) -> list[Manifest]:
    """Build the Namespace and the ApplicationSet of an environment."""
    labels = {conventions.STACK_LABEL: settings.stack, conventions.ENVIRONMENT_LABEL: environment.name}
    said = {conventions.OWNER: environment.owner} if environment.owner else {}
    if environment.expires:
        said[conventions.EXPIRES] = environment.expires.strftime("%Y-%m-%dT%H:%M:%SZ")
    namespace: Manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": environment.namespace,
            "labels": labels,
            "annotations": {conventions.SYNC_WAVE: str(conventions.WAVE_NAMESPACES)},
        },
    }
    application_set: Manifest = {
        "apiVersion": conventions.ARGOCD_API_VERSION,
        "kind": "ApplicationSet",
        "metadata": {
            "name": environment.namespace,
            "namespace": settings.argocd.namespace,
            "labels": labels,
            "annotations": {conventions.SYNC_WAVE: str(conventions.WAVE_WORKLOADS), **said},
        },
        "spec": _build_set(environment, labels),
    }
    return [namespace, application_set]


def _build_set(environment: Environment, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "goTemplate": True,
        "goTemplateOptions": ["missingkey=error"],
        "generators": [
            {
                "list": {
                    "elements": [
                        {"application": name, "source": source} for name, source in environment.applications.items()
                    ]
                }
            }
        ],
        # What `env deploy` sets stays until `env reset`, or until the environment goes.
        "ignoreApplicationDifferences": [{"jsonPointers": [_IMAGES]}],
        "preservedFields": {"annotations": [conventions.OVERRIDDEN_BY, conventions.OVERRIDDEN_AT]},
        "template": build_application_template(
            environment.application("{{.application}}"), conventions.ENVIRONMENTS_PROJECT, environment.namespace, labels
        ),
        "templatePatch": "spec:\n  source: {{ .source | toJson }}\n",
    }


def build_application_template(name: str, project: str, namespace: str, labels: dict[str, str]) -> dict[str, Any]:
    """Build what all Applications of environments have in common; their sources come by `templatePatch`."""
    return {
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {conventions.COMPARE_OPTIONS: "ServerSideDiff=true"},
            "finalizers": [conventions.RESOURCES_FINALIZER],
        },
        "spec": {
            "project": project,
            "destination": {"server": conventions.IN_CLUSTER, "namespace": namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "retry": RETRY,
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    }


def build_quota(quota: Quota) -> list[Manifest]:
    """Build the quota of an environment, and what a container asks for that does not say."""
    hard = {"requests.cpu": quota.cpu, "requests.memory": quota.memory, "pods": str(quota.pods)}
    default = {"type": "Container", "defaultRequest": {"cpu": "50m", "memory": "64Mi"}}
    return [
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "environment"}, "spec": {"hard": hard}},
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "environment"}, "spec": {"limits": [default]}},
    ]


def build_environments_project(settings: StackSettings, environments: Sequence[Environment]) -> Manifest:
    """Build the AppProject of all environments; each has a role that covers its own applications and nothing else."""
    repositories = {source["repoURL"] for one in environments for source in one.applications.values()}
    kinds = list_team_kinds(settings)
    spec = {
        "description": "Environments of pull requests and developers: gitops-stack env.",
        "sourceRepos": sorted({settings.gitops.repo_url, *repositories}),
        "destinations": [{"server": conventions.IN_CLUSTER, "namespace": "env-*"}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [
            build_group_kind(kind) for kind in sorted({*kinds, "LimitRange", "ResourceQuota"})
        ],
        "roles": [_build_role(one) for one in environments],
    }
    return build_app_project(settings, conventions.ENVIRONMENTS_PROJECT, spec)


def list_team_kinds(settings: StackSettings) -> set[str]:
    """List the kinds that any team of the stack may deploy."""
    return {*TEAM_KINDS, *(kind for project in settings.projects.values() for kind in project.kinds)}


def _build_role(environment: Environment) -> dict[str, Any]:
    return {
        "name": environment.name,
        "description": f"May set images in environment {environment.name}.",
        "policies": list(_policies(environment)),
        **({"groups": [quote_group(environment.owner)]} if environment.owner else {}),
    }


def _policies(environment: Environment) -> Iterable[str]:
    project = conventions.ENVIRONMENTS_PROJECT
    for name in environment.applications:
        if name != QUOTA:  # in which nobody may raise what he has
            for action in _ACTIONS:
                target = f"{project}/{environment.application(name)}"
                yield f"p, proj:{project}:{environment.name}, applications, {action}, {target}, allow"
