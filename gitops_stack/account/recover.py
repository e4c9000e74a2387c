"""Make a state whole again after a `pulumi up` that was killed, so that the next one neither fails nor makes twice.

The engine is a function, since people run theirs and the lab its own. The state is written by `pulumi stack import` and
read by a targeted `pulumi refresh`: `pulumi refresh --import-pending-creates` of 3.259 loses the resources it is given
when nobody answers its questions.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from gitops_stack.account.pending import (
    Pending,
    PendingCreate,
    State,
    build_object_id,
    build_state,
    derive_id,
    find_place,
    known_ids,
    known_urns,
    load_pending,
)
from gitops_stack.account.pending_lookup import find_candidates
from gitops_stack.account.session import Account, AwsError
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.private_file import write_private_file

Progress = Callable[[str], None]
_WAIT_SECONDS = 1200.0  # EKS makes a control plane in about ten minutes
_INTERVAL_SECONDS = 5.0


class Engine(Protocol):
    """Run `pulumi` with ``arguments`` and return what it printed; raises GitOpsStackError when it fails."""

    def __call__(self, *arguments: str) -> str:
        """Run it."""


@dataclass(frozen=True)
class Recovery:
    """One pending operation and what becomes of it.

    ``outcome`` is import (then ``id`` says as what), clear (nothing is there, or a create runs over it), read (again,
    from AWS); after the recovery imported, cleared, read.
    """

    urn: str
    outcome: str
    id: str = ""
    why: str = ""


@dataclass(frozen=True)
class RecoveryPlan:
    """What a recovery does to ``state``; nothing is changed yet."""

    state: State
    imports: tuple[tuple[PendingCreate, str], ...] = ()
    recoveries: tuple[Recovery, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.recoveries)


def load_plan(
    pulumi: Engine,
    account: Account | None,
    stack: str,
    *,
    cleared: Collection[str] = (),
    crashed: Collection[PendingCreate] = (),
) -> RecoveryPlan:
    """Read the state of ``stack`` and find, for each pending create, whether it exists and under which id.

    ``account`` is None for a stack without AWS; ``cleared`` are URNs to forget without looking; ``crashed`` are creates
    that the state has no note of, because their provider crashed.
    Raises :class:`GitOpsStackError` with a finding for each create that only people can decide on.
    """
    state = json.loads(pulumi("stack", "export", "--stack", stack))
    pending = load_pending(state)
    noted = {*known_urns(state), *(create.urn for create in pending.creates)}
    lost = (create for create in crashed if create.urn not in noted)
    pending = replace(pending, creates=(*pending.creates, *lost))
    if strangers := sorted({*cleared} - {create.urn for create in pending.creates}):
        raise GitOpsStackError(Problem(f"is not a pending create of stack {stack}", place=f"--clear {strangers[0]}"))
    return build_plan(account, stack, state, pending, cleared)


def build_plan(
    account: Account | None, stack: str, state: State, pending: Pending, cleared: Collection[str] = ()
) -> RecoveryPlan:
    """Decide on each of ``pending``; asks AWS and changes nothing. Raises as :func:`load_plan`."""
    if not pending:
        return RecoveryPlan(state)
    imports: list[tuple[PendingCreate, str]] = []
    recoveries: list[Recovery] = []
    problems: list[Problem] = []
    for create in pending.creates:
        if create.urn in cleared:
            recoveries.append(Recovery(create.urn, "clear", why="as asked"))
            continue
        try:
            recovery = _decide(account, stack, state, create)
        except AwsError:
            raise
        except GitOpsStackError as stopped:
            problems += stopped.problems
            continue
        recoveries.append(recovery)
        if recovery.outcome == "import":
            imports.append((create, recovery.id))
    GitOpsStackError.raise_for(problems)
    recoveries += [Recovery(urn, "read") for urn in pending.touched]
    return RecoveryPlan(state, tuple(imports), tuple(recoveries))


def recover(
    pulumi: Engine, account: Account | None, stack: str, plan: RecoveryPlan, report: Progress
) -> list[Recovery]:
    """Carry ``plan`` out and return what became of each operation.

    Run again after a kill it goes on where it was. Raises :class:`GitOpsStackError` for a cluster, node group or NAT
    gateway that AWS could not make, and for what the engine says.
    """
    for create, identity in plan.imports:
        if account is not None:
            _wait_until_made(account, create, identity, report)
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as folder:
        file = Path(folder) / "state.json"
        write_private_file(file, json.dumps(build_state(plan.state, plan.imports)))
        pulumi("stack", "import", "--stack", stack, "--file", str(file))
    targets = [recovery.urn for recovery in plan.recoveries if recovery.outcome in ("import", "read")]
    if targets:
        options = [option for urn in targets for option in ("--target", urn)]
        pulumi("refresh", "--yes", "--skip-preview", "--stack", stack, *options)
    left = known_urns(json.loads(pulumi("stack", "export", "--stack", stack)))
    return [_conclude(recovery, left) for recovery in plan.recoveries]


def _decide(account: Account | None, stack: str, state: State, create: PendingCreate) -> Recovery:
    if create.completes:
        return Recovery(create.urn, "clear", why="the next `pulumi up` creates it over what is there")
    if create.in_cluster:
        return _decide_on_object(state, create)
    if account is None:
        raise GitOpsStackError(
            Problem(
                f"is pending, and Pulumi.{stack}.yaml names no AWS account to look for it in",
                "add gitops-stack:account.id and aws:region, or clear it with --clear and this URN",
                create.urn,
            )
        )
    _check_place(account, stack, state, create)
    known = known_ids(state)
    derived = derive_id(create, account.identity.account, account.partition)
    found = [derived] if derived else find_candidates(account, stack, create)
    if found is None:
        raise GitOpsStackError(
            Problem(
                f"is pending, and {create.type} is not a type that this command can look for",
                "delete it in the account if it is there, then run again with --clear and this URN",
                create.urn,
            )
        )
    candidates = [identity for identity in found if identity not in known]
    if len(candidates) > 1:
        raise GitOpsStackError(
            Problem(
                f"found {len(candidates)} that may be it ({', '.join(candidates)}); needs one",
                "delete those that are not in use, then run again",
                create.urn,
            )
        )
    if not candidates:
        return Recovery(create.urn, "clear", why="AWS has none")
    if create.urn in known_urns(state):
        return _decide_on_replacement(create, candidates[0], derived is not None)
    return Recovery(create.urn, "import", candidates[0])


def _check_place(account: Account, stack: str, state: State, create: PendingCreate) -> None:
    """Raise unless it is looked for where it was begun: elsewhere there is none, and its note would be forgotten."""
    accounts, region = find_place(state, create)
    if account.identity.account not in (accounts or (account.identity.account,)) or region not in ("", account.region):
        begun = ", ".join((*accounts, region or account.region))
        raise GitOpsStackError(
            Problem(
                f"was begun in {begun}, and Pulumi.{stack}.yaml names {account.identity.account}, {account.region}",
                "put account.id and aws:region back for the recovery, or forget it with --clear and this URN",
                create.urn,
            )
        )


def _decide_on_object(state: State, create: PendingCreate) -> Recovery:
    """Have the engine read it: what is not in the cluster leaves the state again, and `pulumi up` makes it."""
    identity = build_object_id(create)
    if identity is None or create.urn in known_urns(state):
        return Recovery(create.urn, "clear", why="the next `pulumi up` creates it over what is there")
    return Recovery(create.urn, "import", identity)


def _decide_on_replacement(create: PendingCreate, identity: str, derived: bool) -> Recovery:
    """Its predecessor is in the state still, where the same URN has no second place."""
    if derived:
        return Recovery(create.urn, "clear", why=f"the next `pulumi up` replaces it; {identity} may be left over")
    raise GitOpsStackError(
        Problem(
            f"its replacement {identity} was made, and the state still has the old one",
            f"delete {identity}, then run again",
            create.urn,
        )
    )


def _conclude(recovery: Recovery, left: Collection[str]) -> Recovery:
    if recovery.outcome == "import" and recovery.urn not in left:
        return replace(recovery, outcome="cleared", id="", why=f"there is no {recovery.id}")
    return replace(recovery, outcome={"import": "imported", "clear": "cleared", "read": "read"}[recovery.outcome])


def _wait_until_made(account: Account, create: PendingCreate, identity: str, report: Progress) -> None:
    """Wait for what others need whole: imported half made, its endpoint or its state would be missing."""
    deadline = time.monotonic() + _WAIT_SECONDS
    told = False
    while (status := _load_status(account, create, identity).upper()) in ("CREATING", "PENDING"):
        if time.monotonic() > deadline:
            raise GitOpsStackError(
                Problem(f"{identity} is {status} since long", "look at it, then run again", create.urn)
            )
        if not told:
            report(f"waiting for {identity}, which is {status}")
            told = True
        time.sleep(_INTERVAL_SECONDS)
    if status.endswith("FAILED"):
        raise GitOpsStackError(
            Problem(f"{identity} is {status}", "delete it in the account, then run again", create.urn)
        )


def _load_status(account: Account, create: PendingCreate, identity: str) -> str:
    if create.type == "aws:eks/cluster:Cluster":
        return _status(account.find("eks", "describe_cluster", name=identity), "cluster")
    if create.type == "aws:eks/nodeGroup:NodeGroup":
        cluster, _, group = identity.partition(":")
        answer = account.find("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=group)
        return _status(answer, "nodegroup")
    if create.type == "aws:ec2/natGateway:NatGateway":
        found = account.list("ec2", "describe_nat_gateways", "NatGateways", NatGatewayIds=[identity])
        return str(found[0]["State"]) if found else ""
    return ""


def _status(answer: dict[str, Any] | None, key: str) -> str:
    return str(answer[key]["status"]) if answer else ""
