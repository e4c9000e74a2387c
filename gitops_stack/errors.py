"""What stops a run: problems as data, the one exception that carries them, and what it quotes of a failed program.

Imports nothing. Programming errors keep their own exceptions and their tracebacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

COMMAND = "{command}"
"""Stands in ``needs`` where the command goes."""


@dataclass(frozen=True)
class Problem:
    """What was ``found`` at a place, and what is needed. It becomes a sentence where it is shown, and nowhere before.

    ``place`` is a file, folder, setting or thing, ``field`` a part of it; both may be empty. ``command`` is one that
    helps: it stands in ``needs`` as `{command}`, without quotes, so that whoever knows more can complete it.
    """

    found: str
    needs: str = ""
    place: str = ""
    field: str = ""
    command: str = ""

    @property
    def remedy(self) -> str:
        """What is needed, with the command in it."""
        return self.needs.replace(COMMAND, f"`{self.command}`") if self.command else self.needs

    @property
    def message(self) -> str:
        """What was found and what is needed, without the place."""
        return f"{self.found}; {self.remedy}" if self.needs else self.found

    @property
    def statement(self) -> str:
        """The place and what was found, without what is needed."""
        return str(replace(self, needs=""))

    def for_stack(self, stack: str) -> Problem:
        """Return the problem with a command that names ``stack``, for who knows which one it is about."""
        unnamed = self.command and "--stack" not in self.command
        return replace(self, command=f"{self.command} --stack {stack}") if unnamed else self

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.field, self.message) if part)

    def at(self, place: str) -> Problem:
        """Return the problem at ``place``, with what was its place before as a part of that."""
        field = ": ".join(part for part in (self.place, self.field) if part)
        return replace(self, place=place, field=field)


class GitOpsStackError(Exception):
    """Carry the problems that stop a run; a text is a problem of which only the whole sentence is known.

    ``problems`` holds all of them, so that an operator repairs a file once and not once per run. The CLI prints
    ``findings``, one sentence each, without a traceback and exits with ``exit_code``: 1 for findings in the input, 2
    for usage or environment.
    """

    exit_code = 1

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(one if isinstance(one, Problem) else Problem(one) for one in problems)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(self.findings)

    @property
    def findings(self) -> tuple[str, ...]:
        """The problems, one sentence each."""
        return tuple(map(str, self.problems))

    @classmethod
    def raise_for(cls, problems: Iterable[Problem | str]) -> None:
        """Raise with all ``problems``, or return when there are none."""
        found = tuple(problems)
        if found:
            raise cls(*found)


@contextmanager
def commands_for(stack: str) -> Iterator[None]:
    """Have the commands of problems raised inside name ``stack``; those about the machine are of no stack."""
    try:
        yield
    except EnvironmentProblem:
        raise
    except GitOpsStackError as error:
        raise GitOpsStackError(*(problem.for_stack(stack) for problem in error.problems)) from None


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
