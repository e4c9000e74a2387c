"""JSON Schemas of custom kinds: from CRDs, made strict, and from a catalogue folder.

Strict as the API server's field validation: a field no schema names is refused unless the schema preserves unknown
fields. CEL rules (`x-kubernetes-validations`) are not evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gitops_stack.errors import GitOpsStackError
from gitops_stack.manifests import Manifest
from gitops_stack.policies.fields import dig, mapping, sequence, text

Schema = dict[str, Any]
SchemaKey = tuple[str, str]
"""(apiVersion, kind)."""

_TOP = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}


def list_crd_schemas(definitions: Iterable[Manifest]) -> Iterator[tuple[SchemaKey, Schema]]:
    """Yield the schema of every served version, as the CRDs have it."""
    for found in definitions:
        spec = mapping(found.get("spec"))
        for version in map(mapping, sequence(spec.get("versions"))):
            schema = dig(version, "schema", "openAPIV3Schema")
            if isinstance(schema, dict) and version.get("served") is True:
                yield (
                    (f"{text(spec.get('group'))}/{text(version.get('name'))}", text(dig(spec, "names", "kind"))),
                    schema,
                )


def build_strict_schema(schema: Schema, metadata: Schema) -> Schema:
    """Build the strict schema of whole objects; ``metadata`` is the schema of their metadata."""
    strict = make_strict(schema)
    properties = {**mapping(strict.get("properties")), **_TOP, "metadata": metadata}
    return {**strict, "type": "object", "properties": properties}


def make_strict(schema: Schema) -> Schema:
    """Translate one structural schema: unknown fields refused, `nullable` as JSON Schema writes it."""
    made = {key: value for key, value in schema.items() if key not in ("description", "default", "example")}
    if isinstance(made.get("properties"), dict):
        made["properties"] = {key: make_strict(value) for key, value in made["properties"].items()}
        open_ended = made.get("x-kubernetes-preserve-unknown-fields") is True or "additionalProperties" in made
        if made.get("x-kubernetes-embedded-resource") is True:
            made["properties"] = {**_TOP, "metadata": {"type": "object"}, **made["properties"]}
        if not open_ended:
            made["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = make_strict(made[key])
    if made.pop("nullable", False) and "type" in made:
        made["type"] = [made["type"], "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    return made


def without_patterns(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Leave out patterns, for a schema whose regular expressions cannot be compiled here."""
    if isinstance(schema, dict):
        return {
            key: without_patterns(value)
            for key, value in schema.items()
            if not (key == "pattern" and isinstance(value, str))
        }
    return [without_patterns(value) for value in schema] if isinstance(schema, list) else schema


class Catalogue:
    """A folder of JSON Schemas as GROUP/KIND_VERSION.json, kinds in lower case."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: SchemaKey) -> Schema | None:
        """Read one schema; none when the folder has none. Raises :class:`GitOpsStackError` for what is no schema."""
        group, _, version = key[0].rpartition("/")
        file = self.folder / (group or "core") / f"{key[1].lower()}_{version}.json"
        if not file.is_file():
            return None
        try:
            schema = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise GitOpsStackError(f"{file}: is no JSON: {error}; correct it") from None
        if not isinstance(schema, dict):
            raise GitOpsStackError(f"{file}: found no schema; it must be a JSON object")
        return schema
