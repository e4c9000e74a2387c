"""Who could install Argo CD in a cluster that an update makes."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.settings.private_endpoint import describe_network_first, describe_shut_endpoint
from tests.account.stacks import Replace, eks_settings

INSIDE = {"privateAccessCidrs": ["10.20.0.0/16"]}
ADOPTED = Replace(
    vpcId="vpc-0123456789abcdef0",
    privateSubnetIds=["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
    publicSubnetIds=["subnet-0123456789abcdef3", "subnet-0123456789abcdef4"],
)


@pytest.mark.parametrize(
    ("endpoint", "network", "shut", "first"),
    [
        ({"publicAccessCidrs": ["203.0.113.0/24"]}, {}, False, False),
        (INSIDE, {}, False, True),
        ({"privateAccessSecurityGroups": ["sg-0123456789abcdef0"]}, ADOPTED, False, False),
        ({"privateAccess": True}, {}, True, True),
        ({"privateAccess": True}, ADOPTED, True, False),
    ],
    ids=["public", "in a new VPC", "in an adopted one", "for nodes alone", "for nodes alone, adopted"],
)
def test_somebody_has_to_be_inside_and_let_in(
    endpoint: dict[str, Any], network: dict[str, Any], shut: bool, first: bool
) -> None:
    settings = eks_settings(cluster={"endpoint": endpoint}, network=network)
    assert (describe_shut_endpoint(settings) is not None, describe_network_first(settings) is not None) == (shut, first)


def test_the_sentence_names_place_and_both_roads() -> None:
    assert str(describe_network_first(eks_settings(cluster={"endpoint": INSIDE}))) == (
        "Pulumi.dev.yaml: gitops-stack:cluster.endpoint: is private, and its VPC is not made yet, so nothing could be "
        "inside to install Argo CD in the new cluster; either run `pulumi up` without gitops-stack:cluster, and with "
        "it from inside of that VPC, or list this machine's address in publicAccessCidrs for the first `pulumi up` "
        "(docs/aws.md)"
    )
