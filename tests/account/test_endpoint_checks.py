"""A cluster that is there is reached, or the sentence says from where it is."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from gitops_stack.account.endpoint_checks import check_endpoint
from gitops_stack.account.session import Account
from tests.account.stacks import CLUSTER, REGION, ROLE, eks_settings

PRIVATE = {"publicAccessCidrs": [], "privateAccessCidrs": ["10.20.0.0/16"]}


def check(account: Account, endpoint: dict[str, Any], reach: Any) -> list[Any]:
    return list(check_endpoint(account, eks_settings(cluster={"endpoint": endpoint}), reach))


def refuse(_host: str, _port: int) -> None:
    raise TimeoutError("timed out")


@pytest.mark.parametrize(
    ("endpoint", "public", "remedy"),
    [
        (
            {"publicAccessCidrs": ["203.0.113.0/24"]},
            True,
            "add this machine's address to cluster.endpoint.publicAccess",
        ),
        (PRIVATE, False, "work from one of cluster.endpoint.privateAccessCidrs or privateAccessSecurityGroups"),
        ({"publicAccessCidrs": []}, False, "name the network you work from in cluster.endpoint.privateAccessCidrs"),
    ],
)
def test_an_endpoint_that_does_not_answer_is_a_failure(
    endpoint: dict[str, Any], public: bool, remedy: str, account: Account
) -> None:
    asked: list[tuple[str, int]] = []
    eks = boto3.client("eks", region_name=REGION)
    made = eks.create_cluster(
        name=CLUSTER, roleArn=ROLE, resourcesVpcConfig={"subnetIds": [], "endpointPublicAccess": public}, version="1.35"
    )
    [failed] = check(account, endpoint, refuse)
    host = made["cluster"]["endpoint"].split("/")[2].lower()
    assert (failed.status, failed.found) == ("failed", f"{host} does not answer: timed out")
    assert failed.remedy.startswith(remedy)
    [answered] = check(account, endpoint, lambda *address: asked.append(address))
    assert (answered.status, answered.found, asked) == ("ok", f"{host} answers", [(host, 443)])


def test_a_private_cluster_needs_somebody_inside_before_it_is_made(account: Account) -> None:
    assert check(account, {"publicAccessCidrs": ["203.0.113.0/24"]}, refuse) == []
    [failed] = check(account, PRIVATE, refuse)
    assert (failed.name, failed.status) == ("endpoint", "failed")
    assert failed.found == (
        "gitops-stack:cluster.endpoint is private, and its VPC is not made yet, so nothing could be inside to install "
        "Argo CD in the new cluster"
    )
    assert failed.remedy.startswith("either run `pulumi up` without gitops-stack:cluster")


def test_whoever_is_inside_of_the_network_has_to_be_let_in(account: Account) -> None:
    tags = [{"Key": "gitops-stack:stack", "Value": "dev"}]
    specification = [{"ResourceType": "vpc", "Tags": tags}]
    boto3.client("ec2", region_name=REGION).create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=specification)
    assert check(account, PRIVATE, refuse) == []
    [failed] = check(account, {"publicAccessCidrs": []}, refuse)
    assert failed.found.startswith("gitops-stack:cluster.endpoint is private and lets nodes in alone")
    assert failed.remedy.startswith("name where Pulumi runs in privateAccessCidrs or privateAccessSecurityGroups")
