"""Run drills one after the other: break, notice, recover, prove. What fails is noted, and the next begins anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.drills.drill import PROOF, Command, Drill
from gitops_stack.lab.drills.site import Site
from gitops_stack.lab.lab import Progress
from gitops_stack.lab.living_objects import find_changed
from gitops_stack.lab.phases import Phases

BREAK, NOTICE, RECOVER, PROVE = "break", "notice", "recover", "prove"


@dataclass
class Drilled(Phases):
    """What came of one drill; ``seconds`` has its four phases, as far as it got."""

    name: str
    commands: list[tuple[str, float]] = field(default_factory=list)
    """Each command as the documents have it, and how long it took."""
    verdict: str = ""
    """The certificate's last line."""
    faults: list[str] = field(default_factory=list)


def run_course(drills: Iterable[Drill], open_site: Callable[[], Site], progress: Progress) -> Iterator[Drilled]:
    """Run ``drills`` in one living stack; yield each when it has ended.

    One with a fault takes the stack along: the next drill opens another.
    """
    failed: set[str] = set()
    site: Site | None = None
    for drill in drills:
        if drill.after in failed:
            failed.add(drill.name)
            yield Drilled(drill.name, faults=[f"begins where {drill.after} ends, which it did not"])
            continue
        site = site or open_site()
        progress(f"drill {drill.name}")
        drilled = run_drill(drill, site, progress)
        if drilled.faults:
            failed.add(drill.name)
            site = None
        yield drilled


def run_drill(drill: Drill, site: Site, progress: Progress) -> Drilled:
    """Break ``site`` as ``drill`` says, and bring it back by its commands. Raises nothing that can be expected."""
    drilled = Drilled(drill.name)
    try:
        with site.alone():
            before = site.load_workloads() if drill.keeps_workloads else {}
            _run(drill, site, drilled, progress)
            drilled.faults += find_changed(before, site.load_workloads() if before else {})
    except GitOpsStackError as error:
        drilled.faults += error.findings
    return drilled


def _run(drill: Drill, site: Site, drilled: Drilled, progress: Progress) -> None:
    with drilled.phase(BREAK, progress):
        drill.damage(site)
    with drilled.phase(NOTICE, progress):
        site.notice(drill.sign.text, drill.sign.says)
    with drilled.phase(RECOVER, progress):
        for command in drill.commands:
            _type(command, site, drilled)
    with drilled.phase(PROVE, progress):
        drilled.verdict, _ = (_type(command, site, drilled)[-1] for command in PROOF)


def _type(command: Command, site: Site, drilled: Drilled) -> list[str]:
    """Run a command and return the lines it printed. Raises :class:`GitOpsStackError` when it fails."""
    started = time.monotonic()
    site.progress(f"$ {command.text.format_map(site.names)}")
    lines: list[str] = []
    if command.stand_in:
        command.stand_in(site)
    else:
        ending = site.run(command.text)
        if ending.code != 0:
            left = "did not end in time" if ending.code is None else f"left with {ending.code}"
            said = f"`{command.text.format_map(site.names)}` {left}: {ending.sentence}; see {site.log}"
            raise GitOpsStackError(said)
        lines = ending.lines
    drilled.commands.append((command.text, time.monotonic() - started))
    if command.then:
        command.then(site)
    return lines
