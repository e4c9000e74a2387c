"""JSON Schemas of custom kinds: from CRDs, made strict, and from catalogues.

Strict as the API server's field validation: a field no schema names is refused unless the schema preserves unknown
fields. CEL rules (`x-kubernetes-validations`): see `cel_rules`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import load_yaml_file
from gitops_stack.manifests import Manifest
from gitops_stack.rules.api.parts import Violation
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.tree_check.api_types import find_repeated

Schema = dict[str, Any]
SchemaKey = tuple[str, str]
"""(apiVersion, kind)."""

_TOP = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
_FORMATS = ("date", "date-time", "ipv4", "ipv6")  # the others mean something else to Kubernetes, or nothing
_BOUNDS = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))
_ALTERNATIVES = ("allOf", "anyOf", "oneOf", "not")
_WITHIN = (*_ALTERNATIVES, "items", "additionalProperties")
_INTEGERS = {"int32": 2**31, "int64": 2**63}
_FILE_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,100}")
_DEFINITION = "CustomResourceDefinition"


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


def make_strict(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Translate one structural schema into JSON Schema, unknown fields refused.

    OpenAPI's `nullable` and its exclusive bounds are true or false; a field with a default is never missing.
    """
    if not isinstance(schema, dict):
        return schema
    made = {key: value for key, value in schema.items() if key not in ("description", "default", "example", "format")}
    _translate_values(made, schema.get("format"))
    properties = made.get("properties")
    embedded = made.get("x-kubernetes-embedded-resource") is True
    if properties is None and made.get("type") == "object":
        properties = {}  # an object of which nothing is known takes nothing
    if made.get("additionalProperties") is True:
        made["additionalProperties"] = {"additionalProperties": False}  # values, but what is in them is dropped
    if isinstance(properties, dict):
        made["properties"] = {key: make_strict(value) for key, value in properties.items()}
        if isinstance(made.get("required"), list):
            made["required"] = [key for key in made["required"] if "default" not in mapping(properties.get(text(key)))]
        if embedded:
            made["properties"] = {**_TOP, "metadata": {"type": "object"}, **made["properties"]}
        if made.get("x-kubernetes-preserve-unknown-fields") is not True and "additionalProperties" not in made:
            made["additionalProperties"] = False
    if embedded:
        made["required"] = [*sequence(made.get("required")), "apiVersion", "kind"]
    made |= {key: make_strict(made[key]) for key in ("items", "additionalProperties") if key in made}
    made |= {key: _translate_alternatives(made[key]) for key in _ALTERNATIVES if key in made}
    if made.get("x-kubernetes-list-type") == "set":
        made["uniqueItems"] = True
    _translate_nullable(made)
    return made


def _translate_alternatives(found: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Translate values alone: what allOf, anyOf, oneOf and not say of a field never makes it known."""
    if isinstance(found, list):
        return [_translate_alternatives(one) for one in found]
    if not isinstance(found, dict):
        return found
    made = {key: value for key, value in found.items() if key != "format"}
    _translate_values(made, found.get("format"))
    if isinstance(made.get("properties"), dict):
        made["properties"] = {key: _translate_alternatives(value) for key, value in made["properties"].items()}
    return made | {key: _translate_alternatives(made[key]) for key in _WITHIN if key in made}


def _translate_nullable(made: Schema) -> None:
    if made.pop("nullable", False) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if isinstance(made.get("enum"), list):
            made["enum"] = [*made["enum"], None]


def _translate_values(made: Schema, value_format: object) -> None:
    if made.get("x-kubernetes-int-or-string") is True:
        made["type"] = ["integer", "string"]
    for exclusive, bound in _BOUNDS:
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and bound in made:
            made[exclusive] = made.pop(bound)
    if value_format in _FORMATS:
        made["format"] = value_format
    limit = _INTEGERS.get(str(value_format))
    if limit is not None and made.get("type") == "integer":
        made.setdefault("maximum", limit - 1)
        made.setdefault("minimum", -limit)


def without_nulls(schema: object, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Leave out nulls as the API server does when it creates an object: those of fields that may not be null."""
    if isinstance(value, list):
        items = mapping(schema).get("items")
        return [without_nulls(items, one) for one in value]
    if not isinstance(value, Mapping):
        return value
    properties, others = mapping(mapping(schema).get("properties")), mapping(schema).get("additionalProperties")
    made = {}
    for key, one in value.items():
        inner = mapping(properties.get(key, others))
        if one is None and inner and inner.get("nullable") is not True:
            continue
        made[key] = without_nulls(inner, one)
    return made


def drop_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Leave out every null of a map: to Go, and so to the API's own kinds, it is the same as nothing."""
    if isinstance(value, Mapping):
        return {key: drop_nulls(one) for key, one in value.items() if one is not None}
    return [drop_nulls(one) for one in value] if isinstance(value, list) else value


def check_lists(schema: object, value: object, place: str = "") -> Iterator[Violation]:
    """Check lists that the schema keys by some of their entries' fields."""
    found = mapping(schema)
    if isinstance(value, list):
        if found.get("x-kubernetes-list-type") == "map":
            keys = tuple(map(str, sequence(found.get("x-kubernetes-list-map-keys"))))
            for index in find_repeated(value, keys):
                yield (
                    f"{place}[{index}]",
                    f"found the same {' and '.join(keys)} as in an earlier entry",
                    "needs another one",
                )
        for index, one in enumerate(value):
            yield from check_lists(found.get("items"), one, f"{place}[{index}]")
    elif isinstance(value, Mapping):
        properties, others = mapping(found.get("properties")), found.get("additionalProperties")
        for key, one in value.items():
            if isinstance(one, (list, dict)) and (inner := properties.get(key, others)):
                yield from check_lists(inner, one, f"{place}.{key}".lstrip("."))


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
    """A folder of JSON Schemas as GROUP/KIND_VERSION.json, kinds in lower case, and of CRDs in YAML files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: SchemaKey) -> Schema | None:
        """Read one schema; none when the folder has none. Raises :class:`GitOpsStackError` for what is not a schema."""
        group, _, version = key[0].rpartition("/")
        if not all(_FILE_PART.fullmatch(part) for part in (group or "core", version, key[1])):
            return None
        file = self.folder / (group or "core") / f"{key[1].lower()}_{version}.json"
        if not file.is_file():
            return None
        try:
            schema = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise GitOpsStackError(Problem(f"is not JSON: {str(error)[:200]}", "correct it", str(file))) from None
        if not isinstance(schema, dict):
            raise GitOpsStackError(Problem("found no schema", "it must be a JSON object", str(file)))
        return schema

    @cached_property
    def definitions(self) -> list[Manifest]:
        """The CRDs in the folder's YAML files; a file that cannot be read has none."""
        found: list[Manifest] = []
        for file in sorted([*self.folder.rglob("*.yaml"), *self.folder.rglob("*.yml")]):
            try:
                documents = (
                    load_yaml_file(file) if _DEFINITION in file.read_text(encoding="utf-8", errors="replace") else []
                )
            except (OSError, GitOpsStackError):
                continue
            found += [one for one in documents if dig(one, "kind") == _DEFINITION]
        return found
