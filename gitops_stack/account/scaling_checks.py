"""Whether something scales a node group beyond its first number of nodes."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.account.checks import Check
from gitops_stack.settings import EksClusterSettings, StackSettings


def check_scaling(settings: StackSettings, cluster: EksClusterSettings) -> Iterator[Check]:
    """Check that a `maxSize` above the first size can be reached: EKS itself changes no group's number of nodes.

    An update of the nodes needs no room below it: EKS raises the maximum itself while one runs (EKS user guide,
    "Understand each phase of node updates").
    """
    groups = cluster.compute.node_groups
    growing = {name: group for name, group in groups.items() if group.max_size > group.first_size}
    if not growing or (settings.add_ons is not None and settings.add_ons.cluster_autoscaler is not None):
        return
    if settings.add_ons is not None and settings.add_ons.karpenter is not None:
        needs = "Karpenter beside node groups, which makes machines of its own and leaves groups as they are"
        yield Check("scaling", "ok", f"Karpenter; at their first size: {', '.join(growing)}", needs)
        return
    sizes = ", ".join(f"{name} {group.first_size} to {group.max_size}" for name, group in growing.items())
    needs = "something that scales node groups up to their maxSize; EKS itself does not"
    remedy = "set addOns.clusterAutoscaler or addOns.karpenter and deploy its chart, or set maxSize to the first size"
    yield Check("scaling", "warning", f"nothing scales {sizes}", needs, remedy)
