"""The frozen settings of one stack: shape, defaults, and the rules between them. Defaults are stated only here."""

from gitops_stack.settings.account import AccountSettings
from gitops_stack.settings.add_on_applications import AddOnApplicationSettings
from gitops_stack.settings.add_ons import (
    AddOnSettings,
    ClusterAutoscalerSettings,
    ExternalDnsSettings,
    ExternalSecretsSettings,
    KarpenterSettings,
    LoadBalancerControllerSettings,
)
from gitops_stack.settings.argocd import (
    AlbSettings,
    ArgoCDSettings,
    CognitoSettings,
    Commit,
    ComponentResources,
    DirectorySettings,
    EmailSettings,
    EntraSettings,
    ExistingSecretSettings,
    ExposureSettings,
    ExternalSecretSettings,
    GatewaySettings,
    GithubSettings,
    GithubStatusSettings,
    GoogleSettings,
    IdentityCenterSettings,
    IgnoredDifferencesSettings,
    KeycloakSettings,
    KustomizeSettings,
    LocalAccountSettings,
    MetricsSettings,
    NginxSettings,
    NlbSettings,
    NotificationServicesSettings,
    NotificationSettings,
    OidcSettings,
    OktaSettings,
    PolicySettings,
    ProviderSettings,
    ReleaseVersion,
    ResourceCustomizationSettings,
    ResourceExclusionSettings,
    SecretSourceSettings,
    SlackSettings,
    SsoSettings,
    SubscriptionSettings,
    TeamsSettings,
    TriggerSettings,
    WebhookSettings,
)
from gitops_stack.settings.ci import CiSettings, PipelineSettings, PublisherSettings
from gitops_stack.settings.cluster import (
    ComputeSettings,
    ControlPlaneLogSettings,
    EksClusterSettings,
    EndpointSettings,
    ExistingClusterSettings,
)
from gitops_stack.settings.cluster_access import AccessPolicySettings, AccessSettings
from gitops_stack.settings.cluster_metadata import ClusterMetadata
from gitops_stack.settings.extra_subnets import ExtraSubnetSettings
from gitops_stack.settings.gitops import CredentialsSettings, GithubAppSettings, GitOpsSettings
from gitops_stack.settings.managed_by import ManagedBySettings
from gitops_stack.settings.network import NetworkSettings
from gitops_stack.settings.node_groups import NodeGroupSettings
from gitops_stack.settings.node_lifecycle import NodeUpdateSettings, TaintSettings
from gitops_stack.settings.pod_roles import PodRoleSettings, StatementSettings
from gitops_stack.settings.project_roles import ProjectRoleSettings
from gitops_stack.settings.references import check_references
from gitops_stack.settings.registered_clusters import RegisteredClusterSettings
from gitops_stack.settings.registry import (
    PullAccessSettings,
    RegistrySettings,
    ReplicationSettings,
    RepositorySettings,
)
from gitops_stack.settings.stack import AWS_KEYS, FROM_ELSEWHERE, KEYS, OPTIONAL_KEYS, StackSettings
from gitops_stack.settings.sync_windows import SyncWindowSettings
from gitops_stack.settings.teams import ProjectSettings, WorkloadSettings
from gitops_stack.settings.types import Settings

__all__ = [
    "AWS_KEYS", "FROM_ELSEWHERE", "KEYS", "OPTIONAL_KEYS",
    "AccessPolicySettings", "AccessSettings", "AccountSettings", "AddOnApplicationSettings", "AddOnSettings",
    "AlbSettings", "ArgoCDSettings", "CiSettings", "ClusterAutoscalerSettings", "ClusterMetadata",
    "CognitoSettings", "Commit", "ComponentResources", "ComputeSettings", "ControlPlaneLogSettings",
    "CredentialsSettings", "DirectorySettings", "EksClusterSettings", "EmailSettings", "EndpointSettings",
    "EntraSettings", "ExistingClusterSettings", "ExistingSecretSettings", "ExposureSettings", "ExternalDnsSettings",
    "ExternalSecretSettings", "ExternalSecretsSettings", "ExtraSubnetSettings", "GatewaySettings", "GitOpsSettings",
    "GithubAppSettings", "GithubSettings", "GithubStatusSettings", "GoogleSettings", "IdentityCenterSettings",
    "IgnoredDifferencesSettings", "KarpenterSettings", "KeycloakSettings", "KustomizeSettings",
    "LoadBalancerControllerSettings", "LocalAccountSettings", "ManagedBySettings", "MetricsSettings",
    "NetworkSettings", "NginxSettings", "NlbSettings", "NodeGroupSettings", "NodeUpdateSettings",
    "NotificationServicesSettings", "NotificationSettings", "OidcSettings", "OktaSettings", "PipelineSettings",
    "PodRoleSettings", "PolicySettings", "ProjectRoleSettings", "ProjectSettings", "ProviderSettings",
    "PublisherSettings", "PullAccessSettings", "RegisteredClusterSettings", "RegistrySettings", "ReleaseVersion",
    "ReplicationSettings", "RepositorySettings", "ResourceCustomizationSettings", "ResourceExclusionSettings",
    "SecretSourceSettings", "Settings", "SlackSettings", "SsoSettings", "StackSettings", "StatementSettings",
    "SubscriptionSettings", "SyncWindowSettings", "TaintSettings", "TeamsSettings", "TriggerSettings",
    "WebhookSettings", "WorkloadSettings", "check_references",
]  # fmt: skip
