"""What an engine run made, in order and with durations, read from its event log."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BEGUN, _DONE = "resourcePreEvent", "resOutputsEvent"
_SILENT = frozenset({"same", "read"})


@dataclass(frozen=True)
class Made:
    """One step of the engine: operation, type and logical name; ``begun`` counts seconds from its first event."""

    operation: str
    type: str
    name: str
    begun: float
    seconds: float


def load_made(log: Path) -> list[Made]:
    """Read an engine's event log (`--event-log`) and return the steps that changed something, as they began."""
    begun: dict[str, float] = {}
    made: list[Made] = []
    first: float | None = None
    for event in _load_events(log):
        now = float(event.get("timestamp", 0))
        first = now if first is None else first
        for kind in (_BEGUN, _DONE):
            metadata = (event.get(kind) or {}).get("metadata")
            if metadata is None or metadata["op"] in _SILENT or _is_default_provider(metadata):
                continue
            if kind == _BEGUN:
                begun[metadata["urn"]] = now
            else:
                start = begun.pop(metadata["urn"], now)
                name = metadata["urn"].rpartition("::")[2]
                made.append(Made(metadata["op"], metadata["type"], name, start - first, now - start))
    return sorted(made, key=lambda step: step.begun)


def _is_default_provider(metadata: dict[str, Any]) -> bool:
    """Tell whether the engine made it by itself; its own summary leaves it out too."""
    return metadata["type"].startswith("pulumi:providers:") and "::default" in metadata["urn"]


def _load_events(log: Path) -> Iterator[dict[str, Any]]:
    if not log.exists():
        return
    for line in log.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):  # a kill cuts off the last line
            yield json.loads(line)
