"""Read an Application's status as an operator would: where it is, whether that is well, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_stack.manifests import Manifest

_LONGEST_REASON = 300


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


def _automated(application: Manifest) -> bool:
    policy: dict[str, Any] = application["spec"].get("syncPolicy") or {}
    return policy.get("automated") is not None  # an empty map switches it on


def _reason(application: Manifest, status: dict[str, Any], state: str, healthy: str) -> str:
    operation: dict[str, Any] = status.get("operationState") or {}
    reasons = [f"{found['type']}: {found.get('message', '')}" for found in _conditions(status)]
    if application["metadata"].get("deletionTimestamp"):
        reasons.append("is being deleted")
    if operation.get("phase") in ("Failed", "Error", "Running"):
        reasons.append(f"sync {operation['phase'].lower()}: {operation.get('message') or 'no message yet'}")
    unwell = [
        f"{found['kind']} {found['name']} {(found.get('health') or {}).get('status') or found.get('status')}"
        for found in status.get("resources") or ()
        if found.get("status") == "OutOfSync" or (found.get("health") or {}).get("status") in ("Degraded", "Missing")
    ]
    if unwell:
        reasons.append(f"{', '.join(unwell[:3])}{f' and {len(unwell) - 3} more' if len(unwell) > 3 else ''}")  # noqa: PLR2004
    if not reasons and state == "OutOfSync" and not _automated(application):
        reasons.append("waits for a manual sync")
    if not reasons:
        message = (status.get("health") or {}).get("message")
        reasons.append(message or ("not looked at yet" if state == "Unknown" else f"{state}, {healthy}"))
    return "; ".join(" ".join(reason.split()) for reason in reasons)[:_LONGEST_REASON]
