"""A site on doubles of AWS: a stack written for EKS, rehearsed up to its handover. Needs the extra `rehearse`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitops_stack.lab.drills.site import Site, clear_earlier, keeping_log, mark_lab
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.rehearsal import Rehearsal, load_rehearsed


def open_rehearsed_site(lab: Lab, project: Path, stack: str, progress: Progress, documented: Mapping[str, str]) -> Site:
    """Rehearse ``stack`` up to its handover in a lab of the drills alone; what an earlier drill left is removed.

    Raises :class:`GitOpsStackError` for a stack that cannot be rehearsed.
    """
    load_rehearsed(project, stack)
    with keeping_log(lab):
        clear_earlier(lab, progress)
        rehearsal = Rehearsal.open(lab, project, stack)
        try:
            rehearsal.start(project, progress)
        finally:
            mark_lab(lab)  # a start without a living account empties the folder
    rehearsal.up(progress)
    rehearsal.hand_over(progress)
    return Site.of(rehearsal.report, progress, documented)
