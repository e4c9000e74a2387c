"""Environments of pull requests: Argo CD asks the forge which are open and labelled, and makes one of each.

A pull request may be anybody's, from a fork too, and what it holds runs in the cluster. So it needs a label, which only
who may write to the repository can give; it reaches the namespaces of its like alone, in a project of their own
without cluster-wide kinds, quotas and limits; and its namespace comes from the stack's own branch, by another project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_project
from gitops_stack.manifests.environments import Quota, build_application_template, build_quota, list_team_kinds
from gitops_stack.manifests.group_kinds import build_group_kind
from gitops_stack.settings import StackSettings

ForgeName = Literal["github", "gitlab"]
HEAD = "{{.head_sha}}"
"""What stands for the pull request's commit."""
NUMBER = "{{.number}}"
TOKEN_KEY = "token"  # noqa: S105 - the key of a Secret
_QUOTA_KINDS = {"LimitRange", "ResourceQuota"}
_WIDTH = 1 << 30  # a line that is broken would break a template in it


@dataclass(frozen=True)
class PullRequests:
    """Which pull requests of a repository get an environment, and what is in each.

    ``applications`` are sources by name, whose texts are Go templates of the generator's parameters.
    """

    name: str
    forge: ForgeName
    repository: str
    labels: tuple[str, ...]
    token_secret: str
    api: str = ""
    requeue_seconds: int = 300
    quota: Quota = field(default_factory=Quota)
    applications: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def application_set(self) -> str:
        """Return the name of its ApplicationSet, and what the names of its namespaces begin with."""
        return f"pr-{self.name}"

    @property
    def namespace(self) -> str:
        """Return the template of the namespaces' names, which are also those of the Applications that bring them."""
        return f"{self.application_set}-{NUMBER}"

    @property
    def project(self) -> str:
        """Return the name of its AppProject."""
        return f"{conventions.PULL_REQUEST_PROJECTS}{self.name}"


def quote_braces(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    """Return ``value`` with `{{` in its texts as a template prints it."""
    if isinstance(value, str):
        return value.replace("{{", "{{ `{{` }}")
    if isinstance(value, Mapping):
        return {quote_braces(key): quote_braces(inner) for key, inner in value.items()}
    return [quote_braces(one) for one in value] if isinstance(value, list) else value


def build_pull_requests(settings: StackSettings, made: PullRequests) -> Manifest:
    """Build the ApplicationSet of a repository's pull requests."""
    labels = {conventions.STACK_LABEL: settings.stack}
    elements = [{"application": name, "source": source} for name, source in made.applications.items()]
    written: str = yaml.safe_dump(elements, sort_keys=False, allow_unicode=True, width=_WIDTH)
    asked = {"pullRequest": _build_generator(made)}
    return {
        "apiVersion": conventions.ARGOCD_API_VERSION,
        "kind": "ApplicationSet",
        "metadata": {
            "name": made.application_set,
            "namespace": settings.argocd.namespace,
            "labels": {**labels, conventions.PULL_REQUESTS_LABEL: made.name},
            "annotations": {conventions.SYNC_WAVE: str(conventions.WAVE_WORKLOADS)},
        },
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [
                {"pullRequest": {**asked["pullRequest"], "template": _build_namespace_template(settings, made)}},
                {"matrix": {"generators": [asked, {"list": {"elementsYaml": written}}]}},
            ],
            "template": build_application_template(
                f"{made.namespace}-{{{{.application}}}}", made.project, made.namespace, labels
            ),
            # A source is a map, which a template has no place for. The first generator has its own.
            "templatePatch": '{{- if hasKey . "source" }}\nspec:\n  source: {{ .source | toJson }}\n'
            "{{- else }}\nspec: {}\n{{- end }}\n",
        },
    }


def _build_generator(made: PullRequests) -> dict[str, Any]:
    token = {"tokenRef": {"secretName": made.token_secret, "key": TOKEN_KEY}, "labels": list(made.labels)}
    api = {"api": made.api} if made.api else {}
    if made.forge == "gitlab":
        # Merged and closed ones are listed too, unless it is said.
        asked: dict[str, Any] = {"project": made.repository, **api, **token, "pullRequestState": "opened"}
    else:
        owner, _, name = made.repository.partition("/")
        asked = {"owner": owner, "repo": name, **api, **token}
    return {made.forge: asked, "requeueAfterSeconds": made.requeue_seconds}


def _build_namespace_template(settings: StackSettings, made: PullRequests) -> dict[str, Any]:
    gitops = settings.gitops
    source = {
        "repoURL": gitops.repo_url,
        "targetRevision": gitops.revision,
        "path": find_folder(settings, made.name),
        "kustomize": {"namespace": made.namespace},
    }
    destination = {"server": conventions.IN_CLUSTER, "namespace": made.namespace}
    spec = {"project": conventions.PULL_REQUEST_NAMESPACES_PROJECT, "source": source, "destination": destination}
    return {"metadata": {"name": made.namespace}, "spec": spec}


def find_folder(settings: StackSettings, name: str) -> str:
    """Return the folder of what each environment of pull requests ``name`` begins with."""
    return f"{settings.tree_path}/pull-requests/{name}"


def build_namespace_files(settings: StackSettings, made: PullRequests) -> dict[str, list[Manifest]]:
    """Build the files of that folder: kustomize gives the Namespace its name, which is the template's there."""
    labels = {conventions.STACK_LABEL: settings.stack, conventions.ENVIRONMENT_LABEL: made.name}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made.application_set, "labels": labels}}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["namespace.yaml", "quota.yaml"],
    }
    return {
        "kustomization.yaml": [kustomization],
        "namespace.yaml": [namespace],
        "quota.yaml": build_quota(made.quota),
    }


def build_pull_requests_project(settings: StackSettings, made: PullRequests) -> Manifest:
    """Build the AppProject of what pull requests bring: its own namespaces, and no cluster-wide kind."""
    return _build_project(
        settings,
        made.project,
        f"Pull requests of {made.repository}: gitops-stack env follow.",
        sorted({text for source in made.applications.values() if (text := str(source["repoURL"]))}),
        f"{made.application_set}-*",
        sorted(list_team_kinds(settings) - _QUOTA_KINDS),
    )


def build_namespaces_project(settings: StackSettings) -> Manifest:
    """Build the AppProject of the namespaces of all pull requests, which come from the stack's branch alone."""
    made = _build_project(
        settings,
        conventions.PULL_REQUEST_NAMESPACES_PROJECT,
        "Namespaces and quotas of pull requests: gitops-stack env follow.",
        [settings.gitops.repo_url],
        "pr-*",
        sorted(_QUOTA_KINDS),
    )
    made["spec"]["clusterResourceWhitelist"] = [build_group_kind("Namespace")]
    return made


def _build_project(
    settings: StackSettings, name: str, description: str, repositories: list[str], namespaces: str, kinds: list[str]
) -> Manifest:
    spec = {
        "description": description,
        "sourceRepos": repositories,
        "destinations": [{"server": conventions.IN_CLUSTER, "namespace": namespaces}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [build_group_kind(kind) for kind in kinds],
    }
    return build_app_project(settings, name, spec)
