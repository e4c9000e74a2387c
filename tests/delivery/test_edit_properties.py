"""Whatever people wrote: after an edit the text parses to the intended change, and everything else is equal."""

from __future__ import annotations

import copy
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_stack.delivery.edits.helm_values import set_value
from gitops_stack.delivery.edits.kustomization import set_kustomization_image, transform_image
from gitops_stack.delivery.edits.manifest import set_manifest_image
from gitops_stack.delivery.image_reference import ImageReference
from gitops_stack.edits.yaml_source import find_comments
from gitops_stack.gitops_tree.yaml_text import NO_TEXT, load_documents

PROPERTY = settings(max_examples=40, deadline=None, database=None)

WORDS = st.sampled_from(["a", "web", "x.y", "1", "true", "null", "1.0", "it's", "# no comment", "a: b", "é", "- a", ""])
SCALARS = st.one_of(WORDS, st.integers(-9, 9), st.booleans(), st.none(), st.floats(allow_nan=False, width=16))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS.filter(bool), inner, max_size=3)),
    max_leaves=6,
)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
WRITTEN = TAGS.filter(lambda tag: not NO_TEXT.fullmatch(tag))  # PyYAML leaves `N` without quotes: refused, rightly
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64).map(lambda digits: f"sha256:{digits}")
REPOSITORIES = st.sampled_from(
    ["web", "acme/web", "localhost:5000/web", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web"]
)
IMAGES = st.builds(ImageReference, REPOSITORIES, TAGS, st.none() | DIGESTS) | st.builds(
    ImageReference, REPOSITORIES, st.none(), DIGESTS
)
STYLES = st.fixed_dictionaries({
    "default_flow_style": st.sampled_from([True, False, None]),
    "indent": st.sampled_from([2, 4]),
    "line_break": st.sampled_from(["\n", "\r\n"]),
    "default_style": st.sampled_from([None, '"', "'"]),
    "explicit_start": st.booleans(),
})  # fmt: skip
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["web", "other", "third"])},
        optional={"newName": REPOSITORIES, "newTag": WRITTEN, "digest": DIGESTS},
    ),
    max_size=3,
    unique_by=lambda entry: entry["name"],
)


def written(data: Any, style: dict[str, Any], comment: bool) -> str:
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=4096, **style)
    line_break = style["line_break"]
    return f"# before{line_break}{text}# after{line_break}" if comment else text


@PROPERTY
@given(st.dictionaries(WORDS.filter(bool), VALUES, max_size=3), ENTRIES, IMAGES, STYLES, st.booleans())
def test_of_a_kustomization_only_the_image_changes(
    others: dict[str, Any], entries: list[dict[str, str]], image: ImageReference, style: dict[str, Any], comment: bool
) -> None:
    text = written({"resources": ["a"], "images": entries, **others}, style, comment)
    before = load_documents(text)[0]
    changed = set_kustomization_image(text, "web", image, "k")
    after = load_documents(changed)[0]
    assert transform_image("web:0", after["images"]) == str(image)
    assert {key: value for key, value in after.items() if key != "images"} == {
        key: value for key, value in before.items() if key != "images"
    }
    others_before = [entry for entry in entries if entry["name"] != "web"]
    assert [entry for entry in after["images"] if entry["name"] != "web"] == others_before
    assert find_comments(changed) == find_comments(text)
    assert ("\r\n" in changed) == ("\r\n" in text)
    assert changed.count("\r") == changed.count("\r\n")


@PROPERTY
@given(st.dictionaries(WORDS.filter(bool), VALUES, min_size=1, max_size=3), TAGS, STYLES, st.booleans(), st.booleans())
def test_of_values_only_the_key_changes(
    others: dict[str, Any], tag: str, style: dict[str, Any], comment: bool, there: bool
) -> None:
    image = {"image": {"pull": "Always", **({"tag": "old"} if there else {})}}
    text = written({**others, **image}, style, comment)
    expected = copy.deepcopy(load_documents(text)[0])
    expected["image"]["tag"] = tag
    changed = set_value(text, ("image", "tag"), tag, "v")
    assert load_documents(changed) == [expected]
    assert find_comments(changed) == find_comments(text)


@PROPERTY
@given(
    st.lists(st.sampled_from(["web:1", "web", "other:1", "acme/web:1"]), min_size=1, max_size=4), VALUES, IMAGES, STYLES
)
def test_of_manifests_only_the_image_changes(
    images: list[str], other: Any, image: ImageReference, style: dict[str, Any]
) -> None:
    document = {
        "kind": "Deployment",
        "x": other,
        "spec": {"containers": [{"image": one, "name": "a"} for one in images]},
    }
    text = written(document, style, comment=True)
    expected = copy.deepcopy(load_documents(text)[0])
    for container in expected["spec"]["containers"]:
        if container["image"] in ("web:1", "web"):
            container["image"] = str(image)
    changed = set_manifest_image(text, "web", image, "m")
    assert load_documents(changed) == [expected]
    assert find_comments(changed) == find_comments(text)
