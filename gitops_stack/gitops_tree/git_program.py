"""Start git: the one place that does, so that it never waits for a person and never takes for ever.

What an exit code means, and the sentence about it, is its caller's. The environment is one of `git_environment`'s.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem

_SECONDS = 300.0
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}


class GitTimeout(EnvironmentProblem):
    """Git did not end in its time."""


def start_git(
    folder: Path | None,
    *arguments: str,
    environment: Mapping[str, str],
    text: str | None = None,
    seconds: float = _SECONDS,
    errors: str = "replace",
) -> subprocess.CompletedProcess[str]:
    """Run git in ``folder``, or where this process is; ``text`` goes to its standard input.

    ``errors`` is how bytes that are no UTF-8 are read: `surrogateescape` where names of files are printed.
    Raises :class:`EnvironmentProblem` when there is no git, :class:`GitTimeout` when it does not end in ``seconds``.
    """
    place = ["-C", str(folder)] if folder else []
    try:
        return subprocess.run(
            ["git", *place, *arguments],
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors=errors,
            env={**_QUIET, **environment},
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise EnvironmentProblem(Problem("no git found", "install git", "PATH")) from None
    except subprocess.TimeoutExpired:
        name = next((one for one in arguments if not one.startswith("-") and "=" not in one), "git")
        where = f"{folder}: " if folder else ""
        raise GitTimeout(f"{where}git {name} did not end in {seconds:g} s; check the network") from None


def answer_fetch(repository: Path, *options: str, body: bytes, environment: Mapping[str, str]) -> bytes:
    """Answer one request of a client that fetches from ``repository``, as a server does (git-http-backend(1)).

    Raises ``CalledProcessError`` for what is no such request.
    """
    command = ["git", "upload-pack", "--stateless-rpc", *options, str(repository)]
    return subprocess.run(command, input=body, capture_output=True, check=True, env=dict(environment)).stdout
