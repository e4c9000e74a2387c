"""vCPUs: what the first nodes take, by way of buying, beside what runs already."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from gitops_stack.account import vcpu_checks
from gitops_stack.account.addon_versions import load_recorded
from gitops_stack.account.log_group_checks import check_log_group
from gitops_stack.account.session import Account
from gitops_stack.settings import StackSettings
from tests.account.stacks import CLUSTER, REGION, eks_settings

ADDONS = {addon: versions[0] for addon, versions in load_recorded("1.35").items()}
OWN = [{"Key": "gitops-stack:stack", "Value": "dev"}]


def with_groups(**groups: dict[str, Any]) -> StackSettings:
    return eks_settings(cluster={"compute": {"nodeGroups": groups}, "addons": ADDONS})


def group(kind: str, least: int, most: int, **other: Any) -> dict[str, Any]:
    return {"instanceTypes": [kind], "minSize": least, "maxSize": most, **other}


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    found = {vcpu_checks.ON_DEMAND.code: 32, vcpu_checks.SPOT.code: 8}
    monkeypatch.setattr(vcpu_checks, "load_quota", lambda _account, quota: (found[quota.code], ""))
    return found


def check(account: Account, settings: StackSettings) -> list[tuple[str, str, str]]:
    return [(one.name, one.status, one.found) for one in vcpu_checks.check_vcpus(account, settings)]


def test_nodes_are_counted_by_their_way_of_buying(account: Account, limits: dict[str, int]) -> None:
    settings = with_groups(general=group("m5.xlarge", 4, 6), work=group("m5.large", 5, 5, capacity="spot"))
    assert limits[vcpu_checks.SPOT.code] == 8
    assert check(account, settings) == [
        ("quota: on-demand vCPUs", "ok", "0 of 32 used, the stack adds 16"),
        ("quota: spot vCPUs", "failed", "0 of 8 used, the stack adds 10"),
    ]


def test_growth_beyond_the_quota_is_a_warning(account: Account, limits: dict[str, int]) -> None:
    [found] = vcpu_checks.check_vcpus(account, with_groups(general=group("m5.xlarge", 4, 12)))
    assert limits[vcpu_checks.ON_DEMAND.code] == 32
    assert (found.status, found.needs) == ("warning", "room for 48 vCPUs, to which the node groups may grow")
    assert found.remedy == "ask for 48 or more: quota L-1216C47A of ec2 in Service Quotas"


def test_what_runs_counts_and_the_stack_s_own_as_present(account: Account, ec2: Any, limits: dict[str, int]) -> None:
    def start(kind: str, **other: Any) -> str:
        made = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType=kind, **other)
        identity: str = made["Instances"][0]["InstanceId"]
        return identity

    settings = with_groups(general=group("m5.xlarge", 2, 2))
    other = start("m5.xlarge")
    start("p3.2xlarge")  # a family with a quota of its own
    [(_, status, found)] = check(account, settings)
    used = int(found.partition(" ")[0])
    assert (status, found) == ("ok", f"{used} of 32 used, the stack adds 8")
    assert used > 0
    ec2.create_tags(Resources=[other], Tags=OWN)
    [(_, _, found)] = check(account, settings)
    assert found == f"{used} of 32 used, the stack adds {8 - used}"
    limits[vcpu_checks.ON_DEMAND.code] = 1
    assert check(account, settings)[0][1] == "failed"


def test_a_new_account_has_room_for_auto_mode_s_first_nodes(account: Account) -> None:
    [found] = vcpu_checks.check_vcpus(account, eks_settings())
    assert (found.status, found.found) == ("ok", "0 of 5, AWS' default used, the stack adds 4")


def test_a_log_group_that_eks_wrote_again_is_found_before_up_fails(account: Account) -> None:
    logs, name = boto3.client("logs", region_name=REGION), f"/aws/eks/{CLUSTER}/cluster"
    [free] = check_log_group(account, eks_settings())
    assert (free.status, free.found) == ("ok", f"{name} is not there yet")
    logs.create_log_group(logGroupName=name)
    logs.create_log_group(logGroupName=f"{name}-other")
    [left] = check_log_group(account, eks_settings())
    assert left.status == "failed"
    assert left.found == f"{name} is without the stack's tag: EKS wrote it again after a destroy, or made it"
    assert f"aws logs delete-log-group --region {REGION} --log-group-name {name}" in left.remedy
    logs.tag_log_group(logGroupName=name, tags={"gitops-stack:stack": "dev"})
    assert [one.status for one in check_log_group(account, eks_settings())] == ["ok"]
