"""Pins of EKS add-ons: EKS is asked; what it does not answer, the dated table does, as far as it goes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from gitops_stack.account import addon_versions
from gitops_stack.account.addon_versions import Offered, check_addon_versions, load_offered, load_recorded
from gitops_stack.account.session import Account
from gitops_stack.settings import EksClusterSettings
from gitops_stack.settings.cluster import ADDONS
from gitops_stack.settings.eks_addons import AddonVersion
from tests.account.stacks import eks_settings
from tests.stacks import stack_settings

TABLE = "table as of 2026-10-02"
EKS = "eks:DescribeAddonVersions"


def cluster(**pins: str) -> EksClusterSettings:
    recorded = {addon: versions[0] for addon, versions in load_recorded("1.35").items()}
    groups = {"nodeGroups": {"general": {"instanceTypes": ["m7g.large"], "minSize": 1, "maxSize": 2}}}
    named = {addon.replace("_", "-"): version for addon, version in pins.items()}
    found = eks_settings(cluster={"compute": groups, "addons": {**recorded, **named}}).eks
    assert found is not None
    return found


def test_the_committed_stacks_pin_what_is_known_to_be_offered() -> None:
    eks = stack_settings("prd").eks
    assert eks is not None
    assert {check.status for check in check_addon_versions(None, eks)} == {"ok"}
    assert set(eks.addons) == set(ADDONS) == set(load_recorded(eks.version))


def test_without_an_account_the_table_answers_as_far_as_it_goes() -> None:
    pins = cluster(coredns="v1.12.1-eksbuild.2", vpc_cni="v1.23.9-eksbuild.1")
    found = {check.found.partition(" ")[0]: check for check in check_addon_versions(None, pins)}
    old, unlisted, good = found["coredns"], found["vpc-cni"], found["kube-proxy"]
    assert (old.status, old.found) == (
        "warning",
        f"coredns v1.12.1-eksbuild.2: older than all that is known to be offered ({TABLE})",
    )
    assert old.remedy == "set cluster.addons.coredns to v1.13.2-eksbuild.31"
    assert (unlisted.status, unlisted.found) == ("skipped", f"vpc-cni v1.23.9-eksbuild.1: not listed ({TABLE})")
    assert unlisted.remedy == ("ask `aws eks describe-addon-versions --addon-name vpc-cni --kubernetes-version 1.35`")
    assert (good.status, good.remedy) == ("ok", "")


def test_an_account_that_cannot_say_leaves_it_to_the_table(account: Account) -> None:
    assert load_offered(account, "coredns", "1.35").source == TABLE  # moto does not have the call


def test_eks_itself_is_believed_first_and_names_its_default(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def answer(_service: str, _method: str, _key: str, **arguments: Any) -> list[Any]:
        asked.append(arguments)
        versions = [
            {"addonVersion": "v9.9.9-eksbuild.9", "compatibilities": [{"defaultVersion": False}]},
            {"addonVersion": "v9.9.8-eksbuild.1", "compatibilities": [{"defaultVersion": True}]},
        ]
        return [{"addonVersions": versions}]

    monkeypatch.setattr(account, "list", answer)
    wanted = Offered(("v9.9.8-eksbuild.1", "v9.9.9-eksbuild.9"), EKS, complete=True)
    assert load_offered(account, "coredns", "1.35") == wanted
    assert asked == [{"addonName": "coredns", "kubernetesVersion": "1.35"}]
    checks = {
        check.found.partition(" ")[0]: check
        for check in check_addon_versions(account, cluster(coredns="v9.9.9-eksbuild.9"))
    }
    assert checks["coredns"].status == "ok"
    refused = checks["vpc-cni"]
    assert (refused.status, refused.found, refused.remedy) == (
        "failed",
        "vpc-cni v1.22.4-eksbuild.3: EKS does not offer it for Kubernetes 1.35",
        "set cluster.addons.vpc-cni to v9.9.8-eksbuild.1, as `gitops-stack addons --write` does",
    )


def test_every_recorded_version_has_a_source_and_is_a_pin_the_settings_take() -> None:

    table = addon_versions._load_table()
    pins = TypeAdapter(AddonVersion)
    for addons in table["versions"].values():
        for addon, versions in addons.items():
            assert addon in ADDONS
            for version, source in versions.items():
                assert source in table["records"]
                assert pins.validate_python(version) == version
