"""From generators to parameters and templates (Argo CD applicationset/generators)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.tree_check.application_sets.clusters import Cluster, generate_from_clusters
from gitops_stack.tree_check.application_sets.errors import NotExpandableError, RefusedError
from gitops_stack.tree_check.application_sets.filling import Filling, Parameters
from gitops_stack.tree_check.application_sets.git_generator import generate_from_git
from gitops_stack.tree_check.application_sets.parameters import combine, flatten, override
from gitops_stack.tree_check.application_sets.repository import Repository
from gitops_stack.tree_check.application_sets.selectors import is_selected
from gitops_stack.tree_check.go_template.encoding_functions import write_json
from gitops_stack.tree_check.go_template.values import as_go

_KINDS = (
    "list",
    "clusters",
    "git",
    "scmProvider",
    "clusterDecisionResource",
    "pullRequest",
    "matrix",
    "merge",
    "plugin",
)
_ASKS = {
    "scmProvider": "asks a forge",
    "pullRequest": "asks a forge",
    "clusterDecisionResource": "asks a cluster",
    "plugin": "asks a plugin",
}


@dataclass(frozen=True)
class Generators:
    """What the generators of a set may ask; ``read`` collects the folders that decided."""

    repository: Repository
    clusters: Sequence[Cluster] | None
    filling: Filling
    new_globbing: bool = False
    read: list[Path] = field(default_factory=list)

    def transform(
        self, generator: Mapping[str, Any], template: Mapping[str, Any], given: Parameters | None = None
    ) -> list[tuple[list[Parameters], dict[str, Any]]]:
        """Return the parameters of each generator in an entry, and the template each is to fill.

        ``given`` are the parameters of a matrix's first generator. Raises :class:`NotExpandableError` and
        :class:`RefusedError`.
        """
        kinds = [kind for kind in _KINDS if generator.get(kind) is not None]
        unknown = sorted({*generator} - {*_KINDS, "selector"})
        if unknown and not kinds:
            raise NotExpandableError(f"its generator {', '.join(unknown)} is not known here")
        selector = generator.get("selector")
        is_selected(selector, {})  # refused before the generator is asked
        found = []
        for kind in kinds:
            body = self.filling.fill_generator({kind: generator[kind]}, given)[kind] if given else generator[kind]
            parameters = list(self._generate(kind, mapping(body)))
            if selector is not None:
                nested = self.filling.resolves_nested
                parameters = [one for one in parameters if is_selected(selector, flatten(one, string_maps=nested))]
            own = mapping(mapping(generator[kind]).get("template"))
            found.append((parameters, merge_template(own, template)))
        return found

    def _generate(self, kind: str, body: Mapping[str, Any]) -> Iterator[Parameters]:
        if kind in _ASKS:
            raise NotExpandableError(f"its generator {kind} {_ASKS[kind]}")
        if kind == "list":
            yield from self._generate_list(body)
        elif kind == "clusters":
            yield from generate_from_clusters(body, self.clusters, self.filling)
        elif kind == "git":
            yield from generate_from_git(body, self.filling, self.repository, self.read, new_globbing=self.new_globbing)
        elif kind == "matrix":
            yield from self._generate_matrix([mapping(one) for one in sequence(body.get("generators"))])
        else:
            yield from self._generate_merge(body)

    def _generate_list(self, body: Mapping[str, Any]) -> Iterator[Parameters]:
        for element in map(as_go, sequence(body.get("elements"))):
            if not isinstance(element, dict):
                raise RefusedError("an element of its list is not a map")
            yield element if self.filling.go_template else _plain_element(element)
        if written := text(body.get("elementsYaml")):
            yield from _read_elements(written)

    def _generate_matrix(self, children: list[Mapping[str, Any]]) -> Iterator[Parameters]:
        if len(children) != 2:  # noqa: PLR2004 - what Argo CD takes
            raise RefusedError(f"its matrix has {len(children)} generators; it takes two")
        for first in self._child(children[0]):
            for second in self._child(children[1], first):
                yield combine(first, second, go_template=self.filling.go_template)

    def _generate_merge(self, body: Mapping[str, Any]) -> Iterator[Parameters]:
        children = [mapping(one) for one in sequence(body.get("generators"))]
        keys = [text(key) for key in sequence(body.get("mergeKeys"))]
        if len(children) < 2:  # noqa: PLR2004 - what Argo CD takes
            raise RefusedError(f"its merge has {len(children)} generators; it takes at least two")
        base, *others = [_by_keys(self._child(child), keys) for child in children]
        for other in others:
            for key in base.keys() & other.keys():
                base[key] = override(base[key], other[key]) if self.filling.go_template else {**base[key], **other[key]}
        yield from base.values()

    def _child(self, generator: Mapping[str, Any], given: Parameters | None = None) -> list[Parameters]:
        found = self.transform(generator, {}, given)
        if len(found) != 1:
            raise RefusedError(f"an inner generator has {len(found)} kinds; it takes one")
        return found[0][0]


def _plain_element(element: Parameters) -> Parameters:
    flat: Parameters = {}
    for key, value in element.items():
        inner = {f"values.{name}": one for name, one in mapping(value).items()} if key == "values" else {key: value}
        if key == "values" and not isinstance(value, dict):
            raise RefusedError("values in an element of its list is not a map")
        for name, one in inner.items():
            if not isinstance(one, str):
                raise RefusedError(f"{name} in an element of its list is not text; quote it, or set goTemplate: true")
        flat |= inner
    return flat


def _read_elements(written: str) -> list[Parameters]:
    try:
        found = as_go(next(iter(load_documents(written)), None))
    except yaml.YAMLError:
        raise RefusedError("its elementsYaml is not valid YAML") from None
    if found is not None and not (
        isinstance(found, list) and all(one is None or isinstance(one, dict) for one in found)
    ):
        raise RefusedError("its elementsYaml is not a list of maps")
    return [one or {} for one in found or []]


def _by_keys(parameters: list[Parameters], keys: list[str]) -> dict[str, Parameters]:
    if not keys:
        raise RefusedError("its merge has no mergeKeys")
    found: dict[str, Parameters] = {}
    for one in parameters:
        key = write_json({name: one.get(name) for name in keys})
        if key in found:
            raise RefusedError(f"two sets of parameters of its merge have the same keys: {key}")
        found[key] = copy.deepcopy(one)
    return found


def merge_template(own: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Fill what a generator's own template leaves out or empty from the set's (mergo.Merge)."""
    merged = {key: copy.deepcopy(value) for key, value in own.items() if value is not None}
    for key, value in base.items():
        present = merged.get(key)
        if isinstance(present, dict) and isinstance(value, Mapping) and key != "valuesObject":
            merged[key] = merge_template(present, value)
        elif not present and value is not None and not (key == "valuesObject" and key in merged):
            merged[key] = copy.deepcopy(value)
    return merged
