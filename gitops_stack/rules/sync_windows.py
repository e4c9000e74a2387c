"""Whether the sync windows of its AppProject let an Application sync at a given moment.

As Argo CD decides it (pkg/apis/application/v1alpha1/types.go, SyncWindows.Matches and CanSync): no live object says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from gitops_stack.manifests import Manifest
from gitops_stack.patterns import match_glob

_MINUTE = timedelta(minutes=1)


def may_sync(application: Manifest, project: Manifest, now: datetime, *, manual: bool) -> bool:
    """Tell whether ``application`` may sync ``now`` (aware), by itself or, ``manual``, when a person asks for it.

    A window that cannot be read stops every sync it is for, as in Argo CD.
    """
    windows = [found for found in project["spec"].get("syncWindows") or () if _is_for(found, application)]
    try:
        active = [_is_active(window, now) for window in windows]
    except ValueError:
        return False
    denying = [window for window, on in zip(windows, active, strict=True) if on and window.get("kind") == "deny"]
    allowing = [window for window in windows if window.get("kind") == "allow"]
    if denying:
        return manual and _lets_people(denying)
    if not allowing or any(on for window, on in zip(windows, active, strict=True) if window.get("kind") == "allow"):
        return True
    return manual and _lets_people(allowing)


def _lets_people(windows: Sequence[dict[str, Any]]) -> bool:
    return all(window.get("manualSync") for window in windows)


def _is_for(window: dict[str, Any], application: Manifest) -> bool:
    destination: dict[str, str] = application["spec"].get("destination") or {}
    selectors = (
        (window.get("applications"), (application["metadata"]["name"],)),
        (window.get("clusters"), (destination.get("name"), destination.get("server"))),
        (window.get("namespaces"), (destination.get("namespace"),)),
    )
    matches = [
        any(match_glob(pattern, value) for pattern in patterns for value in values if value)
        for patterns, values in selectors
        if patterns
    ]
    return all(matches) and bool(matches) if window.get("andOperator") else any(matches)


def _is_active(window: dict[str, Any], now: datetime) -> bool:
    # All settings come with them, which take as long to import as lightkube; the guard's process needs no windows.
    from gitops_stack.settings.cron import parse_schedule, split_zone  # noqa: PLC0415
    from gitops_stack.settings.sync_windows import check_zone, parse_duration  # noqa: PLC0415

    zone, fields = split_zone(window.get("schedule", ""))
    check_zone(zone)
    schedule, duration = parse_schedule(fields), parse_duration(window.get("duration", ""))
    local = now.astimezone(_zone(window.get("timeZone") or "UTC")).replace(tzinfo=None)
    if zone:  # Argo CD reads the clock of timeZone as if it were UTC, and robfig/cron that in the schedule's own zone
        local = local.replace(tzinfo=timezone.utc).astimezone(_zone(zone)).replace(tzinfo=None)
    minute = local.replace(second=0, microsecond=0)
    if minute == local:
        minute -= _MINUTE  # a window opens after its moment, not at it
    while minute > local - duration:
        if schedule.fires(minute):
            return True
        if not schedule.fires_on(minute):
            minute = minute.replace(hour=0, minute=0)
        minute -= _MINUTE
    return False


def _zone(name: str) -> ZoneInfo | timezone:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # Argo CD takes UTC for a zone it does not know
        return timezone.utc
