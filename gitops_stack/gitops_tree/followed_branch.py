"""Whether a clone has what the branch has that Argo CD follows.

A `pulumi up` from an older clone would set a living Argo CD back for as long as it takes to heal itself.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, last_line
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.git_program import start_git

_SECONDS = 30.0
_COMMIT = re.compile(r"[0-9a-f]{40}")


def find_missing_commit(
    clone: Path, repo_url: str, revision: str, environment: Mapping[str, str] | None = None
) -> str | None:
    """Return the commit ``revision`` of ``repo_url`` stands at, unless HEAD of ``clone`` is or follows it.

    None as well for a revision that cannot move on, which is a commit, and for one that is not there yet. Nothing is
    fetched and nothing written. ``environment`` is git's; default: the caller's.
    Raises :class:`EnvironmentProblem` when the remote or the clone cannot be read.
    """
    if _COMMIT.fullmatch(revision):
        return None
    variables = environment if environment is not None else build_caller_environment()
    heads = _git(clone, variables, "ls-remote", repo_url, f"refs/heads/{revision.removeprefix('refs/heads/')}")
    if not heads:
        return None
    commit = heads.split()[0]
    known = _is(clone, variables, "cat-file", "-e", f"{commit}^{{commit}}")
    return None if known and _is(clone, variables, "merge-base", "--is-ancestor", commit, "HEAD") else commit


def _git(clone: Path, environment: Mapping[str, str], *arguments: str) -> str:
    done = _run(clone, environment, arguments)
    if done.returncode:
        raise EnvironmentProblem(f"{clone}: git {arguments[0]} {arguments[1]} failed: {last_line(done.stderr)}")
    return done.stdout


def _is(clone: Path, environment: Mapping[str, str], *arguments: str) -> bool:
    return _run(clone, environment, arguments).returncode == 0


def _run(clone: Path, environment: Mapping[str, str], arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    path = {"PATH": environment.get("PATH", os.defpath)}
    return start_git(clone, *arguments, environment={**environment, **path}, seconds=_SECONDS)
