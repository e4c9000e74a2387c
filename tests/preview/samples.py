"""What several tests of the preview need: recorded events, and small manifests."""

from __future__ import annotations

from typing import Any

from gitops_stack.preview.engine_events import EnginePreview, parse_events
from tests.stacks import ROOT

EVENTS = ROOT / "tests" / "fixtures" / "engine-events"
RECORDED = sorted(file.stem for file in EVENTS.glob("*.jsonl"))


def recorded(name: str) -> EnginePreview:
    """Parse a recorded preview."""
    file = EVENTS / f"{name}.jsonl"
    return parse_events(file.read_text(encoding="utf-8").splitlines(), file.name)


def manifest(kind: str, name: str, api: str = "v1", **fields: Any) -> dict[str, Any]:
    """Build a small object."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "argocd"}, **fields}
