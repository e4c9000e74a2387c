"""Put a repository's working tree, committed or not, into a bare repository that the lab serves.

Reads the person's repository and never writes to it: what is new goes into the bare repository, which borrows all
other objects. What counts as part of the tree is what git would add, ignored files aside.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from gitops_stack.delivery.git_command import GitFailure, run_git
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.git_environment import build_settings_variables

# Always the same, so that an unchanged tree is an unchanged commit.
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "gitops-stack try"), ("EMAIL", "lab@localhost"), ("DATE", "2000-01-01T00:00:00Z"))
}

# A person's hooks and monitor are for their index, and not for ours.
_SETTINGS = {"core.hooksPath": os.devnull, "core.fsmonitor": "false", "advice.addEmbeddedRepo": "false"}


def find_repository(project: Path) -> Path:
    """Return the top folder of the repository ``project`` is in. Raises :class:`EnvironmentProblem` outside of one."""
    try:
        return Path(run_git(project, "rev-parse", "--show-toplevel"))
    except GitFailure as failure:
        if "not a git repository" not in failure.output:
            raise EnvironmentProblem(*failure.problems) from None
        raise EnvironmentProblem(
            Problem(
                "is not in a Git repository, and Argo CD reads from one",
                "run `git init` there",
                f"{project.absolute()}",
            )
        ) from None


def seed_repository(project: Path, repository: Path, branch: str, others: Iterable[str]) -> str:
    """Make the working tree around ``project`` the one commit of ``branch`` in ``repository``; returns the commit.

    ``branch`` is a name, or a whole ref such as `refs/heads/main`.

    The whole repository is taken, so that paths stay what they are. ``others`` are more revisions that are served,
    as the person's repository knows them; what it does not know is left out.
    """
    try:
        return _seed(project, repository, branch, others)
    except GitFailure as failure:  # whose constructor is not that of other problems
        raise EnvironmentProblem(*failure.problems) from None


def _seed(project: Path, repository: Path, branch: str, others: Iterable[str]) -> str:
    top = find_repository(project)
    index, objects, shallow = (_git_path(top, name) for name in ("index", "objects", "shallow"))
    if not (repository / "HEAD").is_file():
        run_git(repository.parent, "init", "--quiet", "--bare", "--template=", str(repository))  # no hooks of a person
    (repository / "objects" / "info" / "alternates").write_text(f"{objects}\n", encoding="utf-8")
    (repository / "shallow").unlink(missing_ok=True)
    if shallow.is_file():
        shutil.copy2(shallow, repository)  # or git would look for parents that are not there
    own = repository / "seed-index"
    for left in (own, own.with_name("seed-index.lock")):  # the second, of a run that was killed
        left.unlink(missing_ok=True)
    if index.is_file():
        shutil.copy2(index, own)  # with its time: git takes files changed at or after it for changed
    variables = {
        **_IDENTITY,
        **build_settings_variables(_SETTINGS, os.environ),
        "GIT_INDEX_FILE": str(own),
        "GIT_OBJECT_DIRECTORY": str(repository / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
    }
    # A lab's folder that nobody ignores holds sockets and a database.
    run_git(top, "add", "--all", "--", ".", ":(exclude,glob)**/.lab/**", variables=variables)
    tree = run_git(top, "write-tree", variables=variables)
    commit = run_git(top, "commit-tree", tree, "-m", "The working tree", variables=variables)
    followed = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
    run_git(repository, "update-ref", followed, commit)
    run_git(repository, "symbolic-ref", "HEAD", followed)
    for name, found in _find_others(top, others).items():
        run_git(repository, "update-ref", name, found)
    return commit


def _git_path(top: Path, name: str) -> Path:
    return (top / run_git(top, "rev-parse", "--git-path", name)).resolve()


def _find_others(top: Path, revisions: Iterable[str]) -> Mapping[str, str]:
    """Find the commits of revisions, by the name under which they are served."""
    found = {}
    for revision in revisions:
        short = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        for place, served in (("tags", "tags"), ("remotes/origin", "heads"), ("heads", "heads")):
            try:
                commit = run_git(top, "rev-parse", "--verify", "--quiet", f"refs/{place}/{short}^{{commit}}")
            except GitFailure:
                continue
            found[f"refs/{served}/{short}"] = commit
            break
    return found
