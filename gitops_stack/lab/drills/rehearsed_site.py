"""The site of a drill on an EKS stack: a rehearsal, up to its handover."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitops_stack.lab.drills.site import Site, clear_earlier, mark
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.rehearsal import Rehearsal


def open_rehearsed_site(lab: Lab, project: Path, stack: str, progress: Progress, documented: Mapping[str, str]) -> Site:
    """Rehearse ``stack`` up to the handover in a lab of the drills alone, anew."""
    clear_earlier(lab, progress)
    rehearsal = Rehearsal.open(lab, project, stack)
    with lab.state.alone():
        try:
            rehearsal.start(project, progress)
        finally:
            mark(lab)  # which made the folder anew
        rehearsal.up(progress)
        rehearsal.hand_over(progress)
    return Site.of(rehearsal.report, progress, documented)
