"""Sync windows: when Argo CD may sync the applications of a project, and when it may not.

Argo CD checks windows in Go and not in the CRD, and the API server's road (a manifest in Git) does not pass that check:
one it cannot read stops all syncs of the project, and a time zone it does not know is UTC without a word.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from gitops_stack.settings.cron import parse_schedule
from gitops_stack.settings.types import Flag, Settings, matching

_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|[uµμ]s|ms|s|m|h)")
_DURATION = re.compile(rf"\+?(?:{_PART.pattern})+")
_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_LONGEST_SECONDS = (2**63 - 1) / 10**9  # Go counts nanoseconds in 64 bits

NamePattern = Annotated[
    str, matching(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?", "a name, in which '*' matches any characters")
]


def parse_duration(text: str) -> timedelta:
    """Parse hours, minutes, seconds and parts of them as Go's time.ParseDuration reads them, in any order.

    Raises :class:`ValueError` for anything else, for 0, and for what Go cannot hold: 292 years.
    """
    found = _PART.findall(text) if _DURATION.fullmatch(text) else ()
    total = sum(float(number) * _SECONDS[unit] for number, unit in found)
    if not 0 < total <= _LONGEST_SECONDS:
        raise ValueError("needs a duration in hours, minutes and seconds, such as 8h or 1h30m")
    return timedelta(seconds=total)


def _check_duration(text: str) -> str:
    parse_duration(text)
    return text


def _check_schedule(text: str) -> str:
    try:
        parse_schedule(text)
    except ValueError as error:
        raise ValueError(f"needs five cron fields such as '0 9 * * 1-5' (0 is Sunday): it has {error}") from None
    return text


def _check_time_zone(text: str) -> str:
    known = time_zones()  # none on a machine without the database, where any name has to pass
    if known and text not in known:
        raise ValueError("needs a time zone of the IANA database, such as Europe/Berlin or UTC")
    return text


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """List the time zones this machine knows; empty on one without the database."""
    return frozenset(available_timezones())


def check_zone(zone: str) -> None:
    """Raise :class:`ValueError` for a schedule's own zone that Go does not know; empty is UTC."""
    if zone not in ("", "Local") and time_zones() and zone not in time_zones():
        raise ValueError(f"a time zone, {zone!r}, that is not known")


class SyncWindowSettings(Settings):
    """One window of a project, for its applications of some names, in some namespaces, or for all of them."""

    kind: Literal["allow", "deny"] = Field(
        description="allow: syncs outside of it wait; deny: syncs inside of it wait."
    )
    schedule: Annotated[str, AfterValidator(_check_schedule)] = Field(
        description="When it begins: minute, hour, day of month, month, weekday (cron)."
    )
    duration: Annotated[str, AfterValidator(_check_duration)] = Field(description="How long it lasts, such as 8h.")
    time_zone: Annotated[str, AfterValidator(_check_time_zone)] = Field("UTC", description="The schedule's time zone.")
    applications: tuple[NamePattern, ...] = Field((), description="The applications it is for, by name.")
    namespaces: tuple[NamePattern, ...] = Field(
        (), description="Or by namespace; with neither it is for all of the project."
    )
    manual_sync: Flag = Field(False, description="A person may sync while automatic syncs wait.")
