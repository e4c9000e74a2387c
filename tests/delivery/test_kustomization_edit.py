"""Edits of `images`, byte for byte: the change, and nothing else."""

from __future__ import annotations

import warnings

import pytest

from gitops_stack.delivery.edits.kustomization import (
    load_entries,
    matches_image,
    set_kustomization_image,
    transform_image,
)
from gitops_stack.delivery.image_reference import ImageReference, parse_image_reference
from gitops_stack.errors import GitOpsStackError

A = "sha256:" + "a" * 64
B = "sha256:" + "b" * 64
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web"


def edit(before: str, image: str, original: str = "web") -> str:
    return set_kustomization_image(before, original, parse_image_reference(image), "kustomization.yaml")


CASES = {
    "a tag": ("images:\n  - name: web\n    newTag: v1\n", "web:v2", "images:\n  - name: web\n    newTag: v2\n"),
    "a tag in single quotes": (
        "images:\n- name: web\n  newTag: 'v1'\n",
        "web:v2",
        "images:\n- name: web\n  newTag: 'v2'\n",
    ),
    "a tag in double quotes": (
        'images: [{name: web, newTag: "1"}]\n',
        "web:v2",
        'images: [{name: web, newTag: "v2"}]\n',
    ),
    "a tag that would be a number": (
        "images: [{name: web, newTag: v1}]\n",
        "web:1.10",
        'images: [{name: web, newTag: "1.10"}]\n',
    ),
    "a tag that would be a float in YAML 1.2": (
        "images: [{name: web, newTag: v1}]",
        "web:1e3",
        'images: [{name: web, newTag: "1e3"}]',
    ),
    "a tag that would be a date": (
        "images: [{name: web, newTag: v1}]",
        "web:2024-01-31",
        'images: [{name: web, newTag: "2024-01-31"}]',
    ),
    "a tag that would be a boolean": (
        "images: [{name: web, newTag: v1}]",
        "web:on",
        'images: [{name: web, newTag: "on"}]',
    ),
    "a tag that would be null": (
        "images: [{name: web, newTag: v1}]",
        "web:null",
        'images: [{name: web, newTag: "null"}]',
    ),
    "a version needs no quotes": (
        "images: [{name: web, newTag: v1}]",
        "web:1.2.3",
        "images: [{name: web, newTag: 1.2.3}]",
    ),
    "a digest": (
        f"images:\n  - name: web\n    digest: {A} # built by hand\n",
        f"web@{B}",
        f"images:\n  - name: web\n    digest: {B} # built by hand\n",
    ),
    "a digest in place of a tag": (
        "images:\n  - name: web\n    newTag: v1 # why\n    newName: web\n",
        f"web@{A}",
        f"images:\n  - name: web\n    digest: {A} # why\n    newName: web\n",
    ),
    "a tag in place of a digest": (
        f"images:\n  - digest: {A}\n    name: web\n",
        "web:v2",
        "images:\n  - newTag: v2\n    name: web\n",
    ),
    "a digest beside the tag": (
        "images:\n  - name: web\n    newTag: v1 # why\n",
        f"web:v1@{A}",
        f"images:\n  - name: web\n    newTag: v1 # why\n    digest: {A}\n",
    ),
    "a digest alone where both were": (
        f"images:\n  - name: web\n    newTag: v1\n    digest: {A}\n  - name: other\n",
        f"web@{B}",
        f"images:\n  - name: web\n    digest: {B}\n  - name: other\n",
    ),
    "the comment of a line that goes stays": (
        f"images:\n  - name: web\n    newTag: v1   # why\n    digest: {A}\n",
        f"web@{B}",
        f"images:\n  - name: web\n    # why\n    digest: {B}\n",
    ),
    "the first key of an item goes": (
        f"images:\n  - newTag: v1\n    name: web\n    digest: {A}\n",
        f"web@{B}",
        f"images:\n  - name: web\n    digest: {B}\n",
    ),
    "the first key of an item goes, its comment stays": (
        f"images:\n  - newTag: v1 # why\n    name: web\n    digest: {A}\n",
        f"web@{B}",
        f"images:\n  - # why\n    name: web\n    digest: {B}\n",
    ),
    "the last key of a flow entry goes": (
        f"images: [{{name: web, digest: {A}, newTag: v1}}]",
        f"web@{B}",
        f"images: [{{name: web, digest: {B}}}]",
    ),
    "another repository": (
        "images:\n  - name: web\n    newTag: v1\n",
        f"{ECR}:v2",
        f"images:\n  - name: web\n    newTag: v2\n    newName: {ECR}\n",
    ),
    "another repository over the one there": (
        "images:\n  - {name: web, newName: old/web, newTag: v1} # pinned\n",
        f"{ECR}@{A}",
        f"images:\n  - {{name: web, newName: {ECR}, digest: {A}}} # pinned\n",
    ),
    "a new entry in a block list": (
        "images:\n  - name: other\n    newTag: v1 # c\n\n# end\nresources: []\n",
        "web:v2",
        "images:\n  - name: other\n    newTag: v1 # c\n  - name: web\n    newTag: v2\n\n# end\nresources: []\n",
    ),
    "a new entry in a list that is not indented": (
        "images:\n- name: other\n  newTag: v1\nresources: []\n",
        "web:v2",
        "images:\n- name: other\n  newTag: v1\n- name: web\n  newTag: v2\nresources: []\n",
    ),
    "a new entry behind flow entries": (
        "images:\n  - {name: other, newTag: v1}\n",
        "web:v2",
        "images:\n  - {name: other, newTag: v1}\n  - {name: web, newTag: v2}\n",
    ),
    "a new entry with the dashes' own gap": (
        "images:\n  -   name: other\n      newTag: v1\n",
        f"{ECR}:v2",
        f"images:\n  -   name: other\n      newTag: v1\n  -   name: web\n      newName: {ECR}\n      newTag: v2\n",
    ),
    "a new entry in a flow list": (
        "images: [ {name: other, newTag: v1} ] # c\n",
        "web:v2",
        "images: [ {name: other, newTag: v1}, {name: web, newTag: v2} ] # c\n",
    ),
    "the first entry of an empty list": ("images: []\nx: 1\n", "web:v2", "images: [{name: web, newTag: v2}]\nx: 1\n"),
    "the first entry of a key without value": (
        "images: # none\nx: 1\n",
        "web:v2",
        "images: [{name: web, newTag: v2}] # none\nx: 1\n",
    ),
    "the first entry of null": ("images: ~\n", "web:v2", "images: [{name: web, newTag: v2}]\n"),
    "no images yet": (
        "resources: [../../base]\nreplicas: [{name: web, count: 3}] # c\n",
        f"{ECR}@{A}",
        "resources: [../../base]\nreplicas: [{name: web, count: 3}] # c\nimages:\n"
        f"  - name: web\n    newName: {ECR}\n    digest: {A}\n",
    ),
    "no images yet, lists are not indented": (
        "resources:\n- ../../base\n",
        "web:v2",
        "resources:\n- ../../base\nimages:\n- name: web\n  newTag: v2\n",
    ),
    "no images yet, no line break at the end": (
        "resources: [a]",
        "web:v2",
        "resources: [a]\nimages:\n  - name: web\n    newTag: v2",
    ),
    "no images yet, a literal block at the end": (
        "patches:\n  - patch: |-\n      a: b\n\n# end\n",
        "web:v2",
        "patches:\n  - patch: |-\n      a: b\n\nimages:\n  - name: web\n    newTag: v2\n# end\n",
    ),
    "no images yet, an explicit start and end": (
        "---\nresources: [a]\n...\n",
        "web:v2",
        "---\nresources: [a]\nimages:\n  - name: web\n    newTag: v2\n...\n",
    ),
    "JSON": (
        '{\n  "resources": ["a"],\n  "images": [{"name": "web", "newTag": "v1"}]\n}\n',
        f"web:v1@{A}",
        f'{{\n  "resources": ["a"],\n  "images": [{{"name": "web", "newTag": "v1", "digest": "{A}"}}]\n}}\n',
    ),
    "JSON without images": (
        '{"resources": ["a"]}',
        "web:v2",
        '{"resources": ["a"], "images": [{"name": "web", "newTag": "v2"}]}',
    ),
    "carriage returns": (
        "images:\r\n  - name: web\r\n    newTag: v1\r\nx: 1\r\n",
        f"{ECR}:v2",
        f"images:\r\n  - name: web\r\n    newTag: v2\r\n    newName: {ECR}\r\nx: 1\r\n",
    ),
    "carriage returns, no images yet": (
        "resources:\r\n  - a\r\n",
        "web:v2",
        "resources:\r\n  - a\r\nimages:\r\n  - name: web\r\n    newTag: v2\r\n",
    ),
    "carriage returns, a line goes": (
        f"images:\r\n  - name: web\r\n    newTag: v1\r\n    digest: {A}\r\n",
        "web:v1",
        "images:\r\n  - name: web\r\n    newTag: v1\r\n",
    ),
    "a byte order mark": (
        "\ufeffimages: [{name: web, newTag: v1}]\n",
        "web:v2",
        "\ufeffimages: [{name: web, newTag: v2}]\n",
    ),
    "an anchor of its own": (
        "images:\n  - name: web\n    newTag: &version v1\n",
        "web:v2",
        "images:\n  - name: web\n    newTag: &version v2\n",
    ),
    "an alias is written out": (
        "x: &version v1\nimages:\n  - name: web\n    newTag: *version # c\n",
        "web:v2",
        "x: &version v1\nimages:\n  - name: web\n    newTag: v2 # c\n",
    ),
    "a tag on the value": (
        "images: [{name: web, newTag: !!str 1}]\n",
        "web:2",
        'images: [{name: web, newTag: !!str "2"}]\n',
    ),
    "a literal block as value": (
        "images:\n  - newTag: |-\n      v1\n    name: web\n",
        "web:v2",
        "images:\n  - newTag: v2\n    name: web\n",
    ),
    "the last of two entries that match": (
        "images:\n  - name: web\n    newName: acme/web\n  - name: acme/web\n    newTag: v1\n",
        "acme/web:v2",
        "images:\n  - name: web\n    newName: acme/web\n  - name: acme/web\n    newTag: v2\n",
    ),
    "a name that is a pattern": (
        "images: [{name: '.*web', newTag: v1}]",
        "web:v2",
        "images: [{name: '.*web', newTag: v2}]",
    ),
    "other texts untouched": (
        "# head\nimages:   # list\n  # before\n  - name:   web   # n\n    newTag:   v1   # t\n\n\n\tx: 1\n".replace(
            "\t", ""
        ),
        "web:v2",
        "# head\nimages:   # list\n  # before\n  - name:   web   # n\n    newTag:   v2   # t\n\n\nx: 1\n",
    ),
}


@pytest.mark.parametrize(("before", "image", "after"), CASES.values(), ids=CASES)
def test_an_edit_changes_its_bytes_and_no_others(before: str, image: str, after: str) -> None:
    changed = edit(before, image)
    assert changed == after
    assert transform_image("web:0", load_entries(changed, "kustomization.yaml")) == image
    assert edit(changed, image) == changed


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("images: [{name: web, newTag: v1}\n", "is not YAML"),
        ("images: [{name: web, newTag: *gone}]\n", "is not YAML"),
        ("images: [{name: web, newTag: &v v1}]\nx: *v\n", "without changing something else"),
        ("x: &all [{name: web, newTag: v1}]\nimages: *all\n", "is shared by an anchor"),
        ("x: &one {name: web, newTag: v1}\nimages: [*one]\n", "is shared by an anchor"),
        ("x: &one {newTag: v1}\nimages: [{<<: *one, name: web}]\n", "is shared by an anchor"),
        ("images: [{name: web, newTag: v1}]\n---\nimages: []\n", "found 2 documents; needs one kustomization"),
        ("- a\n", "needs one kustomization"),
        ("", "found 0 documents"),
        ("images: {name: web}\n", "is not a list in its own place"),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(before: str, said: str) -> None:
    with pytest.raises(GitOpsStackError, match=r"^kustomization\.yaml: ") as refused:
        edit(before, "web:v2")
    assert said in refused.value.findings[0]


def test_an_entry_is_not_renamed_into_one_that_changes_it_again() -> None:
    before = "images: [{name: web, newTag: v1}, {name: acme/web, newTag: v0}]\n"
    with pytest.raises(GitOpsStackError, match="two entries of images: change web one after the other"):
        edit(before, "acme/web:v2")


@pytest.mark.parametrize(  # measured with kubectl kustomize v5.5.0
    ("image", "entries", "made"),
    [
        ("nginx:1.0", [{"name": "nginx", "newTag": "2"}], "nginx:2"),
        (f"nginx:1.0@{A}", [{"name": "nginx", "newTag": "2"}], "nginx:2"),
        ("nginx:1.0", [{"name": "nginx", "digest": B}], f"nginx@{B}"),
        ("nginx:1.0", [{"name": "nginx", "newTag": "2", "digest": B}], f"nginx:2@{B}"),
        ("nginx:1.0", [{"name": "nginx", "newName": "acme/nginx"}], "acme/nginx:1.0"),
        ("nginx:1.0", [{"name": "nginx", "newName": "a"}, {"name": "a", "newTag": "2"}], "a:2"),
        ("nginx", [{"name": "nginx", "newTag": "2"}], "nginx:2"),
        ("acme/nginx:1.0", [{"name": "nginx", "newTag": "2"}], "acme/nginx:1.0"),
        ("acme/nginx:1.0", [{"name": ".*nginx", "newTag": "2"}], "acme/nginx:2"),
        ("docker.io/library/nginx:1.0", [{"name": "nginx", "newTag": "2"}], "docker.io/library/nginx:1.0"),
        ("nginx:1.0", [{"name": "ngin", "newTag": "2"}], "nginx:1.0"),
    ],
)
def test_entries_mean_what_they_mean_to_kustomize(image: str, entries: list[dict[str, str]], made: str) -> None:
    assert transform_image(image, entries) == made


def test_the_repository_may_stay() -> None:
    text = "images: [{name: web, newName: acme/web, newTag: v1}]\n"
    changed = set_kustomization_image(text, "web", ImageReference("acme/web", "v2"), "k")
    assert changed == "images: [{name: web, newName: acme/web, newTag: v2}]\n"


def test_an_image_whose_name_kustomize_cannot_match_is_refused_by_that_reason() -> None:
    said = (
        r"^kustomization\.yaml: images: kustomize reads names as regular expressions, and \$\(image\) does not match "
        r"itself; change the image where it is written$"
    )
    with pytest.raises(GitOpsStackError, match=said):
        edit("resources: [web.yaml]\n", "acme/web:v2", "$(image)")


def test_a_name_is_matched_as_go_does_and_warns_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert matches_image("acme/web:v1", "[[:alpha:]]+/web")
        assert not matches_image("acme9/web:v1", "[[:alpha:]]+/web")
        assert not matches_image("acme/web:v1", "[[x]/web")
