"""Look at two revisions of the repository at once, each in a worktree that is gone afterwards."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, last_line
from gitops_stack.gitops_tree.git_environment import build_caller_environment

_SECONDS = 120.0


def read_range(project: Path, written: str) -> tuple[str, str]:
    """Resolve BASE..HEAD, or BASE...HEAD from where the two parted, to two commits; an empty side is HEAD.

    Raises :class:`EnvironmentProblem` for a range that is none and a revision that is not there.
    """
    base, dots, head = written.partition("..")
    if not dots:
        raise EnvironmentProblem(f"diff: found {written}; name two revisions: BASE..HEAD")
    parted = head.startswith(".")
    sides = [_commit(project, side or "HEAD") for side in (base, head.lstrip("."))]
    if parted:
        sides[0] = _git(project, "merge-base", *sides)
    return sides[0], sides[1]


@contextmanager
def open_revision(project: Path, commit: str) -> Iterator[Path]:
    """Check ``commit`` out in a temporary worktree; yields the folder of the project in it."""
    inner = _git(project, "rev-parse", "--show-prefix")
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as made:
        folder = Path(made).resolve() / "tree"
        try:
            # No hooks: a checkout of a person's repository may start anything.
            _git(
                project, "-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", "--force", str(folder), commit
            )
            yield folder / inner
        finally:
            command = ["git", "-C", str(project), "worktree", "remove", "--force", "--force", str(folder)]
            subprocess.run(command, capture_output=True, env=build_caller_environment(), timeout=_SECONDS, check=False)


def _commit(project: Path, revision: str) -> str:
    return _git(
        project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", about=revision
    )


def _git(project: Path, *arguments: str, about: str = "") -> str:
    command = ["git", "-C", str(project), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=build_caller_environment(), timeout=_SECONDS, check=False
        )
    except FileNotFoundError:
        raise EnvironmentProblem("PATH: no git found; install git") from None
    except subprocess.TimeoutExpired:
        raise EnvironmentProblem(f"{project}: git did not answer in {_SECONDS:.0f} s; is the disk full?") from None
    if done.returncode:
        if about:
            raise EnvironmentProblem(f"diff: {about} is no revision here; fetch it, or correct its name")
        raise EnvironmentProblem(
            f"{project}: git failed: {last_line(done.stderr)}; run it in the repository of the tree"
        )
    return done.stdout.strip()
