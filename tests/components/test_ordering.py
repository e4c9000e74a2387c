"""Dependencies that a component hands to its children: every one, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from gitops_stack.components.ordering import inherited_dependencies
from gitops_stack.errors import GitOpsStackError
from gitops_stack.testing import record_program


class Thing(pulumi.CustomResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:Thing", name)


def inherit(build: Callable[[Thing, Thing], pulumi.ResourceOptions | None]) -> list[str]:
    """Return the names of what is handed down from options made of two resources."""
    names: list[str] = []

    def program() -> None:
        first, second = Thing("first"), Thing("second")
        by_identity = {id(first): "first", id(second): "second"}
        names.extend(by_identity[id(one)] for one in inherited_dependencies(build(first, second)))

    record_program(program, stack="any")
    return names


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        (lambda first, _: pulumi.ResourceOptions(depends_on=first), ["first"]),
        (lambda first, second: pulumi.ResourceOptions(depends_on=[second, first]), ["second", "first"]),
        (lambda first, second: pulumi.ResourceOptions(depends_on=(first, second)), ["first", "second"]),
        (
            lambda first, second: pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(depends_on=first), pulumi.ResourceOptions(depends_on=[second])
            ),
            ["first", "second"],
        ),
    ],
    ids=["one alone", "list", "tuple", "merged"],
)
def test_every_resource_is_handed_down(build: Callable[[Any, Any], Any], wanted: list[str]) -> None:
    assert inherit(build) == wanted


@pytest.mark.parametrize("opts", [None, pulumi.ResourceOptions(), pulumi.ResourceOptions(depends_on=[])])
def test_no_dependencies_are_none(opts: pulumi.ResourceOptions | None) -> None:
    assert inherited_dependencies(opts) == []


@pytest.mark.parametrize(
    "build",
    [
        lambda first, _: pulumi.ResourceOptions(depends_on=pulumi.Output.from_input([first])),
        lambda first, second: pulumi.ResourceOptions(depends_on=[second, pulumi.Output.from_input(first)]),
    ],
    ids=["all", "one of them"],
)
def test_outputs_are_refused_since_they_would_be_lost(build: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        inherit(build)
    assert str(refused.value) == "depends_on: found an Output; needs the resources themselves, in a list or one alone"
