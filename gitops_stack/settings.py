"""The frozen settings of one stack: shape, defaults and the rules between them.

The only place where defaults are stated. Knows nothing of Pulumi, files or clusters: ``config`` reads the values and
turns what is wrong here into sentences. Versions have no default on purpose: what ages is written down by the operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, Strict, model_validator
from pydantic.alias_generators import to_camel

from gitops_stack import conventions

UPSTREAM = "github.com/argoproj/argo-cd"

# What a team may create when its project does not say: namespaced, and nothing that widens its own rights.
TEAM_KINDS = (
    "ConfigMap", "PersistentVolumeClaim", "Secret", "Service", "ServiceAccount",
    "apps/DaemonSet", "apps/Deployment", "apps/StatefulSet", "autoscaling/HorizontalPodAutoscaler",
    "batch/CronJob", "batch/Job", "networking.k8s.io/Ingress", "networking.k8s.io/NetworkPolicy",
    "policy/PodDisruptionBudget",
)  # fmt: skip


def _matching(pattern: str, needs: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"needs {needs}")
        return value

    return AfterValidator(check)


DnsLabel = Annotated[
    str,
    _matching(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "a DNS label: lower-case letters, digits and '-', 63 at most"),
]
NamespacePattern = Annotated[
    str, _matching(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?", "a namespace name, in which '*' matches any characters")
]
ReleaseVersion = Annotated[
    str, _matching(r"v\d+\.\d+\.\d+(-rc\d+)?", "a release such as v3.5.1; a branch name or 'stable' would move")
]
Commit = Annotated[str, _matching(r"[0-9a-f]{40}", "the full 40 hexadecimal digits of the release's commit")]
RepositoryUrl = Annotated[
    str,
    _matching(
        r"(?!(https|oci)://[^/\s]*@|\w+://[^/\s]*:[^/\s]*@)(https|ssh|file|oci)://\S+|[\w.-]+@[\w.-]+:\S+",
        "a repository URL without a login: https://, ssh://, file:// or user@host:path",
    ),
]
BaseSource = Annotated[
    str,
    _matching(
        r"(?!https://[^/\s]*@|\w+://[^/\s]*:[^/\s]*@)(?!\w*:?/?/?.*[^:/]//)"
        r"(github\.com|(https|ssh|file)://[^/?\s]*)/[^?\s]*[^/?\s]|[a-zA-Z][a-zA-Z0-9-]*@[\w.-]+:[^?\s]+",
        "github.com/OWNER/NAME or the https://, ssh:// or file:// URL of a mirror, without '//' path and '?ref='",
    ),
]
RelativePath = Annotated[
    str,
    _matching(r"(?!/)(?!.*(^|/)\.\.?(/|$))[^\s]+", "a path inside the repository, without leading '/', '.' and '..'"),
]
KindName = Annotated[
    str, _matching(r"([a-z0-9.-]+/)?[A-Z][A-Za-z0-9]*", "KIND of the core group or GROUP/KIND, such as apps/Deployment")
]
Quantity = Annotated[str, _matching(r"\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi)?", "a Kubernetes quantity such as 100m or 256Mi")]
Group = Annotated[str, _matching(r'[^\s"]([^\r\n"]*[^\s"])?', "the name of a group on one line, without quotes")]
Flag = Annotated[bool, Strict()]
ResourceName = Literal["cpu", "memory", "ephemeral-storage"]
Component = Literal[
    "application-controller", "applicationset-controller", "dex-server", "notifications-controller",
    "redis", "redis-haproxy", "repo-server", "server",
]  # fmt: skip


class Settings(BaseModel):
    """Base of all settings: frozen, camelCase keys as Kubernetes writes them, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False, validate_by_alias=True
    )


class ExistingClusterSettings(Settings):
    """A cluster that is already there: kind, k3d, minikube, the lab, or anybody's."""

    provider: Literal["existing"] = Field(description="existing: a cluster that is already there.")
    kubeconfig: str | None = Field(None, description="Path of its file; default: $KUBECONFIG, then ~/.kube/config.")
    context: str | None = Field(None, description="Context in it; default: its current context.")


class EksClusterSettings(Settings):
    """An EKS cluster made by the stack. Its place is made here; the components follow in a later release."""

    provider: Literal["eks"] = Field(description="eks: made by the stack; refused by this version.")
    version: str = Field(description='With eks only: Kubernetes version, quoted: "1.35".')


class GithubAppSettings(Settings):
    """Credentials of a GitHub App that may read the GitOps repository."""

    app_id: str = Field(description="Id of the App, in quotes.")
    installation_id: str | None = Field(None, description="Found by Argo CD itself when left out.")
    private_key: SecretStr = Field(description="PEM, as a Pulumi secret.")


class CredentialsSettings(Settings):
    """How Argo CD logs in to the GitOps repository; exactly one way."""

    secrets_manager: str | None = Field(
        None, description="Name or ARN of an AWS Secrets Manager secret: a JSON object of Argo CD's repository keys."
    )
    github_app: GithubAppSettings | None = Field(None, description="A GitHub App that may read the repository.")
    ssh_key: SecretStr | None = Field(None, description="Private SSH key, as a Pulumi secret.")
    token: SecretStr | None = Field(None, description="HTTPS access token, as a Pulumi secret.")
    username: str | None = Field(None, description="User name beside the token; default: git.")

    @model_validator(mode="after")
    def _exactly_one(self) -> CredentialsSettings:
        ways = [self.secrets_manager, self.github_app, self.ssh_key, self.token]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("needs exactly one of secretsManager, githubApp, sshKey, token")
        if self.username is not None and self.token is None:
            raise ValueError("needs username only beside token")
        return self


class GitOpsSettings(Settings):
    """The repository Argo CD follows."""

    repo_url: RepositoryUrl = Field(description="URL of the GitOps repository, as Argo CD clones it.")
    revision: str = Field("main", min_length=1, description="Branch, tag or commit Argo CD follows.")
    path: RelativePath | None = Field(None, description="The stack's tree in it; default: gitops/<stack>.")
    credentials: CredentialsSettings | None = Field(None, description="How Argo CD logs in; default: not at all.")


class ComponentResources(Settings):
    """Requests and limits of one Argo CD component; keys are cpu, memory, ephemeral-storage."""

    requests: dict[ResourceName, Quantity] = Field(default_factory=dict, description="What the scheduler sets aside.")
    limits: dict[ResourceName, Quantity] = Field(default_factory=dict, description="What it may use at most.")


class ArgoCDSettings(Settings):
    """The release of Argo CD and what is patched into it."""

    version: ReleaseVersion = Field(description="Release of Argo CD, such as v3.5.1.")
    commit: Commit = Field(description="The commit that release stands for; `gitops-stack lock --version` writes both.")
    high_availability: Flag = Field(False, description="Upstream's HA manifests; they need at least three nodes.")
    namespace: DnsLabel = Field("argocd", description="Where Argo CD is installed; Pulumi makes it.")
    source: BaseSource = Field(
        UPSTREAM, description="Where the remote base comes from; a mirror with the same content passes."
    )
    admin_enabled: Flag = Field(True, description="The built-in admin account; switch it off once SSO works.")
    rbac: dict[Group, Literal["admin", "readonly"]] = Field(default_factory=dict, description="SSO group -> role.")
    resources: dict[Component, ComponentResources] = Field(
        default_factory=dict, description="Overrides per component; unlisted components keep the library's requests."
    )
    patches: dict[DnsLabel, dict[str, Any]] = Field(
        default_factory=dict, description="Name -> strategic merge patch, written to argocd/patches/00-<name>.yaml."
    )


class ProjectSettings(Settings):
    """One team's AppProject: exactly its repositories, namespaces and kinds."""

    description: str = Field("", max_length=255, description="Shown by Argo CD.")
    source_repos: tuple[RepositoryUrl, ...] | None = Field(
        None, min_length=1, description="Its repositories, '*' within a segment; default: the GitOps repository."
    )
    namespaces: tuple[NamespacePattern, ...] = Field(min_length=1, description="Its namespaces; literal ones are made.")
    cluster_kinds: tuple[KindName, ...] = Field((), description="Cluster-wide kinds; none unless listed.")
    kinds: tuple[KindName, ...] = Field(TEAM_KINDS, description="Namespaced kinds.")


class WorkloadSettings(Settings):
    """One child application of the root application."""

    project: str = Field(description="The team's project.")
    path: RelativePath = Field(description="Folder in the repository.")
    namespace: DnsLabel = Field(description="Where it is deployed.")
    repo_url: RepositoryUrl | None = Field(None, description="Default: the GitOps repository.")
    revision: str | None = Field(None, min_length=1, description="Default: gitops.revision, or HEAD of another one.")
    wave: Annotated[int, Strict()] = Field(0, ge=0, le=1000, description="Sync wave inside the root application.")
    auto_sync: Flag = Field(True, description="Sync, prune and heal without being asked.")


class StackSettings(Settings):
    """All settings of one stack. ``stack`` comes from Pulumi, the rest from ``Pulumi.<stack>.yaml``."""

    stack: DnsLabel
    cluster: Annotated[ExistingClusterSettings | EksClusterSettings, Field(discriminator="provider")] = Field(
        description="The cluster: provider existing (kubeconfig, context) or eks."
    )
    gitops: GitOpsSettings = Field(description="The repository Argo CD follows.")
    argocd: ArgoCDSettings = Field(description="Argo CD's release, variant and patches.")
    projects: dict[DnsLabel, ProjectSettings] = Field(default_factory=dict, description="One AppProject per team.")
    workloads: dict[DnsLabel, WorkloadSettings] = Field(default_factory=dict, description="One child application each.")

    @property
    def tree_path(self) -> str:
        """The path of the stack's GitOps tree in its repository."""
        return self.gitops.path or f"gitops/{self.stack}"

    def project_repos(self, name: str) -> tuple[str, ...]:
        """List the repositories of project ``name``: its own, or the GitOps repository."""
        return self.projects[name].source_repos or (self.gitops.repo_url,)

    def workload_source(self, name: str) -> tuple[str, str]:
        """Return (repository URL, revision) of workload ``name``."""
        workload = self.workloads[name]
        url = workload.repo_url or self.gitops.repo_url
        own = self.gitops.revision if url == self.gitops.repo_url else "HEAD"
        return url, workload.revision or own


# The API server refuses to delete the first three, so a teardown that holds them never ends.
CLUSTER_NAMESPACES = ("kube-system", "kube-public", "default", "kube-node-lease")


def check_references(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    """Yield (path as typed, found, what is needed) for every rule that spans two settings."""
    if "redis-haproxy" in settings.argocd.resources and not settings.argocd.high_availability:
        yield "argocd.resources.redis-haproxy", "redis-haproxy", "needs highAvailability: only those manifests have it"
    for name, patch in settings.argocd.patches.items():
        metadata = patch.get("metadata")
        named = metadata.get("name") if isinstance(metadata, dict) else None
        if not all(isinstance(part, str) and part for part in (patch.get("apiVersion"), patch.get("kind"), named)):
            yield f"argocd.patches.{name}", patch, "needs apiVersion, kind and metadata.name: the object it changes"
    if settings.argocd.namespace in CLUSTER_NAMESPACES:
        yield "argocd.namespace", settings.argocd.namespace, "needs a namespace of its own: this one is the cluster's"
    yield from _check_projects(settings)
    yield from _check_workloads(settings)


def _check_projects(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    owners: dict[str, str] = {}
    for name, project in settings.projects.items():
        path = f"projects.{name}"
        if name in conventions.RESERVED_PROJECTS:
            yield path, name, f"needs another name: {name} is reserved for the library's own project"
        for namespace in project.namespaces:
            where = f"{path}.namespaces"
            if fnmatchcase(settings.argocd.namespace, namespace):
                needs = (
                    f"needs to leave out {settings.argocd.namespace}: who writes in Argo CD's namespace is its admin"
                )
                yield where, namespace, needs
            elif taken := [own for own in CLUSTER_NAMESPACES if fnmatchcase(own, namespace)]:
                yield where, namespace, f"needs to leave out {taken[0]}, which belongs to the cluster"
            for other, owner in owners.items():
                if owner != name and (fnmatchcase(namespace, other) or fnmatchcase(other, namespace)):
                    yield where, namespace, f"needs one owner: project {owner} lists {other}"
            owners.setdefault(namespace, name)


def _check_workloads(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    places: dict[tuple[str, str, str], str] = {}
    for name, workload in settings.workloads.items():
        path = f"workloads.{name}"
        url, _ = settings.workload_source(name)
        if name in conventions.RESERVED_APPLICATIONS:
            yield path, name, f"needs another name: {name} is one of the library's own applications"
        if any(name == f"namespace-{ns}" for project in settings.projects.values() for ns in project.namespaces):
            yield path, name, f"needs another name: apps/{name}.yaml holds the namespace of that name"
        project = settings.projects.get(workload.project)
        if project is None:
            known = ", ".join(settings.projects) or "none"
            yield f"{path}.project", workload.project, f"needs a project of this stack: {known}"
        else:
            if not any(fnmatchcase(workload.namespace, pattern) for pattern in project.namespaces):
                needs = f"needs a namespace of project {workload.project}: {', '.join(project.namespaces)}"
                yield f"{path}.namespace", workload.namespace, needs
            if not any(fnmatchcase(url, pattern) for pattern in settings.project_repos(workload.project)):
                repos = ", ".join(settings.project_repos(workload.project))
                yield f"{path}.repoUrl", url, f"needs a repository of project {workload.project}: {repos}"
        place = (url, workload.path, workload.namespace)
        if place in places:
            yield (
                f"{path}.path",
                workload.path,
                f"needs its own path or namespace: workload {places[place]} has the same",
            )
        places.setdefault(place, name)
