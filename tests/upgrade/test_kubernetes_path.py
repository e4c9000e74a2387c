"""The next version of a cluster: which step EKS makes, what it says of it, and what happens afterwards."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gitops_stack.account.addon_pins import load_pins
from gitops_stack.account.session import Account, AwsError
from gitops_stack.config import load_stack_file
from gitops_stack.settings import EksClusterSettings, StackSettings
from gitops_stack.upgrade.kubernetes_path import check_kubernetes_path, check_versions, list_steps, load_insights
from tests.account.test_permissions import documented
from tests.stacks import ROOT

DAY = date(2026, 11, 29)


def load(stack: str) -> tuple[StackSettings, EksClusterSettings]:
    settings = load_stack_file(ROOT, stack)
    assert settings.eks is not None
    return settings, settings.eks


@pytest.mark.parametrize(("old", "new"), [("1.35", "1.36"), ("1.35", "1.35"), ("1.34", "1.35")])
def test_one_step_is_open(old: str, new: str) -> None:
    assert check_kubernetes_path(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.34", "1.36", "EKS upgrades by one minor version at a time; take 1.35 first"),
        ("1.36", "1.35", "1.35 is older than 1.36; this command only goes forward"),
        ("1.35", "v1.36.1", "found v1.36.1; needs a Kubernetes version"),
        ("1.98", "1.99", "no schemas of Kubernetes 1.99 are installed"),
    ],
)
def test_any_other_step_is_refused(old: str, new: str, said: str) -> None:
    [finding] = check_kubernetes_path(old, new)
    assert said in finding


def test_the_tables_answer_without_an_account() -> None:
    settings, cluster = load("dev")
    assert check_versions(settings, cluster, "1.36", None, DAY) == ([], [])
    failed, warned = check_versions(settings, cluster, "1.37", None, DAY)
    assert failed == []
    assert [sentence.split(";")[0] for sentence in warned] == [
        "1.37: its support is unknown (table as of 2026-07-08)",
        "Argo CD v3.5.1 on Kubernetes 1.37",
    ]


def test_a_second_step_before_the_first_is_made_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, cluster = load("dev")

    def find(_self: Account, _service: str, method: str, **_asked: Any) -> dict[str, Any]:
        assert method == "describe_cluster"
        return {"cluster": {"version": "1.34"}}

    monkeypatch.setattr(Account, "find", find)
    monkeypatch.setattr(Account, "list", lambda *_args, **_asked: [])
    failed, _ = check_versions(settings, cluster, "1.36", Account("ap-northeast-1"), DAY)
    assert any("set cluster.version to 1.35 first" in sentence for sentence in failed)


def test_insights_that_failed_stop_and_the_unclear_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_self: Account, _service: str, method: str, key: str, **asked: Any) -> list[Any]:
        assert (method, key, asked["clusterName"]) == ("list_insights", "insights", "acme")
        assert asked["filter"] == {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": ["1.36"]}
        states = {"kubelet": "ERROR", "add-ons": "WARNING", "proxy": "UNKNOWN", "apis": "PASSING"}
        return [{"name": name, "insightStatus": {"status": one, "reason": "why"}} for name, one in states.items()]

    monkeypatch.setattr(Account, "list", answer)
    failed, rest = load_insights(Account("ap-northeast-1"), "acme", "1.36")
    assert failed == ["EKS insight kubelet: why"]
    assert rest == ["EKS insight add-ons: why", "EKS insight proxy: why"]


@pytest.mark.parametrize(("code", "told"), [("ResourceNotFoundException", 0), ("AccessDeniedException", 1)])
def test_insights_that_cannot_be_read_are_told_unless_there_is_no_cluster_yet(
    code: str, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_asked: Any) -> list[Any]:
        raise AwsError("eks:ListInsights: no", code=code)

    monkeypatch.setattr(Account, "list", refuse)
    failed, rest = load_insights(Account("ap-northeast-1"), "acme", "1.36")
    assert (failed, len(rest)) == ([], told)


def test_the_documented_permissions_are_those_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, cluster = load("prd")
    asked: set[str] = set()

    def note(_self: Account, service: str, method: str, *_args: Any, **_asked: Any) -> Any:
        asked.add(f"{service}:{''.join(word.capitalize() for word in method.split('_'))}")
        return [] if method != "describe_cluster" else None

    monkeypatch.setattr(Account, "list", note)
    monkeypatch.setattr(Account, "find", note)
    account = Account("ap-northeast-1")
    check_versions(settings, cluster, "1.36", account, DAY)
    load_insights(account, "acme", "1.36")
    load_pins(account, cluster.addons, cluster.addons, "1.36")
    assert asked == documented("upgrade cluster")


def test_the_control_plane_comes_first_and_auto_mode_last() -> None:
    steps = list(list_steps(load("prd")[1], "1.36"))
    assert "control plane" in steps[0]
    assert [step.split(":")[0] for step in steps[1:3]] == ["then node group system", "then node group general"]
    assert list(list_steps(load("dev")[1], "1.36"))[-1].startswith("Auto Mode exchanges its nodes by itself")
