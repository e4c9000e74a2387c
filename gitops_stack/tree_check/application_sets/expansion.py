"""From an ApplicationSet to its Applications (Argo CD applicationset/controllers/template)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops_stack.conventions import RESOURCES_FINALIZER
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.tree_check.application_sets.clusters import Cluster
from gitops_stack.tree_check.application_sets.errors import NotExpandableError
from gitops_stack.tree_check.application_sets.filling import Filling, Parameters, list_left_open
from gitops_stack.tree_check.application_sets.generators import Generators
from gitops_stack.tree_check.application_sets.repository import Repository
from gitops_stack.tree_check.application_sets.template_patch import apply_template_patch
from gitops_stack.tree_check.go_template.values import stringify_keys

NEWEST = (3, 5)
_METADATA = ("name", "namespace", "labels", "annotations", "finalizers")


@dataclass
class Expansion:
    """The Applications of a set; the reasons why generators of it were ``left_out``; the folders that decided.

    ``left_open`` are placeholders that no generator fills.
    """

    applications: list[Manifest] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)
    read: list[Path] = field(default_factory=list)


def expand_application_set(
    found: Manifest,
    repository: Repository,
    clusters: Sequence[Cluster] | None = (),
    *,
    release: tuple[int, ...] = NEWEST,
    new_globbing: bool = False,
) -> Expansion:
    """Build the Applications of a set as Argo CD ``release`` does; no ``clusters``: nothing tells which there are.

    Raises :class:`RefusedError` when Argo CD makes none of them either.
    """
    found = stringify_keys(found)
    spec = mapping(found.get("spec"))
    filling = Filling.of(found, release)
    made = Expansion()
    generators = Generators(repository, clusters, filling, new_globbing, made.read)
    for generator in map(mapping, sequence(spec.get("generators"))):
        try:
            applications = [
                _build(found, template, parameters, filling)
                for parameters_of_all, template in generators.transform(generator, mapping(spec.get("template")))
                for parameters in parameters_of_all
            ]
        except NotExpandableError as error:
            made.left_out.append(str(error))
        else:
            made.applications += applications
    if not filling.go_template:
        made.left_open = list(dict.fromkeys(list_left_open(made.applications)))
    return made


def _build(found: Manifest, template: dict[str, Any], parameters: Parameters, filling: Filling) -> Manifest:
    filled = filling.fill(template, parameters) if parameters else template
    spec = mapping(found.get("spec"))
    metadata = {key: value for key, value in mapping(filled.get("metadata")).items() if key in _METADATA}
    # Without parameters the controller takes the template as it stands.
    preserved = dig(spec, "syncPolicy", "preserveResourcesOnDeletion") is True
    if parameters and not preserved and not metadata.get("finalizers"):
        metadata["finalizers"] = [RESOURCES_FINALIZER]
    namespace = text(dig(found, "metadata", "namespace"))
    made: Manifest = {
        "apiVersion": found.get("apiVersion"),
        "kind": "Application",
        "metadata": metadata,
        "spec": filled.get("spec") or {},
    }
    if patch := text(spec.get("templatePatch")):
        made = apply_template_patch(made, filling.fill_text(patch, parameters))
    made["metadata"]["namespace"] = namespace
    return made
