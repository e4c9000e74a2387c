"""Run the Pulumi engine on the lab's workspace, with a state backend inside of the lab's folder."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem, last_line, shorten
from gitops_stack.gitops_tree.private_file import write_private_file
from gitops_stack.lab.backend import Backend
from gitops_stack.lab.disk_space import SPACE_TO_BEGIN, check_space, find_full_disk
from gitops_stack.lab.engine_process import EngineProcess, Watch, describe_exit
from gitops_stack.lab.engine_temporaries import refuse_engine_log, remove_left_temporaries, temporary_folder
from gitops_stack.lab.orphans import ENGINE_MARKER, MARKER, end_orphans_of_engines

# Said of every failed run, or of a program whose own error stands before it.
_NOISE = re.compile(
    r"(update|preview) failed|resource plan violation|an unhandled error occurred: program exited .* exit code: 1"
)
_OF_A_GUARD = re.compile(r"pulumi-python:dynamic/gitops-stack:\w+ resource '[^']*' has a problem: ")
_SHOWN_ERRORS = 3
_SHOWN_CHARACTERS = 1200  # a guard names all that would be lost
_LOG_BYTES = 10_000_000


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
    open_watch: Callable[[], Watch] = field(default=lambda: _watch_nothing, compare=False)
    """Called when a run begins; what it returns is asked during the run whether that still has a chance."""

    @property
    def log(self) -> Path:
        """The log all runs append to."""
        return self.state / "logs" / "pulumi.log"

    def environment(self) -> dict[str, str]:
        """Return the whole environment of a run, its mark included."""
        return {**os.environ, **self.variables(), MARKER: str(self.state), ENGINE_MARKER: "1"}

    def variables(self) -> dict[str, str]:
        """Return what the engine needs beyond the caller's environment; `gitops-stack lab env` prints it.

        Without the mark: what carries it is ended by `lab down`, and a person's shell must not be.
        """
        passphrase = self.state / "passphrase"
        if not passphrase.exists():
            write_private_file(passphrase, secrets.token_urlsafe(32))
        first = [self.extra["PATH"]] if "PATH" in self.extra else []
        path = [*first, str(self.tools), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        return {
            **self.git_environment,
            **self.extra,
            "PATH": os.pathsep.join(path),
            "PULUMI_BACKEND_URL": f"file://{self.backend.folder}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
            "PULUMI_HOME": str(self.state / "pulumi-home"),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "1",
            "PULUMI_DEBUG_COMMANDS": "true",  # --event-log is among the debug flags
            "TMPDIR": str(self.state / "tmp"),
        }

    def select_stack(self) -> None:
        """Create the stack, or select it when it is there."""
        self.clear_dead_lock()
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
        self.clear_dead_lock()
        deployment = self.backend.load_deployment(self.stack)
        return bool(deployment.get("resources") or deployment.get("pending_operations"))

    def clear_dead_lock(self) -> list[str]:
        """Take away what an engine left that was killed: its lock, its plugins, a torn state. A living one keeps all.

        Returns a sentence for each state that was torn. Raises :class:`EnvironmentProblem` when the owner of the lock
        lives, or is on another host.
        """
        backend = self.backend
        check_space(self._folders, SPACE_TO_BEGIN)
        locks = list((backend.folder / ".pulumi" / "locks").rglob("*.json"))
        for file in locks:
            owner = _load_lock_owner(file)
            here = owner.get("hostname", socket.gethostname()) == socket.gethostname()
            if not here or _is_engine(owner.get("pid", 0)):
                raise EnvironmentProblem(
                    Problem(
                        f"process {owner.get('pid')} on {owner.get('hostname')} is changing this stack since "
                        f"{owner.get('timestamp')}",
                        "wait for it, or remove the file if that host no longer runs",
                        str(file),
                    )
                )
        for file in locks:  # all that `pulumi cancel` does, which fails beside a torn state
            file.unlink(missing_ok=True)
        end_orphans_of_engines(self.state)
        remove_left_temporaries(self.state / "tmp")
        mended = backend.mend()
        backend.keep()
        if mended:
            self._append("\n".join(mended))
        return mended

    def run(self, *arguments: str, limit_seconds: float) -> str:
        """Run one command and return what it printed.

        Raises :class:`GitOpsStackError` with the engine's own errors when it fails, :class:`TimeIsOut` when it does
        not end in time, another :class:`EnvironmentProblem` when disk or cluster are gone.
        """
        if not self.project.is_dir():
            raise EnvironmentProblem(
                Problem("the clone is gone", "clone the lab's gitops.git there again", str(self.project))
            )
        environment = self.environment()
        refuse_engine_log(self.state / "pulumi-home")
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        place, see = f"pulumi {arguments[0]}", f"see {self.log}"
        check_space(self._folders, SPACE_TO_BEGIN)
        alive = self.open_watch()
        with ExitStack() as opened:
            # Its own: plugins leave kubeconfigs with credentials there.
            temporary = opened.enter_context(temporary_folder(self.state / "tmp"))
            output = opened.enter_context(self._open_output(arguments))
            begin = output.seek(0, os.SEEK_END)
            process = EngineProcess(
                command, self.tools / "pulumi", self.project, {**environment, "TMPDIR": temporary}, output
            )
            try:
                code = process.run(limit_seconds, lambda: alive() or find_full_disk(self._folders))
            except EnvironmentProblem as problem:
                raise type(problem)(Problem(str(problem), see, place)) from None
            output.seek(begin)
            text = output.read().decode(errors="replace")
        if code:
            if full := find_full_disk(self._folders):  # the engine may notice before the watch does
                raise EnvironmentProblem(Problem(full, see, place))
            said = "; ".join(filter(None, (describe_exit(code), *find_errors(text)))) or last_line(text)
            raise GitOpsStackError(Problem(said, see, place))
        return text

    @property
    def backend(self) -> Backend:
        """The files of the state, whose folder is made when missing."""
        (self.state / "pulumi").mkdir(parents=True, exist_ok=True, mode=0o700)
        return Backend(self.state / "pulumi", self.state / "pulumi-copies")

    @property
    def _folders(self) -> tuple[Path, ...]:
        return self.state, self.backend.folder

    def _open_output(self, arguments: tuple[str, ...]) -> IO[bytes]:
        """Open the file a run prints to: the log, so that it can be read meanwhile, but not for a whole state."""
        self._append(f"$ pulumi {' '.join(arguments)}")
        return TemporaryFile() if arguments[:2] == ("stack", "export") else self.log.open("a+b")

    def _append(self, text: str) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")


def _changes(text: str) -> dict[str, int]:
    names = {"created": "create", "updated": "update", "deleted": "delete", "replaced": "replace", "unchanged": "same"}
    planned = {"to create": "create", "to update": "update", "to delete": "delete", "to replace": "replace"}
    words = {**names, **planned}
    summary = text.rpartition("Resources:")[2]
    return {words[found[2]]: int(found[1]) for found in re.finditer(rf"(\d+) ({'|'.join(words)})", summary)}


def find_errors(text: str) -> list[str]:
    """Return the first errors in what the engine printed, each once and without the resource it stands beside."""
    said = (line.partition("error: ")[2].strip() for line in text.splitlines() if "error: " in line)
    errors = dict.fromkeys(_OF_A_GUARD.sub("", error) for error in said)
    return [shorten(error, _SHOWN_CHARACTERS) for error in errors if error and not _NOISE.match(error)][:_SHOWN_ERRORS]


def _watch_nothing() -> str | None:
    return None


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
