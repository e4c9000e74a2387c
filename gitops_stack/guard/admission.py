"""Wait until a cluster lets the caller in: EKS takes some time to follow a new access entry.

EKS user guide, "Grant IAM users access to Kubernetes with EKS access entries": entries are eventually consistent and
may take several seconds to be effective. Until then the API server answers 401, and 403 once it knows the caller and
not yet the policy. Pulumi's Kubernetes provider asks once, when it is configured: a refusal then marks the cluster
unreachable for the whole run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.guard.cluster import open_connection
from gitops_stack.live.reading import AccessDenied, LoginFailed, may_do_everything

_ADMITTED_SECONDS = 120.0
_ANSWERED_SECONDS = 60.0  # of a public endpoint, pulumi_eks has waited for an answer before
_POLL_SECONDS = 2.0
_SETTLED = timedelta(minutes=15)  # what was associated before has long been followed


def is_recent(associated_at: Iterable[object], now: datetime | None = None) -> bool:
    """Tell whether any of the times at which policies were associated (RFC 3339) is recent; unknown ones are not."""
    present = now or datetime.now(timezone.utc)
    return any(_is_within(moment, present) for moment in associated_at if isinstance(moment, str))


def wait_until_admitted(
    kubeconfig: str,
    name: str,
    *,
    ask: Callable[[str], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Ask with the login of ``kubeconfig`` until it may do everything, each time anew: logins keep their tokens.

    ``name`` is the cluster's, for the sentence of the :class:`GitOpsStackError` that is raised when it takes too long.
    """
    question, began = ask or _may_do_everything, clock()
    while True:
        try:
            if question(kubeconfig):
                return
            said, limit = "it answers, and lets the caller do less than everything", _ADMITTED_SECONDS
        except AccessDenied as refused:
            said, limit = refused.problems[0].statement, _ADMITTED_SECONDS
        except LoginFailed:
            raise
        except EnvironmentProblem as silent:
            said, limit = silent.problems[0].statement, _ANSWERED_SECONDS
        waited = clock() - began
        if waited > limit:
            raise GitOpsStackError(_explain(name, said, waited, denied=limit == _ADMITTED_SECONDS))
        sleep(_POLL_SECONDS)


def _may_do_everything(kubeconfig: str) -> bool:
    with open_connection({"kubeconfig": kubeconfig}) as connection:
        return may_do_everything(connection.client)


def _explain(name: str, said: str, waited: float, *, denied: bool) -> str:
    if denied:
        return (
            f"EksCluster {name}: does not let the caller in, {waited:.0f} s after its access entries were made: "
            f"{said}; name the role that runs Pulumi under access, with ClusterAdmin (`gitops-stack doctor` compares "
            "the two), and run again"
        )
    return (
        f"EksCluster {name}: its API server does not answer from here, {waited:.0f} s after it was made: {said}; run "
        "Pulumi inside of the VPC, or allow this machine's address in the endpoint's public access (docs/aws.md)"
    )


def _is_within(moment: str, now: datetime) -> bool:
    try:
        parsed = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    except ValueError:
        return True  # a form that is new to us: waiting costs one request
    at = parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)
    return now - at < _SETTLED
