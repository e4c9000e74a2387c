"""Validate objects as the API server of one Kubernetes version would, unknown fields refused.

The API's own schemas come with the package kubernetes-validate, one set per minor version; validators are compiled
when a kind is first seen (milliseconds) and then take microseconds an object, less than looking up a kept verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.manifests import Manifest
from gitops_stack.policies.finding import Finding, RenderedObject
from gitops_stack.tree_check.crd_schemas import (
    Catalogue,
    Schema,
    SchemaKey,
    build_strict_schema,
    list_crd_schemas,
    without_patterns,
)
from gitops_stack.tree_check.schema_sentences import build_violations

_Compiled = tuple[Any, Schema]
_FOLDER = re.compile(r"v(\d+\.\d+)\.\d+-local-strict")
_DEFINITIONS = "https://kubernetes.io/api/_definitions.json"
METADATA = {"$ref": f"{_DEFINITIONS}#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}


@cache
def known_versions() -> tuple[str, ...]:
    """List the minor versions whose schemas are installed, oldest first."""
    found = (_FOLDER.fullmatch(path.name) for path in _package().iterdir())
    return tuple(sorted((one[1] for one in found if one), key=lambda version: tuple(map(int, version.split(".")))))


def choose_version(wanted: str | None) -> str:
    """Return the minor version to validate for: ``wanted`` (`1.35`, `v1.35.2`), or the newest that is known.

    Raises :class:`EnvironmentProblem` for a version without schemas.
    """
    if wanted is None:
        return known_versions()[-1]
    found = re.fullmatch(r"v?(\d+\.\d+)(\.\d+)?([-+].*)?", wanted)
    if found is None or found[1] not in known_versions():
        raise EnvironmentProblem(
            f"--kubernetes-version: found {wanted}; needs one of {known_versions()[0]} to {known_versions()[-1]}"
        )
    return found[1]


class SchemaSet:
    """The schemas of one Kubernetes version, of CRDs and of a catalogue. CRDs win over the catalogue."""

    def __init__(
        self, kubernetes_version: str, definitions: Iterable[Manifest] = (), catalogue: Path | None = None
    ) -> None:
        self.kubernetes_version = kubernetes_version
        self._custom = dict(list_crd_schemas(definitions))
        self._catalogue = Catalogue(catalogue) if catalogue is not None else None
        self._validators: dict[SchemaKey, _Compiled | None] = {}

    def check(self, objects: Iterable[RenderedObject]) -> Iterator[Finding]:
        """Validate ``objects``; a kind without a schema is named once, at its first object."""
        named: set[SchemaKey] = set()
        for found in objects:
            key = (found.manifest["apiVersion"], found.manifest["kind"])
            if key not in self._validators:
                self._validators[key] = self._compile(key)
            compiled = self._validators[key]
            if compiled is None:
                if key not in named:
                    named.add(key)
                    yield self._missing(found, key)
            elif not compiled[0].is_valid(found.manifest):
                yield from self._violations(found, *compiled)

    def _missing(self, found: RenderedObject, key: SchemaKey) -> Finding:
        group, _, version = key[0].rpartition("/")
        if served := _served_versions(self.kubernetes_version, group, key[1]):
            wanted = " or ".join(f"{group}/{one}".lstrip("/") for one in served)
            said = f"found {key[0]}, which Kubernetes {self.kubernetes_version} does not serve for {key[1]}"
            return found.finding("apiVersion", said, f"needs {wanted}", rule="version-not-served")
        return found.finding(
            "apiVersion",
            f"found {key[1]} of {key[0]}, which Kubernetes {self.kubernetes_version}, CRDs and schemas/ do not know",
            f"put its CRD in the tree, or its schema at schemas/{group or 'core'}/{key[1].lower()}_{version}.json",
            rule="schema-missing",
        )

    def _violations(self, found: RenderedObject, validator: Any, schema: Schema) -> Iterator[Finding]:  # noqa: ANN401
        root = {"": schema, "definitions": _definitions(self.kubernetes_version)}
        for place, said, needs in build_violations(validator.iter_errors(found.manifest), root):
            yield found.finding(place, said, needs, rule="schema-invalid")

    def _compile(self, key: SchemaKey) -> _Compiled | None:
        if (own := _compile_own(self.kubernetes_version, *key)) is not None:
            return own
        if key in self._custom:
            return _compile_text(self.kubernetes_version, json.dumps(self._custom[key]), strict=True)
        schema = self._catalogue.load(key) if self._catalogue is not None else None
        return None if schema is None else _compile_text(self.kubernetes_version, json.dumps(schema), strict=False)


# Compiled once a process: the stacks of a project share nearly all of them.
@cache
def _compile_own(version: str, api_version: str, kind: str) -> _Compiled | None:
    schema = _load_own(version, api_version, kind)
    return None if schema is None else _compile_schema(version, schema)


@lru_cache(maxsize=256)
def _compile_text(version: str, text: str, *, strict: bool) -> _Compiled:
    schema: Schema = json.loads(text)
    return _compile_schema(version, build_strict_schema(schema, METADATA) if strict else schema)


def _compile_schema(version: str, schema: Schema) -> _Compiled:
    registry = _registry(version)
    try:
        return jsonschema_rs.validator_for(schema, registry=registry), schema
    except (ValueError, jsonschema_rs.ValidationError):  # a pattern in another dialect of regular expressions
        plain = without_patterns(schema)
        return jsonschema_rs.Draft202012Validator(plain, registry=registry), plain


def _package() -> Any:  # noqa: ANN401 - a Traversable, whose module moved between Python versions
    return resources.files("kubernetes_validate").joinpath("kubernetes-json-schema")


def _folder(version: str) -> Any:  # noqa: ANN401 - as above
    return next(
        path for path in _package().iterdir() if (found := _FOLDER.fullmatch(path.name)) and found[1] == version
    )


@cache
def _definitions(version: str) -> Schema:
    loaded: Schema = json.loads(_folder(version).joinpath("_definitions.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _registry(version: str) -> Any:  # noqa: ANN401 - jsonschema_rs has no type for it
    return jsonschema_rs.Registry([(_DEFINITIONS, _definitions(version))])


@cache
def _served_versions(version: str, group: str, kind: str) -> tuple[str, ...]:
    """List the versions in which the API server itself serves a kind."""
    prefix = f"{kind.lower()}-{group.partition('.')[0]}-" if group else f"{kind.lower()}-"
    names = (path.name for path in _folder(version).iterdir() if path.name.startswith(prefix))
    found = (name.removeprefix(prefix).removesuffix(".json") for name in names)
    return tuple(sorted(one for one in found if _load_own(version, f"{group}/{one}".lstrip("/"), kind)))


@cache
def _load_own(version: str, api_version: str, kind: str) -> Schema | None:
    group, _, api = api_version.rpartition("/")
    short = f"{group.partition('.')[0]}-" if group else ""
    if not re.fullmatch(r"[A-Za-z0-9]+", kind) or not re.fullmatch(r"[a-z0-9-]*", f"{short}{api}"):
        return None
    file = _folder(version).joinpath(f"{kind.lower()}-{short}{api}.json")
    if not file.is_file():
        return None
    schema: Schema = json.loads(file.read_text(encoding="utf-8"))
    # Files are named by the first word of the group, so a custom group may share one with the API's own.
    names = {(one["group"], one["version"], one["kind"]) for one in schema.get("x-kubernetes-group-version-kind", ())}
    return schema if (group, api, kind) in names else None
