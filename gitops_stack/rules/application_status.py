"""Read an Application's status as an operator would: where it is, whether that is well, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_stack.errors import shorten
from gitops_stack.manifests import Manifest
from gitops_stack.rules.cluster_logins import explain_login
from gitops_stack.rules.sync_windows import may_sync

_NAMED = 3
_UNWELL = ("Degraded", "Missing", "Progressing", "Suspended")
_BLOCKED = "Sync operation blocked by sync window"  # controller/sync.go SyncAppState, on an operation that runs


@dataclass(frozen=True)
class ApplicationStatus:
    """One Application: ``revision`` is the commit last compared, ``reason`` is empty when all is well."""

    name: str
    project: str
    revision: str
    sync: str
    health: str
    reason: str
    waiting: bool = False
    """A merge has not been synced because that is left to a person, or to a sync window; nothing has failed."""

    @property
    def well(self) -> bool:
        """Tell whether the application is Synced and Healthy."""
        return self.sync == "Synced" and self.health == "Healthy"


def read_application(
    application: Manifest, project: Manifest | None = None, now: datetime | None = None
) -> ApplicationStatus:
    """Read one live Application; the windows of ``project``, its live AppProject, decide whether it waits ``now``.

    Without both, no window is looked at.
    """
    status: dict[str, Any] = application.get("status") or {}
    sync: dict[str, Any] = status.get("sync") or {}
    health: dict[str, Any] = status.get("health") or {}
    state = sync.get("status") or "Unknown"
    healthy = health.get("status") or "Unknown"
    revision = sync.get("revision") or ""
    well = state == "Synced" and healthy == "Healthy"
    waits_for = _waits_for(application, project, now) if state == "OutOfSync" else ""
    troubles = _troubles(application, status, blocked=bool(waits_for))
    if waits_for and not troubles and _is_last_synced(sync, status):
        troubles = ["drifted since its last sync"]
    reasons = [*troubles, waits_for, "" if well else _resources(status)]
    if not well and not any(reasons):
        reasons = [health.get("message") or ("not looked at yet" if state == "Unknown" else f"{state}, {healthy}")]
    failed = (status.get("operationState") or {}).get("phase") in ("Failed", "Error")  # a PostSync hook, perhaps
    silent = well and not failed and not _conditions(status) and not application["metadata"].get("deletionTimestamp")
    return ApplicationStatus(
        name=application["metadata"]["name"],
        project=application["spec"].get("project", ""),
        revision=revision,
        sync=state,
        health=healthy,
        reason="" if silent else shorten("; ".join(" ".join(text.split()) for text in reasons if text)),
        waiting=bool(waits_for) and not troubles and healthy in ("Healthy", "Missing"),
    )


def _waits_for(application: Manifest, project: Manifest | None, now: datetime | None) -> str:
    """Say what a merge waits for, nothing where Argo CD may sync by itself."""
    if not _automated(application):
        return "waits for a manual sync"
    if project is None or now is None or may_sync(application, project, now, manual=False):
        return ""
    person = " or a manual sync" if may_sync(application, project, now, manual=True) else ""
    return f"waits for a sync window of project {project['metadata']['name']}{person}"


def _automated(application: Manifest) -> bool:
    policy: dict[str, Any] = application["spec"].get("syncPolicy") or {}
    automated = policy.get("automated")
    return automated is not None and automated.get("enabled") is not False  # an empty map switches it on


def _is_last_synced(sync: dict[str, Any], status: dict[str, Any]) -> bool:
    """Tell whether what was compared is what was last synced: the revisions, and what the sources say of them."""
    last: dict[str, Any] = (status.get("history") or [{}])[-1]
    compared = sync.get("comparedTo") or {}
    sources = [(found.get("source"), found.get("sources")) for found in (compared, last)]
    revisions = [found.get("revisions") or [found.get("revision") or ""] for found in (sync, last)]
    same_sources = not any(sources[0]) or not any(sources[1]) or sources[0] == sources[1]
    return all(revisions[0]) and revisions[0] == revisions[1] and same_sources


def _troubles(application: Manifest, status: dict[str, Any], *, blocked: bool) -> list[str]:
    """List what is in the way of a sync; an operation that a window holds up (``blocked``) has no trouble."""
    operation: dict[str, Any] = status.get("operationState") or {}
    message, failures = operation.get("message") or "no message yet", _failures(operation)
    troubles = []
    if application["metadata"].get("deletionTimestamp"):
        troubles.append("is being deleted")
    if operation.get("phase") in ("Failed", "Error", "Running") and not (blocked and message.startswith(_BLOCKED)):
        troubles.append(f"sync {operation['phase'].lower()}: {'; '.join([*failures, explain_login(message)])}")
    # The condition repeats the operation's message, which has been given with what failed.
    conditions = [found for found in _conditions(status) if not (failures and found["type"] == "SyncError")]
    return troubles + [f"{found['type']}: {explain_login(found.get('message', ''))}" for found in conditions]


def _conditions(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [found for found in status.get("conditions") or () if "Error" in found["type"] or "Warning" in found["type"]]


def _failures(operation: dict[str, Any]) -> list[str]:
    """Name the hooks and objects that made a sync fail: the operation's own message often says only that some did."""
    results: list[dict[str, Any]] = (operation.get("syncResult") or {}).get("resources") or []
    failed = [
        f"{found['hookType']} {_object(found)} failed: {found.get('message') or 'no message'}"
        if found.get("hookType")
        else f"{_object(found)} failed: {found.get('message') or 'no message'}"
        for found in results
        if found.get("hookPhase") in ("Failed", "Error") or found.get("status") in ("SyncFailed", "PruneFailed")
    ]
    return _first(failed)


def _resources(status: dict[str, Any]) -> str:
    unwell = [text for text in map(_unwell, status.get("resources") or ()) if text]
    return ", ".join(_first(unwell)).replace(", and ", " and ")


def _unwell(found: dict[str, Any]) -> str:
    health: dict[str, Any] = found.get("health") or {}
    if health.get("status") in _UNWELL:
        return f"{_object(found)} {health['status']}" + (f" ({health['message']})" if health.get("message") else "")
    pruned = ", to be pruned" if found.get("requiresPruning") else ""
    return f"{_object(found)} OutOfSync{pruned}" if found.get("status") == "OutOfSync" else ""


def _object(found: dict[str, Any]) -> str:
    return f"{found['kind']} {found['name']}"


def _first(texts: list[str]) -> list[str]:
    return texts if len(texts) <= _NAMED else [*texts[:_NAMED], f"and {len(texts) - _NAMED} more"]
