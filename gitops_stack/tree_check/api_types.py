"""The API's own types of one Kubernetes version: which kinds there are, and the typed parts of an object.

After the OpenAPI definitions that the package kubernetes-validate brings. What is said about a part is policies.api's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, NamedTuple

from gitops_stack.rules.api.check import check_part, checked_types
from gitops_stack.rules.api.parts import Part, Violation
from gitops_stack.rules.api.required_fields import NOT_REQUIRED, UNJUDGED
from gitops_stack.rules.fields import mapping, sequence

Schema = dict[str, Any]
Kind = tuple[str, str, str]
"""(group, version, kind)."""

_FOLDER = re.compile(r"v(\d+\.\d+)\.\d+-local-strict")
_PREFIXES = ("io.k8s.apimachinery.pkg.apis.", "io.k8s.api.", "io.k8s.")
_INTEGERS = {"int32": 2**31, "int64": 2**63}
_GONE = frozenset({"extensions", "componentconfig", "settings.k8s.io"})
_NOT_OBJECTS = frozenset(
    {"APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "DeleteOptions", "Status", "WatchEvent"}
)
_EMPTY = ("spec", "template", "jobTemplate")
_ON_BY_DEFAULT = frozenset(
    {
        ("flowcontrol.apiserver.k8s.io", "v1beta1"), ("flowcontrol.apiserver.k8s.io", "v1beta2"),
        ("flowcontrol.apiserver.k8s.io", "v1beta3"), ("autoscaling", "v2beta2"), ("autoscaling", "v2beta1"),
    }
)  # fmt: skip
"""Beta versions from before Kubernetes 1.24, since when new ones are off (KEP 3136)."""


class _Field(NamedTuple):
    name: str
    how: Literal["one", "list", "map"]
    type: str


class _Plan(NamedTuple):
    short: str
    checked: bool
    fields: tuple[_Field, ...]
    keyed: tuple[tuple[str, tuple[str, ...]], ...]


@cache
def known_versions() -> tuple[str, ...]:
    """List the minor versions whose schemas are installed, oldest first."""
    found = (_FOLDER.fullmatch(path.name) for path in _package().iterdir())
    return tuple(sorted((one[1] for one in found if one), key=lambda version: tuple(map(int, version.split(".")))))


@cache
def load_definitions(version: str) -> Schema:
    """Load the definitions of a version; whole numbers have their range, and defaulted fields are not required."""
    folder = next(
        path for path in _package().iterdir() if (found := _FOLDER.fullmatch(path.name)) and found[1] == version
    )
    loaded: Schema = json.loads(folder.joinpath("_definitions.json").read_text(encoding="utf-8"))
    for name, found in loaded["$defs"].items():
        short = shorten(name)
        for field, schema in found.get("properties", {}).items():
            limit = _INTEGERS.get(schema.get("format", ""))
            if limit is not None:
                schema.update(minimum=-limit, maximum=limit - 1)
            if (short, field) in NOT_REQUIRED and field in found.get("required", ()):
                found["required"] = [one for one in found["required"] if one != field]
    return loaded


@cache
def list_kinds(version: str) -> Mapping[Kind, str]:
    """Map every kind the API server has of its own to the name of its definition."""
    return {
        (one["group"], one["version"], one["kind"]): name
        for name, found in load_definitions(version)["$defs"].items()
        for one in found.get("x-kubernetes-group-version-kind", ())
        if one["kind"] not in _NOT_OBJECTS
    }


@cache
def list_groups() -> frozenset[str]:
    """List the groups that belong to Kubernetes, those included that left it."""
    return frozenset({group for version in known_versions() for group, _, _ in list_kinds(version)}) | _GONE


def is_off(group: str, version: str) -> bool:
    """Tell whether an API server serves a version only when it is told to."""
    return ("alpha" in version or "beta" in version) and (group, version) not in _ON_BY_DEFAULT


def find_served(version: str, group: str, kind: str) -> list[str]:
    """List the versions of ``group`` in which the API server serves a kind."""
    return sorted(one for found, one, name in list_kinds(version) if (found, name) == (group, kind))


def find_groups(version: str, kind: str) -> list[str]:
    """List the apiVersions under which the API server serves a kind by default, in any group."""
    found = (
        f"{group}/{one}".lstrip("/")
        for group, one, name in list_kinds(version)
        if name == kind and not is_off(group, one)
    )
    return sorted(found)


def shorten(name: str) -> str:
    """Shorten the name of a definition, as policies.api names types."""
    return next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)


def check_typed(version: str, name: str, value: object, place: str = "") -> Iterator[Violation]:
    """Check a value of the type ``name`` (a definition's name) and all typed parts within it."""
    plan = _load_plans(version).get(name)
    if plan is None or not isinstance(value, Mapping):
        return
    if plan.checked:
        for inner, found, needs in check_part(plan.short, value, version):
            yield join(place, inner), found, needs
    for name_of_list, keys in plan.keyed:
        yield from _check_keyed(join(place, name_of_list), value.get(name_of_list), keys)
    for field in plan.fields:
        yield from _check_field(version, field, value, place)


def _check_field(version: str, field: _Field, part: Part, place: str) -> Iterator[Violation]:
    value, inner = part.get(field.name), join(place, field.name)
    if value is None and field.name in _EMPTY:
        value = {}  # to Go a missing struct is an empty one
    if field.how == "one":
        yield from check_typed(version, field.type, value, inner)
    elif field.how == "list":
        for index, one in enumerate(sequence(value)):
            yield from check_typed(version, field.type, one, f"{inner}[{index}]")
    else:
        for key, one in mapping(value).items():
            yield from check_typed(version, field.type, one, f"{inner}.{key}")


def join(place: str, inner: str) -> str:
    """Join two places."""
    if not place or not inner:
        return place or inner
    return f"{place}{inner}" if inner.startswith("[") else f"{place}.{inner}"


def find_repeated(value: object, keys: tuple[str, ...]) -> list[int]:
    """List the indexes of entries whose ``keys`` an earlier entry has; without keys, the entry itself counts."""
    seen: set[str] = set()
    repeated = []
    for index, one in enumerate(sequence(value)):
        entry: Part = mapping(one)
        if keys and not any(entry.get(key) for key in keys):
            continue
        identity = repr([entry.get(key) or ("TCP" if key == "protocol" else None) for key in keys] if keys else one)
        if identity in seen:
            repeated.append(index)
        seen.add(identity)
    return repeated


DUPLICATE = "needs to be there once: server-side apply refuses it"


def _check_keyed(place: str, value: object, keys: tuple[str, ...]) -> Iterator[Violation]:
    for index in find_repeated(value, keys):
        shown = f"the same {' and '.join(keys)} as in an earlier entry" if keys else "an entry twice"
        yield f"{place}[{index}]", f"found {shown}", DUPLICATE


@cache
def _load_plans(version: str) -> Mapping[str, _Plan]:
    """Plan the walk: of each type the fields worth entering, because something is said about what is in them."""
    definitions = load_definitions(version)["$defs"]
    fields = {
        name: tuple(_list_fields(found, UNJUDGED.get(shorten(name), frozenset())))
        for name, found in definitions.items()
    }
    keyed = {name: tuple(_list_keyed(found)) for name, found in definitions.items()}
    checked = {name for name in definitions if shorten(name) in checked_types()}
    worth = checked | {name for name, lists in keyed.items() if lists}
    while more := {
        name for name, found in fields.items() if name not in worth and any(one.type in worth for one in found)
    }:
        worth |= more
    return {
        name: _Plan(
            shorten(name), name in checked, tuple(one for one in fields[name] if one.type in worth), keyed[name]
        )
        for name in worth
    }


def _list_fields(definition: Schema, unjudged: frozenset[str]) -> Iterator[_Field]:
    for name, schema in definition.get("properties", {}).items():
        if name == "status" or name in unjudged:
            continue
        if "$ref" in schema:
            yield _Field(name, "one", _target(schema))
        elif "$ref" in mapping(schema.get("items")):
            yield _Field(name, "list", _target(schema["items"]))
        elif "$ref" in mapping(schema.get("additionalProperties")):
            yield _Field(name, "map", _target(schema["additionalProperties"]))


def _list_keyed(definition: Schema) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, schema in definition.get("properties", {}).items():
        kind = schema.get("x-kubernetes-list-type")
        if kind == "map":
            yield name, tuple(schema.get("x-kubernetes-list-map-keys", ()))
        elif kind == "set":
            yield name, ()


def _target(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _package() -> Any:  # noqa: ANN401 - a Traversable, whose module moved between Python versions
    return resources.files("kubernetes_validate").joinpath("kubernetes-json-schema")
