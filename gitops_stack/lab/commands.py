"""The commands that messages propose, for the lab and stack they speak of."""

from __future__ import annotations

import shlex


def build_command(verb: str, name: str, stack: str = "local") -> str:
    """Return `gitops-stack lab VERB` for one lab and stack; what is the default is left out."""
    options = [("--name", name, "local"), ("--stack", stack, "local")]
    given = [f"{option} {shlex.quote(value)}" for option, value, default in options if value != default]
    return " ".join(["gitops-stack lab", verb, *given])
