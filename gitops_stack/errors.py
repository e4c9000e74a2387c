"""The one exception for what can be expected to go wrong, and what it quotes of a program that failed.

Imports nothing. Programming errors keep their own exceptions and their tracebacks.
"""

from __future__ import annotations

from collections.abc import Iterable


class GitOpsStackError(Exception):
    """Carry the findings that stop a run, each one sentence with place, finding and remedy.

    ``findings`` holds all of them, so that an operator repairs a file once and not once per run. The CLI prints
    them without a traceback and leaves with ``exit_code``: 1 for findings in the input, 2 for usage or environment.
    """

    exit_code = 1

    def __init__(self, *findings: str) -> None:
        self.findings: tuple[str, ...] = findings
        super().__init__("\n".join(findings))

    @classmethod
    def raise_for(cls, findings: Iterable[str]) -> None:
        """Raise with all ``findings``, or return when there are none."""
        found = tuple(findings)
        if found:
            raise cls(*found)


class EnvironmentProblem(GitOpsStackError):  # noqa: N818 - reads as what it is: the machine, not the input, is at fault
    """Report something missing or broken outside of the input: a tool, the network, a cluster."""

    exit_code = 2


def last_line(output: str) -> str:
    """Return what a program said last before it failed: of a chain of errors, the one that names the cause."""
    return (output.strip().splitlines() or ["no message"])[-1]


def shorten(said: str, longest: int = 300) -> str:
    """Cut ``said`` to ``longest`` characters, at words in its middle.

    A chain of errors begins with the place and ends with the cause.
    """
    if len(said) <= longest:
        return said
    half = longest // 2 - 1
    begin, end = said[:half], said[-half:]
    return f"{begin.rpartition(' ')[0] or begin} … {end.partition(' ')[2] or end}"
