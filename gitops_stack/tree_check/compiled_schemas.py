"""Validators of single schemas: compiled once a process, and what an object is before it is held against one."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import Any, NamedTuple

import jsonschema_rs

from gitops_stack.manifests import Manifest
from gitops_stack.tree_check.api_types import list_kinds, load_definitions
from gitops_stack.tree_check.cel_rules import RULES
from gitops_stack.tree_check.crd_schemas import (
    Schema,
    build_strict_schema,
    drop_nulls,
    without_nulls,
    without_patterns,
)

_DEFINITIONS = "https://kubernetes.io/api/_definitions.json"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
METADATA = {"$ref": f"{_DEFINITIONS}#/$defs/{OBJECT_META}"}


class CompiledSchema(NamedTuple):
    """A validator with its schema: of a custom kind also as it was ``written``, of an own kind its definition.

    ``has_rules``: whether it has rules in CEL.
    """

    validator: Any
    schema: Schema
    written: Schema | None = None
    definition: str = ""
    has_rules: bool = False

    def fits(self, manifest: Manifest) -> bool:
        """Tell whether a manifest is valid, be it without the nulls that the API server leaves out."""
        return bool(self.validator.is_valid(manifest)) or bool(self.validator.is_valid(self.settle_nulls(manifest)))

    def settle_nulls(self, manifest: Manifest) -> Manifest:
        """Leave out the nulls that the API server leaves out before it validates."""
        if self.written is None:
            return drop_nulls(manifest)  # type: ignore[no-any-return]
        settled: Manifest = without_nulls(self.written, manifest)
        kept = {key: drop_nulls(value) if key == "status" else value for key, value in settled.items()}
        return {key: value for key, value in kept.items() if key not in ("status", "metadata") or value is not None}


# Compiled once a process: the stacks of a project share nearly all of them.
@cache
def compile_own(version: str, api_version: str, kind: str) -> CompiledSchema | None:
    """Compile the schema of a kind of the API's own; None for any other."""
    group, _, api = api_version.rpartition("/")
    name = list_kinds(version).get((group, api, kind))
    if name is None:
        return None
    schema = {"$ref": f"{_DEFINITIONS}#/$defs/{name}"}
    validator = jsonschema_rs.Draft202012Validator(
        schema, registry=_registry(version), validate_formats=True, offline=True
    )
    return CompiledSchema(validator, load_definitions(version)["$defs"][name], None, name)


@lru_cache(maxsize=256)
def compile_text(version: str, text: str, *, strict: bool) -> CompiledSchema:
    """Compile a schema, given as JSON; ``strict`` for one of a CRD, so that unknown fields are refused.

    Raises what the validator raises for a schema that it cannot take.
    """
    schema: Schema = json.loads(text)
    made = build_strict_schema(schema, METADATA) if strict else schema
    validator, used = _compile_schema(version, made)
    return CompiledSchema(validator, used, schema, has_rules=RULES in text)


def _compile_schema(version: str, schema: Schema) -> tuple[Any, Schema]:
    registry = _registry(version)
    try:
        return jsonschema_rs.validator_for(schema, registry=registry, validate_formats=True, offline=True), schema
    except (ValueError, jsonschema_rs.ValidationError):  # a pattern in another dialect of regular expressions
        plain = without_patterns(schema)
        made = jsonschema_rs.Draft202012Validator(plain, registry=registry, validate_formats=True, offline=True)
        return made, plain


@cache
def _registry(version: str) -> Any:  # noqa: ANN401 - jsonschema_rs has no type for it
    return jsonschema_rs.Registry([(_DEFINITIONS, load_definitions(version))])
