"""Schema sets: versions, sources of schemas, and patterns that cannot be compiled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.settings.eks_versions import load_eks_versions
from gitops_stack.tree_check.api_types import known_versions
from gitops_stack.tree_check.schema_sentences import build_place
from gitops_stack.tree_check.schemas import SchemaSet, choose_version, load_packaged_schemas
from tests.argocd_schemas import build_schemas
from tests.cases import build_object, show_finding
from tests.stacks import stack_render

CUSTOM = {"apiVersion": "example.com/v1", "kind": "Backup", "metadata": {"name": "a"}}
OTHER = {"base": "configmap", "datta": {}}
BACKUP = {"base": "backup", "spec": {"schedul": "x"}}


def check(schemas: SchemaSet, *written: dict[str, Any]) -> list[str]:
    objects = [RenderedObject(build_object(one), "shop", "a.yaml") for one in written]
    return [show_finding(finding) for finding in schemas.check(objects)]


def definition(fields: dict[str, Any], required: list[str]) -> dict[str, Any]:
    spec = {"type": "object", "required": required, "properties": fields}
    status = {"type": "object", "properties": {"phase": {"type": "string"}}}
    schema = {"type": "object", "properties": {"spec": spec, "status": status}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {"spec": {"group": "example.com", "names": {"kind": "Backup"}, "versions": [version]}}


def write(folder: Path, text: str) -> Path:
    (folder / "example.com").mkdir()
    (folder / "example.com/backup_v1.json").write_text(text)
    return folder


SPARED: dict[str, dict[str, Any]] = {
    "a CRD's version that is not stored": {
        "base": "crd", "spec": {"versions": [{}, {"name": "v2", "served": True, "schema": {"openAPIV3Schema": {
            "type": "object"}}}]},
    },
    "the status of a pod's condition": {
        "base": "cronjob", "spec": {"jobTemplate": {"spec": {"podFailurePolicy": {"rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}}}},
    },
    "the pods of a NetworkPolicy": {
        "base": "configmap", "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "data": None,
        "spec": {"policyTypes": ["Ingress"]},
    },
    "values of headers and sysctls, and a preference": {
        "base": "deployment", "spec": {"template": {"spec": {
            "securityContext": {"sysctls": [{"name": "net.core.somaxconn"}]},
            "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}},
            "containers": [{"readinessProbe": {"httpGet": {"httpHeaders": [{"name": "X-Empty"}]}}}],
        }}},
    },
    "the audience of a driver's tokens": {
        "base": "configmap", "apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "data": None,
        "metadata": {"name": "csi.example.com", "namespace": None}, "spec": {"tokenRequests": [{}]},
    },
}  # fmt: skip
"""Objects without fields that the published schemas demand, and the API server does not."""


@pytest.mark.parametrize("version", known_versions())
@pytest.mark.parametrize("name", SPARED)
def test_a_field_that_the_api_server_does_not_demand(version: str, name: str) -> None:
    assert check(SchemaSet(version, []), SPARED[name]) == []


def test_every_version_eks_offers_has_schemas() -> None:
    table = load_eks_versions()
    assert set(table.supported(table.judged_on)) <= set(known_versions())


@pytest.mark.parametrize("written", ["1.35", "v1.35", "1.35.4", "v1.35.4-eks-abc", "1.35.0+k3s1"])
def test_a_version_is_its_minor(written: str) -> None:
    assert choose_version(written) == "1.35"


@pytest.mark.parametrize("written", ["1.2", "latest", "", "1"])
def test_a_version_without_schemas(written: str) -> None:
    with pytest.raises(EnvironmentProblem, match="needs one of"):
        choose_version(written)


@pytest.mark.parametrize("version", known_versions())
def test_the_installation_fits_every_version(version: str) -> None:
    rendered = stack_render("prd")
    crds = [found for found in rendered if found["kind"] == "CustomResourceDefinition"]
    objects = [RenderedObject(found, "", "a.yaml") for found in rendered]
    assert list(SchemaSet(version, crds).check(objects)) == []


def test_a_crd_wins_over_the_catalogue(tmp_path: Path) -> None:
    catalogue = write(tmp_path, '{"type": "object"}')
    assert check(SchemaSet("1.35", [], [catalogue]), BACKUP) == []
    (found,) = check(SchemaSet("1.35", [build_object({"base": "crd"})], [catalogue]), BACKUP)
    assert found.startswith("error schema-invalid example.com/Backup shop/nightly: spec.schedul")


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_catalogue_file_that_is_no_schema_is_named(text: str, tmp_path: Path) -> None:
    (found,) = check(SchemaSet("1.35", [], [write(tmp_path, text)]), BACKUP)
    assert found.startswith("error schema-unusable example.com/Backup shop/nightly")
    assert "example.com/backup_v1.json" in found


def test_a_pattern_that_cannot_be_compiled_is_left_out(tmp_path: Path) -> None:
    schema = {
        "properties": {
            "spec": {"required": ["keep"], "properties": {"schedul": {"type": "string", "pattern": "[z-a]"}}}
        }
    }
    catalogue = write(tmp_path, json.dumps(schema))
    assert check(SchemaSet("1.35", [], [catalogue]), BACKUP) == [
        "error schema-invalid example.com/Backup shop/nightly: spec.keep: is missing; add it"
    ]


def test_one_object_makes_twenty_findings_at_most() -> None:
    data = {f"key{number}": number for number in range(100)}
    assert len(check(SchemaSet("1.35"), {"base": "configmap", "data": data})) == 20


def test_a_custom_group_that_begins_as_a_known_one_is_not_taken_for_it() -> None:
    found = {"apiVersion": "apps.example.com/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    assert check(SchemaSet("1.35"), found)[0].startswith("warning schema-missing")


@pytest.mark.parametrize("kind", ["../deployment", "Deployment/../x", ""])
def test_a_kind_is_never_a_path(kind: str, tmp_path: Path) -> None:
    found = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}}
    assert check(SchemaSet("1.35"), found)[0].startswith("error kind-unknown")
    custom = {**found, "apiVersion": "../apps.example.com/v1"}
    assert check(SchemaSet("1.35", [], [tmp_path]), custom)[0].startswith("warning schema-missing")


def test_places_are_written_as_people_write_them() -> None:
    assert build_place(["spec", "containers", 0, "image"]) == "spec.containers[0].image"
    assert build_place(["metadata", "annotations", "a.b/c"]) == 'metadata.annotations["a.b/c"]'


def test_the_packaged_schemas_are_those_of_the_pinned_release() -> None:
    assert load_packaged_schemas() == build_schemas(), "run: python -m tests.argocd_schemas"


def test_kinds_of_argo_cd_have_a_schema_without_its_crds() -> None:
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "a"},
        "spec": {"sourceRepo": []},
    }
    (found,) = check(SchemaSet("1.35"), project)
    assert found.endswith("spec.sourceRepo: is not a known field; did you mean sourceRepos?")


@pytest.mark.parametrize(
    ("spec", "alone", "alternatives"),
    [
        ({"old": 1}, ["spec.old: is not a known field"], []),
        ({"new": 1}, [], []),
        ({"old": 1, "new": 1}, ["spec.old: is not a known field"], ["spec.old: is not a known field"]),
    ],
)
def test_an_object_fits_one_of_the_crds_that_are_alternatives(
    spec: dict[str, Any], alone: list[str], alternatives: list[str]
) -> None:
    """Of one cluster's tree the last one wins, as it is applied over the others; a folder holds those of several."""
    both = [definition({"old": {"type": "integer"}}, []), definition({"new": {"type": "integer"}}, [])]
    for expected, schemas in (
        (alone, SchemaSet("1.35", both)),
        (alternatives, SchemaSet("1.35", both, alternatives=True)),
    ):
        found = check(schemas, {**CUSTOM, "spec": spec})
        assert [said for said, one in zip(expected, found, strict=True) if said not in one] == []


def test_an_older_crd_of_argo_cd_in_a_folder_does_not_refuse_what_the_pinned_release_has() -> None:
    older = definition({}, [])
    older["spec"] |= {"group": "argoproj.io", "names": {"kind": "AppProject", "plural": "appprojects"}}
    older["spec"]["versions"][0]["name"] = "v1alpha1"
    project = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "a"}}
    project |= {"spec": {"sourceRepos": ["*"]}}
    assert check(SchemaSet("1.35", [older], alternatives=True), project) == []
    assert len(check(SchemaSet("1.35", [older]), project)) == 1


@pytest.mark.parametrize("value", [{"keep": None}, {"note": None}, {"inner": None}, {}])
def test_a_field_with_a_default_and_a_nullable_one_may_be_null_or_missing(value: dict[str, Any]) -> None:
    fields = {
        "keep": {"type": "integer", "default": 3},
        "note": {"type": "string", "nullable": True},
        "inner": {"type": "object", "default": {"a": "x"}, "required": ["a"], "properties": {"a": {"type": "string"}}},
    }
    assert check(SchemaSet("1.35", [definition(fields, ["keep", "inner"])]), {**CUSTOM, "spec": value}) == []


def test_a_null_under_status_is_dropped_as_the_subresource_drops_it() -> None:
    found = {**CUSTOM, "spec": {}, "status": {"phase": None}}
    assert check(SchemaSet("1.35", [definition({}, [])]), found) == []


@pytest.mark.parametrize("value", [-1, 0, 1])
@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"minimum": 0, "exclusiveMinimum": True}]},
        {"allOf": [{"oneOf": [{"minimum": 0, "exclusiveMinimum": True}]}]},
        {"oneOf": [{"minimum": 0, "exclusiveMinimum": True}, {"maximum": -5, "exclusiveMaximum": False}]},
        {"not": {"maximum": 0, "exclusiveMaximum": False}},
        {"allOf": [{"minimum": 0}, {"not": {"maximum": 1, "exclusiveMaximum": True}}]},
    ],
)
def test_bounds_of_alternatives_exclude_as_those_of_the_schema_itself(schema: dict[str, Any], value: int) -> None:
    schemas = SchemaSet("1.35", [definition({"keep": {"type": "integer", **schema}}, [])])
    assert bool(check(schemas, {**CUSTOM, "spec": {"keep": value}})) == (value < 1)


def test_bounds_within_an_alternative_exclude_as_well() -> None:
    inner = {"properties": {"keep": {"minimum": 0, "exclusiveMinimum": True}}, "required": ["keep"]}
    fields = {"many": {"type": "array", "items": {
        "type": "object", "properties": {"keep": {"type": "integer"}}, "anyOf": [inner],
    }}}  # fmt: skip
    schemas = SchemaSet("1.35", [definition(fields, [])])
    assert check(schemas, {**CUSTOM, "spec": {"many": [{"keep": 1}]}}) == []
    assert check(schemas, {**CUSTOM, "spec": {"many": [{"keep": 0}]}}) != []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5},
        {"anyOf": {"type": "string"}, "allOf": 5, "oneOf": [5], "not": []},
        {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
        {"type": "integer", "exclusiveMaximum": False},
        5,
        None,
        True,
        [],
        {"properties": []},
        {"properties": {"a": 5}},
        {"required": "a"},
        {"enum": "a"},
        {"pattern": "[z-a]"},
        {"pattern": "(?!a)"},
        {"items": [{"type": "string"}]},
        {"additionalProperties": "x"},
        {"$ref": "#"},
        {"$ref": "#/nope"},
        {"$ref": "https://example.invalid/schema.json"},
        {"$schema": "nonsense"},
        {"$schema": 5},
        {"$id": 5},
        {"nullable": "yes"},
        {"required": [5]},
        {"required": [["a"]]},
        {"x-kubernetes-list-type": "map", "type": "array"},
        {"default": 5},
        {"multipleOf": 0},
        {"type": ["string", "null"]},
        {"x-kubernetes-list-map-keys": 5, "x-kubernetes-list-type": "map"},
        {"maxLength": -1},
    ],
)
def test_no_schema_stops_a_check(schema: object) -> None:
    found = check(
        SchemaSet("1.35", [definition({"field": schema}, [])]), {**CUSTOM, "spec": {"field": [{"a": 1}]}}, OTHER
    )
    assert found[-1].startswith("error schema-invalid ConfigMap"), "the others are judged all the same"
