"""Read an Application's status as an operator would: where it is, whether that is well, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_stack.manifests import Manifest

_LONGEST_REASON = 300
_SHOWN = 3
_UNWELL = ("Degraded", "Missing", "Progressing", "Suspended")


@dataclass(frozen=True)
class ApplicationStatus:
    """One Application: ``revision`` is the commit last compared, ``reason`` is empty when all is well."""

    name: str
    project: str
    revision: str
    sync: str
    health: str
    reason: str

    @property
    def well(self) -> bool:
        """Tell whether the application is Synced and Healthy."""
        return self.sync == "Synced" and self.health == "Healthy"


def read_application(application: Manifest) -> ApplicationStatus:
    """Read one live Application."""
    status: dict[str, Any] = application.get("status") or {}
    sync: dict[str, Any] = status.get("sync") or {}
    health: dict[str, Any] = status.get("health") or {}
    state = sync.get("status") or "Unknown"
    healthy = health.get("status") or "Unknown"
    well = state == "Synced" and healthy == "Healthy"
    return ApplicationStatus(
        name=application["metadata"]["name"],
        project=application["spec"].get("project", ""),
        revision=sync.get("revision") or "",
        sync=state,
        health=healthy,
        reason="" if well and not _conditions(status) else _reason(application, status, state, healthy),
    )


def _conditions(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [found for found in status.get("conditions") or () if "Error" in found["type"] or "Warning" in found["type"]]


def _unwell(found: dict[str, Any]) -> str:
    health: dict[str, Any] = found.get("health") or {}
    name = f"{found['kind']} {found['name']}"
    if health.get("status") in _UNWELL:
        return f"{name} {health['status']}" + (f" ({health['message']})" if health.get("message") else "")
    pruned = ", to be pruned" if found.get("requiresPruning") else ""
    return f"{name} OutOfSync{pruned}" if found.get("status") == "OutOfSync" else ""


def _failures(operation: dict[str, Any]) -> list[str]:
    """List the hooks and objects of a sync that failed, each with what it said; the sync only counts them."""
    results = (operation.get("syncResult") or {}).get("resources") or ()
    return [
        f"{found['kind']} {found['name']}: {found.get('message') or 'no message'}"
        for found in results
        if found.get("hookPhase") in ("Failed", "Error") or found.get("status") in ("SyncFailed", "PruneFailed")
    ]


def _automated(application: Manifest) -> bool:
    policy: dict[str, Any] = application["spec"].get("syncPolicy") or {}
    return policy.get("automated") is not None  # an empty map switches it on


def _reason(application: Manifest, status: dict[str, Any], state: str, healthy: str) -> str:
    operation: dict[str, Any] = status.get("operationState") or {}
    failures = _failures(operation)
    conditions = [found for found in _conditions(status) if not (failures and found["type"] == "SyncError")]
    reasons = [f"{found['type']}: {found.get('message', '')}" for found in conditions]
    if application["metadata"].get("deletionTimestamp"):
        reasons.append("is being deleted")
    if operation.get("phase") in ("Failed", "Error", "Running"):
        said = "; ".join(failures[:_SHOWN]) or operation.get("message") or "no message yet"
        reasons.append(f"sync {operation['phase'].lower()}: {said}")
    unwell = [found for found in map(_unwell, status.get("resources") or ()) if found]
    if unwell:
        rest = len(unwell) - _SHOWN
        reasons.append(f"{', '.join(unwell[:_SHOWN])}{f' and {rest} more' if rest > 0 else ''}")
    if not reasons and state == "OutOfSync" and not _automated(application):
        reasons.append("waits for a manual sync")
    if not reasons:
        message = (status.get("health") or {}).get("message")
        reasons.append(message or ("not looked at yet" if state == "Unknown" else f"{state}, {healthy}"))
    return "; ".join(" ".join(reason.split()) for reason in reasons)[:_LONGEST_REASON]
