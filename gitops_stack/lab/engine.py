"""Run the Pulumi engine on the lab's workspace, with a state backend inside of the lab's folder."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.private_file import write_private_file
from gitops_stack.lab.orphans import MARKER

_NOISE = re.compile(r"^\s*(error: )?(update failed|preview failed|resource plan violation)?\s*$")


@dataclass(frozen=True)
class Engine:
    """Pulumi's command line on one project and stack; everything it writes is below ``state``."""

    state: Path
    project: Path
    stack: str
    tools: Path
    git_environment: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=dict)
    """More variables of a run; executables in the folder `PATH` names come before all others."""

    @property
    def log(self) -> Path:
        """The log all runs append to."""
        return self.state / "logs" / "pulumi.log"

    def environment(self) -> dict[str, str]:
        """Return the whole environment of a run; people get the same from `gitops-stack lab env`."""
        return {**os.environ, **self.variables()}

    def variables(self) -> dict[str, str]:
        """Return what the engine needs beyond the caller's environment."""
        passphrase = self.state / "passphrase"
        if not passphrase.exists():
            write_private_file(passphrase, secrets.token_urlsafe(32))
        first = [self.extra["PATH"]] if "PATH" in self.extra else []
        path = [*first, str(self.tools), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        backend = self.state / "pulumi"
        backend.mkdir(exist_ok=True, mode=0o700)
        return {
            **self.git_environment,
            **self.extra,
            "PATH": os.pathsep.join(path),
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
            "PULUMI_HOME": str(self.state / "pulumi-home"),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "1",
            "PULUMI_DEBUG_COMMANDS": "true",  # --event-log is among the debug flags
            "TMPDIR": str(self.state / "tmp"),
            MARKER: str(self.state),
        }

    def select_stack(self) -> None:
        """Create the stack, or select it when it is there."""
        self.run("stack", "select", "--create", "--stack", self.stack, limit_seconds=60)

    def up(self, *options: str, limit_seconds: float = 600) -> dict[str, int]:
        """Run `pulumi up`. Returns operation -> number of resources, such as {"create": 71}."""
        self.clear_dead_lock()
        command = ("up", "--yes", "--skip-preview", "--stack", self.stack, *options)
        return _changes(self.run(*command, limit_seconds=limit_seconds))

    def preview(self, *options: str, limit_seconds: float = 300) -> dict[str, int]:
        """Run `pulumi preview`. Returns operation -> number of resources, as :meth:`up` would make them."""
        self.clear_dead_lock()
        return _changes(self.run("preview", "--stack", self.stack, *options, limit_seconds=limit_seconds))

    def destroy(self, *options: str, limit_seconds: float) -> None:
        """Run `pulumi destroy`; it waits until Argo CD has taken its applications down."""
        self.clear_dead_lock()
        command = ("destroy", "--yes", "--skip-preview", "--stack", self.stack, *options)
        self.run(*command, limit_seconds=limit_seconds)

    def has_resources(self) -> bool:
        """Tell whether the stack's state holds anything to destroy."""
        known = json.loads(self.run("stack", "ls", "--json", limit_seconds=60))
        if not any(found["name"].rpartition("/")[2] == self.stack for found in known):
            return False
        state = json.loads(self.run("stack", "export", "--stack", self.stack, limit_seconds=60))
        return bool((state.get("deployment") or {}).get("resources"))

    def clear_dead_lock(self) -> None:
        """Remove the state lock of an engine that was killed; a living one keeps it.

        Raises :class:`EnvironmentProblem` when the owner lives, or is on another host.
        """
        for file in (self.state / "pulumi" / ".pulumi" / "locks").rglob("*.json"):
            owner = _load_lock_owner(file)
            here = owner.get("hostname", socket.gethostname()) == socket.gethostname()
            if not here or _is_engine(owner.get("pid", 0)):
                raise EnvironmentProblem(
                    f"{file}: process {owner.get('pid')} on {owner.get('hostname')} is changing this stack since "
                    f"{owner.get('timestamp')}; wait for it, or remove the file when that host is gone"
                )
            self._clear_torn_attributes()
            self.run("cancel", "--yes", "--stack", self.stack, limit_seconds=60)

    def _clear_torn_attributes(self) -> None:
        """Remove attributes that a killed engine left half written: it refuses the whole state beside them ("EOF").

        The state itself is written elsewhere and renamed, and needs no attributes (gocloud.dev/blob/fileblob).
        """
        for file in (self.state / "pulumi" / ".pulumi").rglob("*.attrs"):
            try:
                json.loads(file.read_text(encoding="utf-8"))
            except ValueError:
                file.unlink()

    def run(self, *arguments: str, limit_seconds: float) -> str:
        """Run one command and return what it printed.

        Raises :class:`GitOpsStackError` with the engine's own errors when it fails, :class:`EnvironmentProblem` when
        it does not end in time.
        """
        if not self.project.is_dir():
            raise EnvironmentProblem(f"{self.project}: the clone is gone; clone the lab's gitops.git there again")
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        environment = self.environment()
        try:
            done = subprocess.run(
                command, cwd=self.project, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, timeout=limit_seconds, check=False,
                executable=str(self.tools / "pulumi"),
            )  # fmt: skip
        except subprocess.TimeoutExpired as expired:
            self._append(arguments, (expired.stdout or b"").decode(errors="replace"))  # bytes even in text mode
            raise EnvironmentProblem(
                f"pulumi {arguments[0]}: did not end in {limit_seconds:.0f} s; see {self.log}"
            ) from None
        self._append(arguments, done.stdout)
        if done.returncode:
            raise GitOpsStackError(f"pulumi {arguments[0]}: {_first_error(done.stdout)}; see {self.log}")
        return done.stdout

    def _append(self, arguments: tuple[str, ...], text: str) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ pulumi {' '.join(arguments)}\n{text}\n")


def _changes(text: str) -> dict[str, int]:
    names = {"created": "create", "updated": "update", "deleted": "delete", "replaced": "replace", "unchanged": "same"}
    planned = {"to create": "create", "to update": "update", "to delete": "delete", "to replace": "replace"}
    words = {**names, **planned}
    summary = text.rpartition("Resources:")[2]
    return {words[found[2]]: int(found[1]) for found in re.finditer(rf"(\d+) ({'|'.join(words)})", summary)}


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    errors = [line for line in lines if "error:" in line and not _NOISE.match(line)]
    return " ".join(errors[:3])[:600] if errors else (lines[-1] if lines else "no message")


def _load_lock_owner(file: Path) -> dict[str, Any]:
    try:
        owner = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:  # written half when its engine was killed
        return {}
    return owner if isinstance(owner, dict) else {}


def _is_engine(pid: int) -> bool:
    try:
        return b"pulumi" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
