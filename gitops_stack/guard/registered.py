"""What a component tells its guard of each object: imported by programs, so without the cluster's client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_stack.gitops_tree.object_reference import ObjectReference


@dataclass(frozen=True)
class Registered:
    """One object a component registers, and whether Argo CD takes it over."""

    reference: ObjectReference
    handed_over: bool

    @property
    def name(self) -> str:
        """The object as people write it, and the key of its counter."""
        return self.reference.text

    def to_input(self) -> list[Any]:
        """Return it as the guard's input."""
        found = self.reference
        return [found.group, found.version, found.kind, found.namespace, found.name, self.handed_over]

    @classmethod
    def from_input(cls, given: list[Any]) -> Registered:
        """Read it back."""
        group, version, kind, namespace, name, handed_over = given
        return cls(ObjectReference(group, kind, namespace, name, version), bool(handed_over))
