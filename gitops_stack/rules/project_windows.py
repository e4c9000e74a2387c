"""Sync windows of an AppProject that Argo CD cannot read, or that never do what they say (types.go, SyncWindow)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gitops_stack.rules.api.parts import show
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.settings.cron import parse_schedule, split_zone
from gitops_stack.settings.sync_windows import check_zone, parse_duration, time_zones

_RULE = "project-window"
_SELECTORS = ("applications", "namespaces", "clusters")


def check_windows(project: RenderedObject) -> Iterator[Finding]:
    """Check every window. One that cannot be read stops every sync it is for, which is an error."""
    for index, window in enumerate(map(mapping, sequence(project.spec.get("syncWindows")))):
        place = f"spec.syncWindows[{index}]"
        for key, parse, needs in _PARSED:
            if said := _problem(parse, text(window.get(key))):
                found = f"found {show(window.get(key) or '')}{said}: syncs of the project stop"
                yield project.finding(f"{place}.{key}", found, needs, rule=_RULE)
        if window.get("kind") not in ("allow", "deny"):
            found = f"found {show(window.get('kind') or '')}, so the window does nothing"
            yield project.finding(f"{place}.kind", found, "needs allow or deny", rule=_RULE, severity="warning")
        if not any(sequence(window.get(key)) for key in _SELECTORS):
            found = "found no applications, namespaces or clusters, so the window is for nothing"
            yield project.finding(place, found, 'add applications: ["*"]', rule=_RULE, severity="warning")
        zone = text(window.get("timeZone"))
        if zone and time_zones() and zone not in time_zones():
            found = f"found {show(zone)}, which Argo CD takes for UTC"
            yield project.finding(
                f"{place}.timeZone", found, "needs a time zone such as Europe/Berlin", rule=_RULE, severity="warning"
            )


def _parse_schedule(written: str) -> object:
    zone, fields = split_zone(written)
    check_zone(zone)
    return parse_schedule(fields, never=True)


_PARSED: tuple[tuple[str, Callable[[str], Any], str], ...] = (
    ("schedule", _parse_schedule, "needs five cron fields such as '0 9 * * 1-5' (0 is Sunday)"),
    ("duration", parse_duration, "needs a duration such as 8h or 1h30m"),
)


def _problem(parse: Callable[[str], Any], written: str) -> str:
    try:
        parse(written)
    except ValueError as error:
        return f", which has {error}" if parse is _parse_schedule else ", which cannot be read"
    return ""
