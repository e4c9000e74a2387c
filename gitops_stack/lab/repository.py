"""Bring the lab's repository and clone to where a run can start, and delete nothing of a person's on the way.

A clone belongs to people from its first commit on. What cannot be continued is refused or moved aside, never removed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.followed_branch import find_missing_commit
from gitops_stack.lab.backend import has_made, load_salt
from gitops_stack.lab.commands import build_command
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.workspace import Workspace

SEED_MESSAGE = "Seed the GitOps tree"
_SHOWN_FILES = 3


@dataclass(frozen=True)
class Preparation:
    """What a repository is prepared from: the project, and the cluster its stack is pointed at, if any."""

    workspace: Workspace
    engine: Engine
    project: Path
    cluster: tuple[Path, str] | None
    progress: Callable[[str], None]

    def run(self) -> None:
        """Seed repository and clone, restore the one from the other, or take what was pushed since.

        Raises :class:`EnvironmentProblem` for a clone that lacks what Argo CD follows and cannot take it.
        """
        for sentence in self.engine.clear_dead_lock():
            self.progress(sentence)
        workspace = self.workspace
        if self._mark.exists() and not self._is_pushed():
            self._move_aside()
        if not workspace.seeded:
            if _has_files(workspace.directory):
                self._restore_repository()
            else:
                self._seed()
            return
        restore_clone(workspace, self.progress)
        self._check_clone()
        if self._is_untouched():
            self.progress("nothing is installed and the clone has no changes: seeding it from the project again")
            self._mark.touch()  # before anything goes: killed here, the next run seeds
            shutil.rmtree(workspace.repository)
            shutil.rmtree(workspace.directory)
            self._seed()
            return
        self._update()
        self.engine.select_stack()

    @property
    def _mark(self) -> Path:
        """A file that is there while a seed is being made, and after a kill until it is made again."""
        return self.workspace.repository.with_name("seeding")

    def _is_pushed(self) -> bool:
        repository = self.workspace.repository
        return (repository / "HEAD").is_file() and self.workspace.seeded

    def _move_aside(self) -> None:
        """Make room for a seed after one that was killed; the clone is kept, as somebody may have looked into it."""
        shutil.rmtree(self.workspace.repository, ignore_errors=True)  # nothing was ever pushed to it
        directory = self.workspace.directory
        if _has_files(directory):
            aside = _find_free(directory.with_name("unfinished"))
            directory.rename(aside)
            self.progress(f"{directory}: was seeded half by a run that was killed; it is {aside.name} now")

    def _seed(self) -> None:
        self._mark.touch()
        for folder in (self.workspace.repository, self.workspace.directory):
            shutil.rmtree(folder, ignore_errors=True)  # without a ref, and without a file
        self.workspace.write(self.project, self.cluster)
        self._write_salt()
        self.engine.select_stack()  # writes the encryption salt of a new stack into its file, so before the commit
        self.workspace.commit_and_push(SEED_MESSAGE)
        self._mark.unlink()

    def _write_salt(self) -> None:
        """Give a seed for a stack that is there the salt of its state, without which its secrets cannot be read."""
        salt = load_salt(self.engine.backend.load_deployment(self.workspace.stack))
        file = self.workspace.directory / f"Pulumi.{self.workspace.stack}.yaml"
        text = file.read_text(encoding="utf-8")
        if salt and "\nencryptionsalt:" not in f"\n{text}":
            file.write_text(f"{text.rstrip()}\nencryptionsalt: {salt}\n", encoding="utf-8")

    def _restore_repository(self) -> None:
        """Make the missing repository again: with what the clone knows of it, or the clone's own branch."""
        workspace = self.workspace
        if not (workspace.directory / ".git").exists() or not workspace.git("rev-list", "--all", "--max-count=1"):
            raise EnvironmentProblem(
                Problem(
                    f"holds files and no commit, and {workspace.repository} is missing",
                    "move it away, then run the same command again to seed both again",
                    str(workspace.directory),
                )
            )
        self._check_clone()
        branch = workspace.settings().gitops.revision
        shutil.rmtree(workspace.repository, ignore_errors=True)  # without a ref
        workspace.make_repository(branch)
        pushed = workspace.git("for-each-ref", "refs/remotes/origin", "--format=%(refname:lstrip=3)").split()
        known = [name for name in pushed if name != "HEAD"]
        specs = [f"refs/remotes/origin/{name}:refs/heads/{name}" for name in known]
        if branch not in known:
            specs.append(f"HEAD:refs/heads/{branch}")
        workspace.git("push", "--quiet", str(workspace.repository), *specs)
        self.progress(
            f"{workspace.repository}: was missing; it is made again from the clone beside it, with "
            f"{'what was pushed from there' if branch in known else 'its commits'}"
        )
        self._update()
        self.engine.select_stack()

    def _check_clone(self) -> None:
        workspace = self.workspace
        for name in (".git", "Pulumi.yaml", f"Pulumi.{workspace.stack}.yaml"):
            if not (workspace.directory / name).exists():
                stacks = sorted(file.stem.removeprefix("Pulumi.") for file in workspace.directory.glob("Pulumi.*.yaml"))
                raise EnvironmentProblem(
                    f"{workspace.directory}: has no {name}; bring it back from Git, or move the folder away and run "
                    "the same command again: it is cloned anew"
                    if name in {".git", "Pulumi.yaml"} or not stacks
                    else f"{workspace.directory}: is a clone for stack {', '.join(stacks)}, and a lab holds one stack; "
                    f"bring {workspace.stack} up in another lab, with --name {workspace.stack}"
                )

    def _is_untouched(self) -> bool:
        """Tell whether clone and repository are as they were seeded, and nothing was ever made from them."""
        workspace = self.workspace
        backend = self.engine.backend
        if has_made(backend.load_deployment(workspace.stack)) or has_made(backend.load_copy(workspace.stack)):
            return False  # the copy, of a state that was lost: what it made is in the cluster still
        refs = workspace.git("for-each-ref", "--format=%(objectname)", cwd=workspace.repository).split()
        own = workspace.git("for-each-ref", "--format=%(objectname)").split()
        if len(refs) != 1 or {*own, workspace.git("rev-parse", "HEAD")} != set(refs):
            return False
        seed = workspace.git("log", "--format=%s", refs[0]).splitlines() == [SEED_MESSAGE]
        return seed and not workspace.git("status", "--porcelain", "--ignored")

    def _update(self) -> None:
        """Take what others pushed; refuse when the clone lacks it and cannot take it."""
        workspace = self.workspace
        branch = workspace.settings().gitops.revision
        changed = workspace.git("status", "--porcelain", "--untracked-files=no").splitlines()
        if (commit := self._find_missing(branch)) is not None:
            workspace.git("fetch", "--quiet", "origin")
            try:
                workspace.git("merge", "--quiet", "--ff-only", commit)
            except EnvironmentProblem as problem:
                raise EnvironmentProblem(
                    Problem(
                        f"lacks commit {commit[:12]} of {branch}, which Argo CD follows, and cannot take it"
                        f"{_describe(changed)}: `pulumi up` would set Argo CD back",
                        f"commit what is yours, then `git pull --rebase` there ({problem})",
                        str(workspace.directory),
                    )
                ) from None
            self.progress(f"{workspace.directory}: took {commit[:12]}, which was pushed to {branch}")
        if changed:
            self.progress(f"warning: {workspace.directory}{_describe(changed)}: `pulumi up` reads it, Argo CD does not")
        ahead = workspace.git("rev-list", "--count", "HEAD", "--not", "--remotes=origin")
        if ahead != "0":
            self.progress(f"warning: {workspace.directory}: has {ahead} commit(s) that are not pushed")

    def _find_missing(self, branch: str) -> str | None:
        workspace = self.workspace
        return find_missing_commit(workspace.directory, str(workspace.repository), branch, workspace.environment())


def restore_clone(workspace: Workspace, progress: Callable[[str], None]) -> None:
    """Clone the repository again where the clone is missing; a clone that is there stays as it is.

    Raises :class:`EnvironmentProblem` when the repository is missing too.
    """
    if _has_files(workspace.directory):
        return
    if not workspace.seeded:
        raise EnvironmentProblem(
            Problem(
                f"the clone is missing, and so is {workspace.repository}",
                f"run `{build_command('bootstrap', workspace.repository.parent.name, workspace.stack)}` "
                "to create both again",
                str(workspace.directory),
            )
        )
    workspace.directory.mkdir(exist_ok=True)
    workspace.git("clone", "--quiet", str(workspace.repository), ".", cwd=workspace.directory)
    workspace.name_author()
    progress(f"{workspace.directory}: was missing; {workspace.repository} is cloned there again")


def keep_touched_clone(workspace: Workspace, beside: Path, progress: Callable[[str], None]) -> None:
    """Move a clone that somebody has worked in out of a folder that is about to go; ``beside`` begins its new name."""
    directory = workspace.directory
    if not (directory / ".git").exists():
        return
    own = [
        line
        for line in workspace.git("status", "--porcelain").splitlines()
        if f"Pulumi.{workspace.stack}.yaml" not in line
    ]
    subjects = workspace.git("log", "--all", "--format=%s").splitlines()
    if own or subjects not in ([], [SEED_MESSAGE]):
        aside = _find_free(beside)
        directory.rename(aside)
        progress(f"{directory}: somebody has worked in it; it is kept as {aside}")


def _find_free(path: Path) -> Path:
    return next(free for number in count(1) if not (free := path.with_name(f"{path.name}-{number}")).exists())


def _has_files(directory: Path) -> bool:
    return directory.is_dir() and any(directory.iterdir())


def _describe(changed: list[str]) -> str:
    if not changed:
        return ""
    names = ", ".join(line.split(None, 1)[-1] for line in changed[:_SHOWN_FILES])
    more = f" and {len(changed) - _SHOWN_FILES} more" if len(changed) > _SHOWN_FILES else ""
    return f" has uncommitted changes in {names}{more}"
