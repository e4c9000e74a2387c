"""The release of Argo CD, and what teams set in it: one module per family of settings."""

from gitops_stack.settings.argocd.access import (
    LocalAccountSettings,
    PolicySettings,
)
from gitops_stack.settings.argocd.customizations import (
    IgnoredDifferencesSettings,
    ResourceCustomizationSettings,
    ResourceExclusionSettings,
)
from gitops_stack.settings.argocd.exposure import (
    AlbSettings,
    ExposureSettings,
    GatewaySettings,
    MetricsSettings,
    NginxSettings,
    NlbSettings,
)
from gitops_stack.settings.argocd.installation import (
    ArgoCDSettings,
    Commit,
    ComponentResources,
    KustomizeSettings,
    ReleaseVersion,
)
from gitops_stack.settings.argocd.notifications import (
    EmailSettings,
    GithubStatusSettings,
    NotificationServicesSettings,
    NotificationSettings,
    SlackSettings,
    SubscriptionSettings,
    TeamsSettings,
    TriggerSettings,
    WebhookSettings,
)
from gitops_stack.settings.argocd.sign_in import (
    CognitoSettings,
    DirectorySettings,
    EntraSettings,
    ExistingSecretSettings,
    ExternalSecretSettings,
    GithubSettings,
    GoogleSettings,
    IdentityCenterSettings,
    KeycloakSettings,
    OidcSettings,
    OktaSettings,
    ProviderSettings,
    SecretSourceSettings,
    SsoSettings,
)

__all__ = [
    "AlbSettings", "ArgoCDSettings", "CognitoSettings", "Commit", "ComponentResources", "DirectorySettings",
    "EmailSettings", "EntraSettings", "ExistingSecretSettings", "ExposureSettings", "ExternalSecretSettings",
    "GatewaySettings", "GithubSettings", "GithubStatusSettings", "GoogleSettings", "IdentityCenterSettings",
    "IgnoredDifferencesSettings", "KeycloakSettings", "KustomizeSettings", "LocalAccountSettings",
    "MetricsSettings", "NginxSettings", "NlbSettings", "NotificationServicesSettings", "NotificationSettings",
    "OidcSettings", "OktaSettings", "PolicySettings", "ProviderSettings", "ReleaseVersion",
    "ResourceCustomizationSettings", "ResourceExclusionSettings", "SecretSourceSettings", "SlackSettings",
    "SsoSettings", "SubscriptionSettings", "TeamsSettings", "TriggerSettings", "WebhookSettings",
]  # fmt: skip
