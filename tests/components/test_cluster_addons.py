"""ClusterAddons: pinned, configured by the add-on's own schema, after what their pods need."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from gitops_stack.components import ClusterAddons
from gitops_stack.testing import RegisteredResource
from tests.components.aws import check_common, children, run

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
ADDONS = {"coredns": "v1.13.2-eksbuild.31", "aws-ebs-csi-driver": "v1.64.0-eksbuild.1"}
TAGS = {"controller": {"extraVolumeTags": {"team": "platform"}}}


class Nodes(pulumi.CustomResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:Nodes", name)


def record(preview: bool = False, **args: Any) -> dict[str, RegisteredResource]:
    def component(opts: pulumi.ResourceOptions) -> None:
        after = pulumi.ResourceOptions(depends_on=[Nodes("system"), Nodes("general")])
        wanted: Any = {"cluster_name": "acme-dev", "addons": ADDONS, **args}
        ClusterAddons("addons", wanted, pulumi.ResourceOptions.merge(opts, after))

    return run(component, preview=preview)


@BOTH
def test_every_add_on_is_pinned_and_takes_over_what_eks_put_there(preview: bool) -> None:
    found = record(preview)
    assert children(found) == ["Addon:addons-aws-ebs-csi-driver", "Addon:addons-coredns"]
    assert found["ClusterAddons:addons"].type == "gitops-stack:index:ClusterAddons"
    check_common(found, "addons")
    assert found["Addon:addons-coredns"].inputs == {
        "addonName": "coredns",
        "addonVersion": "v1.13.2-eksbuild.31",
        "clusterName": "acme-dev",
        "resolveConflictsOnCreate": "OVERWRITE",
        "resolveConflictsOnUpdate": "OVERWRITE",
    }


@BOTH
def test_each_add_on_waits_for_all_that_its_pods_need(preview: bool) -> None:
    found = record(preview)
    waits = {name: found[name].depends_on for name in children(found)}
    assert waits == dict.fromkeys(["Addon:addons-aws-ebs-csi-driver", "Addon:addons-coredns"], ("general", "system"))


def test_configuration_goes_to_its_add_on_alone() -> None:
    found = record(configuration={"aws-ebs-csi-driver": TAGS})
    assert json.loads(found["Addon:addons-aws-ebs-csi-driver"].inputs["configurationValues"]) == TAGS
    assert "configurationValues" not in found["Addon:addons-coredns"].inputs


def test_no_add_ons_register_nothing() -> None:
    assert children(record(addons={})) == []
