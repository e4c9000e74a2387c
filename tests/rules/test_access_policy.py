"""The rendered argocd-rbac-cm, judged as Argo CD reads it; tests/e2e/test_access.py asks Argo CD itself."""

from __future__ import annotations

import pytest

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.rules.access_policy import check_access_policy
from gitops_stack.rules.finding import RenderedObject


def findings(namespace: str = "argocd", **data: str) -> list[str]:
    keys = {key.replace("_", "."): value for key, value in data.items()}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-rbac-cm"}, "data": keys}
    found = check_access_policy(RenderedObject(manifest, namespace, "cm.yaml"), "argocd", load_documents)
    return [f"{one.field}: {one.message}" for one in found]


def test_a_good_policy_has_no_findings() -> None:
    policy = "p, role:a, applications, get, */*, allow\ng, team, role:a"
    assert findings(policy_csv=policy, policy_default="role:a", scopes="[groups]", policy_matchMode="glob") == []


def test_a_missing_comma_is_named_with_its_line_and_repair() -> None:
    assert findings(policy_csv="# ours\np, role:a, applications get, */*, allow\n") == [
        "data.policy.csv line 2: a comma is missing: p, role:a, applications get, */*, allow; "
        "write p, role:a, applications, get, */*, allow"
    ]


def test_a_role_may_be_defined_under_another_key() -> None:
    assert findings(policy_csv="g, team, role:a", policy_more_csv="p, role:a, logs, get, */*, allow") == []
    assert findings(policy_csv="g, team, role:xyz") == [
        "data.policy.csv line 1: no line defines role:xyz: g, team, role:xyz; "
        "define it, or name role:admin, role:readonly"
    ]


@pytest.mark.parametrize("key", ["policies_csv", "policy", "scope", "policy_csv_old"])
def test_a_key_that_argo_cd_ignores_is_named(key: str) -> None:
    name = key.replace("_", ".")
    assert findings(**{key: "g, team, role:admin"}) == [
        f"data.{name}: is a key that Argo CD ignores; name it policy.NAME.csv, or take it out"
    ]


def test_a_default_that_no_line_defines_is_named() -> None:
    assert findings(policy_default="role:everybody") == [
        "data.policy.default: names role:everybody, which no line defines; define it"
    ]


@pytest.mark.parametrize("scopes", ["groups", "groups, email", "[groups", "[1]", "{groups: email}"])
def test_scopes_that_would_end_the_server_are_named(scopes: str) -> None:
    assert findings(scopes=scopes) == [
        f"data.scopes: found {scopes}, which is not a list of names: argocd-server ends when it reads it; "
        "write '[groups]', with the names of claims"
    ]


@pytest.mark.parametrize("scopes", ["", "[groups, 'cognito:groups']", "- groups", "[cognito:groups, email]"])
def test_scopes_are_a_list(scopes: str) -> None:
    assert findings(scopes=scopes) == []


def test_a_match_mode_that_argo_cd_does_not_have_is_named() -> None:
    assert findings(policy_matchMode="regexp") == [
        "data.policy.matchMode: found regexp, which Argo CD takes for glob; write glob or regex"
    ]
    assert findings(policy_matchMode="regex") == []


def test_a_config_map_of_that_name_elsewhere_is_nobody_s_policy() -> None:
    assert findings("shop", policy_csv="just text") == []
