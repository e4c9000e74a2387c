"""What a component's children wait for: Pulumi does not hand `depends_on` down to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.resource import DependencyResource

from gitops_stack.errors import GitOpsStackError, Problem

# A resource of any kind among arguments: Pulumi's component analyzer knows only those of one type.
if TYPE_CHECKING:
    Registered = pulumi.Resource
else:
    Registered = Any


def depend_on(urn: pulumi.Input[str] | None) -> list[Registered]:
    """Return what stands in `depends_on` for a resource of another process, of which only the URN is known."""
    if urn is None:
        return []
    found: Any = pulumi.Output.from_input(urn).apply(DependencyResource)
    return [found]


def inherited_dependencies(opts: pulumi.ResourceOptions | None) -> list[pulumi.Resource]:
    """Return the resources in ``opts.depends_on``, for a component to give to those of its children that must wait.

    Raises :class:`GitOpsStackError` for an Output among them: left out, the order would be lost without a word.
    """
    given = opts.depends_on if opts is not None else None
    listed = given if isinstance(given, Sequence) else [] if given is None else [given]
    found = [one for one in listed if isinstance(one, pulumi.Resource)]
    if len(found) != len(listed):
        raise GitOpsStackError(
            Problem("found an Output", "needs the resources themselves, in a list or one alone", "depends_on")
        )
    return found
