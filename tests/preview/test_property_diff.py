"""Paths as engines write them, to values people can read."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.preview.property_diff import UNKNOWN, PropertyChange, build_property_changes


def changes(detailed: dict[str, Any], old: dict[str, Any], new: dict[str, Any], **other: Any) -> list[PropertyChange]:
    return list(build_property_changes({"type": "a:b:C", "detailedDiff": detailed, "old": old, "new": new, **other}))


def test_paths_with_dots_quotes_and_indexes_are_found() -> None:
    inputs = {"tags": {"a.b/c": "x", 'q"q': "y"}, "rules": [{"port": 80}]}
    after = {"tags": {"a.b/c": "z", 'q"q': "w"}, "rules": [{"port": 443}]}
    detailed = {
        path: {"diffKind": "update", "inputDiff": True} for path in ('tags["a.b/c"]', 'tags["q\\"q"]', "rules[0].port")
    }
    found = changes(detailed, {"inputs": inputs}, {"inputs": after})
    assert [(one.old, one.new) for one in found] == [('"x"', '"z"'), ('"y"', '"w"'), ("80", "443")]


def test_a_difference_to_the_state_compares_with_the_outputs() -> None:
    old = {"inputs": {"size": 1}, "outputs": {"size": 3}}
    found = changes({"size": {"diffKind": "update"}}, old, {"inputs": {"size": 1}})
    assert found == [PropertyChange("size", "3", "1")]


def test_without_details_the_changed_keys_are_compared() -> None:
    old, new = {"inputs": {"a": {"x": 1, "y": 2}, "b": 1}}, {"inputs": {"a": {"x": 1, "y": 3}, "b": 1}}
    assert changes({}, old, new, diffs=["a"], keys=["a.y"]) == [PropertyChange("a.y", "2", "3")]
    found = build_property_changes({"diffs": ["a"], "keys": ["a"], "old": old, "new": new})
    assert [change.replaces for change in found] == [True]


def test_lists_that_grow_or_shrink_are_told_by_index() -> None:
    detailed = {"zones": {"diffKind": "update", "inputDiff": True}}
    grown = changes(detailed, {"inputs": {"zones": ["a"]}}, {"inputs": {"zones": ["a", "b"]}})
    assert grown == [PropertyChange("zones[1]", "", '"b"')]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (UNKNOWN, "(known after update)"),
        ({"id": UNKNOWN}, '{"id": "(known after update)"}'),
        ("x" * 300, f'"{"x" * 159}… (302 characters)'),
        (None, "null"),
    ],
)
def test_values_are_readable_and_short(value: object, shown: str) -> None:
    detailed = {"a": {"diffKind": "add", "inputDiff": True}}
    assert changes(detailed, {"inputs": {}}, {"inputs": {"a": value}}) == [PropertyChange("a", "", shown)]


def test_a_resource_of_a_thousand_changes_shows_forty() -> None:
    detailed = {"all": {"diffKind": "update", "inputDiff": True}}
    old, new = ({"inputs": {"all": {str(key): side for key in range(1000)}}} for side in (1, 2))
    assert len(changes(detailed, old, new)) == 40
