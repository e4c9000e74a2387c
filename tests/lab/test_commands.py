"""The commands that messages propose."""

from __future__ import annotations

import pytest

from gitops_stack.lab.commands import build_command


@pytest.mark.parametrize(
    ("name", "stack", "wanted"),
    [
        ("local", "local", "gitops-stack lab down --destroy"),
        ("c1", "local", "gitops-stack lab down --destroy --name c1"),
        ("local", "shop", "gitops-stack lab down --destroy --stack shop"),
        ("my lab", "shop", "gitops-stack lab down --destroy --name 'my lab' --stack shop"),
    ],
)
def test_a_command_names_its_lab_and_stack_unless_they_are_the_default(name: str, stack: str, wanted: str) -> None:
    assert build_command("down --destroy", name, stack) == wanted
