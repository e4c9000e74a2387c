"""The stacks of a project, by the names of their files. Reads no content."""

from __future__ import annotations

from pathlib import Path

_BEFORE, _BEHIND = "Pulumi.", ".yaml"
NO_STACK_REMEDY = "run the command in the folder of Pulumi.yaml, or name that with --project"


def stack_file(stack: str) -> str:
    """Return the name of a stack's file."""
    return f"{_BEFORE}{stack}{_BEHIND}"


def find_stacks(project: Path) -> list[str]:
    """List the stacks that have a file in ``project``, sorted."""
    files = project.glob(stack_file("*"))
    return sorted(file.name.removeprefix(_BEFORE).removesuffix(_BEHIND) for file in files)
