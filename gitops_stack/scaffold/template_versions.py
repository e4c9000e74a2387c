"""The template's versions as they ship in the package, and the git repository copier wants them in.

Copier merges three ways between two tags of a git repository. The package holds every released version as a folder
(`template/v1`, `template/v2`, …); the repository is made of them in a temporary folder whenever it is needed, one
commit and one tag each. Projects remember an address that is the same on every machine, and git is told for the
length of one call that it means this folder (docs/adr/0008-scaffold.md).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem, last_line
from gitops_stack.gitops_tree.git_environment import build_isolated_environment, build_settings_variables
from gitops_stack.gitops_tree.git_program import start_git

ADDRESS = "package://gitops-stack/template.git"
VERSIONS = Path(__file__).parent / "template"
_VERSION = re.compile(r"v(\d+)")
_IDENTITY = {
    "GIT_AUTHOR_NAME": "gitops-stack",
    "GIT_AUTHOR_EMAIL": "template@localhost",
    "GIT_COMMITTER_NAME": "gitops-stack",
    "GIT_COMMITTER_EMAIL": "template@localhost",
}


def load_versions(folder: Path = VERSIONS) -> list[Path]:
    """List the folders of all template versions, oldest first."""
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := _VERSION.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


@contextmanager
def template_repository(folder: Path = VERSIONS) -> Iterator[dict[str, str]]:
    """Make the git repository of all versions in ``folder`` and yield the variables under which ADDRESS means it.

    It is gone when the block ends. Raises :class:`EnvironmentProblem` when git is missing or fails.
    """
    with tempfile.TemporaryDirectory(prefix="gitops-stack-template-") as made:
        repository, cache = Path(made) / "repository", Path(made) / "cache"
        repository.mkdir()
        _git(repository, "init", "--quiet")
        for version in load_versions(folder):
            for entry in repository.iterdir():
                if entry.name != ".git":
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            # Not with the times of the originals: git takes a file of the same size, second and inode for unchanged,
            # unless it was written in the very second of its index.
            shutil.copytree(
                version, repository, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"),
                copy_function=shutil.copyfile,
            )  # fmt: skip
            _git(repository, "add", "--all", "--force")
            _git(repository, "commit", "--quiet", "--allow-empty", "--message", version.name)
            _git(repository, "tag", version.name)
        # Copier calls `git remote update`, which fetches every remote a person's own settings know unless a group is
        # named.
        settings = {f"url.{repository}.insteadOf": ADDRESS, "remotes.default": "origin"}
        yield {**build_settings_variables(settings, os.environ), "COPIER_CACHE_DIR": str(cache)}


def _git(folder: Path, *arguments: str) -> None:
    done = start_git(folder, *arguments, environment=build_isolated_environment() | _IDENTITY)
    if done.returncode:
        raise EnvironmentProblem(
            Problem(
                f"failed while the template was unpacked: {last_line(done.stderr)}", "repair git", f"git {arguments[0]}"
            )
        )
