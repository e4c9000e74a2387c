"""What a stack's settings name for its roles."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.stack_needs import list_keys, list_made_issuers, list_read_stacks, list_secrets
from tests.account.stacks import ACCOUNT, REGION, eks_settings

PLACE = AccountRegion(ACCOUNT, REGION)
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
PROVIDERS = f"arn:aws:iam::{ACCOUNT}:oidc-provider"


def test_secrets_are_opened_or_only_known() -> None:
    given = eks_settings(
        gitops={"credentials": {"secretsManager": "acme/repo"}}, registry={"pullThroughCache": ["quay.io", "ghcr.io"]}
    )
    opened = [f"{SECRET}acme/repo-??????"]
    assert list_secrets(given, PLACE) == (opened, [f"{SECRET}ecr-pullthroughcache/ghcr.io-??????"])
    assert list_secrets(eks_settings(), PLACE) == ([], [])
    arn = f"{SECRET}acme/repo-a1B2c3"
    assert list_secrets(eks_settings(gitops={"credentials": {"secretsManager": arn}}), PLACE) == ([arn], [])


def test_keys_of_others_are_listed_once() -> None:
    assert list_keys(eks_settings()) == []
    given = eks_settings(cluster={"secretsKeyArn": KEY}, registry={"kmsKeyArn": KEY})
    assert list_keys(given) == [KEY]


def test_states_of_hub_and_spokes_are_read_where_they_are_of_this_project() -> None:
    assert list_read_stacks(eks_settings()) == []
    cluster = {**eks_settings().model_dump(by_alias=True, exclude_none=True)["cluster"], "managedBy": {"stack": "hub"}}
    whole = {"c": {"stack": "organization/gitops-stack/edge"}}
    clusters = {"b": {"stack": "stage"}, "a": {"stack": "acme/payments/prd"}, **whole}
    assert list_read_stacks(eks_settings(cluster=cluster, clusters=clusters)) == ["edge", "hub", "stage"]


def test_a_stack_written_whole_is_of_this_project_by_the_name_pulumi_yaml_has() -> None:
    clusters = {"a": {"stack": "organization/shop/edge"}, "b": {"stack": "organization/gitops-stack/other"}}
    assert list_read_stacks(eks_settings(clusters=clusters)) == ["other"]
    assert list_read_stacks(eks_settings(clusters=clusters).model_copy(update={"pulumi_project": "shop"})) == ["edge"]


@pytest.mark.parametrize(
    ("ci", "hosts"),
    [
        (None, []),
        ({}, []),
        ({"previewers": {"a": {"github": "acme/a"}}}, ["token.actions.githubusercontent.com"]),
        ({"previewers": {"a": {"gitlab": "acme/a"}}}, ["gitlab.com"]),
        (
            {"previewers": {"a": {"github": "acme/a"}, "b": {"gitlab": "acme/b"}}},
            ["token.actions.githubusercontent.com", "gitlab.com"],
        ),
        (
            {
                "previewers": {"a": {"github": "acme/a"}},
                "githubProviderArn": f"{PROVIDERS}/token.actions.githubusercontent.com",
            },
            [],
        ),
    ],
)
def test_issuers_a_stack_makes_are_those_its_file_does_not_name(ci: dict[str, Any] | None, hosts: list[str]) -> None:
    given = eks_settings() if ci is None else eks_settings(ci=ci)
    assert list_made_issuers(given) == hosts
