"""Write and remove the claim of a cluster, so that of two stacks that come at once only one gets it."""

from __future__ import annotations

from dataclasses import replace as replace_field

from gitops_stack import conventions
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.guard.cluster import Claim, Connection, build_claim, load_cluster
from gitops_stack.live.reading import reference
from gitops_stack.live.writing import Conflict, create, delete, replace

_FIELD_MANAGER = conventions.PULUMI_PROJECT


def write_claim(connection: Connection, claim: Claim) -> None:
    """Claim the cluster. Raises :class:`GitOpsStackError` when somebody else has claimed it meanwhile.

    Who it belonged to has been judged: only ``claim.taken_over`` may stand there now, beside the claim's own owner.
    """
    before = load_cluster(connection).claim
    if before is None:
        try:
            create(connection.client, build_claim(claim), _FIELD_MANAGER)
        except Conflict:
            before = load_cluster(connection).claim
    claim = replace_field(claim, component=claim.component or (before.component if before else ""))
    if before is None or before == claim:
        return
    if before.owner == claim.owner and before.namespace != claim.namespace:
        raise GitOpsStackError(
            Problem(
                f"stack {before.owner} runs an Argo CD in namespace {before.namespace} already; nothing "
                f"was written to {claim.namespace}",
                "a cluster has room for one, remove the other component",
                f"cluster {connection.address}",
            )
        )
    if before.owner not in (claim.owner, claim.taken_over) and claim.taken_over != claim.cluster:
        raise GitOpsStackError(
            Problem(
                f"was claimed by stack {before.owner} at the same time; nothing was written",
                "run it again to see whose it is",
                f"cluster {connection.address}",
            )
        )
    replace(connection.client, build_claim(claim), _FIELD_MANAGER)


def release_claim(connection: Connection, owner: str) -> None:
    """Remove the claim of ``owner``; somebody else's stays."""
    claim = load_cluster(connection).claim
    if claim is not None and claim.owner == owner:
        delete(connection.client, reference(build_claim(claim)))
