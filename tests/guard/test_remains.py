"""What a destroy ends last: CRDs, then the namespace, each waited for and named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.guard import remains
from gitops_stack.guard.registered import Registered
from gitops_stack.live.reading import ObjectReference

CRD = ObjectReference("apiextensions.k8s.io", "CustomResourceDefinition", "", "applications.argoproj.io", "v1")
NAMESPACE = ObjectReference("", "Namespace", "", "argocd", "v1")
REMAINS = [Registered(NAMESPACE, False), Registered(CRD, True)]


def say(_text: str) -> None:
    """Say nothing."""


class Living:
    """A cluster whose objects go when they have been looked at once after their deletion."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left, self.going, self.stuck = {CRD.text, NAMESPACE.text}, set[str](), set[str]()
        self.deleted: list[tuple[str, bool]] = []
        monkeypatch.setattr(remains, "delete", self.delete)
        monkeypatch.setattr(remains, "load_objects", self.load)
        monkeypatch.setattr(remains, "_POLL_SECONDS", 0.0)

    def delete(self, _client: Any, found: ObjectReference) -> None:
        self.deleted.append((found.name, CRD.text in self.left))
        self.going.add(found.text)

    def load(self, _client: Any, wanted: Iterable[ObjectReference]) -> dict[str, Any]:
        names = {one.text for one in wanted}
        found = {"metadata": {"finalizers": ["example.com/held"]}}
        seen = {name: found if name in self.left else None for name in names}
        self.left -= (names & self.going) - self.stuck
        return seen


@pytest.fixture
def living(monkeypatch: pytest.MonkeyPatch) -> Living:
    return Living(monkeypatch)


def test_the_namespace_goes_when_the_definitions_are_gone(living: Living) -> None:
    client: Any = None
    remains.end_remains(client, REMAINS, say)
    assert living.deleted == [(CRD.name, True), ("argocd", False)]
    assert living.left == set()


def test_what_does_not_end_is_named_with_its_reason(living: Living) -> None:
    client: Any = None
    living.stuck = {CRD.text}
    with pytest.raises(GitOpsStackError) as refused:
        remains.end_remains(client, REMAINS, say, limit_seconds=0)
    assert f"{CRD.text}: is not gone after 0 s: {CRD.text} (finalizers example.com/held)" in str(refused.value)
    assert NAMESPACE.text in living.left


def test_a_stack_of_an_earlier_release_has_nothing_left_to_end(living: Living) -> None:
    client: Any = None
    remains.end_remains(client, [], say)
    assert living.deleted == []
