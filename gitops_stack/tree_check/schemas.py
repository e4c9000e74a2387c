"""Validate objects as the API server of one Kubernetes version would, unknown fields refused.

The API's own schemas come with the package kubernetes-validate, one set per minor version; validators are compiled
when a kind is first seen (milliseconds) and then take microseconds an object, less than looking up a kept verdict.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import resources
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.manifests import Manifest
from gitops_stack.rules.api.objects import check_metadata
from gitops_stack.rules.api.parts import Violation
from gitops_stack.rules.fields import dig, mapping
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.tree_check.api_types import (
    DUPLICATE,
    check_typed,
    is_off,
    known_versions,
    list_groups,
    load_definitions,
)
from gitops_stack.tree_check.cel_rules import build_unjudged, check_rules, check_syntax
from gitops_stack.tree_check.compiled_schemas import OBJECT_META, CompiledSchema, compile_own, compile_text
from gitops_stack.tree_check.crd_schemas import (
    Catalogue,
    Schema,
    SchemaKey,
    check_lists,
    list_crd_schemas,
)
from gitops_stack.tree_check.schema_sentences import build_violations, describe_error
from gitops_stack.tree_check.unknown_kinds import build_unknown

_TYPED: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {
    ("argoproj.io", "Rollout"): (("spec", "template"), "io.k8s.api.core.v1.PodTemplateSpec"),
}
"""Custom kinds that hold a part of the API's own, at this place."""


def choose_version(wanted: str | None) -> str:
    """Return the minor version to validate for: ``wanted`` (`1.35`, `v1.35.2`), or the newest that is known.

    Raises :class:`EnvironmentProblem` for a version without schemas.
    """
    if wanted is None:
        return known_versions()[-1]
    found = re.fullmatch(r"v?(\d+\.\d+)(\.\d+)?([-+].*)?", wanted)
    if found is None or found[1] not in known_versions():
        raise EnvironmentProblem(
            Problem(
                f"found {wanted}",
                f"needs one of {known_versions()[0]} to {known_versions()[-1]}",
                "--kubernetes-version",
            )
        )
    return found[1]


class SchemaSet:
    """The schemas of one Kubernetes version, of CRDs, of catalogues, and of Argo CD's own kinds; the first one wins.

    With ``alternatives`` several of one custom kind are for different clusters: an object has to fit one of them.
    """

    def __init__(
        self,
        kubernetes_version: str,
        definitions: Iterable[Manifest] = (),
        catalogues: Sequence[Path] = (),
        *,
        alternatives: bool = False,
    ) -> None:
        self.kubernetes_version = kubernetes_version
        listed = list(list_crd_schemas(definitions))
        self._custom = dict(listed)
        self._others: dict[SchemaKey, list[Schema]] = defaultdict(list)
        for key, schema in listed if alternatives else ():
            if schema != self._custom[key]:
                self._others[key].append(schema)
        for key in self._custom if alternatives else ():
            self._others[key] += [one for one in (load_packaged_schemas().get(f"{key[0]}/{key[1]}"),) if one]
        self._catalogues = [Catalogue(folder) for folder in catalogues]
        self._compiled: dict[SchemaKey, CompiledSchema | str | None] = {}
        self._compiled_others: dict[SchemaKey, list[CompiledSchema]] = {}

    @property
    def definitions(self) -> list[Manifest]:
        """The CRDs of the catalogues."""
        return [found for catalogue in self._catalogues for found in catalogue.definitions]

    def check(self, objects: Iterable[RenderedObject]) -> Iterator[Finding]:
        """Validate ``objects``; a kind without a schema is named once, at its first object."""
        named: set[SchemaKey] = set()
        ours = self.kubernetes_version
        unjudged: dict[SchemaKey, tuple[RenderedObject, set[str]]] = {}
        for found in objects:
            key = (str(found.manifest["apiVersion"]), found.kind)
            if key not in self._compiled:
                self._compiled[key] = self._compile(key)
            compiled = self._compiled[key]
            if isinstance(compiled, CompiledSchema):
                compiled = self._choose(key, found, compiled)
                yield from self._check(found, compiled, unjudged.setdefault(key, (found, set()))[1])
            else:
                if key not in named:
                    named.add(key)
                    yield (
                        build_unknown(found, key, ours, self._custom)
                        if compiled is None
                        else _unreadable(found, compiled)
                    )
                if key[0].rpartition("/")[0] not in list_groups():
                    metadata = check_metadata(
                        found.group, found.kind, found.metadata, self.kubernetes_version, custom=True
                    )
                    yield from _values(found, metadata, ())

        yield from (build_unjudged(*one) for one in unjudged.values() if one[1])

    def _choose(self, key: SchemaKey, found: RenderedObject, first: CompiledSchema) -> CompiledSchema:
        """Choose the schema that an object fits; the first one when it fits none, or cannot be validated at all."""
        if not self._others.get(key):
            return first
        with suppress(ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            if not first.fits(found.manifest):
                return next((one for one in self._load_others(key) if one.fits(found.manifest)), first)
        return first

    def _load_others(self, key: SchemaKey) -> list[CompiledSchema]:
        """Compile the alternatives of a kind, once; those that cannot be used are left out."""
        if key not in self._compiled_others:
            made = self._compiled_others[key] = []
            for schema in self._others[key]:
                with suppress(GitOpsStackError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
                    made.append(compile_text(self.kubernetes_version, json.dumps(schema), strict=True))
        return self._compiled_others[key]

    def _check(self, found: RenderedObject, compiled: CompiledSchema, unjudged: set[str]) -> Iterator[Finding]:
        manifest = found.manifest
        try:
            broken = not compiled.validator.is_valid(manifest)
            if broken:
                manifest = compiled.settle_nulls(manifest)
            violations = list(self._violations(manifest, compiled)) if broken else []
        except (ValueError, TypeError, OverflowError, RecursionError) as error:  # what the validator cannot take
            yield _unreadable(found, f"cannot be validated: {describe_error(error)}")
            return
        for place, said, needs in violations:
            yield found.finding(place, said, needs, rule="schema-invalid")
        yield from _values(found, self._coded(found, compiled), {place for place, _, _ in violations})
        if compiled.has_rules and compiled.written is not None and not violations:  # else they are not evaluated
            broken_rules, left = check_rules(compiled.written, compiled.settle_nulls(found.manifest))
            yield from (found.finding(*one, rule="crd-rule") for one in broken_rules)
            unjudged |= left
        group, _, version = str(found.manifest["apiVersion"]).rpartition("/")
        if compiled.definition and is_off(group, version):
            said = f"found {found.manifest['apiVersion']}, which an API server serves only when it is told to"
            yield found.finding(
                "apiVersion", said, "use a version without alpha or beta", rule="version-off-by-default"
            )

    def _violations(self, manifest: Manifest, compiled: CompiledSchema) -> Iterator[Violation]:
        root = {"": compiled.schema, "definitions": load_definitions(self.kubernetes_version)}
        yield from build_violations(compiled.validator.iter_errors(manifest), root)

    def _coded(self, found: RenderedObject, compiled: CompiledSchema) -> Iterator[Violation]:
        """Yield what the API server's code says, and no schema."""
        version = self.kubernetes_version
        yield from check_metadata(found.group, found.kind, found.metadata, version, custom=not compiled.definition)
        if compiled.definition:
            yield from check_typed(version, compiled.definition, found.manifest)
            yield from check_syntax(found.group, found.manifest)
            return
        yield from check_typed(version, OBJECT_META, found.manifest.get("metadata"), "metadata")
        if compiled.written is not None:
            yield from check_lists(compiled.written, found.manifest)
        if (found.group, found.kind) in _TYPED:
            path, name = _TYPED[found.group, found.kind]
            yield from check_typed(version, name, dig(found.manifest, *path), ".".join(path))

    def _find(self, key: SchemaKey) -> tuple[Schema | None, bool]:
        """Find the schema of a custom kind, and whether it is a CRD's, which has to be made strict."""
        if key in self._custom:
            return self._custom[key], True
        for catalogue in self._catalogues:
            if (schema := catalogue.load(key)) is not None:
                return schema, False
            if (written := dict(list_crd_schemas(catalogue.definitions)).get(key)) is not None:
                return written, True
        return load_packaged_schemas().get(f"{key[0]}/{key[1]}"), True

    def _compile(self, key: SchemaKey) -> CompiledSchema | str | None:
        """Compile the schema of a kind; a text says why it cannot be used."""
        if (own := compile_own(self.kubernetes_version, *key)) is not None:
            return own
        try:
            schema, strict = self._find(key)
            if schema is None:
                return None
            return compile_text(self.kubernetes_version, json.dumps(schema), strict=strict)
        except GitOpsStackError as error:
            return f"its schema cannot be used: {error}"
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            return f"its schema cannot be used: {describe_error(error)}"


def _unreadable(found: RenderedObject, said: str) -> Finding:
    return found.finding(
        "kind", said, "correct the schema; objects of this kind are not validated", rule="schema-unusable"
    )


def _values(found: RenderedObject, violations: Iterable[Violation], told: Iterable[str]) -> Iterator[Finding]:
    """Yield findings of violations, but one a place."""
    places = set(told)
    for place, said, needs in violations:
        if place not in places:
            places.add(place)
            rule = "duplicate-entry" if needs == DUPLICATE else "value-invalid"
            yield found.finding(place, said, needs, rule=rule)


@cache
def load_packaged_schemas() -> Mapping[str, Schema]:
    """Load the schemas of Argo CD's own kinds, by apiVersion/kind: those of the release in versions.py."""
    file = resources.files(__package__).joinpath("argocd_schemas.json.gz")
    return mapping(json.loads(gzip.decompress(file.read_bytes())))
