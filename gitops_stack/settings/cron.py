"""Cron schedules as Argo CD reads them: github.com/robfig/cron/v3, five fields, no descriptors.

Pure. Only what sync windows need: whether a text is a schedule, and whether it fires at a given minute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ENTRY = re.compile(r"(?P<low>\*|\?|\w+)(-(?P<high>\w+))?(/(?P<step>\d+))?", re.ASCII)


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True)
class Schedule:
    """When a schedule fires, in the local time of its zone."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either: bool
    """Day of month and weekday are both limited: one of the two is enough."""

    def fires(self, minute: datetime) -> bool:
        """Tell whether it fires in this minute."""
        return minute.minute in self.minutes and minute.hour in self.hours and self.fires_on(minute)

    def fires_on(self, day: datetime) -> bool:
        """Tell whether it fires at any minute of this day."""
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and ((in_month or in_week) if self.either else (in_month and in_week))


def parse_schedule(text: str, *, never: bool = False) -> Schedule:
    """Parse five fields. Raises :class:`ValueError` with what is wrong.

    A day that never comes is wrong as well unless ``never``: a CronJob may have it, a sync window may not.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"{len(fields)} field{'' if len(fields) == 1 else 's'}, not five")
    parsed = [_parse_field(field, entry) for field, entry in zip(_FIELDS, fields, strict=True)]
    (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = parsed
    either = not any_day and not any_weekday
    if not never and not either and min(days) > max(_LONGEST_MONTH[month - 1] for month in months):
        # Argo CD takes such a window for one that is always open.
        raise ValueError(f"a day of month, {min(days)}, that none of its months has")
    return Schedule(minutes, hours, days, months, weekdays, either)


def split_zone(text: str) -> tuple[str, str]:
    """Split off the zone of `CRON_TZ=Europe/Berlin 0 9 * * *`, or of `TZ=…`; it is empty where none is written."""
    if not text.startswith(("CRON_TZ=", "TZ=")):
        return "", text
    zone, _, fields = text.partition("=")[2].partition(" ")
    return zone, fields


def _parse_field(field: _Field, text: str) -> tuple[frozenset[int], bool]:
    """Return the values and whether the field is a star."""
    values: set[int] = set()
    star = False
    for entry in text.split(","):
        found = _ENTRY.fullmatch(entry)
        if found is None or (found["low"] in "*?" and found["high"]):
            raise ValueError(f"{field.name} {entry!r}, which is not a value, range or step")
        step = int(found["step"] or 1)
        if found["low"] in "*?":
            low, high = field.low, field.high
            star = star or step <= 1
        else:
            low = _value(field, found["low"])
            high = _value(field, found["high"]) if found["high"] else (field.high if found["step"] else low)
        if low > high or not step:
            raise ValueError(f"{field.name} {entry!r}, which holds nothing")
        values |= set(range(low, high + 1, step))
    return frozenset(values), star


def _value(field: _Field, text: str) -> int:
    value = field.words.index(text.lower()) + field.low if text.lower() in field.words else _number(text)
    if value is None or not field.low <= value <= field.high:
        names = f" or {field.words[0]} to {field.words[-1]}" if field.words else ""
        raise ValueError(f"{field.name} {text!r}, which is not {field.low} to {field.high}{names}")
    return value


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]+", text) else None
