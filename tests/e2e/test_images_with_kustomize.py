"""Image entries against the real kustomize: what is planned without it is what it renders."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
import yaml

from gitops_stack.delivery.edits.kustomization import set_kustomization_image, transform_image
from gitops_stack.delivery.image_reference import ImageReference, parse_image_reference
from gitops_stack.gitops_tree.kustomize import render_kustomization
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
NAMES = ("nginx", "acme/nginx", "docker.io/library/nginx", "localhost:5000/nginx")
IMAGES = [f"{name}{pin}" for name, pin in itertools.product(NAMES, ("", ":v1", f":v1@{A}", f"@{A}"))]
ENTRIES: list[list[dict[str, str]]] = [
    [{"name": "nginx", "newTag": "v2"}],
    [{"name": "acme/nginx", "digest": B}],
    [{"name": "localhost:5000/nginx", "newTag": "v2", "digest": B}],
    [{"name": ".*nginx", "newName": "web"}],
    [{"name": "ngin", "newTag": "v2"}],
    [{"name": "nginx", "newName": "acme/nginx"}, {"name": "acme/nginx", "newTag": "v2"}],
    [{"name": "acme/nginx", "newTag": "v2"}, {"name": "nginx", "newName": "acme/nginx"}],
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
    containers = [{"name": f"c{place:02}", "image": image} for place, image in enumerate(IMAGES)]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": containers}}
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(pod), encoding="utf-8")
    return tmp_path


def rendered(folder: Path, kustomization: str) -> list[str]:
    (folder / "kustomization.yaml").write_text(kustomization, encoding="utf-8")
    (pod,) = render_kustomization(folder)
    return [one["image"] for one in sorted(pod["spec"]["containers"], key=lambda one: str(one["name"]))]


def test_entries_are_understood_as_kustomize_does(folder: Path) -> None:
    for entries in ENTRIES:
        text = yaml.safe_dump({"resources": ["pod.yaml"], "images": entries})
        assert rendered(folder, text) == [transform_image(image, entries) for image in IMAGES], entries


@pytest.mark.parametrize("image", [f"web@{A}", "registry.example/web:1.10", f"acme/nginx:v3@{B}"])
def test_what_is_set_is_what_is_rendered(folder: Path, image: str) -> None:
    wanted: ImageReference = parse_image_reference(image)
    for entries in ([], *ENTRIES[1:4]):
        before = yaml.safe_dump({"resources": ["pod.yaml"], **({"images": entries} if entries else {})})
        after = set_kustomization_image(before, "acme/nginx", wanted, "kustomization.yaml")
        shown = dict(zip(IMAGES, rendered(folder, after), strict=True))
        assert {shown[name] for name in IMAGES if name.startswith("acme/nginx")} == {image}, entries
