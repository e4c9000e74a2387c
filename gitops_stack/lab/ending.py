"""How a command ended."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_stack.lab.engine import find_errors


@dataclass(frozen=True)
class Ending:
    """Its exit code (None when it was ended for taking too long), seconds, and all it printed."""

    code: int | None
    seconds: float
    output: str

    @property
    def lines(self) -> list[str]:
        """What it printed, empty lines left out."""
        return [line for line in self.output.splitlines() if line.strip()] or ["(nothing)"]

    @property
    def sentence(self) -> str:
        """The errors it printed, or its last line."""
        return "; ".join(find_errors(self.output)) or self.lines[-1]
