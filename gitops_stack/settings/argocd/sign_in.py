"""How people sign in to Argo CD: one form per identity provider, with what it needs and cannot do.

Source: docs/operator-manual/user-management of v3.5.1. Dex is used only where Argo CD does not speak to the provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, SecretStr, model_validator

from gitops_stack.settings.argocd.access import Scope
from gitops_stack.settings.types import UNIQUE, CertificateData, DnsLabel, Flag, SettingError, Settings, matching

Issuer = Annotated[
    str,
    matching(
        r"(https://[\w.-]+|http://(localhost|127\.0\.0\.1))(:\d{1,5})?(/[\w.~-]+)*/?",
        "the issuer's URL as its tokens name it: https://HOST/PATH",
    ),
]
OktaIssuer = Annotated[
    str,
    matching(
        r"https://[\w.-]+/oauth2/[\w-]+",
        "a custom authorization server, https://ORG.okta.com/oauth2/NAME: Okta's own gives no groups",
    ),
]
RealmIssuer = Annotated[
    str,
    matching(r"https://[\w.-]+(:\d{1,5})?(/[\w.~-]+)*/realms/[\w.-]+", "a realm's issuer: https://HOST/realms/REALM"),
]
Uuid = Annotated[
    str, matching(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "an id such as 8-4-4-4-12 digits")
]
UserPool = Annotated[
    str, matching(r"[a-z]{2,4}(-[a-z]+)+-\d_[A-Za-z0-9]+", "the id of a user pool: REGION_NAME, such as eu-west-1_Ab12")
]
Text = Annotated[str, matching(r"\S+", "text without spaces")]
Mail = Annotated[str, matching(r"[^@\s]+@[^@\s]+", "an e-mail address")]
SecretKey = Annotated[str, matching(r"[\w.-]+", "a key of a Secret: letters, digits, '.', '_' and '-'")]
HttpsUrl = Annotated[str, matching(r"https://\S+", "an https:// URL")]


class ExistingSecretSettings(Settings):
    """A key of a Secret that somebody keeps in Argo CD's namespace, labelled app.kubernetes.io/part-of: argocd."""

    name: DnsLabel = Field(description="Name of the Secret.")
    key: SecretKey = Field(description="Its key.")


class ExternalSecretSettings(Settings):
    """What the external-secrets operator copies from AWS Secrets Manager."""

    store: DnsLabel = Field(description="A ClusterSecretStore.")
    secret: str = Field(min_length=1, description="Name of the secret in Secrets Manager.")
    property: str | None = Field(None, min_length=1, description="A field of its JSON; default: all of it.")


class SecretSourceSettings(Settings):
    """Where one secret comes from; exactly one way."""

    value: SecretStr | None = Field(None, description="The secret itself, as a Pulumi secret.")
    external_secret: ExternalSecretSettings | None = Field(None, description="Copied by an ExternalSecret.")
    existing: ExistingSecretSettings | None = Field(None, description="A Secret that is there.")

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretSourceSettings:
        if sum(way is not None for way in (self.value, self.external_secret, self.existing)) != 1:
            raise ValueError("needs exactly one of value, externalSecret, existing")
        return self


class ProviderSettings(Settings):
    """What all providers share; the class variables say what a provider is to Argo CD."""

    uses_dex: ClassVar[bool] = False
    groups_claim_name: ClassVar[str] = "groups"

    client_id: Text = Field(description="Id of the client registered for Argo CD.")
    client_secret: SecretSourceSettings | None = Field(
        None, description="Its secret; without one the client is public and PKCE protects the sign-in."
    )
    cli_client_id: Text | None = Field(None, description="A public client for `argocd login --sso`.")

    @property
    def claim(self) -> str:
        """The claim that holds groups."""
        return self.groups_claim_name


class OktaSettings(ProviderSettings):
    """Okta, by OIDC."""

    issuer: OktaIssuer = Field(description="The custom authorization server that has a groups claim.")


class EntraSettings(ProviderSettings):
    """Microsoft Entra ID, by OIDC; groups are object ids."""

    client_id: Uuid = Field(description="Application id.")
    tenant_id: Uuid = Field(description="Directory id.")
    workload_identity: Flag = Field(False, description="No secret: argocd-server's token is federated.")
    group_overage: Flag = Field(False, description="From v3.5 on: ask Graph when somebody has more than 200 groups.")

    @model_validator(mode="after")
    def _one_proof(self) -> EntraSettings:
        if self.workload_identity and self.client_secret is not None:
            raise SettingError("workloadIdentity", True, "needs clientSecret left out: it takes the secret's place")
        return self


class DirectorySettings(Settings):
    """What Dex asks Google's directory with, on behalf of an administrator."""

    admin_email: Mail = Field(description="The administrator who is impersonated.")
    service_account: ExistingSecretSettings = Field(description="A Secret with the service account's JSON key.")


class GoogleSettings(ProviderSettings):
    """Google: by OIDC without groups, or by Dex with the groups of a directory."""

    client_secret: SecretSourceSettings = Field(description="Google has no public clients for a web page.")
    hosted_domains: Annotated[tuple[Text, ...], UNIQUE] = Field(
        (), description="Domains that may sign in; with directory."
    )
    directory: DirectorySettings | None = Field(None, description="Groups, by Dex's google connector.")

    @model_validator(mode="after")
    def _domains(self) -> GoogleSettings:
        if self.hosted_domains and self.directory is None:
            raise SettingError("hostedDomains", self.hosted_domains, "needs directory: only Dex restricts domains")
        return self

    @property
    def claim(self) -> str:
        """The claim that holds groups: without a directory it is the address of the person."""
        return "groups" if self.directory else "email"


class CognitoSettings(ProviderSettings):
    """An Amazon Cognito user pool, by OIDC."""

    groups_claim_name: ClassVar[str] = "cognito:groups"

    user_pool_id: UserPool = Field(description="Id of the user pool; its region is its beginning.")


class KeycloakSettings(ProviderSettings):
    """Keycloak, by OIDC; the client needs a client scope `groups`."""

    issuer: RealmIssuer = Field(description="The realm.")


class OidcSettings(ProviderSettings):
    """Any other provider of OpenID Connect."""

    name: str = Field("SSO", min_length=1, description="What the button says.")
    issuer: Issuer = Field(description="The issuer.")
    scopes: Annotated[tuple[Scope, ...], UNIQUE] = Field(
        ("openid", "profile", "email", "groups"), min_length=1, description="Scopes that are asked for."
    )
    groups_claim: Scope = Field("groups", description="The claim that holds groups.")

    @model_validator(mode="after")
    def _openid(self) -> OidcSettings:
        if "openid" not in self.scopes:
            raise SettingError("scopes", self.scopes, "needs openid: without it there is no ID token")
        return self

    @property
    def claim(self) -> str:
        """The claim that holds groups."""
        return self.groups_claim


class GithubSettings(ProviderSettings):
    """GitHub, by Dex; groups are ORG:TEAM."""

    uses_dex: ClassVar[bool] = True

    client_secret: SecretSourceSettings = Field(description="Secret of the OAuth app.")
    cli_client_id: None = Field(None, description="Dex has a client for the CLI.")
    organizations: dict[Text, tuple[DnsLabel, ...]] = Field(
        min_length=1, description="Organization -> teams whose members may sign in; [] for all."
    )
    host: Text | None = Field(None, description="Host of a GitHub Enterprise Server.")


class IdentityCenterSettings(Settings):
    """AWS IAM Identity Center, by SAML through Dex; groups are ids."""

    uses_dex: ClassVar[bool] = True
    claim: ClassVar[str] = "groups"

    sso_url: HttpsUrl = Field(description="IAM Identity Center sign-in URL of the application.")
    ca_data: CertificateData = Field(description="Certificate of the application: its PEM file in base64.")


AnyProvider = (
    OktaSettings | EntraSettings | GoogleSettings | CognitoSettings | KeycloakSettings | OidcSettings | GithubSettings
    | IdentityCenterSettings
)  # fmt: skip


class SsoSettings(Settings):
    """The identity provider; exactly one."""

    okta: OktaSettings | None = Field(None, description="Okta.")
    entra: EntraSettings | None = Field(None, description="Microsoft Entra ID.")
    google: GoogleSettings | None = Field(None, description="Google.")
    cognito: CognitoSettings | None = Field(None, description="Amazon Cognito.")
    keycloak: KeycloakSettings | None = Field(None, description="Keycloak.")
    oidc: OidcSettings | None = Field(None, description="Any provider of OpenID Connect.")
    github: GithubSettings | None = Field(None, description="GitHub, through Dex.")
    identity_center: IdentityCenterSettings | None = Field(None, description="AWS IAM Identity Center, through Dex.")

    @model_validator(mode="after")
    def _exactly_one(self) -> SsoSettings:
        if len(self.chosen) != 1:
            raise ValueError(f"needs exactly one of {', '.join(_aliases())}")
        return self

    @property
    def chosen(self) -> Mapping[str, AnyProvider]:
        """The providers that are set, by the name that was typed."""
        found: dict[str, Any] = {alias: getattr(self, name) for alias, name in _aliases().items()}
        return {alias: one for alias, one in found.items() if one is not None}

    @property
    def provider(self) -> AnyProvider:
        """The provider."""
        return next(iter(self.chosen.values()))

    @property
    def name(self) -> str:
        """The provider's name as it was typed."""
        return next(iter(self.chosen))

    @property
    def needs_dex(self) -> bool:
        """Whether Argo CD speaks to the provider through Dex."""
        provider = self.provider
        return provider.uses_dex or (isinstance(provider, GoogleSettings) and provider.directory is not None)

    @property
    def secret(self) -> SecretSourceSettings | None:
        """Where the client's secret comes from."""
        provider = self.provider
        return None if isinstance(provider, IdentityCenterSettings) else provider.client_secret


def _aliases() -> dict[str, str]:
    return {field.alias or name: name for name, field in SsoSettings.model_fields.items()}
