"""Schema sets: versions, sources of schemas, and patterns that cannot be compiled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.policies.finding import RenderedObject
from gitops_stack.tree_check.schema_sentences import build_place
from gitops_stack.tree_check.schemas import SchemaSet, choose_version, known_versions
from gitops_stack.versions import EKS_VERSIONS
from tests.cases import build_object, show_finding
from tests.stacks import stack_render

BACKUP = {"base": "backup", "spec": {"schedul": "x"}}


def check(schemas: SchemaSet, *written: dict[str, Any]) -> list[str]:
    objects = [RenderedObject(build_object(one), "shop", "a.yaml") for one in written]
    return [show_finding(finding) for finding in schemas.check(objects)]


def write(folder: Path, text: str) -> Path:
    (folder / "example.com").mkdir()
    (folder / "example.com/backup_v1.json").write_text(text)
    return folder


def test_every_version_eks_offers_has_schemas() -> None:
    assert set(EKS_VERSIONS) <= set(known_versions())


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
    assert check(SchemaSet("1.35", [], catalogue), BACKUP) == []
    (found,) = check(SchemaSet("1.35", [build_object({"base": "crd"})], catalogue), BACKUP)
    assert found.startswith("error schema-invalid example.com/Backup shop/nightly: spec.schedul")


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_catalogue_file_that_is_no_schema_is_named(text: str, tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError, match=r"example\.com/backup_v1\.json"):
        check(SchemaSet("1.35", [], write(tmp_path, text)), BACKUP)


def test_a_pattern_that_cannot_be_compiled_is_left_out(tmp_path: Path) -> None:
    schema = {
        "properties": {
            "spec": {"required": ["keep"], "properties": {"schedul": {"type": "string", "pattern": "[z-a]"}}}
        }
    }
    catalogue = write(tmp_path, json.dumps(schema))
    assert check(SchemaSet("1.35", [], catalogue), BACKUP) == [
        "error schema-invalid example.com/Backup shop/nightly: spec.keep: is missing; add it"
    ]


def test_one_object_makes_twenty_findings_at_most() -> None:
    data = {f"key{number}": number for number in range(100)}
    assert len(check(SchemaSet("1.35"), {"base": "configmap", "data": data})) == 20


def test_a_custom_group_that_begins_as_a_known_one_is_not_taken_for_it() -> None:
    found = {"apiVersion": "apps.example.com/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    assert check(SchemaSet("1.35"), found)[0].startswith("warning schema-missing")


@pytest.mark.parametrize("kind", ["../deployment", "Deployment/../x", ""])
def test_a_kind_is_never_a_path(kind: str) -> None:
    found = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}}
    assert check(SchemaSet("1.35"), found)[0].startswith("warning schema-missing")


def test_places_are_written_as_people_write_them() -> None:
    assert build_place(["spec", "containers", 0, "image"]) == "spec.containers[0].image"
    assert build_place(["metadata", "annotations", "a.b/c"]) == 'metadata.annotations["a.b/c"]'
