"""The release of Argo CD and what is patched into it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gitops_stack.patterns import COMMIT
from gitops_stack.settings.argocd.access import Group, LocalAccountSettings, PolicySettings, RoleName, Url
from gitops_stack.settings.argocd.customizations import (
    ResourceCustomizationSettings,
    ResourceExclusionSettings,
    ResourceKind,
)
from gitops_stack.settings.argocd.exposure import ExposureSettings, MetricsSettings
from gitops_stack.settings.argocd.notifications import NotificationSettings
from gitops_stack.settings.argocd.parameters import ParameterKey
from gitops_stack.settings.argocd.sign_in import SsoSettings
from gitops_stack.settings.argocd.size import Shards, Size
from gitops_stack.settings.types import DnsLabel, Flag, RoleArn, Settings, matching

UPSTREAM = "github.com/argoproj/argo-cd"

ReleaseVersion = Annotated[
    str, matching(r"v\d+\.\d+\.\d+(-rc\d+)?", "a release such as v3.5.1; a branch name or 'stable' would move")
]
Commit = Annotated[str, matching(COMMIT, "the full 40 hexadecimal digits of the release's commit")]
BaseSource = Annotated[
    str,
    matching(
        r"(?!https://[^/\s]*@|\w+://[^/\s]*:[^/\s]*@)(?!\w*:?/?/?.*[^:/]//)"
        r"(github\.com|(https|ssh|file)://[^/?\s]*)/[^?\s]*[^/?\s]|[a-zA-Z][a-zA-Z0-9-]*@[\w.-]+:[^?\s]+",
        "github.com/OWNER/NAME or the https://, ssh:// or file:// URL of a mirror, without '//' path and '?ref='",
    ),
]
Quantity = Annotated[str, matching(r"\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi)?", "a Kubernetes quantity such as 100m or 256Mi")]
TakeOver = Annotated[
    str,
    matching(
        r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "what the refusal names: an owner as project/stack, or the UID of a cluster",
    ),
]
ResourceName = Literal["cpu", "memory", "ephemeral-storage"]
Component = Literal[
    "application-controller", "applicationset-controller", "dex-server", "notifications-controller",
    "redis", "redis-haproxy", "repo-server", "server",
]  # fmt: skip


class ComponentResources(Settings):
    """Requests and limits of one Argo CD component; keys are cpu, memory, ephemeral-storage."""

    requests: dict[ResourceName, Quantity] = Field(default_factory=dict, description="What the scheduler sets aside.")
    limits: dict[ResourceName, Quantity] = Field(default_factory=dict, description="What it may use at most.")


class KustomizeSettings(Settings):
    """How Argo CD runs kustomize."""

    build_options: str | None = Field(
        None, min_length=1, description="Options of every `kustomize build`, such as --enable-helm."
    )


class ArgoCDSettings(Settings):
    """The release of Argo CD and what is patched into it."""

    version: ReleaseVersion = Field(description="Release of Argo CD, such as v3.5.1.")
    commit: Commit = Field(description="The commit that release stands for; `gitops-stack lock --version` writes both.")
    high_availability: Flag = Field(
        False, description="Upstream's HA manifests: three nodes run them, an update needs a fourth."
    )
    namespace: DnsLabel = Field("argocd", description="Where Argo CD is installed; Pulumi makes it.")
    source: BaseSource = Field(
        UPSTREAM, description="Where the remote base comes from; a mirror with the same content passes."
    )
    take_over: TakeOver | None = Field(
        None, description="On purpose: the stack (`project/stack`) or cluster (UID of kube-system) that is taken over."
    )
    admin_enabled: Flag = Field(True, description="The built-in admin account; switch it off once SSO works.")
    url: Url | None = Field(None, description="Where people reach Argo CD; sign-in and links need it.")
    sso: SsoSettings | None = Field(None, description="How people sign in; default: local accounts alone.")
    dex: Flag | None = Field(
        None, description="Whether Dex is installed; default: unless argocd.sso names a provider that needs none."
    )
    rbac: dict[Group, RoleName] = Field(
        default_factory=dict,
        description="SSO group or local account -> role: admin, readonly, or a role of argocd.policy.csv.",
    )
    policy: PolicySettings = Field(
        default_factory=lambda: PolicySettings.model_validate({}), description="What roles may do (argocd-rbac-cm)."
    )
    accounts: dict[DnsLabel, LocalAccountSettings] = Field(
        default_factory=dict, description="Local accounts for machines, beside admin; their tokens stay out of Git."
    )
    notifications: NotificationSettings = Field(
        default_factory=lambda: NotificationSettings.model_validate({}), description="Who hears of what Argo CD does."
    )
    parameters: dict[ParameterKey, str] = Field(
        default_factory=dict,
        description="Keys of argocd-cmd-params-cm, and argocd-cm's that are read at start; readers restart.",
    )
    resource_customizations: dict[ResourceKind, ResourceCustomizationSettings] = Field(
        default_factory=dict, description="Kind -> health and ignored differences, as `apps/Deployment`."
    )
    resource_exclusions: tuple[ResourceExclusionSettings, ...] = Field(
        (), description="Kinds that Argo CD does not look at, added to the release's own list."
    )
    size: Size | None = Field(
        None,
        description="small (400 applications), medium (1,000), large (2,000 a shard); default: upstream's figures.",
    )
    shards: Shards | None = Field(
        None, description="Application controllers; clusters are spread over them, one cluster never is."
    )
    exposure: ExposureSettings | None = Field(None, description="A way in from outside; default: port-forward alone.")
    metrics: MetricsSettings = Field(
        default_factory=lambda: MetricsSettings.model_validate({}), description="What Prometheus reads of Argo CD."
    )
    kustomize: KustomizeSettings = Field(
        default_factory=lambda: KustomizeSettings.model_validate({}), description="How kustomize is run."
    )
    resources: dict[Component, ComponentResources] = Field(
        default_factory=dict, description="Overrides per component; unlisted components keep the library's requests."
    )
    patches: dict[DnsLabel, dict[str, Any]] = Field(
        default_factory=dict, description="Name -> strategic merge patch, written to argocd/patches/00-<name>.yaml."
    )
    spoke_role_arns: tuple[RoleArn, ...] = Field(
        (), description="With eks: roles of other clusters that Argo CD may assume from here."
    )

    @property
    def uses_dex(self) -> bool:
        """Whether Dex is part of the installation: a patch of people may use it as long as nobody says otherwise."""
        if self.dex is not None:
            return self.dex
        return self.sso is None or self.sso.needs_dex
