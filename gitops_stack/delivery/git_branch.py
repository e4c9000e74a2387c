"""Bring a planned change into a remote repository, beside whoever else writes to it.

The work is done in a temporary worktree that is fetched fresh: the caller's own files, index and branches stay as they
are. When somebody else was quicker, the change is planned again on what they pushed; texts are never merged, and
nothing is ever overwritten: there is no push by force.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from typing_extensions import Self

from gitops_stack.delivery.git_command import GitFailure, run_git
from gitops_stack.delivery.git_remote import HEADS, find_checkout
from gitops_stack.delivery.message import is_own_commit
from gitops_stack.errors import EnvironmentProblem, Problem

ATTEMPTS = 10
"""Pushes tried before giving up. Of several writers one gets through each round, so ten at once all do."""

Rendered = TypeVar("Rendered")
"""What the caller renders of a tree; nothing here looks into it."""


class AnyPlan(Protocol):
    """What is brought into a repository, whatever it is about."""

    @property
    def changes(self) -> Sequence[object]:
        """What changes, in the caller's words; empty when everything is as wanted already."""

    @property
    def texts(self) -> Mapping[str, str | bytes]:
        """Path from the repository's root -> new content of the file."""

    def with_warnings(self, warnings: Sequence[str]) -> Self:
        """Return the plan with what the proof warns of."""


PlanType = TypeVar("PlanType", bound=AnyPlan)

# What the client and receive-pack say when the branch has moved since the fetch.
_OVERTAKEN = re.compile(
    r"\[rejected\]|\[remote rejected\] \((cannot lock ref|failed to update ref|incorrect old value|reference already)"
)
_REFUSED = re.compile(r"\[remote rejected\] \((?P<why>[^)]*)\)")


@dataclass(frozen=True)
class Destination:
    """Where a change goes. ``repository`` is any folder of a checkout; ``author`` is (name, e-mail) or git's own."""

    repository: Path
    remote: str = "origin"
    base: str = "main"
    direct: bool = False
    dry_run: bool = False
    author: tuple[str, str] | None = None


@dataclass(frozen=True)
class Delivered(Generic[PlanType, Rendered]):
    """What was done: ``commit`` is None where nothing was pushed. ``before`` and ``after`` are what was rendered."""

    plan: PlanType
    base: str
    branch: str | None = None
    commit: str | None = None
    pushed: bool = False
    before: Rendered | None = None
    after: Rendered | None = None


class Change(Protocol[PlanType, Rendered]):
    """What goes into Git. ``tree`` is the folder of a worktree; all but the message may be asked several times."""

    def plan(self, tree: Path) -> PlanType:
        """Plan it on the files in ``tree``. Raises :class:`GitOpsStackError`."""

    def build_message(self, plan: PlanType) -> str:
        """Build the commit's message."""

    def build_branch(self, plan: PlanType) -> str:
        """Build a branch name that is the same for the same change: a second run finds it."""

    def render(self, tree: Path, plan: PlanType) -> Rendered | None:
        """Render what ``plan`` changes."""

    def prove(self, tree: Path, plan: PlanType, before: Rendered | None, after: Rendered | None) -> list[str]:
        """Hold ``plan``, which is written, against the renders right before and after it.

        Returns warnings; raises :class:`GitOpsStackError` to refuse it.
        """


def deliver(destination: Destination, change: Change[PlanType, Rendered]) -> Delivered[PlanType, Rendered]:
    """Plan on the remote's newest base, commit and push; on a branch of its own, or straight to the base.

    Without a change nothing is committed. Raises :class:`GitOpsStackError` as ``change`` does,
    :class:`EnvironmentProblem` for git and the remote.
    """
    with _worktree(destination.repository) as (top, tree):
        work = _Work(destination, top, tree, change)
        for _ in range(ATTEMPTS):
            if delivered := work.attempt():
                return delivered
    raise EnvironmentProblem(
        Problem(
            f"others pushed first {ATTEMPTS} times in a row",
            "nothing was pushed, so run the command again",
            f"{destination.remote}/{destination.base}",
        )
    )


@contextmanager
def open_copy(tree: Path) -> Iterator[Path]:
    """Copy a worktree with what is written in it; its HEAD and index are its own, so that no git in it moves ours."""
    with _worktree(tree) as (_, copy):
        run_git(copy, "reset", "--quiet", "--soft", run_git(tree, "rev-parse", "HEAD"))
        for name in (one for one in tree.iterdir() if one.name != ".git"):
            if name.is_dir() and not name.is_symlink():
                shutil.copytree(name, copy / name.name, symlinks=True)
            else:
                shutil.copy2(name, copy / name.name, follow_symlinks=False)
        run_git(copy, "reset", "--quiet")
        yield copy


@contextmanager
def _worktree(repository: Path) -> Iterator[tuple[Path, Path]]:
    top, _ = find_checkout(repository)
    folder = Path(tempfile.mkdtemp(prefix="gitops-stack-"))
    tree = folder / "tree"
    try:
        run_git(top, "worktree", "add", "--quiet", "--detach", "--no-checkout", str(tree))
        yield top, tree.resolve()
    finally:
        with suppress(EnvironmentProblem):
            run_git(top, "worktree", "remove", "--force", str(tree))
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Work(Generic[PlanType, Rendered]):
    destination: Destination
    top: Path
    tree: Path
    change: Change[PlanType, Rendered]

    def attempt(self) -> Delivered[PlanType, Rendered] | None:
        """Plan and push once. Returns None when somebody else was quicker."""
        to = self.destination
        base = self._fetch(to.base)
        self._reset(base)
        plan = self.change.plan(self.tree)
        if not plan.changes:
            return Delivered(plan, to.base)
        branch = to.base if to.direct else self.change.build_branch(plan)
        before = self.change.render(self.tree, plan)
        if to.dry_run:
            plan, after = self._write(plan, before)
            return Delivered(plan, to.base, branch, None, False, before, after)
        there = None if to.direct else self._find(branch)
        if there is not None:
            on_top = self._continue(there, base)
            if not on_top.changes:
                after = self.change.render(self.tree, plan)
                return Delivered(plan, to.base, branch, there, False, before, after)
            plan = on_top
        plan, after = self._write(plan, before if there is None else self.change.render(self.tree, plan))
        commit = self._commit(plan)
        return Delivered(plan, to.base, branch, commit, True, before, after) if self._push(branch) else None

    def _continue(self, there: str, base: str) -> PlanType:
        """Go on from a branch of an earlier run, so that the push is a fast-forward. Returns what is left to do.

        A branch that is merged already, or that holds nothing but our own commits on an older base, is brought to the
        new base: the change is planned there, and the old commits stay in history as a parent. On a branch that people
        have added to, or that is up to date, work goes on at its end.
        """
        if self._is_ancestor(base, there):
            self._reset(there)
        elif not self._is_ancestor(there, base):
            if self._all_own(base, there):
                self._git("merge", "--quiet", "--strategy=ours", "--no-commit", "--allow-unrelated-histories", there)
            else:
                self._reset(there)
        return self.change.plan(self.tree)

    def _all_own(self, base: str, there: str) -> bool:
        messages = self._git("log", "--no-merges", "--format=%B%x00", f"{base}..{there}").split("\0")
        return all(is_own_commit(message) for message in messages if message.strip())

    def _fetch(self, branch: str) -> str:
        to = self.destination
        name = branch.removeprefix(HEADS)
        try:
            self._ask("fetch", "--quiet", "--no-tags", "--refmap=", "--no-recurse-submodules", to.remote, HEADS + name)
        except GitFailure as failure:
            if "find remote ref" in failure.output:
                raise EnvironmentProblem(Problem(f"has no branch {name}", "name one with --base", to.remote)) from None
            raise
        return self._git("rev-parse", "--verify", "FETCH_HEAD^{commit}")

    def _find(self, branch: str) -> str | None:
        found = self._ask("ls-remote", self.destination.remote, f"{HEADS}{branch}")
        return self._fetch(branch) if found else None

    def _reset(self, commit: str) -> None:
        self._git("reset", "--quiet", "--hard", commit)

    def _write(self, plan: PlanType, before: Rendered | None) -> tuple[PlanType, Rendered | None]:
        """Write the change and prove it. Returns the plan with what the proof warns of, and the render."""
        for path, text in plan.texts.items():
            (self.tree / path).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / path).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        after = self.change.render(self.tree, plan)
        warnings = self.change.prove(self.tree, plan, before, after)
        return plan.with_warnings(warnings), after

    def _commit(self, plan: PlanType) -> str:
        author = self.destination.author
        identity = ("-c", f"user.name={author[0]}", "-c", f"user.email={author[1]}") if author else ()
        self._git("add", "--all")
        try:
            message = self.change.build_message(plan)
            run_git(self.tree, *identity, "commit", "--quiet", "--cleanup=verbatim", "--file=-", text=message)
        except GitFailure as failure:
            if "Please tell me who you are" in failure.output or "empty ident" in failure.output:
                raise EnvironmentProblem(
                    Problem(
                        "does not know who commits",
                        "give --author 'NAME <EMAIL>', or set user.name and user.email",
                        "git",
                    )
                ) from None
            raise
        return self._git("rev-parse", "HEAD")

    def _push(self, branch: str) -> bool:
        to = self.destination
        name = branch.removeprefix(HEADS)
        try:
            self._ask("push", "--quiet", "--porcelain", to.remote, f"HEAD:{HEADS}{name}")
        except GitFailure as failure:
            if _OVERTAKEN.search(failure.output):
                return False
            if refused := _REFUSED.search(failure.output):
                remedy = "leave out --push to open a pull request" if to.direct else "check the branch's protection"
                raise EnvironmentProblem(
                    Problem(f"refuses the push: {refused['why']}", remedy, f"{to.remote}/{name}")
                ) from None
            raise
        return True

    def _is_ancestor(self, one: str, other: str) -> bool:
        try:
            self._git("merge-base", "--is-ancestor", one, other)
        except GitFailure as failure:
            if failure.output.strip():  # it says nothing when the answer is no
                raise
            return False
        return True

    def _ask(self, *arguments: str) -> str:
        # From the checkout's own folder: a remote such as ../remote.git is relative to where git runs. By the
        # worktree's git folder: HEAD and FETCH_HEAD are its own.
        return run_git(self.top, f"--git-dir={self._git('rev-parse', '--absolute-git-dir')}", *arguments)

    def _git(self, *arguments: str) -> str:
        return run_git(self.tree, *arguments)
