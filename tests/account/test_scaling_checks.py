"""A maxSize that nothing reaches."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.account.checks import Check
from gitops_stack.account.scaling_checks import check_scaling
from gitops_stack.settings.cluster import ADDONS
from tests.account.stacks import eks_settings

PINS = dict.fromkeys(ADDONS, "v1.35.0-eksbuild.1")


def look(add_ons: dict[str, Any], **sizes: int) -> list[Check]:
    group = {"instanceTypes": ["m7g.large"], "minSize": 2, "maxSize": 2, **sizes}
    fixed = {"instanceTypes": ["m7g.large"], "minSize": 2, "maxSize": 2}
    cluster = {"addons": PINS, "compute": {"nodeGroups": {"general": group, "fixed": fixed}}}
    settings = eks_settings(cluster=cluster, **({"addOns": add_ons} if add_ons else {}))
    assert settings.eks is not None
    return list(check_scaling(settings, settings.eks))


def test_a_group_that_nothing_scales_is_warned_of() -> None:
    (found,) = look({}, maxSize=6)
    assert (found.name, found.status, found.found) == ("scaling", "warning", "nothing scales general 2 to 6")
    assert found.remedy == (
        "set addOns.clusterAutoscaler or addOns.karpenter and deploy its chart, or set maxSize to the first size"
    )


@pytest.mark.parametrize(
    ("add_ons", "sizes"),
    [({}, {}), ({}, {"desiredSize": 6, "maxSize": 6}), ({"clusterAutoscaler": {}}, {"maxSize": 6})],
    ids=["at its size", "begins at its most", "cluster-autoscaler"],
)
def test_a_group_that_is_as_large_as_it_gets_or_is_scaled_is_fine(
    add_ons: dict[str, Any], sizes: dict[str, int]
) -> None:
    assert look(add_ons, **sizes) == []


def test_beside_karpenter_a_group_stays_as_it_is() -> None:
    (found,) = look({"karpenter": {}}, maxSize=6)
    assert (found.status, found.found) == ("ok", "Karpenter; at their first size: general")


def test_auto_mode_has_no_groups() -> None:
    settings = eks_settings()
    assert settings.eks is not None
    assert list(check_scaling(settings, settings.eks)) == []
