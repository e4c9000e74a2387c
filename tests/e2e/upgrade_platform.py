"""A platform repository with a remote, on which the upgrade commands are run."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from gitops_stack.cli.main import app
from tests.stacks import ROOT


class Platform:
    """A platform repository with a remote; commands run in the clone."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        self.remote = folder / "remote.git"
        self.clone.mkdir()
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.remote)], check=True)
        for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prd.yaml"):
            shutil.copyfile(ROOT / name, self.clone / name)
        shutil.copytree(ROOT / "gitops", self.clone / "gitops")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.org")
        self.git("remote", "add", "origin", str(self.remote))

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.clone, capture_output=True, text=True, check=True)
        return done.stdout

    def write(self, **files: str) -> None:
        for path, text in files.items():
            (self.clone / path).write_text(text, encoding="utf-8")
        self.push("Write")

    def push(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")

    def take(self, branch: str) -> None:
        """Merge a branch as its reviewer does."""
        self.git("fetch", "--quiet", "origin")
        self.git("merge", "--quiet", "--ff-only", f"origin/{branch}")
        self.git("push", "--quiet", "origin", "HEAD:main")

    def lock(self, *arguments: str, stack: str = "dev") -> None:
        done = CliRunner().invoke(app, ["lock", "--stack", stack, "--project", str(self.clone), *arguments])
        assert done.exit_code == 0, (done.output, done.exception)

    def upgrade(self, version: str | None, *options: str, stack: str = "dev") -> dict[str, Any]:
        words = ["upgrade", "argocd", "--stack", stack, "--project", str(self.clone), "--base", "main"]
        words += ["--to", version] if version else []
        done = CliRunner().invoke(
            app, [*words, "--forge", "none", "--output", "json", *options], catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def upgrade_cluster(self, version: str, *options: str) -> dict[str, Any]:
        words = [
            "upgrade",
            "cluster",
            "--to",
            version,
            "--stack",
            "prd",
            "--project",
            str(self.clone),
            "--base",
            "main",
        ]
        words += ["--offline", "--forge", "none", "--output", "json", *options]
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        report: dict[str, Any] = json.loads(done.stdout)
        return report
