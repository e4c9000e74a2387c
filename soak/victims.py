"""The processes of a run that can be killed, found by what they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.lab.lab import Lab
from gitops_stack.lab.orphans import load_marked_pids, load_session

CONTROLLERS = ("argocd-application-controller", "argocd-repo-server", "argocd-server", "redis")
CLUSTER = ("kube-apiserver", "etcd", "kube-controller-manager")
PLUGINS = {
    "language host": "pulumi-language-python",
    "program": "pulumi-language-python-exec",
    "provider": "pulumi-resource-kubernetes",
    "aws provider": "pulumi_aws_double.provider",
}


@dataclass(frozen=True)
class Victims:
    """Everything that runs for one command on one lab."""

    lab: Lab
    command: int
    """The pid of the command itself."""

    def find(self, name: str) -> int | None:
        """Return the pid of a process by its name here, None when it does not run now."""
        if name == "command":
            return self.command
        if name == "supervisor":
            return _load_pid(self.lab.state.pid_file)
        if name == "engine":
            return next(self.find_engines(), None)
        if name in PLUGINS:
            return next((pid for pid, words in self._processes() if _runs(words, PLUGINS[name])), None)
        return _load_pid_of_program(self.lab, name)

    def find_engines(self) -> Iterator[int]:
        """Yield the engines that run on this lab."""
        for pid, words in self._processes():
            if load_session(pid) == pid and _runs(words, "pulumi"):
                yield pid

    def _processes(self) -> Iterator[tuple[int, list[str]]]:
        for pid in load_marked_pids(self.lab.state.directory):
            try:
                yield pid, Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
            except OSError:
                continue


def _runs(words: list[str], name: str) -> bool:
    """Tell whether a command line runs ``name``, by itself or through an interpreter."""
    return any(Path(word).name == name for word in words[:4])


def _load_pid(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _load_pid_of_program(lab: Lab, name: str) -> int | None:
    """Look in /proc and not at the supervisor, whose answer may be what was killed."""
    wanted = f"ARGOCD_BINARY_NAME={name}".encode()
    for pid in load_marked_pids(lab.state.directory):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in environment or Path(words[0]).name == {"redis": "miniredis"}.get(name, name):
            return pid
    return None
