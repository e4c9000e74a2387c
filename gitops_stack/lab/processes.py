"""Long-running processes under one supervisord per lab: started in our order, restarted when they die.

Knows no program by name.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.orphans import MARKER, end_marked_processes, is_marked
from gitops_stack.lab.probes import Probe, wait_until
from gitops_stack.lab.state import LabState

PYTHON_PATH = str(Path(__file__).parents[2])
"""Where a process of this library finds it: the same whoever starts it.

Another environment makes another program for the supervisor, which starts that anew: an account in memory would go.
"""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ERRORS = (OSError, xmlrpc.client.Error)


@dataclass(frozen=True)
class Program:
    """Describe one process: what to run, in which whole environment, and when it counts as ready."""

    name: str
    command: tuple[str, ...]
    probe: Probe = field(compare=False)
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: int = 10
    ready_seconds: int = 60
    events: str = ""
    """The supervisor's event it reads on standard input, as an event listener does; empty for any other process."""


@dataclass(frozen=True)
class ProcessStatus:
    """Report one process: supervisor's state word (RUNNING, STOPPED, …), pid, resident bytes, log file."""

    name: str
    state: str
    pid: int | None
    rss: int | None
    log: Path


def build_command(program: Program, directory: Path) -> str:
    """Return the command line as supervisord reads it back: shell words in an ini value that expands ``%``.

    ``env -i`` carries the environment, so that nothing of the caller's leaks into a process and one quoting rule
    serves everything. ``#`` and ``;`` after a space would start a comment: the space is quoted by itself.
    """
    environment = {**program.environment, MARKER: str(directory)}
    words = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in sorted(environment.items()))]
    line = " ".join(_quote(word) for word in (*words, *program.command))
    if "\n" in line or "\r" in line:
        raise ValueError(f"{program.name}: a line break in its command or environment cannot be passed on")
    return line.replace("%", "%%")


def _quote(word: str) -> str:
    return '" "'.join(shlex.quote(piece) if piece else "" for piece in word.split(" ")) if word else "''"


def build_program_sections(programs: Sequence[Program], state: LabState, *, first_priority: int) -> str:
    """Return the ini sections of ``programs``. supervisord's own shutdown stops higher priorities first."""
    sections = []
    for priority, program in enumerate(programs, start=first_priority):
        log = _escape(state.log(program.name))
        # What an event listener writes to standard output answers the supervisor; its log is the other one.
        section, output = ("program", "stdout") if not program.events else ("eventlistener", "stderr")
        values = {
            "command": build_command(program, state.directory),
            "priority": str(priority),
            "directory": _escape(state.directory),
            "autostart": "false",
            "autorestart": "true",
            "startsecs": "1",
            "startretries": "5",
            "stopsignal": "TERM",
            "stopwaitsecs": str(program.stop_seconds),
            "stopasgroup": "false",
            "killasgroup": "true",
            "umask": "077",
            "redirect_stderr": "false" if program.events else "true",
            f"{output}_logfile": log,
            f"{output}_logfile_maxbytes": "10MB",
            f"{output}_logfile_backups": "1",
            **({"events": program.events, "stdout_logfile": "NONE"} if program.events else {}),
        }
        body = "".join(f"{key} = {value}\n" for key, value in values.items())
        sections.append(f"[{section}:{program.name}]\n{body}")
    return "\n".join(sections)


def build_supervisor_config(state: LabState) -> str:
    """Return supervisord.conf: a private socket, no network, and the programs of ``state.programs``."""
    return (
        f"[unix_http_server]\nfile = {_escape(state.socket)}\nchmod = 0700\n\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n"
        f"[supervisord]\nlogfile = {_escape(state.log('supervisord'))}\nlogfile_maxbytes = 10MB\n"
        f"logfile_backups = 1\npidfile = {_escape(state.pid_file)}\nchildlogdir = {_escape(state.logs)}\n"
        f"directory = {_escape(state.directory)}\numask = 077\nnodaemon = false\n\n"
        f"[include]\nfiles = {_escape(state.programs).replace(' ', '?')}/*.conf\n"
    )


def _escape(path: Path) -> str:
    return str(path).replace("%", "%%")


@dataclass(frozen=True)
class Supervisor:
    """Drive the supervisord of one lab over its socket."""

    state: LabState

    def is_running(self) -> bool:
        """Return whether this lab's supervisord lives; the pid file alone proves nothing after a reboot."""
        try:
            pid = int(self.state.pid_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return False
        return is_marked(pid, self.state.directory)

    def clear_stale(self, progress: Callable[[str], None]) -> None:
        """End what a dead supervisord left running, and remove its socket and pid file."""
        ended = end_marked_processes(self.state.directory)
        if ended:
            progress(f"ended {ended} process(es) that an earlier run of this lab left behind")
        for stale in (*self.state.run.glob("*"), *self.state.programs.glob("*.conf")):
            stale.unlink(missing_ok=True)

    def start(self) -> None:
        """Start supervisord in the background, where it outlives the shell; without any program."""
        config = self.state.run / "supervisord.conf"
        config.write_text(build_supervisor_config(self.state), encoding="utf-8")
        environment = {MARKER: str(self.state.directory), "PATH": os.defpath, "HOME": str(self.state.home)}
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
            env={**environment, "TMPDIR": str(self.state.temporary), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not wait_until(self._answers, seconds=15):
            said = (done.stderr.strip() or load_last_line(self.state.log("supervisord"))).splitlines()[-1]
            raise EnvironmentProblem(
                Problem("supervisord does not start", f"look at {self.state.log('supervisord')}: {said}")
            )

    def load_programs(self, group: str, programs: Sequence[Program], *, first_priority: int) -> None:
        """Make ``programs`` the contents of ``group``; what is gone or has changed is stopped, last one first."""
        file = self.state.programs / f"{group}.conf"
        text = build_program_sections(programs, self.state, first_priority=first_priority)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600)  # the environment of a program may carry credentials
        added, changed, removed = self._call("reloadConfig")[0]
        order = [program.name for program in programs]
        outdated = sorted([*changed, *removed], key=lambda name: order.index(name) if name in order else -1)
        for name in reversed(outdated):
            self.stop(name)
            self._call("removeProcessGroup", name)
        for name in sorted([*added, *changed], key=lambda name: order.index(name) if name in order else -1):
            self._call("addProcessGroup", name)

    def start_program(self, program: Program) -> None:
        """Start ``program`` unless it runs, and wait until it is ready.

        Raise EnvironmentProblem naming the process, the condition and the last line of its log.
        """
        if not self.runs(program.name):
            self._call("startProcess", program.name, False)
        ready = wait_until(
            lambda: self.runs(program.name) and program.probe.holds(),
            seconds=program.ready_seconds,
            given_up=lambda: self._state_of(program.name) in {"FATAL", "STOPPED"},
        )
        if not ready:
            log, found = self.state.log(program.name), self._state_of(program.name)
            raise EnvironmentProblem(
                Problem(
                    f"{program.name} is {found} and not ready, which means {program.probe.condition}",
                    f"look at {log}, which ends with: {load_last_line(log)}",
                )
            )

    def stop(self, name: str) -> None:
        """Stop one process and wait until it is gone."""
        if self._state_of(name) not in {"STOPPED", "EXITED", "FATAL", "UNKNOWN"}:
            self._call("stopProcess", name, True)

    def runs(self, name: str) -> bool:
        """Return whether one process runs, be it ready or not."""
        return self._state_of(name) in {"RUNNING", "STARTING"}

    def start_anew(self, name: str) -> None:
        """Stop one process and start it again, without waiting until it is ready."""
        self.stop(name)
        self._call("startProcess", name, False)

    def shut_down(self) -> None:
        """Stop supervisord and wait until it is gone."""
        # By pid: it removes its pid file some time before it ends.
        pid = int(self.state.pid_file.read_text(encoding="ascii"))
        self._call("shutdown")
        wait_until(lambda: not is_marked(pid, self.state.directory), seconds=30)

    def statuses(self) -> list[ProcessStatus]:
        """Return the status of every loaded program; empty when supervisord does not run."""
        if not self.is_running():
            return []
        found = []
        for info in cast("list[dict[str, Any]]", self._call("getAllProcessInfo")):
            pid = int(info["pid"]) or None
            log = self.state.log(info["name"])
            found.append(ProcessStatus(info["name"], info["statename"], pid, load_rss(pid), log))
        return found

    def _state_of(self, name: str) -> str:
        return next((status.state for status in self.statuses() if status.name == name), "UNKNOWN")

    def _answers(self) -> bool:
        try:
            self._call("getState")
        except EnvironmentProblem:
            return False
        return True

    def _call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - XML-RPC has no types
        transport = SupervisorTransport(None, None, f"unix://{self.state.socket}")
        try:
            with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as server:
                return getattr(server.supervisor, method)(*arguments)
        except _ERRORS as problem:
            raise EnvironmentProblem(
                Problem(
                    f"supervisord of {self.state.directory} refused {method}{arguments}: {problem}",
                    f"look at {self.state.log('supervisord')}, then bring the lab down and up again.",
                )
            ) from problem


def load_rss(pid: int | None) -> int | None:
    """Return the resident memory of a process in bytes, or None when it is not alive."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return None


def load_last_line(file: Path) -> str:
    """Return the last line of a log, or a note that there is none."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "(nothing was logged)"
