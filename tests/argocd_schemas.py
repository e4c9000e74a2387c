"""Build the packaged schemas of Argo CD's kinds from the pinned release, and write them when this file is run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import gitops_stack.tree_check
from tests.stacks import stack_render

FILE = Path(gitops_stack.tree_check.__file__).with_name("argocd_schemas.json.gz")
_LEFT_OUT = ("description", "example")


def build_schemas() -> dict[str, Any]:
    """Build the schema of each kind, without what people read."""
    return {
        f"{found['spec']['group']}/{version['name']}/{found['spec']['names']['kind']}": _strip(
            version["schema"]["openAPIV3Schema"]
        )
        for found in stack_render("dev")
        if found["kind"] == "CustomResourceDefinition"
        for version in found["spec"]["versions"]
    }


def _strip(schema: Any, *, names: bool = False) -> Any:
    """Leave out descriptions; ``names`` says that the keys are those of fields, which may have that name."""
    if isinstance(schema, dict):
        return {
            key: _strip(value, names=key == "properties" and not names)
            for key, value in schema.items()
            if names or key not in _LEFT_OUT
        }
    return [_strip(value) for value in schema] if isinstance(schema, list) else schema


if __name__ == "__main__":
    text = json.dumps(build_schemas(), separators=(",", ":"), sort_keys=True)
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
