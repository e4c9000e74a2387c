"""The shape of a check's result, and how checks are run side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from gitops_stack.account.session import AccessDeniedError, AwsError

Status = Literal["ok", "warning", "failed", "skipped"]
_PARALLEL = 8


@dataclass(frozen=True)
class Check:
    """What one check found and needs; ``remedy`` is empty when it is ok."""

    name: str
    status: Status
    found: str
    needs: str
    remedy: str = ""


CheckFunction = Callable[[], Iterable[Check]]


def run_checks(checks: dict[str, CheckFunction]) -> list[Check]:
    """Run ``checks`` (name -> function) side by side; a refusal by AWS becomes a skipped check of that name."""
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return [found for results in pool.map(run_check, checks, checks.values()) for found in results]


def skip(name: str, found: str, remedy: str) -> Check:
    """Return a check that could not be made."""
    return Check(name, "skipped", found, "an answer from AWS", remedy)


def run_check(name: str, check: CheckFunction) -> list[Check]:
    """Run one check; a refusal by AWS becomes a skipped check of ``name``."""
    try:
        return list(check())
    except AccessDeniedError as error:
        return [skip(name, f"no permission {error.permission}", f"allow {error.permission}, or check it by hand")]
    except AwsError as error:
        return [skip(name, str(error), "repeat when AWS answers, or check it by hand")]
