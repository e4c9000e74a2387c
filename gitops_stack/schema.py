"""The JSON Schema of a stack file, for editors."""

from __future__ import annotations

import json
from typing import Any

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.settings import StackSettings


def render_schema() -> str:
    """Render the schema of `Pulumi.<stack>.yaml`; keys of other Pulumi packages are let through."""
    settings = StackSettings.model_json_schema(by_alias=True)
    keys: dict[str, Any] = {
        f"{PULUMI_PROJECT}:{name}": value for name, value in settings["properties"].items() if name != "stack"
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of gitops-stack",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                "required": [f"{PULUMI_PROJECT}:{name}" for name in settings["required"] if name != "stack"],
                "patternProperties": {f"^(?!{PULUMI_PROJECT}:)": True},
                "additionalProperties": False,
            }
        },
        "required": ["config"],
        "$defs": settings["$defs"],
    }
    return json.dumps(schema, indent=2) + "\n"
