"""One part of the base as it was found, and the calls that make it as it is wanted. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gitops_stack.conventions import TAG_BASE, TAG_MANAGED_BY

State = Literal["missing", "same", "differs", "foreign"]
MANAGED_BY = "account-init"
SHARED = "account"
"""The value of the base's tag on what all stacks of an account share; a stack's own parts carry its name."""


@dataclass(frozen=True)
class Call:
    """One writing call of boto3.

    ``learns`` is the path in its answer to the ARN of a new key, which from then on takes the place of its stand-in.
    """

    service: str
    method: str
    arguments: Mapping[str, Any]
    learns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """What a call does, in words."""

    text: str
    call: Call


@dataclass(frozen=True)
class Part:
    """One resource of the base.

    ``owned`` is None for what is not there, else whether it carries the base's tag and is for the jobs given; ``owner``
    says whose it is beside the tag. ``findings`` are differences that no call of this command mends; ``refusal`` is why
    it cannot be used at all.
    """

    kind: str
    name: str
    owned: bool | None
    changes: tuple[Change, ...] = ()
    findings: tuple[str, ...] = ()
    refusal: str = ""
    owner: str = ""

    @property
    def remarks(self) -> list[str]:
        """List what is said of it beside its changes."""
        return [*self.findings, *(said for said in (self.owner, self.refusal) if said)]

    @property
    def state(self) -> State:
        """Say in a word how it was found; `foreign` needs changes and is somebody else's."""
        if self.owned is None and not self.refusal:
            return "missing"
        if self.refusal or (self.changes and not self.owned):
            return "foreign"
        return "differs" if self.changes or self.findings else "same"


def build_tags(value: str) -> dict[str, str]:
    """Build the tags of a part; ``value`` is :data:`SHARED` or a stack's name."""
    return {TAG_BASE: value, TAG_MANAGED_BY: MANAGED_BY}


def list_tags(
    value: str, key: str = "Key", text: str = "Value", more: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """List :func:`build_tags`, and ``more``, as AWS takes them."""
    return [{key: name, text: found} for name, found in {**build_tags(value), **(more or {})}.items()]
