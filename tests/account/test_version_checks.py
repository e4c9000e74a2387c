"""Kubernetes versions on EKS, and Argo CD's tested pairs."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import boto3
import pytest

from gitops_stack.account.session import Account
from gitops_stack.account.version_checks import (
    Support,
    check_argocd_version,
    check_kubernetes_version,
    check_living_version,
    load_support,
)
from gitops_stack.settings.eks_versions import check_eks_version, find_version_warning, load_eks_versions
from tests.account.stacks import CLUSTER, REGION, ROLE, eks_settings

TABLE = "table as of 2026-07-08"
STANDARD, EXTENDED = date(2026, 12, 2), date(2027, 12, 2)


def test_without_an_account_the_table_answers() -> None:
    assert load_support(None, "1.34") == Support(TABLE, STANDARD, EXTENDED)
    assert load_support(None, "1.99") == Support(TABLE)


def test_the_settings_take_what_the_table_supports_and_what_it_does_not_know_yet() -> None:
    table = load_eks_versions()
    supported = table.supported(table.judged_on)
    assert supported == ("1.32", "1.33", "1.34", "1.35", "1.36")
    assert [check_eks_version(version) for version in (*supported, "1.37", "1.40")] == [None] * 7
    assert all(load_support(None, version).standard_ends for version in supported)


@pytest.mark.parametrize(
    ("version", "today", "warning"),
    [
        ("1.35", date(2026, 11, 29), None),
        ("1.32", date(2027, 3, 22), None),
        (
            "1.32",
            date(2027, 3, 23),
            "extended support of 1.32 ended on 2027-03-23: EKS makes no such clusters any more, and upgrades those "
            "there are; name the version the cluster has",
        ),
        (
            "1.37",
            date(2026, 11, 29),
            "1.37 is not in the table of 2026-07-08; `gitops-stack doctor` asks EKS whether it offers it",
        ),
    ],
)
def test_what_is_uncertain_about_a_version_is_a_warning(version: str, today: date, warning: str | None) -> None:
    assert find_version_warning(version, today) == warning


@pytest.mark.parametrize(
    ("named", "status", "remedy"),
    [
        ("1.35", "ok", ""),
        ("1.36", "ok", ""),
        (
            "1.34",
            "failed",
            "set cluster.version to 1.35: AWS has upgraded the cluster, and EKS goes back by no update",
        ),
        ("1.37", "failed", "set cluster.version to 1.36 first: EKS upgrades by one minor version at a time"),
    ],
)
def test_a_living_cluster_is_named_as_it_is_or_one_version_on(
    named: str, status: str, remedy: str, account: Account
) -> None:
    cluster = eks_settings(cluster={"version": named}).eks
    assert cluster is not None
    assert list(check_living_version(account, CLUSTER, cluster)) == [], "there is none yet"
    eks = boto3.client("eks", region_name=REGION)
    eks.create_cluster(name=CLUSTER, roleArn=ROLE, resourcesVpcConfig={"subnetIds": []}, version="1.35")
    [check] = check_living_version(account, CLUSTER, cluster)
    assert (check.status, check.remedy) == (status, remedy)
    assert check.found == f"cluster {CLUSTER} has 1.35, the stack names {named}"


def test_an_account_that_cannot_say_leaves_it_to_the_table(account: Account) -> None:
    assert load_support(account, "1.34") == Support(TABLE, STANDARD, EXTENDED)  # moto does not have the call


def test_eks_itself_is_believed_first(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[dict[str, Any]] = [
        {
            "endOfStandardSupportDate": datetime(2030, 1, 1, tzinfo=timezone.utc),
            "endOfExtendedSupportDate": datetime(2031, 1, 1, tzinfo=timezone.utc),
        }
    ]
    monkeypatch.setattr(account, "list", lambda *_args, **_arguments: offered)
    source = "eks:DescribeClusterVersions"
    assert load_support(account, "1.34") == Support(source, date(2030, 1, 1), date(2031, 1, 1))
    offered.clear()
    assert load_support(account, "1.34") == Support(source)


@pytest.mark.parametrize(
    ("today", "support_type", "status", "remedy"),
    [
        (date(2026, 10, 2), "standard", "ok", ""),
        (date(2026, 10, 3), "standard", "warning", "set cluster.version to a newer one within 60 days"),
        (
            date(2026, 12, 2),
            "standard",
            "failed",
            "set cluster.version to a newer one, or set supportType extended, which costs more per hour",
        ),
        (
            date(2026, 12, 2),
            "extended",
            "warning",
            "set cluster.version to a newer one: extended support costs more per hour",
        ),
        (
            date(2027, 12, 2),
            "extended",
            "failed",
            "set cluster.version to a newer one: EKS makes no clusters of this version any more",
        ),
    ],
)
def test_the_end_of_support_is_told_in_time(today: date, support_type: str, status: str, remedy: str) -> None:
    cluster = eks_settings(cluster={"version": "1.34", "supportType": support_type}).eks
    assert cluster is not None
    [check] = check_kubernetes_version(cluster, Support(TABLE, STANDARD, EXTENDED), today)
    assert (check.status, check.remedy) == (status, remedy)
    assert check.found == "1.34: standard support ends 2026-12-02, extended 2027-12-02 (table as of 2026-07-08)"


@pytest.mark.parametrize(
    ("source", "status", "found"),
    [
        ("eks:DescribeClusterVersions", "failed", "1.34: EKS does not offer it"),
        (TABLE, "warning", "1.34: its support is unknown (table as of 2026-07-08)"),
    ],
)
def test_not_offered_and_unknown_are_two_things(source: str, status: str, found: str) -> None:
    cluster = eks_settings(cluster={"version": "1.34"}).eks
    assert cluster is not None
    [check] = check_kubernetes_version(cluster, Support(source), date(2026, 1, 1))
    assert (check.status, check.found) == (status, found)


@pytest.mark.parametrize(
    ("argocd", "kubernetes", "status", "found"),
    [
        ("v3.5.1", "1.33", "ok", "Argo CD v3.5.1 on Kubernetes 1.33"),
        ("v3.5.1", "1.36", "ok", "Argo CD v3.5.1 on Kubernetes 1.36"),
        ("v3.5.1", "1.32", "warning", "Argo CD v3.5.1 on Kubernetes 1.32"),
        ("v3.2.12", "1.35", "warning", "Argo CD v3.2.12 on Kubernetes 1.35"),
        ("v3.9.0", "1.35", "skipped", "Argo CD v3.9.0 on Kubernetes 1.35: no table for 3.9 (as of 2026-11-21)"),
    ],
)
def test_argo_cd_is_held_against_the_versions_it_was_tested_with(
    argocd: str, kubernetes: str, status: str, found: str
) -> None:
    [check] = check_argocd_version(argocd, kubernetes)
    assert (check.status, check.found) == (status, found)
