"""Find what a destroyed stack left in its account, and delete exactly that.

Nothing is deleted whose tags, read again in the same breath, do not say that it is this stack's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from gitops_stack.account.leftovers import ec2, identity, load_balancers, records
from gitops_stack.account.leftovers.kind import Kind, Scope, owner_tag
from gitops_stack.account.session import Account, AwsError
from gitops_stack.errors import GitOpsStackError, Problem

# What holds on to others comes first; what is only listed comes last.
KINDS: tuple[Kind, ...] = (
    load_balancers.LOAD_BALANCERS, load_balancers.CLASSIC_LOAD_BALANCERS, load_balancers.TARGET_GROUPS,
    ec2.INSTANCES, ec2.NAT_GATEWAYS, ec2.INTERFACES, ec2.SECURITY_GROUPS, ec2.ADDRESSES, ec2.VOLUMES,
    ec2.LAUNCH_TEMPLATES, records.LOG_GROUPS, identity.INSTANCE_PROFILES, identity.ROLES, records.REPOSITORIES,
    ec2.SNAPSHOTS, records.KEYS, ec2.VPCS,
)  # fmt: skip
_KINDS = {kind.name: kind for kind in KINDS}
_PARALLEL = 8


@dataclass(frozen=True)
class Leftover:
    """One resource of this stack. ``because`` is the tag that says so; ``keep`` why it is never deleted, or empty.

    ``outcome`` is listed, kept, deleted, gone (by other hands), or left, and then ``detail`` says why.
    """

    kind: str
    id: str
    name: str
    because: str
    keep: str = ""
    outcome: str = "listed"
    detail: str = ""


@dataclass(frozen=True)
class Leftovers:
    """All that was found. ``notes`` are for people to look at; ``unseen`` says what could not be looked for."""

    found: tuple[Leftover, ...] = ()
    notes: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether all was looked for, and nothing is there that should not be."""
        return not self.unseen and all(found.keep or found.outcome in ("deleted", "gone") for found in self.found)


def check_cluster_is_gone(account: Account, scope: Scope) -> None:
    """Raise :class:`GitOpsStackError` while the stack's cluster exists: its resources are in use, not left over."""
    if scope.cluster is None:
        return
    # By tag too: a name that was edited since is not the name of what runs.
    for name in sorted({scope.cluster, *account.list("eks", "list_clusters", "clusters")}):
        answer = account.find("eks", "describe_cluster", name=name)
        if answer is None:
            continue
        tags = answer["cluster"].get("tags") or {}
        if name == scope.cluster or owner_tag(tags, scope) is not None:
            raise GitOpsStackError(
                Problem(
                    f"EKS cluster {name} is still there ({answer['cluster']['status']})",
                    f"run `pulumi destroy --stack {scope.stack}` first",
                    f"stack {scope.stack}",
                )
            )


def find_leftovers(
    account: Account, scope: Scope, repositories: Collection[str] = (), volumes: Collection[str] = ()
) -> Leftovers:
    """Find everything tagged as this stack's; ECR ``repositories`` and claims' ``volumes`` that are named are not kept.

    A kind that the credentials may not list ends up in ``unseen``. Raises :class:`GitOpsStackError` for a repository
    or volume that is not among this stack's.
    """
    notes: list[str] = []
    with ThreadPoolExecutor(_PARALLEL) as pool:
        searches = [pool.submit(_find, account, scope, kind) for kind in KINDS]
        remarks = pool.submit(_find_notes, account, scope)
        results = [search.result() for search in searches]
        notes += remarks.result()
    found = [leftover for leftovers, _ in results for leftover in leftovers]
    unseen = [refusal for _, refusals in results for refusal in refusals]
    found = _unkeep(found, records.REPOSITORIES.name, repositories, scope)
    found = _unkeep(found, ec2.VOLUMES.name, volumes, scope)
    return Leftovers(tuple(found), tuple(notes), tuple(unseen))


def _unkeep(found: Sequence[Leftover], kind: str, named: Collection[str], scope: Scope) -> list[Leftover]:
    """Give up what is named of a kind, and nothing else."""
    own = {leftover.id for leftover in found if leftover.kind == kind}
    if strangers := sorted(set(named) - own):
        known = ", ".join(sorted(own)) or "none"
        is_repository = kind == records.REPOSITORIES.name
        option, noun = ("--repository", "an ECR repository") if is_repository else ("--volume", f"a {kind}")
        raise GitOpsStackError(
            Problem(f"is not {noun} of stack {scope.stack}", f"it has: {known}", f"{option} {strangers[0]}")
        )
    return [
        replace(leftover, keep="") if leftover.kind == kind and leftover.id in named else leftover for leftover in found
    ]


@dataclass
class _Deletion:
    """What is known of one deletion between two rounds."""

    leftover: Leftover
    asked: bool = False  # AWS took the request, and takes its time
    blocked: str = field(default="")


def delete_leftovers(
    account: Account,
    scope: Scope,
    leftovers: Sequence[Leftover],
    *,
    limit_seconds: float,
    interval_seconds: float = 3.0,
    report: Callable[[str], None] = lambda _line: None,
) -> list[Leftover]:
    """Delete ``leftovers`` in order, again and again while AWS says that something still uses them.

    Returns all of them with their outcome. What is blocked after ``limit_seconds`` is left, with AWS' own reason.
    """
    deadline = time.monotonic() + limit_seconds
    kept = [replace(leftover, outcome="kept", detail=leftover.keep) for leftover in leftovers if leftover.keep]
    pending = [_Deletion(leftover) for leftover in leftovers if not leftover.keep]
    done: list[Leftover] = []
    while True:
        for deletion in tuple(pending):
            if (outcome := _advance(account, scope, deletion)) is not None:
                report(f"{outcome.outcome}: {outcome.kind} {outcome.id}{outcome.detail and ': ' + outcome.detail}")
                done.append(outcome)
                pending.remove(deletion)
        if not pending or time.monotonic() >= deadline:
            break
        time.sleep(min(interval_seconds, max(0.0, deadline - time.monotonic())))
    late = [
        replace(deletion.leftover, outcome="left", detail=deletion.blocked or f"not gone after {limit_seconds:.0f} s")
        for deletion in pending
    ]
    order = {(leftover.kind, leftover.id): index for index, leftover in enumerate(leftovers)}
    return sorted([*done, *late, *kept], key=lambda leftover: order[leftover.kind, leftover.id])


def _advance(account: Account, scope: Scope, deletion: _Deletion) -> Leftover | None:
    """Take one deletion a step on; returns the leftover with its outcome once there is one."""
    leftover = deletion.leftover
    kind = _KINDS[leftover.kind]
    try:
        outcome, detail = (
            _await(account, kind, leftover.id) if deletion.asked else _delete(account, scope, kind, leftover)
        )
    except AwsError as error:
        if error.code in kind.blocking:
            deletion.blocked = str(error)
            return None
        outcome, detail = ("gone", "") if error.is_missing else ("left", str(error))
    deletion.asked = outcome == "asked"
    return None if deletion.asked else replace(leftover, outcome=outcome, detail=detail)


def _delete(account: Account, scope: Scope, kind: Kind, leftover: Leftover) -> tuple[str, str]:
    """Delete one resource if its tags still say whose it is; returns (outcome, detail)."""
    tags = kind.load_tags(account, leftover.id)
    if tags is None:
        return "gone", ""
    if owner_tag(tags, scope, regional=kind.regional) is None:
        return "left", f"has lost its tag {leftover.because}; nothing was done"
    if kind.delete is None:
        return "kept", leftover.keep
    kind.delete(account, leftover.id)
    return ("asked" if kind.gone else "deleted"), ""


def _await(account: Account, kind: Kind, resource: str) -> tuple[str, str]:
    """Look whether AWS has finished a deletion it was asked for; returns (outcome, detail)."""
    return ("deleted" if kind.gone is None or kind.gone(account, resource) else "asked"), ""


def _find(account: Account, scope: Scope, kind: Kind) -> tuple[list[Leftover], list[str]]:
    found: list[Leftover] = []
    try:
        for resource in kind.find(account, scope):
            if because := owner_tag(resource.tags, scope, regional=kind.regional):
                found.append(Leftover(kind.name, resource.id, resource.name, because, resource.keep))
    except AwsError as error:
        return found, [f"{kind.name}: {error}"]
    return found, []


def _find_notes(account: Account, scope: Scope) -> Iterable[str]:
    try:
        groups = records.find_untagged_log_groups(account, scope)
        volumes = ec2.find_unclaimed_volumes(account)
    except AwsError:
        return []  # the same calls are among the searches, which report the refusal
    notes = [
        f"log group {name} has the cluster's name but no tag; delete it by hand if nobody needs it" for name in groups
    ]
    if volumes:
        notes.append(
            f"{len(volumes)} free volumes of the EBS CSI driver do not say of which cluster they are: "
            f"{', '.join(volumes)}; look at their tags, and delete by hand what was this stack's"
        )
    return notes
