"""What stops the double, as sentences. Programming errors keep their own exceptions and their tracebacks."""

from __future__ import annotations

from collections.abc import Iterable


class DoubleError(Exception):
    """Carry the ``findings`` that stop a run, one sentence each."""

    def __init__(self, *findings: str) -> None:
        self.findings = findings
        super().__init__(*findings)

    def __str__(self) -> str:
        return "\n".join(self.findings)

    @classmethod
    def raise_for(cls, findings: Iterable[str]) -> None:
        """Raise with all ``findings``, or return when there are none."""
        found = tuple(findings)
        if found:
            raise cls(*found)


class EnvironmentProblem(DoubleError):  # noqa: N818 - reads as what it is: the machine, not the program, is at fault
    """Report something missing or broken outside of the program: the account, a tool, a cluster."""
