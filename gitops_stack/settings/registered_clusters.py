"""Other EKS clusters that this stack's Argo CD deploys to: its spokes.

No token anywhere: Argo CD asks for one with `argocd-k8s-auth aws`, from `awsAuthConfig` in the cluster's Secret
(argo-cd docs/operator-manual/declarative-setup.md, "EKS").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from gitops_stack.conventions import IN_CLUSTER, IN_CLUSTER_NAME
from gitops_stack.patterns import normalize_server
from gitops_stack.settings.cluster import ClusterName
from gitops_stack.settings.cluster_metadata import LABELS, ClusterMetadata
from gitops_stack.settings.managed_by import StackReferenceName, shorten_stack
from gitops_stack.settings.types import CertificateData, Flag, LabelValue, RoleArn, SettingError, Settings, matching

if TYPE_CHECKING:
    from gitops_stack.settings.stack import StackSettings

Server = Annotated[
    str,
    matching(r"https://[^\s/@?#]+(/[^\s@?#]*)?", "the URL of the cluster's API server: https://…"),
]
_DNS = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
ClusterLabel = Annotated[
    str,
    matching(
        rf"((?=[^/]{{1,253}}/){_DNS}(\.{_DNS})*/)?[A-Za-z0-9]([\w.-]{{0,61}}[A-Za-z0-9])?", "a label key of Kubernetes"
    ),
]
# Its Secret and its Application are named cluster-NAME, and a label of the Secret says that name: 63 at most.
RegisteredName = Annotated[
    str,
    matching(
        r"[a-z0-9]([-a-z0-9]{0,53}[a-z0-9])?", "a DNS label of at most 55 characters: its Secret is named cluster-NAME"
    ),
]
_TYPED = ("server", "caData", "clusterName")


class RegisteredClusterSettings(Settings):
    """Another EKS cluster that Argo CD deploys to: what its stack says of it, or typed."""

    stack: StackReferenceName | None = Field(
        None, description="Its stack, whose output `spoke` says the rest: NAME, or ORGANIZATION/PROJECT/NAME."
    )
    external: Flag = Field(
        False, description="Its Secret is made elsewhere, as for clusters outside of EKS; only the name is used."
    )
    server: Server | None = Field(None, description="URL of its API server; without `stack`.")
    ca_data: CertificateData | None = Field(None, description="Its certificate authority, PEM in base64.")
    cluster_name: ClusterName | None = Field(None, description="Its name in EKS, for which tokens are made.")
    role_arn: RoleArn | None = Field(
        None, description="Role that enters it; default: this stack's own, as a principal of its access entries."
    )
    metadata: ClusterMetadata | None = Field(
        None, description="What ApplicationSets read of it; default: the name here as `stack`, and `clusterName`."
    )
    labels: dict[ClusterLabel, LabelValue] = Field(
        default_factory=dict, description="More labels of its Secret, for selectors of ApplicationSets."
    )

    @model_validator(mode="after")
    def _one_source(self) -> RegisteredClusterSettings:
        given = {
            "server": self.server, "caData": self.ca_data, "clusterName": self.cluster_name, "roleArn": self.role_arn,
            "metadata": self.metadata,
        }  # fmt: skip
        typed = [key for key, value in given.items() if value is not None]
        if self.external:
            if typed or self.stack is not None or self.labels:
                beside = "stack" if self.stack is not None else (typed or ["labels"])[0]
                raise SettingError(
                    beside, "it beside external: true", "needs to be left out: who makes the Secret says it"
                )
            return self
        if self.stack is not None and typed:
            raise SettingError(typed[0], "it beside stack", f"needs to be left out: stack {self.stack} says it")
        if self.stack is None and (missing := [key for key in _TYPED if given[key] is None]):
            raise ValueError(f"needs stack, or {', '.join(missing)}; or external: true")
        named = self.metadata.clusterName if self.metadata else None
        if named is not None and named != self.cluster_name:
            raise SettingError("metadata.clusterName", named, f"needs {self.cluster_name}, as clusterName says")
        for key in self.labels:
            if key in LABELS or key.startswith("argocd.argoproj.io/") or key.startswith("app.kubernetes.io/"):
                raise SettingError(f"labels.{key}", self.labels[key], f"needs another key: {_owner(key)}")
        return self


def list_stack_references(settings: StackSettings) -> dict[str, str]:
    """List the stacks whose outputs the program reads, by the setting that names each."""
    managed = settings.eks.managed_by if settings.eks else None
    named = {f"clusters.{name}.stack": cluster.stack for name, cluster in settings.clusters.items()}
    named["cluster.managedBy.stack"] = managed.stack if managed else None
    return {path: stack for path, stack in named.items() if stack is not None}


def cluster_application(name: str) -> str:
    """Name the application that keeps the teams' namespaces in cluster ``name``."""
    return f"cluster-{name}"


def check_registered_clusters(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    """Yield (path as typed, found, what is needed) for clusters that do not go together, or with the stack."""
    if settings.clusters and settings.cluster is None:
        yield "clusters", ", ".join(settings.clusters), "needs cluster: the Argo CD that deploys to them runs in it"
    servers: dict[str, str] = {}
    stacks: dict[str, str] = {}
    for name, cluster in settings.clusters.items():
        path = f"clusters.{name}"
        if name == IN_CLUSTER_NAME:
            yield path, name, f"needs another name: {IN_CLUSTER_NAME} is the cluster Argo CD runs in"
        stack = shorten_stack(cluster.stack, settings.pulumi_project) if cluster.stack is not None else None
        if stack == settings.stack:
            yield f"{path}.stack", cluster.stack, f"needs another stack: this one's cluster is {IN_CLUSTER_NAME}"
        if cluster.server is not None and normalize_server(cluster.server) == IN_CLUSTER:
            yield f"{path}.server", cluster.server, f"needs another cluster: this is {IN_CLUSTER_NAME}"
        server = normalize_server(cluster.server) if cluster.server else None
        for key, shown, value, taken in (
            ("server", server, server, servers),
            ("stack", cluster.stack, stack, stacks),
        ):
            if value is None:
                continue
            if value in taken:
                # util/db/cluster.go of Argo CD: a cluster is its server, and one Secret of it is read.
                yield f"{path}.{key}", shown, f"needs one of its own: clusters.{taken[value]} has this one"
            taken.setdefault(value, name)
    managed = settings.eks.managed_by if settings.eks else None
    hub = shorten_stack(managed.stack, settings.pulumi_project) if managed and managed.stack else None
    if managed is not None and hub == settings.stack:
        yield "cluster.managedBy.stack", managed.stack, "needs another stack: a cluster's own Argo CD needs no role"


def _owner(key: str) -> str:
    return "metadata has this one" if key in LABELS else f"{key.partition('/')[0]}/ is Argo CD's and Kubernetes' own"
