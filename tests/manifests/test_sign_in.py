"""Single sign-on: the golden patch of each provider, its secret, and Dex in or out of the installation."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from gitops_stack.gitops_tree.tree import build_tree
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.manifests.patches import build_patches
from gitops_stack.manifests.secrets import build_sign_in_data
from gitops_stack.settings import StackSettings
from tests.stacks import COMMIT, compare_golden, minimal

SECRET = {"existing": {"name": "sign-in", "key": "secret"}}
UUID = "11111111-2222-3333-4444-555555555555"
CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\n" + b"A" * 64).decode()
PROVIDERS: dict[str, dict[str, Any]] = {
    "okta": {"issuer": "https://acme.okta.com/oauth2/default", "clientId": "0oa1", "clientSecret": SECRET,
             "cliClientId": "0oa2"},
    "entra": {"tenantId": UUID, "clientId": UUID, "clientSecret": SECRET, "groupOverage": True},
    "google": {"clientId": "a.apps.googleusercontent.com", "clientSecret": SECRET, "hostedDomains": ["example.com"],
               "directory": {"adminEmail": "ada@example.com", "serviceAccount": {"name": "google", "key": "key.json"}}},
    "cognito": {"userPoolId": "eu-west-1_Ab12", "clientId": "abc"},
    "keycloak": {"issuer": "https://id.example.com/realms/acme", "clientId": "argocd"},
    "oidc": {"name": "Example", "issuer": "https://id.example.com", "clientId": "argocd", "clientSecret": SECRET,
             "groupsClaim": "roles", "scopes": ["openid", "email", "roles"]},
    "github": {"clientId": "Iv1", "clientSecret": SECRET, "organizations": {"acme": ["platform"], "other": []}},
    "identityCenter": {"ssoUrl": "https://portal.sso.eu-west-1.amazonaws.com/saml/assertion/abc",
                       "caData": CERTIFICATE},
}  # fmt: skip
WITH_DEX = {"google", "github", "identityCenter"}


def settings(provider: str, **changes: Any) -> StackSettings:
    sso = {provider: {**PROVIDERS[provider], **changes.pop("sso", {})}}
    argocd = {"version": "v3.5.1", "commit": COMMIT, "url": "https://argocd.example.com", "sso": sso, **changes}
    return minimal(argocd=argocd)


def patches(stack: StackSettings) -> dict[str, Any]:
    return {patch.name: patch.body for patch in build_patches(stack.argocd)}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_patch_of_a_provider_is_the_golden_one(provider: str) -> None:
    made = patches(settings(provider))
    config = {key: value for key, value in made["argocd-cm"]["data"].items() if not key.startswith("resource.")}
    shown = {"argocd-cm": config, "argocd-rbac-cm": made["argocd-rbac-cm"]["data"]}
    shown |= {name: body for name, body in made.items() if name.startswith("dex-")}
    compare_golden(f"argocd-sso-{provider}.yaml", render_document(shown))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_dex_is_left_out_where_argo_cd_speaks_to_the_provider_itself(provider: str) -> None:
    made = patches(settings(provider, parameters={"dexserver.log.level": "debug", "log.format.timestamp": "x"}))
    removed = {name for name, body in made.items() if name.startswith("without-dex") and body["$patch"] == "delete"}
    assert len(removed) == (0 if provider in WITH_DEX else 6)
    assert {"resources-dex-server", "parameters-dex-server"} & made.keys() == (
        {"resources-dex-server", "parameters-dex-server"} if provider in WITH_DEX else set()
    )


@pytest.mark.parametrize(("dex", "kept"), [(None, True), (True, True), (False, False)])
def test_without_a_provider_dex_stays_until_somebody_says_otherwise(dex: bool | None, kept: bool) -> None:
    stack = minimal(argocd={"version": "v3.5.1", "commit": COMMIT, "dex": dex})
    assert ("resources-dex-server" in patches(stack)) is kept


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_secret_is_named_and_never_written(provider: str) -> None:
    config = patches(settings(provider))["argocd-cm"]["data"]
    text = config.get("oidc.config") or config["dex.config"]
    assert ("$sign-in:secret" in text) is ("clientSecret" in PROVIDERS[provider])
    assert ("enablePKCEAuthentication" in text) is (provider in ("cognito", "keycloak"))


def test_pulumi_s_secret_is_in_its_own_secret_and_not_in_the_tree() -> None:
    stack = settings("okta", sso={"clientSecret": {"value": "hunter2"}})
    assert build_sign_in_data(stack.argocd) == {"clientSecret": "hunter2"}
    files = build_tree(stack)
    assert "hunter2" not in "".join(files.values())
    config = yaml.safe_load(files["argocd/patches/00-argocd-cm.yaml"])["data"]["oidc.config"]
    assert yaml.safe_load(config)["clientSecret"] == "$argocd-sso:clientSecret"


def test_an_external_secret_is_synced_last_and_makes_a_secret_that_argo_cd_reads() -> None:
    source = {"externalSecret": {"store": "aws", "secret": "acme/argocd", "property": "clientSecret"}}
    stack = settings("okta", sso={"clientSecret": source})
    assert build_sign_in_data(stack.argocd) is None
    made = yaml.safe_load(build_tree(stack)["apps/external-secret-argocd-sso.yaml"])
    assert made["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "1001"
    assert made["spec"]["target"]["template"]["metadata"]["labels"]["app.kubernetes.io/part-of"] == "argocd"
    assert made["spec"]["data"] == [
        {"secretKey": "clientSecret", "remoteRef": {"key": "acme/argocd", "property": "clientSecret"}}
    ]


@pytest.mark.parametrize(
    ("provider", "scopes"),
    [("cognito", "['cognito:groups', email]"), ("oidc", "[roles, email]"), ("okta", None), ("github", None)],
)
def test_scopes_name_the_claim_that_holds_groups(provider: str, scopes: str | None) -> None:
    assert patches(settings(provider))["argocd-rbac-cm"]["data"].get("scopes") == scopes
