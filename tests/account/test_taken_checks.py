"""Names that AWS gives out once: free, the stack's own, or somebody else's, which would stop `up` halfway."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from gitops_stack.account import taken_checks
from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account
from gitops_stack.settings import StackSettings
from tests.account.stacks import ACCOUNT, CLUSTER, REGION, eks_settings

TAG = "gitops-stack:stack"
HOST = "token.actions.githubusercontent.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/cluster"
CI = {"previewers": {"web": {"github": "acme/web"}}}
OWNERS = pytest.mark.parametrize(
    ("owner", "said"),
    [("dev", None), ("prd", "stack prd's"), (None, "without a stack's tag")],
    ids=["its own", "another stack's", "nobody's"],
)


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def tags(owner: str | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: TAG, value: owner}] if owner else []


def make_cluster(owner: str | None) -> str:
    network = {"subnetIds": ["subnet-1", "subnet-2"]}
    given = {"name": CLUSTER, "roleArn": ROLE, "resourcesVpcConfig": network}
    client("eks").create_cluster(**given, tags={TAG: owner} if owner else {})
    return f"cluster {CLUSTER}"


def make_alias(owner: str | None) -> str:
    keys, alias = client("kms"), f"alias/{CLUSTER}-secrets"
    key = keys.create_key(Tags=tags(owner, "TagKey", "TagValue"))["KeyMetadata"]["KeyId"]
    keys.create_alias(AliasName=alias, TargetKeyId=key)
    return alias


def make_repository(owner: str | None) -> str:
    client("ecr").create_repository(repositoryName="web", tags=tags(owner))
    return "repository web"


def make_provider(owner: str | None) -> str:
    given = {"Url": f"https://{HOST}", "ClientIDList": ["sts.amazonaws.com"], "Tags": tags(owner)}
    client("iam").create_open_id_connect_provider(**given)
    return f"identity provider {HOST}"


def look(account: Account, settings: StackSettings) -> list[Check]:
    return [
        check
        for one in (taken_checks.check_cluster_name, taken_checks.check_repositories, taken_checks.check_providers)
        for check in one(account, settings)
    ]


def settings() -> StackSettings:
    return eks_settings(registry={"repositories": {"web": {}}}, ci=CI)


def test_names_that_are_free_are_not_spoken_of(account: Account) -> None:
    assert look(account, settings()) == []


@OWNERS
@pytest.mark.parametrize("make", [make_cluster, make_alias, make_repository, make_provider])
def test_a_name_that_is_taken_is_told_with_its_owner(
    account: Account, make: Any, owner: str | None, said: str | None
) -> None:
    """AWS: ResourceInUseException, AlreadyExistsException, RepositoryAlreadyExistsException, EntityAlreadyExists."""
    what = make(owner)
    (found,) = look(account, settings())
    assert found.name == f"taken: {what}"
    if said is None:
        assert (found.status, found.found) == ("ok", f"{what} is the stack's")
    else:
        assert found.status == "failed"
        assert found.found == f"{what} is there already, {said}: `pulumi up` could not make it"
        assert found.remedy


def test_what_the_stack_does_not_make_may_be_there(account: Account) -> None:
    make_provider(None)
    make_alias(None)
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1a"
    assert look(account, eks_settings(ci={**CI, "githubProviderArn": arn}, cluster={"secretsKeyArn": key})) == []
