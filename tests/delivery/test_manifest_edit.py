"""Edits of plain manifests, byte for byte: every container of an image, in every document."""

from __future__ import annotations

import pytest

from gitops_stack.delivery.edits.manifest import load_images, set_manifest_image
from gitops_stack.delivery.image_reference import ImageReference
from gitops_stack.errors import GitOpsStackError

A = "sha256:" + "a" * 64
V2 = ImageReference("web", "v2")
POD = "kind: Pod\nspec:\n  containers:\n    - name: a\n      image: {}\n"

CASES: dict[str, tuple[str, ImageReference, str]] = {
    "a tag": (POD.format("web:v1 # c"), V2, POD.format("web:v2 # c")),
    "no tag": (POD.format("web"), V2, POD.format("web:v2")),
    "single quotes": (POD.format("'web:v1'"), V2, POD.format("'web:v2'")),
    "double quotes": (POD.format('"web:v1"'), V2, POD.format('"web:v2"')),
    "a digest": (POD.format(f"web@{A}"), V2, POD.format("web:v2")),
    "another repository": (POD.format("web:v1"), ImageReference("acme/web", None, A), POD.format(f"acme/web@{A}")),
    "flow style": (
        "spec: {containers: [{image: web:v1, name: a}]}\n",
        V2,
        "spec: {containers: [{image: web:v2, name: a}]}\n",
    ),
    "JSON": ('{"spec": {"containers": [{"image": "web:v1"}]}}', V2, '{"spec": {"containers": [{"image": "web:v2"}]}}'),
    "several documents": (
        f"# head\n{POD.format('web:v1')}---\n# nothing\n---\n{POD.format('other:v1')}---\n{POD.format('web:v0')}",
        V2,
        f"# head\n{POD.format('web:v2')}---\n# nothing\n---\n{POD.format('other:v1')}---\n{POD.format('web:v2')}",
    ),
    "init containers": (
        "spec:\n  initContainers: [{image: web:v1}]\n  containers: [{image: sidecar:v1}]\n",
        V2,
        "spec:\n  initContainers: [{image: web:v2}]\n  containers: [{image: sidecar:v1}]\n",
    ),
    "a template at any depth": (
        "kind: Rollout\nspec:\n  template:\n    spec:\n      containers:\n      - image: web:v1\n",
        V2,
        "kind: Rollout\nspec:\n  template:\n    spec:\n      containers:\n      - image: web:v2\n",
    ),
    "a list of objects": (
        "kind: List\nitems:\n  - spec: {containers: [{image: web:v1}]}\n",
        V2,
        "kind: List\nitems:\n  - spec: {containers: [{image: web:v2}]}\n",
    ),
    "an anchor that containers share": (
        "spec:\n  initContainers: [{image: &i web:v1}]\n  containers: [{image: *i}]\n",
        V2,
        "spec:\n  initContainers: [{image: &i web:v2}]\n  containers: [{image: *i}]\n",
    ),
    "an alias of something else is written out": (
        "x: &i web:v1\nspec:\n  containers: [{image: *i}]\n",
        V2,
        "x: &i web:v1\nspec:\n  containers: [{image: web:v2}]\n",
    ),
    "a list of containers that is shared": (
        "a: {containers: &c [{image: web:v1}]}\nb: {containers: *c}\n",
        V2,
        "a: {containers: &c [{image: web:v2}]}\nb: {containers: *c}\n",
    ),
    "carriage returns": (POD.format("web:v1").replace("\n", "\r\n"), V2, POD.format("web:v2").replace("\n", "\r\n")),
    "not the schema of a custom resource": (
        "kind: CustomResourceDefinition\nspec: {containers: [{image: web:v1}]}\n---\n" + POD.format("web:v1"),
        V2,
        "kind: CustomResourceDefinition\nspec: {containers: [{image: web:v1}]}\n---\n" + POD.format("web:v2"),
    ),
    "not an image elsewhere": (
        "spec: {image: web:v1, env: [{image: web:v1}]}\n",
        V2,
        "spec: {image: web:v1, env: [{image: web:v1}]}\n",
    ),
    "not a longer repository": (POD.format("acme/web:v1"), V2, POD.format("acme/web:v1")),
}


@pytest.mark.parametrize(("before", "image", "after"), CASES.values(), ids=CASES)
def test_an_edit_changes_its_bytes_and_no_others(before: str, image: ImageReference, after: str) -> None:
    changed = set_manifest_image(before, "web", image, "web.yaml")
    assert changed == after
    assert set_manifest_image(changed, "web", image, "web.yaml") == changed


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("spec: {containers: [{image: &i web:v1, env: [{value: *i}]}]}\n", "without changing something else"),
        ("spec: {containers: [{image: *gone}]}\n", "is not YAML"),
        ("x: &c {image: web:v1}\nspec: {containers: [{<<: *c, name: a}]}\n", "without changing something else"),
        ('spec: {containers: [{image: "web:v1"}], x: &l [{image: web:v1}]}\ny: {containers: *l}\n', "without changing"),
        ("spec: {containers: [&c {image: web:v1}], x: *c}\n", "without changing something else"),
        ("spec: {containers: [{image: web:v1}]}\n---\n{", "is not YAML"),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(before: str, said: str) -> None:
    with pytest.raises(GitOpsStackError, match=r"^web\.yaml: ") as refused:
        set_manifest_image(before, "web", V2, "web.yaml")
    assert said in refused.value.findings[0]


def test_images_are_listed_as_they_stand() -> None:
    text = "spec: {initContainers: [{image: a}], containers: [{image: b:1}, {name: x}, {image: a}]}\n---\n# none\n"
    assert load_images(text, "web.yaml") == ["a", "b:1", "a"]
