"""Edits of stack files as text: the value changes, every other byte stays."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitops_stack.edits.value_text import render_flow
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import represent_text
from gitops_stack.scaffold.stack_text import StackText

TEXT = """\
# head
config:
  aws:region: eu-west-1 # where
  gitops-stack:projects:
    storefront: # the shop
      namespaces: [storefront] # eol
    back:
      namespaces:
        - back # first
        # between
        - 'spare'
      # behind the list

  # about workloads
  gitops-stack:workloads:
    # first
    a: {x: 1} # eol a
    # second
    b:
      x: 2 # eol b

  # about the rest
  gitops-stack:empty: {}
  gitops-stack:flow: {a: {b: 1}, c: [1]}
  gitops-stack:account: &account
    id: "123456789012"
  gitops-stack:alias: *account
  gitops-stack:quoted: {id: "123"}
  gitops-stack:last: 1
# the end
"""


def edited(*changes: tuple[Any, ...], text: str = TEXT) -> str:
    document = StackText(text)
    for verb, *arguments in changes:
        getattr(document, verb)(*arguments)
    return document.text


P, W = "gitops-stack:projects", "gitops-stack:workloads"
TABLE: dict[str, tuple[list[tuple[Any, ...]], str, str]] = {
    "a scalar": ([("set", ("aws:region",), "eu-north-1")], "eu-west-1 # where", "eu-north-1 # where"),
    "a quoted scalar keeps its quotes": (
        [("set", ("gitops-stack:quoted", "id"), "321")], '"123"', '"321"',
    ),
    "an entry behind the last, before the next section's comment": (
        [("set", (W, "c"), {"z": [1]})], "x: 2 # eol b\n", "x: 2 # eol b\n    c: {z: [1]}\n",
    ),
    "an entry of an empty map": (
        [("set", ("gitops-stack:empty", "a"), 1)],
        "  gitops-stack:empty: {}\n", "  gitops-stack:empty:\n    a: 1\n",
    ),
    "a section that is not there": (
        [("set", ("gitops-stack:new", "a"), {"b": 1})], "last: 1\n", "last: 1\n  gitops-stack:new:\n    a: {b: 1}\n",
    ),
    "an entry between braces": ([("set", ("gitops-stack:flow", "a", "d"), "x")], "{b: 1}", "{b: 1, d: x}"),
    "a list between brackets grows": (
        [("append", (P, "storefront", "namespaces"), "x")], "[storefront] # eol", "[storefront, x] # eol",
    ),
    "a list of lines grows": (
        [("append", (P, "back", "namespaces"), "x")], "        - 'spare'\n", "        - 'spare'\n        - x\n",
    ),
    "a map of lines is replaced": ([("set", (W, "b"), 3)], "    b:\n      x: 2 # eol b", "    b: 3 # eol b"),
    "the first entry goes alone": ([("remove", (W, "a"))], "    a: {x: 1} # eol a\n", ""),
    "the last entry leaves the next section's comment": ([("remove", (W, "b"))], "    b:\n      x: 2 # eol b\n", ""),
    "an entry between braces goes": ([("remove", ("gitops-stack:flow", "a"))], "{a: {b: 1}, c: [1]}", "{c: [1]}"),
    "an entry that is not there": ([("remove", (W, "z"))], "", ""),
    "an alias is replaced where it stands": (
        [("set", ("gitops-stack:alias",), {"id": "1"})], "alias: *account", 'alias: {id: "1"}',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_an_edit_changes_its_place_and_nothing_else(name: str) -> None:
    changes, old, new = TABLE[name]
    assert old in TEXT
    assert edited(*changes) == TEXT.replace(old, new, 1)


def test_a_map_whose_last_entry_went_stays_a_map() -> None:
    text = edited(("remove", (W, "a")), ("remove", (W, "b")))
    assert StackText(text).value(W) == {}
    for comment in ("# first", "# second", "# about workloads", "# about the rest"):
        assert comment in text
    assert StackText(edited(("set", (W, "n"), 1), text=text)).value(W) == {"n": 1}


def test_a_file_without_a_last_newline_is_edited_too() -> None:
    assert edited(("set", ("b",), 1), text="config:\n  a: 1") == "config:\n  a: 1\n  b: 1"


def test_a_value_that_an_anchor_shares_is_refused_with_its_line() -> None:
    with pytest.raises(GitOpsStackError, match=r"^stack file: line 26: the value cannot be changed without changing"):
        edited(("set", ("gitops-stack:account", "id"), "210987654321"))


def test_what_cannot_be_edited_is_said() -> None:
    with pytest.raises(GitOpsStackError, match="aws:region: found no map; deeper cannot be set in it"):
        edited(("set", ("aws:region", "deeper"), 1))
    for change in (("set", ("gitops-stack:alias", "id"), "1"), ("remove", ("gitops-stack:alias", "id"))):
        with pytest.raises(
            GitOpsStackError, match=r"gitops-stack:alias\.id: gitops-stack:alias is an alias; write it out"
        ):
            edited(change)


def test_values_are_read() -> None:
    document = StackText(TEXT)
    assert document.value(P, "back", "namespaces") == ["back", "spare"]
    assert document.value("gitops-stack:alias", "id") == "123456789012"
    assert document.value("aws:region", "deeper") is None
    assert document.value("gitops-stack:none", "at", "all") is None


NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=6)
VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(string.printable.strip() + " äß€😀", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


class _Dumper(yaml.SafeDumper):
    """Quotes what only go-yaml takes for no text, such as `y`."""


_Dumper.add_representer(str, represent_text)


@settings(max_examples=30, deadline=None, database=None)
@given(VALUES)
def test_a_rendered_value_reads_as_itself(value: object) -> None:
    text = render_flow(value)
    assert "\n" not in text
    assert yaml.safe_load(f"[{text}]") == [value]


@settings(max_examples=30, deadline=None, database=None)
@given(st.dictionaries(NAMES, VALUES, max_size=5), NAMES, VALUES, st.booleans())
@example({}, "false", 1, False)
@example({"y": []}, "b", [], False)
@example({"a": 1}, "on", {"null": 1}, False)
@example({"a": 1}, "yes", 1, True)
@example({"a": 1}, "123", 1, False)
def test_setting_and_removing_do_to_text_what_they_do_to_data(
    entries: dict[str, object], name: str, value: object, flow: bool
) -> None:
    data = {"before": "ä€😀", "config": {"s": entries, "t": 1}}
    text = yaml.dump(data, Dumper=_Dumper, default_flow_style=flow or None, sort_keys=False, allow_unicode=True)
    document = StackText(text)
    document.set(("s", name), value)
    assert yaml.safe_load(document.text) == {**data, "config": {"s": {**entries, name: value}, "t": 1}}
    document.remove(("s", name))
    assert document.value("s") == {key: kept for key, kept in entries.items() if key != name}
    assert document.value("t") == 1


@pytest.mark.parametrize("name", ["on", "null", "false", "y"])
def test_a_name_that_reads_as_something_else_is_quoted(name: str) -> None:
    document = StackText("config:\n  s: {a: 1}\n  t:\n    a: 1\n")
    document.set(("s", name), 2)
    document.set(("t", name), 2)
    assert document.text == f'config:\n  s: {{a: 1, "{name}": 2}}\n  t:\n    a: 1\n    "{name}": 2\n'


@pytest.mark.parametrize("name", ["y", "n", "12e4567", "0o7", "08"])
def test_what_go_yaml_takes_for_no_text_gets_quotes(name: str) -> None:
    text = edited(("set", ("b", name), {"a": name}), text="config:\n  a: 1\n")
    assert text == f'config:\n  a: 1\n  b:\n    "{name}": {{a: "{name}"}}\n'


@pytest.mark.parametrize("stack", ["local", "dev", "prd"])
def test_the_committed_stack_files_survive_an_entry_that_comes_and_goes(stack: str) -> None:
    text = (Path(__file__).parents[2] / f"Pulumi.{stack}.yaml").read_text()
    assert edited(("set", (W, "z"), {"a": 1}), ("remove", (W, "z")), text=text) == text


def test_a_section_without_its_namespace_is_the_same_section() -> None:
    text = edited(("set", (W, "b"), {"x": 1}), ("remove", (W, "a")), text="config:\n  workloads:\n    a: {x: 1}\n")
    assert text == "config:\n  workloads:\n    b: {x: 1}\n"
    other = StackText("config:\n  workloads: {a: 1}\n", project_name="other")
    other.set((W, "b"), 1)
    assert other.value(W) == {"b": 1}
    assert "  workloads: {a: 1}\n" in other.text
