"""The frozen settings of one stack as a whole.

Nothing here knows of Pulumi, files or clusters: ``config`` reads the values and turns what is wrong into sentences.
Versions have no default on purpose: what ages is written down by the operator.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gitops_stack import conventions
from gitops_stack.patterns import same_repository
from gitops_stack.settings.account import AccountSettings
from gitops_stack.settings.add_on_applications import AddOnApplicationSettings
from gitops_stack.settings.add_on_charts import list_add_on_charts
from gitops_stack.settings.add_ons import AddOnSettings
from gitops_stack.settings.argocd import ArgoCDSettings
from gitops_stack.settings.ci import CiSettings
from gitops_stack.settings.cluster import EksClusterSettings, ExistingClusterSettings
from gitops_stack.settings.gitops import GitOpsSettings
from gitops_stack.settings.network import NetworkSettings
from gitops_stack.settings.pod_roles import PodRoleSettings
from gitops_stack.settings.registered_clusters import RegisteredClusterSettings, RegisteredName
from gitops_stack.settings.registry import RegistrySettings
from gitops_stack.settings.teams import ProjectSettings, WorkloadSettings
from gitops_stack.settings.types import DnsLabel, Region, Settings


def _name_add_ons(schema: dict[str, Any]) -> None:
    schema["propertyNames"] = {"enum": list(list_add_on_charts())}


class StackSettings(Settings):
    """All settings of one stack.

    ``stack`` comes from Pulumi, as ``pulumi_project`` does, ``region`` from `aws:region`, the rest is ours.
    """

    stack: DnsLabel
    pulumi_project: str = Field(conventions.PULUMI_PROJECT, description="`name` of Pulumi.yaml.")
    region: Region | None = Field(None, description="AWS region, from `aws:region`.")
    account: AccountSettings | None = Field(None, description="The AWS account; needed with eks, registry and ci.")
    network: NetworkSettings | None = Field(
        None, description="The VPC; needed with eks, and by itself without cluster."
    )
    cluster: Annotated[ExistingClusterSettings | EksClusterSettings, Field(discriminator="provider")] | None = Field(
        None,
        description="The cluster: provider existing (kubeconfig, context) or eks; left out: the network is made alone.",
    )
    registry: RegistrySettings | None = Field(None, description="Container repositories and caches (ECR).")
    ci: CiSettings | None = Field(None, description="Roles of pipelines, by OIDC.")
    add_ons: AddOnSettings | None = Field(None, description="Roles of add-ons that Git deploys; only with eks.")
    pod_roles: dict[DnsLabel, PodRoleSettings] = Field(
        default_factory=dict, description="Roles of workloads' service accounts by name; only with eks."
    )
    add_on_applications: dict[DnsLabel, AddOnApplicationSettings] = Field(
        default_factory=dict,
        description="Add-ons that Argo CD deploys, an Application each: docs/add-ons.md.",
        json_schema_extra=_name_add_ons,
    )
    gitops: GitOpsSettings = Field(description="The repository Argo CD follows.")
    argocd: ArgoCDSettings = Field(description="Argo CD's release, variant and patches.")
    clusters: dict[RegisteredName, RegisteredClusterSettings] = Field(
        default_factory=dict, description="Other EKS clusters that Argo CD deploys to, by name."
    )
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
        own = self.gitops.revision if self.is_own_repository(url) else "HEAD"
        return url, workload.revision or own

    def spokes(self) -> dict[str, list[str]]:
        """List the literal namespaces of teams in other clusters, by cluster; those without any are left out."""
        found = {
            cluster: sorted(
                namespace
                for project in self.projects.values()
                if cluster in project.clusters
                for namespace in project.namespaces
                if "*" not in namespace
            )
            for cluster in self.clusters
        }
        return {cluster: names for cluster, names in found.items() if names}

    def is_own_repository(self, url: str | None) -> bool:
        """Tell whether ``url`` is the GitOps repository to Argo CD, which a workload's is when it names none."""
        return url is None or same_repository(url, self.gitops.repo_url)

    @property
    def eks(self) -> EksClusterSettings | None:
        """The EKS cluster the stack makes, or ``None`` when its cluster is there already."""
        return self.cluster if isinstance(self.cluster, EksClusterSettings) else None

    @property
    def cluster_name(self) -> str:
        """The name of the EKS cluster the stack makes."""
        return (self.eks.name if self.eks else None) or f"{conventions.PULUMI_PROJECT}-{self.stack}"


FROM_ELSEWHERE = ("stack", "pulumiProject", "region")  # by Pulumi, by `aws:region`: not under the project's own prefix
_WRITTEN = {
    key: field
    for name, field in StackSettings.model_fields.items()
    if (key := field.alias or name) not in FROM_ELSEWHERE
}
KEYS = tuple(_WRITTEN)
"""The keys of a stack file under the project's prefix, without it."""
OPTIONAL_KEYS = tuple(key for key, field in _WRITTEN.items() if field.default is None)
"""Of those, the sections that a stack may do without altogether."""
AWS_KEYS = tuple(key for key in OPTIONAL_KEYS if key != "cluster")
"""Of those, the ones that are made in AWS whatever the cluster is."""
