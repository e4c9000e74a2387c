"""Where documented commands run: a checkout with a bare remote, a forge on the loopback, placeholders filled in."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitops_stack.cli.main import main
from gitops_stack.scaffold.init import init_project
from tests.forge.fake_pull_requests import TOKEN, FakePullRequests, serve
from tests.stacks import ROOT, STACKS

URL = "https://github.com/acme/platform.git"
# What a reader fills in, and what a pipeline does.
PLACEHOLDERS = {
    "sha256:DIGEST": f"sha256:{'a' * 64}",
    "$release": "v3.4.7",  # another one than the committed stacks have
    "$github.base_ref": "main",
}


# Commands that ask an account or a cluster, or start a lab: a document that names a new one lists it as not run.
_ELSEWHERE = {
    "account", "doctor", "eks-token", "kubeconfig", "lab", "recover", "registry", "rehearse", "status", "sweep"
}  # fmt: skip
_EDITOR = """#!/bin/sh
echo "as typed" > "$1"
"""


@dataclass
class World:
    """One temporary folder; commands run in ``here``. ``say`` returns what was printed since it was last called."""

    folder: Path
    patch: pytest.MonkeyPatch
    forge: FakePullRequests
    say: Callable[[], str]
    names: dict[str, str] = field(default_factory=lambda: dict(PLACEHOLDERS))
    count: int = 0

    @property
    def here(self) -> Path:
        """The working folder."""
        return Path.cwd()

    @property
    def bare(self) -> Path:
        """The remote of the checkout at hand."""
        return self.folder / f"remote-{self.count}.git"

    # Prepared folders, each anew.

    def empty(self) -> None:
        """Go to an empty folder."""
        self.count += 1
        made = self.folder / f"work-{self.count}"
        made.mkdir()
        self.patch.chdir(made)

    def committed(self, *samples: str) -> None:
        """Go to a checkout of this project's own stacks and trees, with the files of ``samples`` over them."""
        self.empty()
        for stack in STACKS:
            shutil.copy(ROOT / f"Pulumi.{stack}.yaml", self.here)
        shutil.copytree(ROOT / "gitops", self.here / "gitops")
        for sample in samples:
            shutil.copytree(ROOT / "docs/samples" / sample / "gitops", self.here / "gitops", dirs_exist_ok=True)
        self._publish()

    def laid_out(self) -> None:
        """Go to a checkout of what `gitops-stack init --defaults` writes."""
        made = self.folder / "laid-out"
        if not made.exists():
            init_project(made, {}, defaults=True)
        self.empty()
        shutil.copytree(made, self.here, dirs_exist_ok=True)
        self._publish()

    def _publish(self) -> None:
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", URL)
        self.git("config", f"url.{self.bare}.insteadOf", URL)
        self.push()
        self.git("branch", "--quiet", "--set-upstream-to=origin/main")

    # What others do between two commands.

    def git(self, *arguments: str) -> str:
        """Run git here; fails the test when git fails."""
        done = subprocess.run(["git", *arguments], cwd=self.here, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def push(self) -> None:
        """Commit what is there and push it."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "by hand")
        self.git("push", "--quiet", "origin", "HEAD:main")
        self.git("fetch", "--quiet", "origin")

    def merge_pull_requests(self) -> None:
        """Merge every open pull request and pull; the last merge is MERGE_COMMIT."""
        assert self.forge.open, "no pull request is open"
        self.git("switch", "--quiet", "main")
        self.git("pull", "--quiet", "--ff-only", "origin", "main")
        for one in self.forge.open:
            self.git("fetch", "--quiet", "origin", one.branch)
            self.git("merge", "--quiet", "--no-ff", "--message", one.title, "FETCH_HEAD")
            one.state = "closed"
        self.git("push", "--quiet", "origin", "HEAD:main")
        self.git("fetch", "--quiet", "origin")
        self.names["MERGE_COMMIT"] = self.git("rev-parse", "HEAD")

    def write(self, path: str, text: str) -> None:
        """Write a file here."""
        (self.here / path).parent.mkdir(parents=True, exist_ok=True)
        (self.here / path).write_text(text, encoding="utf-8")

    # The commands themselves.

    def run(self, line: str) -> int:
        """Run a line as a shell does: commands joined by `&&`, each of ours or git's, `> FILE` behind the last one."""
        for name, value in self.names.items():
            line = line.replace(name, value)
        code = 0
        for command in _split(_words(line)):
            target = command[-1] if ">" in command else None
            code = self._call(command[:-2] if target else command, target)
            if code:
                break
        return code

    def _call(self, command: list[str], target: str | None) -> int:
        program, arguments = Path(command[0]).name, command[1:]
        if program == "git":
            done = subprocess.run(["git", *arguments], cwd=self.here, capture_output=True, text=True, check=False)
            sys.stderr.write(done.stdout + done.stderr)
            return done.returncode
        assert program == "gitops-stack", f"{program}: is neither of ours nor git; list the line as not run"
        assert arguments[0] not in _ELSEWHERE, f"gitops-stack {arguments[0]}: asks an account or a lab; list the line"
        before = self.say() if target else ""  # what was printed until now does not belong into the file
        self.patch.setattr(sys, "argv", ["gitops-stack", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        if target:
            self.write(target, self.say())
            sys.stdout.write(before)
        assert isinstance(left.value.code, int)
        return left.value.code


@contextmanager
def open_world(folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    """Make a world whose git commits as a person and whose forge is on the loopback."""
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", "Ada")
        patch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    editor = folder / "editor"
    editor.write_text(_EDITOR, encoding="utf-8")
    editor.chmod(0o755)
    patch.setenv("GIT_EDITOR", str(editor))
    patch.delenv("GITLAB_TOKEN", raising=False)
    patch.delenv("CI_SERVER_URL", raising=False)
    with serve("github") as forge:
        patch.setenv("GITHUB_SERVER_URL", "https://github.com")
        patch.setenv("GITHUB_API_URL", forge.url)
        patch.setenv("GITHUB_TOKEN", TOKEN)

        def say() -> str:
            printed = capsys.readouterr()
            return printed.out + printed.err

        yield World(folder, patch, forge, say)


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";()<>|&")
    lexer.whitespace_split = True
    return list(lexer)


def _split(words: list[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    for word in words:
        assert word in {"&&", ">"} or not re.fullmatch(r"[;()<>|&]+", word), f"{word}: list the line as not run"
        if word == "&&":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands
