"""The drilled part of docs/recover.md, made from the drills and from the report of those that ran last."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from gitops_stack.lab.drills.catalogue import DRILLS
from gitops_stack.lab.drills.drill import DOCUMENTED, PROOF, Command, Drill
from tests.stacks import ROOT

REPORT = ROOT / "docs" / "drills.json"
"""What `gitops-stack drill --output json` printed."""
_PLACE = re.compile(r"<!-- drills -->\n.*?<!-- /drills -->", re.DOTALL)
_WIDTH = 120
_MOST_ASIDE = 60


def write_drills(text: str) -> str:
    """Return the page with the section of every drill as it is made now."""
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    proof = ["Each drill ends with\n", *_commands(list(PROOF)), ""]
    made = "\n".join([*proof, *(line for drill in DRILLS for line in _section(drill, report))])
    assert len(_PLACE.findall(text)) == 1, "docs/recover.md has no place for the drills"
    return _PLACE.sub(lambda _: f"<!-- drills -->\n{made}\n<!-- /drills -->", text)


def _section(drill: Drill, report: dict[str, Any]) -> Iterator[str]:
    yield f"## {drill.title}\n"
    yield _wrap(drill.happened)
    yield ""
    yield from _commands([Command(drill.sign.text, f"says: {drill.sign.says}")])
    yield "\nThen:\n"
    yield from _commands(list(drill.commands))
    yield ""
    yield _wrap(drill.recovered)
    yield ""
    yield _wrap(_figures(drill, report))
    yield ""


def _commands(commands: list[Command]) -> Iterator[str]:
    texts = [command.text.format_map(DOCUMENTED) for command in commands]
    aside = max((len(text) for text in texts if len(text) <= _MOST_ASIDE), default=0)
    for text, command in zip(texts, commands, strict=True):
        if command.why and len(text) > _MOST_ASIDE:
            yield f"    # {command.why}:"
        beside = f"    # {command.why}" if command.why and len(text) <= _MOST_ASIDE else ""
        yield f"    {text:{aside}}{beside}".rstrip()


def _figures(drill: Drill, report: dict[str, Any]) -> str:
    found = next((one for one in report["drills"] if one["name"] == drill.name), None)
    if found is None:
        return f"`gitops-stack drill {drill.name}` is not in the report of {report['date']}."
    assert not found["faults"], f"{drill.name} failed: {found['faults']}"
    seconds = {phase: f"{value:.0f} s" for phase, value in found["seconds"].items()}
    return (
        f"`gitops-stack drill {drill.name}`, {report['date']}, stack {report['stack']} with Argo CD {report['argocd']} "
        f"on {report['processors']} processors: noticed after {seconds['notice']}, the commands took "
        f"{seconds['recover']}, and {seconds['prove']} later all was proven: {found['verdict']}, and a preview without "
        "changes."
    )


def _wrap(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
