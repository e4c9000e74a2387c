"""Look at two revisions of the repository at once, each in a worktree that is gone afterwards."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem, last_line
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.git_program import start_git
from gitops_stack.patterns import same_repository

_SECONDS = 120.0


def read_range(project: Path, written: str) -> tuple[str, str]:
    """Resolve BASE..HEAD, or BASE...HEAD from where the two parted, to two commits; an empty side is HEAD.

    Raises :class:`EnvironmentProblem` for a range that is none and a revision that is not there.
    """
    base, dots, head = written.partition("..")
    if not dots:
        raise EnvironmentProblem(Problem(f"found {written}", "name two revisions: BASE..HEAD", "diff"))
    parted = head.startswith(".")
    sides = [_commit(project, side or "HEAD") for side in (base, head.lstrip("."))]
    if parted:
        sides[0] = _git(project, "merge-base", *sides)
    return sides[0], sides[1]


@dataclass(frozen=True)
class Base:
    """The commit a working tree is compared with, and what it is in words."""

    commit: str
    words: str


def read_base(project: Path, written: str | None, branch: str, repo_url: str, option: str = "--base") -> Base:
    """Resolve what the working tree is compared with.

    That is ``written``; else where HEAD parted from ``branch``, of the remote that is ``repo_url``, of `origin`, or
    the local one; else HEAD. Raises :class:`EnvironmentProblem` for a revision that is not there, and for a shallow
    clone, in which nothing tells where HEAD parted.
    """
    if written is not None:
        return Base(_commit(project, written, option), written)
    head = _commit(project, "HEAD", "--base")
    branch = branch.removeprefix("refs/heads/")  # which is how a stack file may name it, too
    names = [f"refs/remotes/{remote}/{branch}" for remote in _remotes(project, repo_url)]
    for name in (*names, f"refs/heads/{branch}"):
        if not _git_or_nothing(project, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
            continue
        short = name.removeprefix("refs/remotes/").removeprefix("refs/heads/")
        if parted := _git_or_nothing(project, "merge-base", name, "HEAD"):
            return Base(parted, short if parted == head else f"where HEAD parted from {short}")
    if _git(project, "rev-parse", "--is-shallow-repository") == "true":
        raise EnvironmentProblem(
            Problem(
                f"is a shallow clone, which does not tell where HEAD parted from {branch}",
                "fetch all of its history, or name --base or --all",
                str(project),
            )
        )
    return Base(head, f"HEAD, as {branch} is not here")


def load_remote_urls(project: Path) -> list[str]:
    """Return the URLs of a clone's remotes; none outside of a clone."""
    resolved = project.resolve()
    if not any((place / ".git").exists() for place in (resolved, *resolved.parents)):
        return []
    return [words[1] for words in _load_remotes(project)]


def _load_remotes(project: Path) -> list[list[str]]:
    lines = [line.split() for line in _git_or_nothing(project, "remote", "-v").splitlines()]
    return [words for words in lines if len(words) > 1]


def _remotes(project: Path, repo_url: str) -> list[str]:
    fitting = [words[0] for words in _load_remotes(project) if same_repository(words[1], repo_url)]
    return list(dict.fromkeys([*fitting, "origin"]))


def find_revision(project: Path, written: str, repo_url: str) -> str | None:
    """Resolve a `targetRevision` of the repository to the commit that was last fetched of it; none if it is not here.

    As Argo CD asks the remote, its branches come before tags. Raises :class:`EnvironmentProblem` where no git is.
    """
    name = written.removeprefix("refs/heads/")
    candidates = [f"refs/remotes/{remote}/{name}" for remote in _remotes(project, repo_url)]
    candidates += [written] if written.startswith("refs/") else [f"refs/tags/{written}", f"refs/heads/{written}"]
    candidates += [written] if re.fullmatch(r"[0-9A-Fa-f]{7,40}", written) else []
    for candidate in candidates:
        if found := _git_or_nothing(project, "rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}"):
            return found
    return None


def load_followed_branches(project: Path, repo_url: str) -> tuple[str, str]:
    """Return the branch that is checked out and the remote's default one, as far as the clone knows; else empty."""
    current = _git_or_nothing(project, "symbolic-ref", "--quiet", "--short", "HEAD")
    for remote in _remotes(project, repo_url):
        head = _git_or_nothing(project, "symbolic-ref", "--quiet", f"refs/remotes/{remote}/HEAD")
        if head:
            return current, head.removeprefix(f"refs/remotes/{remote}/")
    return current, ""


def export_revision(project: Path, commit: str, folder: Path) -> Path:
    """Write the files of ``commit`` below ``folder``; returns the folder of the project in it. No worktree is made."""
    inner = _git(project, "rev-parse", "--show-prefix")
    index = {"GIT_INDEX_FILE": str(folder.with_name(f"{folder.name}.index"))}
    top = Path(_git(project, "rev-parse", "--show-toplevel"))
    _git(top, "read-tree", commit, variables=index)
    _git(top, "checkout-index", "--all", f"--prefix={folder}/", variables=index)
    return folder / inner


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
            remove = ("worktree", "remove", "--force", "--force", str(folder))
            start_git(project, *remove, environment=build_caller_environment(), seconds=_SECONDS)


def _commit(project: Path, revision: str, place: str = "diff") -> str:
    wanted = f"{revision}^{{commit}}"
    about = f"{place}: {revision}"
    return _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted, about=about)


def _git_or_nothing(project: Path, *arguments: str) -> str:
    try:
        return _git(project, *arguments)
    except EnvironmentProblem:
        return ""


def _git(project: Path, *arguments: str, about: str = "", variables: Mapping[str, str] | None = None) -> str:
    environment = {**build_caller_environment(), **(variables or {})}
    done = start_git(project, *arguments, environment=environment, seconds=_SECONDS)
    if done.returncode:
        if about and "not a git repository" not in done.stderr:
            raise EnvironmentProblem(Problem(f"{about} is not a revision here", "fetch it, or correct its name"))
        if "not a git repository" in done.stderr:
            raise EnvironmentProblem(
                Problem("is not in a Git repository", "run it in the repository of the tree", str(project))
            )
        raise EnvironmentProblem(
            Problem(f"git failed: {last_line(done.stderr)}", "run it in the repository of the tree", str(project))
        )
    return done.stdout.strip()
