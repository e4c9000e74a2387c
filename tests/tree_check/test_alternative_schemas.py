"""Several CRDs of one kind in a folder: which of them is held against an object, and what that costs."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.tree_check.compiled_schemas import compile_text
from gitops_stack.tree_check.schemas import SchemaSet
from tests.tree_check.test_schemas import CUSTOM, check, definition


def test_alternatives_are_compiled_once_and_only_for_an_object_that_the_first_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[str] = []

    def count(version: str, text: str, *, strict: bool) -> Any:
        compiled.append(text)
        return compile_text(version, text, strict=strict)

    monkeypatch.setattr("gitops_stack.tree_check.schemas.compile_text", count)
    both = [definition({"old": {"type": "integer"}}, []), definition({"new": {"type": "integer"}}, [])]
    schemas = SchemaSet("1.35", both, alternatives=True)
    assert check(schemas, *[{**CUSTOM, "spec": {"new": 1}}] * 5) == []
    assert len(compiled) == 1
    assert check(schemas, *[{**CUSTOM, "spec": {"old": 1}}] * 5) == []
    assert len(compiled) == 2
    assert check(schemas, {**CUSTOM, "spec": {"old": 1}}, {**CUSTOM, "spec": {"new": 1}}) == []
    assert len(compiled) == 2


def test_an_alternative_that_cannot_be_used_hides_no_other() -> None:
    unusable = definition({"old": {"type": "no-type"}}, [])
    three = [definition({"old": {"type": "integer"}}, []), unusable, definition({"new": {"type": "integer"}}, [])]
    for listed in (three, [three[1], three[0], three[2]]):
        assert check(SchemaSet("1.35", listed, alternatives=True), {**CUSTOM, "spec": {"old": 1}}) == []
