"""Sign-in as keys of argocd-cm: `oidc.config`, or `dex.config` where only Dex speaks to the provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.argocd.patch import Patch, workload
from gitops_stack.settings import ArgoCDSettings
from gitops_stack.settings.argocd.sign_in import (
    CognitoSettings,
    EntraSettings,
    GithubSettings,
    GoogleSettings,
    IdentityCenterSettings,
    KeycloakSettings,
    OidcSettings,
    OktaSettings,
    SsoSettings,
)
from gitops_stack.settings.partitions import dns_suffix, find_partition

_BASIC_SCOPES = ["openid", "profile", "email"]
_GROUPS = {"groups": {"essential": True}}
_DIRECTORY_FOLDER, _DIRECTORY_VOLUME = "/google", "google-directory"
_DEX = "argocd-dex-server"
_DEX_OBJECTS = (
    ("v1", "ServiceAccount", _DEX), ("v1", "Service", _DEX), ("apps/v1", "Deployment", _DEX),
    ("rbac.authorization.k8s.io/v1", "Role", _DEX), ("rbac.authorization.k8s.io/v1", "RoleBinding", _DEX),
    ("networking.k8s.io/v1", "NetworkPolicy", f"{_DEX}-network-policy"),
)  # fmt: skip


def build_sign_in_keys(argocd: ArgoCDSettings) -> dict[str, str]:
    """Build the key of argocd-cm that tells Argo CD, or Dex, of the provider."""
    sso = argocd.sso
    if sso is None:
        return {}
    if sso.needs_dex:
        return {"dex.config": _yaml({"connectors": [_connector(sso, argocd.url or "")]})}
    return {"oidc.config": _yaml(_oidc(sso))}


def default_scopes(argocd: ArgoCDSettings) -> list[str] | None:
    """Return the claims that hold groups when the settings do not say: the provider's, and the person's address."""
    claim = argocd.sso.provider.claim if argocd.sso else "groups"
    return None if claim == "groups" else list(dict.fromkeys([claim, "email"]))


def build_dex_patches(argocd: ArgoCDSettings) -> Iterator[Patch]:
    """Yield what Dex needs beside its configuration, or what takes it out of the installation.

    Taken out and not scaled to zero: no image to mirror and scan, no Service that answers nothing, no ServiceAccount
    that may read Secrets. argocd-server asks for it only when somebody signs in through it.
    """
    if not argocd.uses_dex:
        for version, kind, name in _DEX_OBJECTS:
            body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "$patch": "delete"}
            yield Patch(f"without-dex-{kind.lower()}", body)
    elif argocd.sso and isinstance(google := argocd.sso.provider, GoogleSettings) and google.directory:
        account = google.directory.service_account
        secret = {"secretName": account.name, "items": [{"key": account.key, "path": "account.json"}]}
        mount = {"name": _DIRECTORY_VOLUME, "mountPath": _DIRECTORY_FOLDER, "readOnly": True}
        pod = {
            "containers": [{"name": "dex", "volumeMounts": [mount]}],
            "volumes": [{"name": _DIRECTORY_VOLUME, "secret": secret}],
        }
        yield Patch("dex-google-directory", workload("Deployment", _DEX, {"template": {"spec": pod}}))


def build_federation_patches(argocd: ArgoCDSettings) -> Iterator[Patch]:
    """Yield what gives argocd-server the token that Entra federates: on EKS no webhook of Azure's mounts it."""
    if argocd.sso and isinstance(entra := argocd.sso.provider, EntraSettings) and entra.workload_identity:
        token = {"audience": "api://AzureADTokenExchange", "expirationSeconds": 3600, "path": "token"}
        name, folder = "entra-token", "/entra"
        container = {
            "name": "argocd-server",
            "env": [{"name": "AZURE_FEDERATED_TOKEN_FILE", "value": f"{folder}/token"}],
            "volumeMounts": [{"name": name, "mountPath": folder, "readOnly": True}],
        }
        volume = {"name": name, "projected": {"sources": [{"serviceAccountToken": token}]}}
        pod = {"containers": [container], "volumes": [volume]}
        yield Patch("entra-federation", workload("Deployment", "argocd-server", {"template": {"spec": pod}}))


def build_external_secret(argocd: ArgoCDSettings) -> Manifest | None:
    """Build the ExternalSecret that makes the sign-in's Secret, if the settings want one."""
    source = argocd.sso.secret.external_secret if argocd.sso and argocd.sso.secret else None
    if source is None:
        return None
    remote = {"key": source.secret} | ({"property": source.property} if source.property else {})
    labels = {"app.kubernetes.io/name": conventions.SSO_SECRET, conventions.PART_OF: "argocd"}
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": conventions.SSO_SECRET},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": source.store},
            # Argo CD reads `$secret:key` only of Secrets with this label.
            "target": {"name": conventions.SSO_SECRET, "template": {"metadata": {"labels": labels}}},
            "data": [{"secretKey": conventions.SSO_SECRET_KEY, "remoteRef": remote}],
        },
    }


def _oidc(sso: SsoSettings) -> dict[str, Any]:
    provider = sso.provider
    if isinstance(provider, (GithubSettings, IdentityCenterSettings)):
        raise TypeError(f"{sso.name} has no OIDC")
    own: dict[str, Any] = {}
    match provider:
        case OktaSettings():
            name, issuer, scopes = "Okta", provider.issuer, [*_BASIC_SCOPES, "groups"]
            own = {"requestedIDTokenClaims": _GROUPS}
        case EntraSettings():
            name, scopes = "Microsoft", _BASIC_SCOPES
            issuer = f"https://login.microsoftonline.com/{provider.tenant_id}/v2.0"
            wanted = {
                "useWorkloadIdentity": provider.workload_identity,
                "enableUserGroupOverageClaim": provider.group_overage,
            }
            azure = {key: True for key, value in wanted.items() if value}
            own = {"requestedIDTokenClaims": _GROUPS, **({"azure": azure} if azure else {})}
        case GoogleSettings():
            name, issuer, scopes = "Google", "https://accounts.google.com", _BASIC_SCOPES
        case CognitoSettings():
            # Cognito refuses the scope `groups`; the claim comes without being asked for.
            name, scopes = "Cognito", _BASIC_SCOPES
            region = provider.user_pool_id.partition("_")[0]
            issuer = f"https://cognito-idp.{region}.{dns_suffix(find_partition(region))}/{provider.user_pool_id}"
        case KeycloakSettings():
            name, issuer, scopes = "Keycloak", provider.issuer, [*_BASIC_SCOPES, "groups"]
        case OidcSettings():
            name, issuer, scopes = provider.name, provider.issuer, list(provider.scopes)
    public = provider.client_secret is None and not (isinstance(provider, EntraSettings) and provider.workload_identity)
    return {
        "name": name,
        "issuer": issuer,
        "clientID": provider.client_id,
        **({} if provider.client_secret is None else {"clientSecret": _secret_reference(sso)}),
        **({"cliClientID": provider.cli_client_id} if provider.cli_client_id else {}),
        **({"enablePKCEAuthentication": True} if public else {}),
        "requestedScopes": list(scopes),
        **own,
    }


def _connector(sso: SsoSettings, url: str) -> dict[str, Any]:
    callback = f"{url}/api/dex/callback"
    provider = sso.provider
    if isinstance(provider, IdentityCenterSettings):
        saml = {
            "ssoURL": provider.sso_url, "caData": provider.ca_data, "entityIssuer": callback, "redirectURI": callback,
            "usernameAttr": "email", "emailAttr": "email", "groupsAttr": "groups",
        }  # fmt: skip
        return {"type": "saml", "id": "aws", "name": "AWS IAM Identity Center", "config": saml}
    client: dict[str, Any] = {"clientID": provider.client_id, "clientSecret": _secret_reference(sso)}
    if isinstance(provider, GithubSettings):
        orgs = [
            {"name": name} | ({"teams": list(teams)} if teams else {}) for name, teams in provider.organizations.items()
        ]
        host = {"hostName": provider.host} if provider.host else {}
        config: dict[str, Any] = {**client, **host, "orgs": orgs, "teamNameField": "slug"}
        return {"type": "github", "id": "github", "name": "GitHub", "config": config}
    if not isinstance(provider, GoogleSettings) or provider.directory is None:
        raise TypeError(f"{sso.name} needs no Dex")
    config = {
        "redirectURI": callback, **client,
        "domainToAdminEmail": {"*": provider.directory.admin_email},  # adminEmail is deprecated since Dex 2.37
        "serviceAccountFilePath": f"{_DIRECTORY_FOLDER}/account.json", "fetchTransitiveGroupMembership": True,
        **({"hostedDomains": list(provider.hosted_domains)} if provider.hosted_domains else {}),
    }  # fmt: skip
    return {"type": "google", "id": "google", "name": "Google", "config": config}


def _secret_reference(sso: SsoSettings) -> str:
    existing = sso.secret.existing if sso.secret else None
    name, key = (existing.name, existing.key) if existing else (conventions.SSO_SECRET, conventions.SSO_SECRET_KEY)
    return f"${name}:{key}"


def _yaml(value: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
    return text
