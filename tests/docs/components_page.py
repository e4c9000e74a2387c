"""The tables of docs/components.md, made from what Pulumi's analyzer reads of the components."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pulumi.provider.experimental.analyzer import Analyzer, PropertyDefinition
from typing_extensions import get_original_bases

from gitops_stack import components
from gitops_stack.components.aws_account import AccountArgs, RoleArgs
from gitops_stack.components.cluster_connection import ConnectionArgs

NAMES = sorted(name for name in components.__all__ if not name.endswith("Args"))
_BLOCK = r"<!-- {0} -->\n.*?<!-- /{0} -->"


def render_tables(name: str) -> str:
    """Render what a component takes and gives, and the types its arguments are made of."""
    analyzer = Analyzer("gitops-stack")
    component = getattr(components, name)
    found = analyzer.analyze([component])
    own = found["component_definitions"][name]
    args = component.__init__.__annotations__["args"]
    lines = [*_table("argument", own.inputs, own.inputs_mapping, args, analyzer)]
    for type_name in sorted(found["type_definitions"]):
        made = found["type_definitions"][type_name]
        lines += ["", f"`{type_name}`: {_first(made.description)}", ""]
        lines += _table("argument", made.properties, made.properties_mapping, made.python_type, analyzer)
    if own.outputs:
        lines += ["", *_table("output", own.outputs, own.outputs_mapping, component, analyzer)]
    return "\n".join(lines)


def write_tables(text: str) -> str:
    """Return the page with all its tables as they are made now."""
    for name in NAMES:
        block = f"<!-- {name} -->\n{render_tables(name)}\n<!-- /{name} -->"
        found = re.findall(_BLOCK.format(name), text, re.DOTALL)
        assert len(found) == 1, f"docs/components.md has no place for the tables of {name}"
        text = text.replace(found[0], block)
    return text


def _table(
    kind: str, properties: dict[str, PropertyDefinition], names: dict[str, str], owner: type, analyzer: Analyzer
) -> Iterator[str]:
    is_output = kind == "output"
    yield f"| {kind} | type | description |" if is_output else f"| {kind} | type | required | description |"
    yield "|---|---|---|" if is_output else "|---|---|---|---|"
    for key, one in properties.items():
        said = _describe(owner, names[key], analyzer).replace("|", "\\|")
        required = "" if is_output else (" |  |" if one.optional else " | yes |")
        yield f"| `{names[key]}` | {_type(one)}{required or ' |'} {said} |"


def _describe(owner: type, name: str, analyzer: Analyzer) -> str:
    """Find the text under a field, of the class itself or of the one it was inherited from."""
    for kind in (owner, *get_original_bases(owner), AccountArgs, RoleArgs, ConnectionArgs):
        if isinstance(kind, type) and (text := analyzer.get_docstring(kind, name)):
            return " ".join(text.split())
    raise AssertionError(f"{owner.__name__}.{name}: has no description")


def _type(one: PropertyDefinition) -> str:
    if one.items is not None:
        return f"list of {_type(one.items)}"
    if one.additional_properties is not None:
        return f"map of {_type(one.additional_properties)}"
    if one.ref is not None:
        return "any" if one.ref.endswith("#/Any") else re.split(r"[:/]", one.ref)[-1].rpartition("%2F")[2]
    names: dict[Any, str] = {"string": "text", "integer": "number", "boolean": "boolean", "object": "map"}
    word = names[one.type.value] if one.type is not None else "any"
    return f"plain {word}" if one.plain else word


def _first(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())
