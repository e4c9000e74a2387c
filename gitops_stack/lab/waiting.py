"""Wait for a cluster while there are reasons to, as long as there is one to wait for."""

from __future__ import annotations

import time
from collections.abc import Callable

from lightkube import Client

from gitops_stack.conventions import PROJECTS_APPLICATION, ROOT_APPLICATION, SELF_MANAGEMENT_APPLICATION
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.live.reading import connect
from gitops_stack.rules.application_status import ApplicationStatus
from gitops_stack.settings import StackSettings

_POLL_SECONDS = 0.5
_REPORT_SECONDS = 15.0
_MOST_REASONS = 3


def wait_out_reasons(
    lab: Lab,
    limit_seconds: float,
    find_reasons: Callable[[Client], list[str]],
    verdict: str,
    progress: Progress = lambda _line: None,
) -> None:
    """Wait until there are no reasons to wait. A cluster that does not answer for a while is one of them.

    Every 15 s ``progress`` is told what is waited for.

    Raises :class:`GitOpsStackError` with the last reasons and ``verdict`` when the time is out,
    :class:`EnvironmentProblem` as soon as the lab's supervisor is gone.
    """
    deadline, watch = time.monotonic() + limit_seconds, lab.watch()
    said = time.monotonic()
    with connect(lab.state.kubeconfig) as client:
        while True:
            try:
                reasons = find_reasons(client)
            except EnvironmentProblem as problem:
                reasons = list(problem.findings)
            if not reasons:
                return
            if (gone := watch()) is not None:
                raise EnvironmentProblem(gone)
            if time.monotonic() > deadline:
                raise GitOpsStackError(*reasons, verdict)
            if time.monotonic() - said > _REPORT_SECONDS:
                said = time.monotonic()
                more = f"; and {len(reasons) - _MOST_REASONS} more" if len(reasons) > _MOST_REASONS else ""
                progress(f"  waiting: {'; '.join(reasons[:_MOST_REASONS])}{more}")
            time.sleep(_POLL_SECONDS)


def find_unwell(settings: StackSettings, applications: list[ApplicationStatus], revision: str) -> list[str]:
    """Return a sentence for each application that is not Synced at ``revision`` and Healthy, or not there."""
    add_ons = settings.add_on_applications
    wanted = {ROOT_APPLICATION, SELF_MANAGEMENT_APPLICATION, PROJECTS_APPLICATION, *settings.workloads, *add_ons}
    elsewhere = {name for name, workload in settings.workloads.items() if workload.repo_url or workload.revision}
    elsewhere |= add_ons.keys()
    manual = {name for name, workload in settings.workloads.items() if not workload.auto_sync}  # wait for a person
    manual |= {name for name, add_on in add_ons.items() if not add_on.auto_sync}
    reasons = [
        f"{status.name} is {status.sync} and {status.health} at {status.revision[:12] or 'no revision'}: "
        f"{status.reason or 'not the pushed revision'}"
        for status in applications
        if status.name not in manual
        and (not (status.well or status.waiting) or (status.name in wanted - elsewhere and status.revision != revision))
    ]
    missing = wanted - {status.name for status in applications}
    return reasons + [f"{name} is not there yet" for name in sorted(missing)]
