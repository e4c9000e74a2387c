"""The three ways to install the same overlay, each with the same four questions."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.checkout import HERE, Checkout
from bench.trees import STACK
from gitops_stack.gitops_tree.cache_folder import load_cache_folder
from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.lab.control_plane import CONTEXT
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.workspace import Workspace

_LIMIT_SECONDS = 900.0
_WIDTH = "128"  # more than the overlay has objects
_DIFFERS = 1  # what kubectl diff leaves with when something would change


class Candidate(Protocol):
    """One way to install."""

    def prepare(self) -> None:
        """Do what comes before the first run and is not measured."""

    def up(self) -> None:
        """Install; again: change nothing."""

    def preview(self) -> None:
        """Show what `up` would change."""

    def state_bytes(self) -> int | None:
        """Return the size of the state file, none when there is no such thing."""


@dataclass(frozen=True)
class Kubectl:
    """`kubectl apply --server-side -k`: the floor. It does not wait until anything is ready."""

    lab: Lab
    overlay: Path

    def prepare(self) -> None:
        """Make the namespace, which upstream's manifests do not hold."""
        self._run("create", "namespace", "argocd")

    def up(self) -> None:
        """Apply."""
        self._run("apply", "--server-side", "--kustomize", str(self.overlay))

    def preview(self) -> None:
        """Diff."""
        self._run("diff", "--server-side", "--kustomize", str(self.overlay))

    def state_bytes(self) -> None:
        """Answer none: kubectl keeps no state."""

    def _run(self, *arguments: str) -> None:
        environment = {**os.environ, **load_git_environment(), **self.lab.environment()}
        done = subprocess.run(
            ["kubectl", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        if done.returncode not in (0, _DIFFERS if arguments[0] == "diff" else 0):
            raise RuntimeError(f"kubectl {arguments[0]}: {done.stderr.strip()[-600:]}")


@dataclass(frozen=True)
class Naive:
    """The program in `bench/naive`: `kustomize.v2.Directory`."""

    lab: Lab
    overlay: Path

    def prepare(self) -> None:
        """Copy the program, because the engine writes a stack file beside it."""
        shutil.copytree(HERE.root / "bench" / "naive", self._engine.project)
        self._engine.run("stack", "init", "--stack", "naive", limit_seconds=60)
        for key, value in (("directory", self.overlay), ("kubeconfig", self.lab.state.kubeconfig)):
            self._engine.run("config", "set", key, str(value), "--stack", "naive", limit_seconds=60)

    def up(self) -> None:
        """Run `pulumi up`; with the engine's own width, workloads take every place before their ServiceAccounts do."""
        self._engine.up("--parallel", _WIDTH, limit_seconds=_LIMIT_SECONDS)

    def preview(self) -> None:
        """Run `pulumi preview`."""
        self._engine.run("preview", "--stack", "naive", limit_seconds=_LIMIT_SECONDS)

    def state_bytes(self) -> int:
        """Return the size of the stack's checkpoint."""
        return state_bytes(self._engine)

    @property
    def _engine(self) -> Engine:
        folder = self.lab.state.directory
        return Engine(folder, folder / "naive", "naive", self.lab.tools.bin, load_git_environment())


@dataclass(frozen=True)
class Project:
    """This project, seeds included; or another revision of it, whose own trees are in ``project``."""

    lab: Lab
    project: Path
    checkout: Checkout = HERE

    def prepare(self) -> None:
        """Make the lab's copy of the Pulumi project, pointed at the lab."""
        self._workspace.write(self.project, (self.lab.state.kubeconfig, CONTEXT))
        self.checkout.run("render", "--stack", STACK, project=self._workspace.directory)
        self._engine.run("stack", "init", "--stack", STACK, limit_seconds=60)
        self._workspace.commit_and_push("Seed the GitOps tree")
        shutil.rmtree(load_cache_folder() / "renders", ignore_errors=True)  # a fresh run renders, as the others do

    def up(self) -> None:
        """Run `pulumi up`."""
        self._engine.up(limit_seconds=_LIMIT_SECONDS)

    def preview(self) -> None:
        """Run `pulumi preview`."""
        self._engine.run("preview", "--stack", STACK, limit_seconds=_LIMIT_SECONDS)

    def state_bytes(self) -> int:
        """Return the size of the stack's checkpoint."""
        return state_bytes(self._engine)

    @property
    def _workspace(self) -> Workspace:
        return Workspace.under(self.lab.state.directory, STACK)

    @property
    def _engine(self) -> Engine:
        folder = self.lab.state.directory
        return Engine(
            folder,
            self._workspace.directory,
            STACK,
            self.lab.tools.bin,
            load_git_environment(),
            self.checkout.variables,
        )


def state_bytes(engine: Engine) -> int:
    """Return the size of the one checkpoint in the engine's backend; its history and backups left out."""
    (file,) = (engine.state / "pulumi" / ".pulumi" / "stacks").rglob(f"{engine.stack}.json")
    return file.stat().st_size
