"""YAML is read as Kubernetes reads it, and the quick way reads what PyYAML's own constructor reads."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from gitops_stack.gitops_tree.yaml_text import _Loader, load_documents
from tests.stacks import ROOT

TEXTS = [
    "",
    "---\n---\n",
    "a: 1\nb: 1.5\nc: .inf\nd: 0x1f\ne: 0o17\nf: 010\ng: 1_000\nh: 12:30:45\n",
    "a: yes\nb: No\nc: on\nd: 'on'\ne: ~\nf: null\ng: NULL\nh:\ni: ''\n",
    "a: 2026-11-21\nb: 2026-11-21T10:00:00Z\n",
    "1: a\ntrue: b\nnull: c\n1.5: d\n",
    "a: {<<: {b: 1, c: 2}, c: 3}\n",
    "<<: [{a: 1}, {b: 2}]\nc: {d: {<<: {e: 1}}}\n",
    "a: 1\na: 2\n",
    "!!str 1: !!str 2\n",
    "a: !!int '3'\nb: !!binary aGVsbG8=\nc: !!set {x, y}\nd: !!omap [a: 1]\ne: !!pairs [a: 1]\nf: !!float 1\n",
    "a: !!map {b: c}\nd: !!seq [1]\ne: !!bool 'yes'\nf: !!null ''\n",
    "- a\n- [1, [2, {b: [c]}]]\n- {d: e}\n",
    'a: |\n  text\n  more\nb: >-\n  folded\n  text\nc: "tab\\t"\n',
    "a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n",
    "a: b & c\nurl: https://example.com/?a=1&b=2\n",
    "# only a comment\n",
    "=: a\nb: =\n",
    "plain\n---\n[1]\n---\n{a: 1}\n",
]


def load_slowly(text: str) -> list[Any]:
    return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_is_read_as_by_the_slow_way(text: str) -> None:
    expected = load_slowly(text)
    for _ in range(2):  # what a scalar is was looked up the first time
        found = load_documents(text)
        assert repr(found) == repr(expected), "types and the order of keys included"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        # Held against go.yaml.in/yaml/v2 v2.4.4.
        ("12:30", "12:30"), ("-1:30", "-1:30"), ("190:20:30.15", "190:20:30.15"), ("=", "="),
        ("2026-11-21", "2026-11-21"), ("y", True), ("N", False), ("on", True), ("Off", False), ("yEs", "yEs"),
        ("1e3", 1000.0), ("1.5E3", 1500.0), ("-.5e-1", -0.05), (".5", 0.5), ("12e4567", "12e4567"), ("1.", 1.0),
        (".", "."), ("08", 8.0), ("017", 15), ("-017", -15), ("0o17", 15), ("0", 0), ("-0", 0),
        ("+1_000", 1000), ("0X1F", 31),
        ("0b11", 3), ("-0b11", -3), ("1.2.3", "1.2.3"), ("0x", "0x"), ("1e", "1e"), ("+.INF", float("inf")),
        ("~", None), ("Null", None), ("nULL", "nULL"), ("!!str 12", "12"), ("!!float 3", 3.0), ("!!int '0x10'", 16),
        ("!=", ""), ("!foo 12", "12"), ("!foo", ""), ("!foo [1, y]", [1, True]), ("!foo {b: 1}", {"b": 1}),
        ("!!foo 12", "12"), ("!Ref MyBucket", "MyBucket"), ("!Sub '${A}'", "${A}"),
        ("!!set {x, z}", {"x": None, "z": None}), ("!!omap [a: 1]", [{"a": 1}]),
        ("!!python/object:os.system x", "x"), ("!!timestamp 2020-01-01", "2020-01-01"),
        ("!!binary aGVsbG8=", "hello"), ("!<tag:example.com,2000:x> 12", "12"), ("!foo ~", "~"), ("!foo y", "y"),
    ],
)  # fmt: skip
def test_a_value_is_read_as_the_api_server_reads_it(written: str, read: object) -> None:
    for anchor in ("", "&x "):  # the quick way, and the slow one
        (document,) = load_documents(f"a: {anchor}{written}\n")
        assert repr(document["a"]) == repr(read)


@pytest.mark.parametrize(
    "text", ["a: [", "? [a, b]\n: c\n", "? {a: 1}\n: b\n", "a: !!int x\n", "a: *nowhere\n", "a: b: c"]
)
def test_what_cannot_be_read_is_refused_by_both(text: str) -> None:
    with pytest.raises((yaml.YAMLError, ValueError)):
        load_slowly(text)
    with pytest.raises(yaml.YAMLError):
        load_documents(text)


def test_every_committed_file_is_read_as_by_the_slow_way() -> None:
    files = [*(ROOT / "gitops").rglob("*.yaml"), *(ROOT / "tests/fixtures").rglob("*.yaml")]
    assert len(files) > 60
    for file in files:
        text = file.read_text(encoding="utf-8")
        try:
            expected = load_slowly(text)
        except yaml.YAMLError:
            continue
        assert repr(load_documents(text)) == repr(expected), file


def test_a_shared_value_stays_shared_and_one_in_itself_is_no_endless_loop() -> None:
    (document,) = load_documents("a: &x {b: 1}\nc: *x\n")
    assert document["a"] is document["c"]
    (looped,) = load_documents("&x {a: *x}\n")
    assert looped["a"] is looped


def test_a_text_nested_too_deep_is_refused() -> None:
    with pytest.raises(yaml.YAMLError):
        load_documents("[" * 5000 + "]" * 5000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_bytes_are_read_as_their_text(encoding: str) -> None:
    assert load_documents("a: é\n".encode(encoding)) == [{"a": "é"}]


def test_bytes_that_are_no_text_are_no_yaml() -> None:
    with pytest.raises(yaml.YAMLError):
        load_documents(b"a: \xff\n")
