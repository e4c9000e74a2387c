"""The one rule of whose a resource is."""

from __future__ import annotations

import pytest

from gitops_stack.account.leftovers.kind import Scope, owner_tag
from tests.account.stacks import CLUSTER

SCOPE = Scope("dev", CLUSTER)
OWN = {"gitops-stack:stack": "dev", "gitops-stack:project": "gitops-stack"}
OTHER_STACK = {"gitops-stack:stack": "prd", "gitops-stack:project": "gitops-stack"}
CLUSTER_TAG = {f"kubernetes.io/cluster/{CLUSTER}": "owned"}


@pytest.mark.parametrize(
    ("tags", "because"),
    [
        (OWN, "gitops-stack:stack=dev"),
        (CLUSTER_TAG, f"kubernetes.io/cluster/{CLUSTER}=owned"),
        ({"elbv2.k8s.aws/cluster": CLUSTER}, f"elbv2.k8s.aws/cluster={CLUSTER}"),
        ({"eks:eks-cluster-name": CLUSTER}, f"eks:eks-cluster-name={CLUSTER}"),
        ({"cluster.k8s.amazonaws.com/name": CLUSTER}, f"cluster.k8s.amazonaws.com/name={CLUSTER}"),
        ({f"kubernetes.io/cluster/{CLUSTER}": "shared"}, None),
        ({"gitops-stack:stack": "dev"}, None),
        ({"gitops-stack:stack": "dev", "gitops-stack:project": "another"}, None),
        ({**OTHER_STACK, **CLUSTER_TAG}, None),
        ({"elbv2.k8s.aws/cluster": "other"}, None),
        ({"ebs.csi.aws.com/cluster": "true", "kubernetes.io/created-for/pvc/name": "data"}, None),
        ({}, None),
    ],
)
def test_a_tag_says_whose_a_resource_is(tags: dict[str, str], because: str | None) -> None:
    assert owner_tag(tags, SCOPE) == because


def test_a_cluster_s_name_proves_nothing_where_all_regions_meet() -> None:
    assert owner_tag(CLUSTER_TAG, SCOPE, regional=False) is None
    here = Scope("dev", CLUSTER, "eu-west-1")
    assert owner_tag({**OWN, "gitops-stack:region": "eu-west-1"}, here, regional=False) == "gitops-stack:stack=dev"
    assert owner_tag({**OWN, "gitops-stack:region": "eu-west-2"}, here, regional=False) is None
    assert owner_tag(OWN, here, regional=False) is None


def test_a_stack_without_a_cluster_of_its_own_has_its_own_tags_only() -> None:
    assert owner_tag(CLUSTER_TAG, Scope("dev", None)) is None
    assert owner_tag(OWN, Scope("dev", None)) == "gitops-stack:stack=dev"
