from __future__ import annotations

import pytest

from gitops_stack.rules.admin_access import list_administrators

SSO = {"url": "https://argocd.example.com", "oidc.config": "name: x"}
BUILD = {"accounts.build": "login, apiKey"}
KEYS = ["accounts.build.password"]


@pytest.mark.parametrize(
    ("configuration", "policy", "keys", "wanted"),
    [
        ({}, "", [], []),
        (SSO, "", [], []),
        (SSO, "g, platform, role:admin", [], ["group platform"]),
        (SSO, 'g, "ops, europe", role:admin\np, role:x, *, *, *, allow', [], ["group ops, europe"]),
        ({"url": SSO["url"], "dex.config": "connectors: []"}, "g, platform, role:admin", [], ["group platform"]),
        ({"oidc.config": "name: x"}, "g, platform, role:admin", [], []),  # nobody is led back without a url
        ({}, "g, platform, role:admin", [], []),
        (SSO, "g, admin, role:admin", [], []),
        (SSO, "g, platform, role:readonly", [], []),
        (BUILD, "g, build, role:admin", KEYS, ["account build"]),
        (BUILD, "g, build, role:admin", [], []),
        (BUILD | {"accounts.build.enabled": "false"}, "g, build, role:admin", KEYS, []),
        ({"accounts.build": "apiKey"}, "g, build, role:admin", KEYS, []),
        (BUILD, "", KEYS, []),
    ],
)
def test_who_could_do_without_admin(
    configuration: dict[str, str], policy: str, keys: list[str], wanted: list[str]
) -> None:
    assert list_administrators(configuration, {"policy.csv": policy}, keys) == wanted


def test_policies_of_several_keys_and_a_default_role_count() -> None:
    permissions = {
        "policy.default": "role:admin",
        "policy.own.csv": "g, own, role:admin",
        "policies.csv": "g, x, role:admin",
    }
    assert list_administrators(SSO, permissions, []) == ["group own", "whoever signs in"]
