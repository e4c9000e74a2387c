"""The phases of a run on a lab: each one timed, and named by whatever stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gitops_stack.errors import GitOpsStackError


@dataclass
class Phases:
    """How long each phase of a run took, in seconds and in their order."""

    seconds: dict[str, float] = field(default_factory=dict, kw_only=True)

    @contextmanager
    def phase(self, name: str, progress: Callable[[str], None]) -> Iterator[None]:
        """Time a phase and put its name before whatever stops it."""
        progress(f"{name} …")
        started = time.monotonic()
        try:
            yield
        except GitOpsStackError as error:
            # The engine's problems are at its command, which is the phase's name as well.
            error.problems = tuple(one if one.place == name else one.at(name) for one in error.problems)
            raise
        finally:
            self.seconds[name] = time.monotonic() - started
        progress(f"{name}: {self.seconds[name]:.1f} s")
