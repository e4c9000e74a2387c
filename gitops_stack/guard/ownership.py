"""Judge whether a run may use a cluster: the one it knows, and nobody else's. Pure.

Two records are compared with what answers: the cluster in the Pulumi state, and the owner in the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_stack.guard.cluster import Claim, Cluster

_WAY = "set `takeOver: {value}` (gitops-stack:argocd.takeOver in the stack file, `take_over` of the component)"


@dataclass(frozen=True)
class Recorded:
    """What the state says of the cluster of the last `up`; all empty when there was none."""

    uid: str = ""
    address: str = ""
    namespace: str = ""
    take_over: str = ""


def check_cluster(wanted: Claim, cluster: Cluster, recorded: Recorded, take_over: str = "") -> Iterator[str]:
    """Yield why ``wanted`` may not use ``cluster``, one sentence each; nothing when it may.

    ``take_over`` names the owner that is replaced on purpose, as `project/stack`, or the UID of a cluster that the
    stack moves to on purpose.
    """
    claim, known = cluster.claim, cluster.text
    ours = claim is None or claim.owner == wanted.owner
    meant = () if take_over == recorded.take_over else (take_over,)  # said once, and not for good
    if claim is not None and not ours and not {claim.owner, cluster.uid} & {*meant}:
        yield (
            f"{known}: its Argo CD in namespace {claim.namespace} belongs to stack {claim.owner}, and this is "
            f"{wanted.owner}; use the kubeconfig and context of your own cluster, or, to take it over on purpose, "
            + _WAY.format(value=claim.owner)
        )
    elif claim is not None and wanted.component and claim.component not in ("", wanted.component) and not recorded.uid:
        yield (
            f"{known}: component {claim.component} of stack {claim.owner} runs its Argo CD, and this is "
            f"{wanted.component}; a rename would delete it with all its applications; give the component an alias "
            f"(ResourceOptions aliases) of its old name, or name it {claim.component} again"
        )
    elif claim is not None and claim.namespace != wanted.namespace and not recorded.namespace:
        yield (
            f"{known}: stack {claim.owner} runs its Argo CD in namespace {claim.namespace}, found {wanted.namespace}; "
            f"a cluster has room for one, since CRDs and cluster roles are shared; set the namespace back to "
            f"{claim.namespace}, or move Argo CD as docs/move.md says"
        )
    if (
        recorded.uid
        and cluster.uid not in (recorded.uid, take_over)
        and not is_rebuilt(cluster, recorded, wanted.owner)
    ):
        yield (
            f"{known}: is another cluster than the one stack {wanted.owner} runs on, which is {recorded.address} "
            f"(kube-system {recorded.uid}); use the kubeconfig and context of that one, or, to move the stack here "
            "on purpose, " + _WAY.format(value=cluster.uid)
        )


def is_rebuilt(cluster: Cluster, recorded: Recorded, owner: str) -> bool:
    """Tell whether ``cluster`` is the recorded one made anew: at the same address, and nobody's but ``owner``'s.

    Two clusters cannot answer at one address, so the old one is gone. Of the guards of a stack the first one that runs
    claims the new one for all.
    """
    claim = cluster.claim
    free = claim is None or (claim.owner, claim.cluster) == (owner, cluster.uid)
    return recorded.uid not in ("", cluster.uid) and cluster.address == recorded.address and free
