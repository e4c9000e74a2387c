"""CustomResourceDefinitions: names, versions, and whether a schema is structural (apiextensions validation)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.rules.api.formats import is_subdomain
from gitops_stack.rules.api.go_patterns import is_go_pattern
from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, show
from gitops_stack.rules.api.structural import (
    TYPES,
    check_default,
    check_lists,
    check_logic,
    check_paths,
    check_root,
    check_taken,
)
from gitops_stack.rules.fields import dig, mapping, sequence, text

_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_DEEPEST = 64
_SCHEMA = "schema.openAPIV3Schema"
_JSON_PATH = re.compile(r"[.\[].*")


def check_definition(part: Part) -> Iterator[Violation]:
    """Check a CRD as a whole."""
    spec, names = mapping(part.get("spec")), mapping(dig(part, "spec", "names"))
    group, plural = text(spec.get("group")), text(names.get("plural"))
    if text(dig(part, "metadata", "name")) != f"{plural}.{group}":
        yield "metadata.name", f"found {show(dig(part, 'metadata', 'name'))}", f"needs {plural}.{group}"
    if group and ("." not in group or not is_subdomain(group)):
        yield "spec.group", f"found {show(group)}", "needs a domain with a dot"
    yield from _check_names(names)
    if not spec.get("scope"):
        yield "spec.scope", "is missing", "add Namespaced or Cluster"
    yield from _check_versions(spec)


def check_conversion(part: Part) -> Iterator[Violation]:
    """Check that a webhook converts, or none is named."""
    if part.get("strategy") != "Webhook" and mapping(part.get("webhook")):
        yield "webhook", f"found it beside strategy {show(part.get('strategy'))}", "needs strategy Webhook"


def _check_names(names: Part) -> Iterator[Violation]:
    for key in ("plural", "singular"):
        if names.get(key) and not _LABEL_1035.fullmatch(text(names[key])):
            yield f"spec.names.{key}", f"found {show(names[key])}", "needs a-z, 0-9 and -, beginning with a letter"
    for key in ("kind", "listKind"):
        if names.get(key) and not _LABEL_1035.fullmatch(text(names[key]).lower()):
            yield f"spec.names.{key}", f"found {show(names[key])}", "needs letters, digits and -"
    yield from _check_lists_of_names(names)
    for key in ("kind", "plural"):
        if not names.get(key):
            yield f"spec.names.{key}", "is missing", "add it"


def _check_lists_of_names(names: Part) -> Iterator[Violation]:
    for key in ("shortNames", "categories"):
        for index, name in enumerate(sequence(names.get(key))):
            if isinstance(name, str) and not _LABEL_1035.fullmatch(name):
                yield f"spec.names.{key}[{index}]", f"found {show(name)}", "needs a-z, 0-9 and -"
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield "spec.names.listKind", "is the kind itself", f"needs another name, such as {names['kind']}List"


def _check_versions(spec: Part) -> Iterator[Violation]:
    versions = list(parts(spec, "versions"))
    if sum(version.get("storage") is True for _, version in versions) != 1:
        yield "spec.versions", "found no version, or several, with storage: true", "exactly one is stored"
    conversion = mapping(spec.get("conversion"))
    if conversion.get("strategy") == "Webhook" and not is_set(conversion, "webhook"):
        yield "spec.conversion.webhook", "is missing", "strategy Webhook needs it"
    if spec.get("preserveUnknownFields") is True:
        yield "spec.preserveUnknownFields", "found true", "v1 needs false; use x-kubernetes-preserve-unknown-fields"
    for place, version in versions:
        yield from ((f"spec.{place}{inner}", said, needs) for inner, said, needs in _check_version(version))


def _check_version(version: Part) -> Iterator[Violation]:
    if version.get("name") and not _LABEL_1035.fullmatch(text(version["name"])):
        yield ".name", f"found {show(version['name'])}", "needs a-z, 0-9 and -, beginning with a letter"
    schema = dig(version, "schema", "openAPIV3Schema")
    if schema is None:
        yield f".{_SCHEMA}", "is missing", "add it"
    elif isinstance(schema, Mapping):
        if schema.get("type") != "object":
            yield f".{_SCHEMA}.type", f"found {show(schema.get('type'))}", "needs object"
        yield from ((f".{_SCHEMA}{inner}", said, needs) for inner, said, needs in check_root(schema))
        yield from _check_schema(schema, f".{_SCHEMA}", 0)
    yield from check_paths(version)
    for inner, column in parts(version, "additionalPrinterColumns"):
        if column.get("jsonPath") and not _JSON_PATH.fullmatch(text(column["jsonPath"])):
            yield f".{inner}.jsonPath", f"found {show(column['jsonPath'])}", "needs a path such as .spec.size"


def _check_schema(schema: Mapping[str, Any], place: str, depth: int) -> Iterator[Violation]:
    """Check a structural schema; what is in allOf, anyOf, oneOf and not need not be structural."""
    if depth > _DEEPEST:
        return
    yield from ((f"{place}{inner}", said, needs) for inner, said, needs in _check_level(schema))
    for name, inner in mapping(schema.get("properties")).items():
        yield from _check_schema(mapping(inner), f"{place}.properties.{name}", depth + 1)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            yield from _check_schema(schema[key], f"{place}.{key}", depth + 1)


def _check_level(schema: Mapping[str, Any]) -> Iterator[Violation]:
    kind = schema.get("type")
    free = any(schema.get(f"x-kubernetes-{key}") is True for key in ("int-or-string", "preserve-unknown-fields"))
    known = f"needs one of: {', '.join(sorted(TYPES))}"
    if not kind and not free:
        yield ".type", "is missing", known
    elif isinstance(kind, str) and kind and kind not in TYPES:
        yield ".type", f"found {show(kind)}", known
    if "default" in schema:
        yield from check_default(schema["default"], schema, ".default")
    yield from check_taken(schema, "")
    yield from _check_keywords(schema)
    yield from check_lists(schema)
    yield from check_logic(schema)


def _check_keywords(schema: Mapping[str, Any]) -> Iterator[Violation]:
    if schema.get("uniqueItems") is True:
        yield ".uniqueItems", "found true", "use x-kubernetes-list-type: set"
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not is_go_pattern(pattern):
        yield ".pattern", "is not a regular expression of Go", "correct it; Go has no look-around"
    if schema.get("type") == "array" and not mapping(schema.get("items")):
        yield ".items", "is missing or a list", "needs one schema for all items"
    if mapping(schema.get("properties")) and mapping(schema.get("additionalProperties")):
        yield ".additionalProperties", "found it beside properties", "remove one of the two"
    if schema.get("x-kubernetes-embedded-resource") is True:
        yield from _check_embedded(schema)


def _check_embedded(schema: Mapping[str, Any]) -> Iterator[Violation]:
    if schema.get("type") != "object":
        yield ".type", f"found {show(schema.get('type'))}", "an embedded resource needs object"
    if schema.get("additionalProperties") is not None:
        yield ".additionalProperties", "found it in an embedded resource", "remove it"
    if schema.get("x-kubernetes-preserve-unknown-fields") is not True and not mapping(schema.get("properties")):
        needs = "an embedded resource needs them, or x-kubernetes-preserve-unknown-fields"
        yield ".properties", "is missing", needs


def list_versions(definition: Mapping[str, Any]) -> list[str]:
    """List the names of a CRD's versions that are served."""
    return [
        text(version.get("name"))
        for version in map(mapping, sequence(dig(definition, "spec", "versions")))
        if version.get("served") is True
    ]
