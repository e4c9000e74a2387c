"""The role by which an Argo CD enters another cluster: what doctor finds wrong with it, on either side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from gitops_stack.account import hub_checks
from gitops_stack.account.principals import TAKING, Taker, find_missing_actions
from gitops_stack.account.session import Account
from gitops_stack.aws_plan.trust_policies import build_hub_trust
from gitops_stack.settings import StackSettings
from tests.account.stacks import ACCOUNT, eks_settings

HUB = "arn:aws:iam::210987654321:role/gitops-stack-pod-identity-argocd-4a5b6c7"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gitops-stack-hub-access-role-0123456"
AUTHORITY = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="


@dataclass
class World:
    """What AWS answers: access entries of the one cluster, and trust policies by the names of roles."""

    entries: list[str] = field(default_factory=lambda: [ROLE])
    trusts: dict[str, Any] = field(default_factory=dict)
    cluster: bool = True

    @property
    def identity(self) -> Any:
        return type("Identity", (), {"account": ACCOUNT})

    def find(self, service: str, method: str, **arguments: str) -> dict[str, Any] | None:
        if (service, method) == ("eks", "describe_cluster"):
            return {"cluster": {}} if self.cluster else None
        name = arguments["RoleName"]
        role = {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "AssumeRolePolicyDocument": self.trusts.get(name)}
        return {"Role": role} if name in self.trusts else None

    def list(self, _service: str, method: str, key: str, **_arguments: str) -> list[str]:
        assert (method, key) == ("list_access_entries", "accessEntries")
        return self.entries


def spoke(**managed: str) -> StackSettings:
    cluster = eks_settings().model_dump(by_alias=True, exclude_none=True)["cluster"]
    return eks_settings(cluster={**cluster, "managedBy": managed})


def examine(world: World, settings: StackSettings, name: str = "check_hub_access") -> list[tuple[str, str, str]]:
    check = getattr(hub_checks, name)
    return [(one.name, one.status, one.found) for one in check(cast("Account", world), settings)]


def trust(*, without: str = "", hub: str = HUB) -> dict[str, Any]:
    made = build_hub_trust(hub)
    made["Statement"][0]["Action"] = [one for one in made["Statement"][0]["Action"] if one != without]
    return made


NAME = ROLE.rpartition("/")[2]


def test_a_spoke_as_this_library_makes_it_is_fine() -> None:
    world = World(trusts={NAME: trust()})
    assert examine(world, spoke(roleArn=HUB)) == [("hub", "ok", ROLE)]
    assert examine(world, spoke(stack="hub")) == [("hub", "ok", ROLE)]


@pytest.mark.parametrize("action", TAKING)
def test_an_action_that_is_missing_is_named(action: str) -> None:
    world = World(trusts={NAME: trust(without=action)})
    found = f"the trust policy of {ROLE} does not let {HUB} do {action}"
    assert examine(world, spoke(roleArn=HUB)) == [("hub", "failed", found)]


def test_a_missing_access_entry_is_named() -> None:
    found = "gitops-stack-dev has no access entry for the hub's role, so it refuses every token of Argo CD"
    world = World(entries=[f"arn:aws:iam::{ACCOUNT}:role/platform"], trusts={NAME: trust()})
    assert [one[1:] for one in examine(world, spoke(roleArn=HUB))] == [
        ("failed", found.replace("gitops-stack-dev", spoke(stack="x").cluster_name))
    ]


def test_another_hub_is_not_let_in_by_mistake() -> None:
    world = World(trusts={NAME: trust(hub=f"{HUB}-other")})
    ((_, status, found),) = examine(world, spoke(roleArn=HUB))
    assert (status, found.rpartition("do ")[2]) == ("failed", "sts:AssumeRole and sts:TagSession")


@pytest.mark.parametrize(
    "principal", ["210987654321", "arn:aws:iam::210987654321:root", [HUB, "arn:aws:iam::210987654321:role/x"]]
)
def test_a_hub_may_be_named_by_its_account_or_among_others(principal: Any) -> None:
    changed = trust()
    changed["Statement"][0]["Principal"] = {"AWS": principal}
    assert find_missing_actions(changed, Taker(HUB)) == []


def test_nothing_is_said_before_the_cluster_is_made_or_without_a_hub() -> None:
    assert examine(World(cluster=False), spoke(roleArn=HUB)) == []
    assert examine(World(), eks_settings()) == []


def test_a_hub_looks_at_the_roles_it_can_see() -> None:
    typed = {"server": "https://a.eks.amazonaws.com", "caData": AUTHORITY, "clusterName": "a"}
    away = "arn:aws:iam::999999999999:role/spoke"
    clusters = {
        "fine": {**typed, "roleArn": ROLE},
        "gone": {**typed, "server": "https://b.eks.amazonaws.com", "roleArn": f"{ROLE}-gone"},
        "away": {**typed, "server": "https://c.eks.amazonaws.com", "roleArn": away},
        "own": {**typed, "server": "https://d.eks.amazonaws.com"},
        "stage": {"stack": "stage"},
    }
    world = World(trusts={NAME: trust()})
    assert examine(world, eks_settings(clusters=clusters), "check_spoke_roles") == [
        ("cluster: fine", "ok", ROLE),
        ("cluster: gone", "failed", f"{ROLE}-gone does not exist"),
        ("cluster: away", "skipped", f"{away} is of account 999999999999"),
    ]
