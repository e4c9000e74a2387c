"""A revision of this project: its code, run by the present interpreter, and the trees it comes with.

Another revision is only driven by its command line and its Pulumi program, which change less than its modules.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.gitops_tree.git_environment import load_git_environment


@dataclass(frozen=True)
class Checkout:
    """The revision ``name`` in the folder ``root``."""

    name: str
    root: Path

    @property
    def variables(self) -> dict[str, str]:
        """Return what lets every Python process import this revision's package: it wins over an installed one."""
        return {"PYTHONPATH": str(self.root)}

    def command(self, *arguments: str) -> list[str]:
        """Build the command line of this revision; to be run with :attr:`environment`."""
        return [str(Path(sys.executable).parent / "gitops-stack"), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """Return the whole environment of a command of this revision."""
        return {**os.environ, **load_git_environment(), **self.variables}

    def run(self, *arguments: str, project: Path) -> str:
        """Run a command of this revision in ``project`` and return what it printed. Raises when it fails."""
        return _run(self.command(*arguments), project, self.environment)

    def verify(self) -> Checkout:
        """Raise unless Python finds the package in this folder: two figures of the same code would say nothing."""
        code = "import gitops_stack.conventions as found; print(found.__file__)"
        found = Path(_run([sys.executable, "-c", code], Path("/"), self.environment).strip())
        if not found.resolve().is_relative_to(self.root.resolve()):
            raise RuntimeError(f"{self.root}: Python imports {found} in its place")
        return self


HERE = Checkout("this revision", Path(__file__).parents[1])


def check_out(revision: str, folder: Path) -> Checkout:
    """Write the files of ``revision`` into ``folder``. Raises when there is no such revision."""
    commit = git("rev-parse", "--short", "--verify", f"{revision}^{{commit}}").decode().strip()
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", commit))) as archive:
        archive.extractall(folder, filter="data")
    return Checkout(commit, folder).verify()


def describe() -> str:
    """Name the revision that is measured, and whether its files differ from it."""
    return git("describe", "--always", "--dirty=, changed", "--exclude=*").decode().strip()


def git(*arguments: str) -> bytes:
    """Run git on this project and return what it printed."""
    done = subprocess.run(["git", "-C", str(HERE.root), *arguments], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return done.stdout


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])}: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout
