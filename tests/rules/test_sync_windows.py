"""Sync windows, as Argo CD decides them; the expected answers on schedules are robfig/cron's own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gitops_stack.manifests import Manifest
from gitops_stack.rules.sync_windows import may_sync
from gitops_stack.settings.cron import Schedule

NOON = datetime.fromisoformat("2026-11-20T12:00:30+00:00")  # a Friday
OPEN = {"schedule": "0 9 * * *", "duration": "6h"}
CLOSED = {"schedule": "0 9 * * *", "duration": "2h"}


def window(kind: str, when: dict[str, str], **changes: Any) -> dict[str, Any]:
    return {"kind": kind, **when, "applications": ["*"], **changes}


def allowed(*windows: dict[str, Any], manual: bool = False, now: datetime = NOON) -> bool:
    destination = {"server": "https://kubernetes.default.svc", "namespace": "shop-live"}
    application: Manifest = {"metadata": {"name": "cart"}, "spec": {"destination": destination}}
    return may_sync(application, {"spec": {"syncWindows": list(windows)}}, now, manual=manual)


@pytest.mark.parametrize(
    ("windows", "by_itself", "by_hand"),
    [
        pytest.param([], True, True, id="none"),
        pytest.param([window("allow", OPEN)], True, True, id="open"),
        pytest.param([window("allow", CLOSED)], False, False, id="closed"),
        pytest.param([window("allow", CLOSED, manualSync=True)], False, True, id="closed, but for people"),
        pytest.param(
            [window("allow", CLOSED, manualSync=True), window("allow", CLOSED)], False, False, id="one closed to people"
        ),
        pytest.param([window("allow", CLOSED), window("allow", OPEN)], True, True, id="one of two open"),
        pytest.param([window("deny", OPEN)], False, False, id="denied"),
        pytest.param([window("deny", OPEN, manualSync=True)], False, True, id="denied, but for people"),
        pytest.param([window("deny", CLOSED)], True, True, id="denied at another time"),
        pytest.param([window("allow", OPEN), window("deny", OPEN)], False, False, id="deny wins"),
        pytest.param([window("allow", {"schedule": "soon", "duration": "1h"})], False, False, id="unreadable"),
        pytest.param([window("allow", {"schedule": "* * * * *", "duration": "1d"})], False, False, id="no duration"),
        pytest.param([window("deny", {**OPEN, "duration": "9" * 400 + "h"})], False, False, id="endless"),
    ],
)
def test_windows_decide_who_may_sync(windows: list[dict[str, Any]], by_itself: bool, by_hand: bool) -> None:
    assert (allowed(*windows), allowed(*windows, manual=True)) == (by_itself, by_hand)


@pytest.mark.parametrize(
    ("selected", "is_for"),
    [
        ({}, False),
        ({"applications": ["cart"]}, True),
        ({"applications": ["ca*"]}, True),
        ({"applications": ["other"]}, False),
        ({"namespaces": ["shop-*"]}, True),
        ({"clusters": ["https://kubernetes.*"]}, True),
        ({"applications": ["other"], "namespaces": ["shop-live"]}, True),
        ({"applications": ["other"], "namespaces": ["shop-live"], "andOperator": True}, False),
        ({"applications": ["cart"], "namespaces": ["shop-live"], "andOperator": True}, True),
        ({"andOperator": True}, False),
    ],
)
def test_a_window_is_for_what_it_names(selected: dict[str, Any], is_for: bool) -> None:
    assert allowed({"kind": "allow", **CLOSED, **selected}) is not is_for


def test_a_freeze_of_a_year_is_not_looked_for_minute_by_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[datetime] = []
    fires = Schedule.fires

    def count(schedule: Schedule, minute: datetime) -> bool:
        asked.append(minute)
        return fires(schedule, minute)

    monkeypatch.setattr(Schedule, "fires", count)
    assert not allowed(window("deny", {"schedule": "30 6 1 1 *", "duration": "8760h"}))
    assert len(asked) < 366 + 24 * 60


@pytest.mark.parametrize(
    ("schedule", "duration", "zone", "moment", "active"),
    [
        ("0 9 * * 1-4", "6h", "Europe/Berlin", "2026-11-19T08:00:00", False),  # it opens after its moment
        ("0 9 * * 1-4", "6h", "Europe/Berlin", "2026-11-19T08:00:01", True),
        ("0 9 * * 1-4", "6h", "Europe/Berlin", "2026-11-19T13:59:59", True),
        ("0 9 * * 1-4", "6h", "Europe/Berlin", "2026-11-19T14:00:00", False),
        ("0 9 * * 1-4", "6h", "Europe/Berlin", "2026-11-20T12:00:00", False),  # a Friday
        ("0 9 * * 1-4", "6h", "Europe/Berlin", "2026-07-02T07:30:00", True),  # summer time
        ("0 9 * * mon-THU", "6h", "UTC", "2026-11-19T09:00:30", True),
        ("0 9 * * *", "1h", "Nowhere/X", "2026-11-19T09:30:00", True),  # an unknown zone is UTC
        ("0 22 1,15 * 5", "90s", "UTC", "2026-11-20T22:01:00", True),  # day of month or weekday
        ("0 22 1,15 * 5", "90s", "UTC", "2026-11-15T22:01:00", True),
        ("0 22 1,15 * 5", "90s", "UTC", "2026-11-16T22:01:00", False),
        ("0 0 */2 * 1", "1.5h", "UTC", "2026-11-19T01:29:59", True),  # a step is not a star
        ("0 0 */1 * 1", "1h", "UTC", "2026-11-19T00:30:00", False),  # a step of one is
        ("0 0 29 2 *", "24h", "Asia/Kolkata", "2028-02-28T18:30:01", True),
        ("30 5/3 * * *", "30m", "UTC", "2026-11-19T20:45:00", True),
        ("CRON_TZ=Europe/Berlin 0 9 * * 1-4", "6h", "", "2026-11-19T13:59:59", True),
        ("TZ=Europe/Berlin  0 9 * * 1-4", "6h", "UTC", "2026-11-19T14:00:00", False),
        ("CRON_TZ=Europe/Berlin 0 9 * * *", "1h", "Asia/Kolkata", "2026-11-19T02:45:00", True),  # both are added
        ("CRON_TZ=Nowhere/X 0 9 * * *", "1h", "UTC", "2026-11-19T09:30:00", False),  # cannot be read
        ("TZ=Europe/Berlin", "1h", "UTC", "2026-11-19T09:30:00", False),
        ("0 9 * * *", "30m1h", "UTC", "2026-11-19T10:29:59", True),
        ("0 9 * * *", "5400000ms", "UTC", "2026-11-19T10:29:59", True),
        ("0 9 * * *", "5400000ms", "UTC", "2026-11-19T10:30:00", False),
        ("0 9 * * *", "+1.h.5h", "UTC", "2026-11-19T10:29:59", True),
        ("*/15 * ? * ?", "59s", "UTC", "2026-11-19T20:45:59", False),
    ],
)
def test_a_window_is_open_when_argocd_says_so(
    schedule: str, duration: str, zone: str, moment: str, active: bool
) -> None:
    stated = {"schedule": schedule, "duration": duration, "timeZone": zone}
    assert allowed(window("allow", stated), now=datetime.fromisoformat(f"{moment}+00:00")) is active
