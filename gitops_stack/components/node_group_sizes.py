"""How many nodes a group is told to have: the living number, held within its bounds. Part of ``eks_cluster``.

EKS refuses a smallest size above the number of nodes it is told in the same request, and Pulumi's state knows the
number of the day the group was made, unless it was refreshed (terraform-aws-eks#3306). So EKS itself is asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import eks

_AUTOSCALED = "scalingConfig.desiredSize"


@dataclass(frozen=True)
class NodeGroupSize:
    """Smallest, largest and present number of nodes."""

    least: int
    most: int
    desired: int

    def within(self, least: int, most: int) -> int:
        """Return the present number, held within other bounds."""
        return max(least, min(self.desired, most))


@dataclass(frozen=True)
class SizePlan:
    """What a group is registered with: its desired size, and the properties whose change is the autoscaler's."""

    desired: pulumi.Input[int]
    ignore_changes: tuple[str, ...] = (_AUTOSCALED,)


def plan_size(
    group: Mapping[str, Any],
    living: NodeGroupSize | None,
) -> SizePlan:
    """Plan the size of ``group`` (arguments of a node group); ``living`` is what EKS has of it, None without any.

    While the bounds are the living ones nothing is compared: the number of nodes is the autoscaler's.
    """
    least, most = group["min_size"], group["max_size"]
    if living is None or not isinstance(least, int) or not isinstance(most, int):
        return SizePlan(group["desired_size"])
    desired = living.within(least, most)
    if (least, most) == (living.least, living.most):
        return SizePlan(desired)
    return SizePlan(desired, ())


def load_sizes(
    cluster_name: pulumi.Input[str], names: Collection[str], parent: pulumi.Resource
) -> dict[str, NodeGroupSize]:
    """Ask EKS for the sizes of the groups that Pulumi has named after ``names``; those that are not there are left out.

    A cluster whose name is known only in the run has no answer, and neither has a caller without the permissions: a
    warning says so, and the sizes are then those of Pulumi's state.
    """
    if not names or not isinstance(cluster_name, str):
        return {}
    options = pulumi.InvokeOptions(parent=parent)
    try:
        if cluster_name not in (eks.get_clusters(opts=options).names or ()):
            return {}
        made = eks.get_node_groups(cluster_name=cluster_name, opts=options).names or ()
        found: dict[str, NodeGroupSize] = {}
        for name in names:
            own = [one for one in made if re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{7}}", one)]
            sizes = [_load_size(cluster_name, one, options) for one in own]  # two, while one replaces the other
            if sizes:
                found[name] = max(sizes, key=lambda size: size.desired)
    except Exception as error:  # the SDK raises nothing narrower for a failed look-up
        said = " ".join(str(error).split())
        pulumi.log.warn(f"node groups: their living sizes are not known, the last known ones are used: {said}", parent)
        return {}
    return found


def _load_size(cluster_name: str, name: str, options: pulumi.InvokeOptions) -> NodeGroupSize:
    scaling = eks.get_node_group(cluster_name=cluster_name, node_group_name=name, opts=options).scaling_configs[0]
    return NodeGroupSize(int(scaling.min_size), int(scaling.max_size), int(scaling.desired_size))
