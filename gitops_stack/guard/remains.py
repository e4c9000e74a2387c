"""What only a destroy ends, and last: Argo CD's CRDs and its namespace, with which all that is in them goes.

Pulumi retains them, since it deletes for a replacement as well (`--replace`, `pulumi state taint`, another provider).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from lightkube import Client

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.guard.registered import Registered
from gitops_stack.guard.waiting import describe
from gitops_stack.live.reading import load_objects
from gitops_stack.live.writing import delete

_LIMIT_SECONDS = 600.0  # as long as the Kubernetes provider waits
_REPORT_SECONDS = 15.0
_POLL_SECONDS = 0.3


def end_remains(
    client: Client, remains: Iterable[Registered], say: Callable[[str], None], limit_seconds: float = _LIMIT_SECONDS
) -> None:
    """Delete CRDs, then the namespace, and wait for each. Raises :class:`GitOpsStackError` when one does not end."""
    listed = [one.reference for one in remains]
    for going in ([one for one in listed if not one.group], [one for one in listed if one.group])[::-1]:
        for one in going:
            delete(client, one)
        began, reported = time.monotonic(), 0.0
        while left := {text: found for text, found in load_objects(client, going).items() if found is not None}:
            waited, named = time.monotonic() - began, "; ".join(describe(text, found) for text, found in left.items())
            if waited > limit_seconds:
                raise GitOpsStackError(
                    Problem(
                        f"is not gone after {waited:.0f} s: {named}",
                        "remove the cause and run the destroy again",
                        next(iter(left)),
                    )
                )
            if waited - reported > _REPORT_SECONDS:
                reported = waited
                say(f"waiting {waited:.0f} s for {named}")
            time.sleep(_POLL_SECONDS)
