"""The branch that Argo CD follows, held against a folder of a clone. Nothing is fetched and nothing written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gitops_stack.gitops_tree.git_environment import build_caller_environment, load_git_environment
from gitops_stack.gitops_tree.git_program import start_git
from gitops_stack.gitops_tree.release import NoRevisionError, load_head
from gitops_stack.patterns import is_commit

SECONDS = 30.0


@dataclass(frozen=True)
class FollowedBranch:
    """A branch at the commit ``head``, beside ``folder`` of a clone. Each question is asked of git once.

    ``environment`` is git's; default: the caller's.
    """

    folder: Path
    head: str
    environment: Mapping[str, str] | None = None

    @cached_property
    def is_here(self) -> bool:
        """Whether the clone has the branch's commit."""
        return self._ask("cat-file", "-e", f"{self.head}^{{commit}}") is not None

    @cached_property
    def is_clean(self) -> bool:
        """Whether nothing in the folder is uncommitted."""
        return self._ask("status", "--porcelain", "--", ".") == ""

    @property
    def is_taken(self) -> bool:
        """Whether HEAD of the clone is the branch's commit or follows it."""
        return self.is_here and self._ask("merge-base", "--is-ancestor", self.head, "HEAD") is not None

    def find_difference(self) -> str:
        """Return why the branch cannot be taken for the folder at hand; empty when they agree."""
        if not self.is_here:
            return f"it is at {self.head[:12]}, which this clone does not have; fetch it"
        if not self.is_clean:
            return f"{self.folder} has changes that are not committed; commit and push them"
        if self._ask("diff", "--quiet", self.head, "HEAD", "--", ".") is None:
            differs = f"its {self.folder.name} folder at {self.head[:12]} differs from the one at hand"
            return f"{differs}; push this one, or check that one out"
        return ""

    def find_unpushed(self) -> str:
        """Return why the branch may lack what the folder has.

        Empty when what is at hand has been pushed, whatever came after it, and when that cannot be told: without a
        clone, and with one that lacks the branch's commit, as a pipeline's.
        """
        if not self.is_here:
            return ""
        pushed = self.is_clean and self._ask("merge-base", "--is-ancestor", "HEAD", self.head) is not None
        return "" if pushed else self.find_difference()

    def _ask(self, *arguments: str) -> str | None:
        """Return what git prints; None when its answer is no."""
        done = start_git(self.folder, *arguments, environment=_complete(self.environment), seconds=SECONDS)
        return None if done.returncode else done.stdout


def find_missing_commit(
    clone: Path, repo_url: str, revision: str, environment: Mapping[str, str] | None = None
) -> str | None:
    """Return the commit ``revision`` of ``repo_url`` stands at, unless HEAD of ``clone`` is or follows it.

    A `pulumi up` from an older clone would set a living Argo CD back for as long as it takes to heal itself. None as
    well for a revision that cannot move on, which is a commit, and for one that is not there yet.
    Raises :class:`EnvironmentProblem` when the remote cannot be read.
    """
    if is_commit(revision):
        return None
    try:
        head = load_head(repo_url, revision, SECONDS, _complete(environment))
    except NoRevisionError:
        return None
    return None if FollowedBranch(clone, head, environment).is_taken else head


def _complete(environment: Mapping[str, str] | None) -> dict[str, str]:
    if environment is None:
        return {**build_caller_environment(), **load_git_environment()}
    return {**environment, "PATH": environment.get("PATH", os.defpath)}
