"""Creates that were under way when their provider crashed, read from an event log: `pulumi up --event-log FILE`.

The engine forgets a create that ended with an error, and a crash of the provider is one: what was asked for may be
there, and nothing in the state says so. Shapes are those of pulumi's apitype/events.go.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gitops_stack.account.pending import PendingCreate

_CREATES = frozenset({"create", "create-replacement"})
_KEPT = ("urn", "type", "custom", "parent", "provider", "inputs")
# How gRPC and the engine speak of a process that has gone. Whatever else failed had an answer: of a name that is taken,
# say, by what is somebody else's and must never be imported.
_CRASH = re.compile(r"error reading from server: EOF|exited prematurely|transport is closing|code = Unavailable")


def load_crashed_creates(log: Path) -> tuple[PendingCreate, ...]:
    """Return the creates of AWS in ``log`` that have no answer but the crash; none when there is no such file.

    Leaves out whose inputs hold a secret, which the log does not show, and a line that a kill cut off.
    """
    begun: dict[str, dict[str, Any]] = {}
    errors: dict[str, list[str]] = defaultdict(list)
    for event in _load_events(log):
        metadata = _read(event, "resourcePreEvent")
        if metadata.get("op") in _CREATES and str(metadata.get("type", "")).startswith("aws:"):
            begun[metadata["urn"]] = metadata.get("new") or {}
        begun.pop(_read(event, "resOutputsEvent").get("urn", ""), None)
        said = event.get("diagnosticEvent") or {}
        if said.get("severity") == "error":
            errors[said.get("urn", "")].append(said.get("message", ""))
    crashed = [new for urn, new in begun.items() if all(_CRASH.search(message) for message in errors[urn])]
    found = ({key: new[key] for key in _KEPT if new.get(key)} for new in crashed)
    return tuple(
        PendingCreate(new["urn"], new["type"], new.get("inputs") or {}, new)
        for new in found
        if new.get("custom") and "[secret]" not in json.dumps(new)
    )


def _read(event: dict[str, Any], kind: str) -> dict[str, Any]:
    return (event.get(kind) or {}).get("metadata") or {}


def _load_events(log: Path) -> Iterator[dict[str, Any]]:
    if not log.is_file():
        return
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
