"""Edits of Helm values, byte for byte."""

from __future__ import annotations

import pytest

from gitops_stack.delivery.edits.helm_values import load_value, set_value
from gitops_stack.errors import GitOpsStackError

Key = tuple[str | int, ...]
TAG: Key = ("image", "tag")

CASES: dict[str, tuple[str, Key, str, str]] = {
    "a value": ("image:\n  repository: web\n  tag: v1 # c\n", TAG, "v2", "image:\n  repository: web\n  tag: v2 # c\n"),
    "a quoted value": ("image: {tag: 'v1'}\n", TAG, "v2", "image: {tag: 'v2'}\n"),
    "a number becomes a text": ("image: {tag: 1.2}\n", TAG, "1.3", 'image: {tag: "1.3"}\n'),
    "an empty text": ("image: {tag: v1}\n", TAG, "", 'image: {tag: ""}\n'),
    "a key without value": ("image:\n  tag: # c\n  x: 1\n", TAG, "v2", "image:\n  tag: v2 # c\n  x: 1\n"),
    "null": ("image:\n  tag: null\n", TAG, "v2", "image:\n  tag: v2\n"),
    "a missing key": (
        "image:\n  repository: web # c\n# end\n",
        TAG,
        "v2",
        "image:\n  repository: web # c\n  tag: v2\n# end\n",
    ),
    "a missing key in flow style": ("image: {repository: web}\n", TAG, "v2", "image: {repository: web, tag: v2}\n"),
    "a missing key in an empty map": ("image: {}\n", TAG, "v2", "image: {tag: v2}\n"),
    "missing maps": ("replicas: 2\n", TAG, "v2", "replicas: 2\nimage:\n  tag: v2\n"),
    "missing maps, no line break at the end": ("replicas: 2", TAG, "v2", "replicas: 2\nimage:\n  tag: v2"),
    "missing maps in flow style": ('{"replicas": 2}\n', TAG, "v2", '{"replicas": 2, "image": {"tag": "v2"}}\n'),
    "an empty file": ("", TAG, "v2", "image:\n  tag: v2\n"),
    "a file of comments": ("# mine", TAG, "v2", "# mine\nimage:\n  tag: v2\n"),
    "carriage returns": ("image:\r\n  x: 1\r\n", TAG, "v2", "image:\r\n  x: 1\r\n  tag: v2\r\n"),
    "an item of a list": (
        "c:\n  - n: a\n    t: v1\n  - n: b\n    t: v1\n",
        ("c", 1, "t"),
        "v2",
        "c:\n  - n: a\n    t: v1\n  - n: b\n    t: v2\n",
    ),
    "a key with a dot": ("a.b: {t: v1}\n", ("a.b", "t"), "v2", "a.b: {t: v2}\n"),
    "an alias is written out": ("x: &v v1\nimage:\n  tag: *v\n", TAG, "v2", "x: &v v1\nimage:\n  tag: v2\n"),
    "an anchor nobody uses": ("image: &i\n  tag: v1\n", TAG, "v2", "image: &i\n  tag: v2\n"),
    "a folded block": ("image:\n  tag: >-\n    v1\n  x: 1\n", TAG, "v2", "image:\n  tag: v2\n  x: 1\n"),
    "other dates and numbers stay": (
        "d: 2024-01-31\nn: 0o17\ni: {tag: v1}\ne: 1e3\n",
        ("i", "tag"),
        "v2",
        "d: 2024-01-31\nn: 0o17\ni: {tag: v2}\ne: 1e3\n",
    ),
    "a whole reference": ("image: acme/web:v1\n", ("image",), "acme/web:v2", "image: acme/web:v2\n"),
    "a reference with a port": ("image: a\n", ("image",), "localhost:5000/web:v2", "image: localhost:5000/web:v2\n"),
}


@pytest.mark.parametrize(("before", "key", "value", "after"), CASES.values(), ids=CASES)
def test_an_edit_changes_its_bytes_and_no_others(before: str, key: Key, value: str, after: str) -> None:
    changed = set_value(before, key, value, "values.yaml")
    assert changed == after
    assert load_value(changed, key, "values.yaml") == value
    assert set_value(changed, key, value, "values.yaml") == changed


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("image: &i {tag: v1}\nother: *i\n", "without changing something else"),
        ("x: &i {tag: v1}\nimage: *i\n", "is not a map in its own place"),
        ("x: &i {tag: v1}\nimage: {<<: *i}\n", "is not a map in its own place"),
        ("image: web\n", "image is not a map in its own place"),
        ("image: [web]\n", "image is not a map in its own place"),
        ("image: {tag: {a: b}}\n", "found a map or a list; needs the key of a single value"),
        ("image: {tag: v1}\n---\nimage: {tag: v1}\n", "found 2 documents"),
        ("image: {tag: v1\n", "is not YAML"),
        ("- image\n", "the file is not a map in its own place"),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(before: str, said: str) -> None:
    with pytest.raises(GitOpsStackError, match=r"^values\.yaml: ") as refused:
        set_value(before, TAG, "v2", "values.yaml")
    assert said in refused.value.findings[0]


@pytest.mark.parametrize("key", [("a", "b"), ("l", 3), ("l", "x"), ("s", "x")])
def test_nothing_stands_at_a_key_that_is_not_there(key: Key) -> None:
    assert load_value("l: [1]\ns: text\n", key, "values.yaml") is None
