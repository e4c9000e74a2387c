"""The JSON Schema of a stack file, for editors, and the table of all settings, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.settings import FROM_ELSEWHERE, KEYS, StackSettings


def render_schema() -> str:
    """Render the schema of `Pulumi.<stack>.yaml`; keys of other Pulumi packages are let through."""
    settings = StackSettings.model_json_schema(by_alias=True)
    keys: dict[str, Any] = {f"{PULUMI_PROJECT}:{name}": settings["properties"][name] for name in KEYS}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of gitops-stack",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                "required": [f"{PULUMI_PROJECT}:{name}" for name in KEYS if name in settings["required"]],
                "patternProperties": {f"^(?!{PULUMI_PROJECT}:)": True},
                "additionalProperties": False,
            }
        },
        "required": ["config"],
        "$defs": settings["$defs"],
    }
    return json.dumps(schema, indent=2) + "\n"


def render_settings_table() -> str:
    """Render the Markdown table of all settings: path, default, description.

    `<name>` stands for a key of a map, `[]` for each entry of a list.
    """
    schema = StackSettings.model_json_schema(by_alias=True)
    for name in FROM_ELSEWHERE:
        del schema["properties"][name]
    rows: dict[str, tuple[str, list[str]]] = {}
    for path, default, description in _rows(schema, "", schema["$defs"]):
        rows.setdefault(path, (default, []))[1].append(description)
    head = "| setting | default | description |\n|---|---|---|\n"
    lines = (f"| `{path}` | {default} | {' '.join(texts)} |" for path, (default, texts) in rows.items())
    return head + "".join(f"{line}\n" for line in lines)


def _rows(node: dict[str, Any], prefix: str, definitions: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, field in node.get("properties", {}).items():
        path = f"{prefix}{name}"
        described = field.get("description") or resolve(field, definitions).get("description", "")
        yield path, _default(name, node, field), described.replace("<", "&lt;")
        for option in _options(field):
            yield from _rows(resolve(option, definitions), f"{path}.", definitions)
            entry = resolve(option.get("additionalProperties"), definitions)
            yield from _rows(entry, f"{path}.<name>.", definitions)
            yield from _rows(resolve(entry.get("items"), definitions), f"{path}.<name>[].", definitions)
            yield from _rows(resolve(option.get("items"), definitions), f"{path}[].", definitions)


def _options(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a field and what it may be instead, at any depth: a union may be left out, which is a union again."""
    yield field
    for option in (*field.get("anyOf", ()), *field.get("oneOf", ())):
        yield from _options(option)


def _default(name: str, node: dict[str, Any], field: dict[str, Any]) -> str:
    if name in node.get("required", ()):
        return "required"
    default = field.get("default", {})  # maps are made by a factory, which the schema leaves out
    if default in (None, ""):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def resolve(node: object, definitions: dict[str, Any]) -> dict[str, Any]:
    """Follow the `$ref` of a schema's ``node`` into its ``definitions``; what is not a node is an empty one."""
    if not isinstance(node, dict):
        return {}
    resolved: dict[str, Any] = definitions[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    return resolved
