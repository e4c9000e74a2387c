"""The loopback ports of a lab: free now, and nobody else's, since most processes listen minutes after the choice."""

from __future__ import annotations

import fcntl
import hashlib
import json
import random
import socket
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.cache_folder import load_cache_folder
from gitops_stack.gitops_tree.private_file import write_private_file

LOOPBACK = "127.0.0.1"
PORT_NAMES = (
    "etcd",
    "etcd-peer",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "redis",
    "repo-server",
    "repo-server-metrics",
    "application-controller-metrics",
    "application-controller-1-metrics",
    "applicationset-metrics",
    "applicationset-probe",
    "applicationset-webhook",
    "argocd-server",
    "argocd-server-metrics",
    "eks-endpoint",
    "aws-account",
    "eks-tokens",
    "git-host",
)
# Below Linux's range for outgoing connections (32768 and up), which could take a port while its process restarts.
PORT_RANGE = range(20000, 32000)


@dataclass(frozen=True)
class PortFile:
    """Keep the ports of one lab in ``file``, and note the file where every lab of this user finds it.

    Two labs that choose at the same time, or while one is down, would else take the same port: nobody listens on it
    yet. Argo CD's server tries to listen for minutes without a word, and takes the port once etcd restarts.
    """

    file: Path

    def load(self) -> dict[str, int]:
        """Return the ports by name, choosing one for each name that has none yet."""
        ports = self._read()
        if ports.keys() == set(PORT_NAMES):
            return ports
        with self._others() as taken:
            return self._complete(self._read(), taken)

    def choose(self) -> dict[str, int]:
        """Return the ports, each that another process or lab has replaced. Only while the lab is down."""
        with self._others() as taken:
            kept = {name: port for name, port in self._read().items() if port not in taken and is_free(port)}
            return self._complete(kept, taken)

    def _read(self) -> dict[str, int]:
        known: dict[str, int] = json.loads(self.file.read_text(encoding="utf-8")) if self.file.exists() else {}
        return {name: known[name] for name in PORT_NAMES if name in known}

    def _complete(self, known: dict[str, int], taken: Collection[int]) -> dict[str, int]:
        missing = [name for name in PORT_NAMES if name not in known]
        own = set(known.values())
        ports = {**known, **dict(zip(missing, choose_free_ports(len(missing), own, taken), strict=True))}
        if missing:
            write_private_file(self.file, json.dumps(ports, indent=2, sort_keys=True) + "\n")
        return ports

    @contextmanager
    def _others(self) -> Iterator[set[int]]:
        """Give the ports of all other labs, and note this one, while no other lab chooses."""
        register = load_cache_folder() / "lab-ports"
        register.mkdir(parents=True, exist_ok=True)
        with (register / ".lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            own = register / hashlib.sha256(bytes(self.file)).hexdigest()[:16]
            own.write_text(str(self.file), encoding="utf-8")
            yield {port for note in register.iterdir() if note not in {own, register / ".lock"} for port in _read(note)}


def _read(note: Path) -> Iterable[int]:
    """Return the ports of the lab that ``note`` names; the note of a lab that is gone goes too."""
    try:
        ports: dict[str, int] = json.loads(Path(note.read_text(encoding="utf-8")).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        note.unlink(missing_ok=True)
        return ()
    return ports.values()


def is_free(port: int) -> bool:
    """Return whether a server could listen on ``port`` of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Go's servers do: TIME_WAIT is no obstacle
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose_free_ports(count: int, taken: Collection[int], disliked: Collection[int] = ()) -> list[int]:
    """Return ``count`` distinct free loopback ports outside ``taken``, and outside ``disliked`` while there are enough.

    Raise EnvironmentProblem when fewer are free.
    """
    chosen: list[int] = []
    drawn = random.sample(PORT_RANGE, len(PORT_RANGE))
    for port in sorted(drawn, key=lambda port: port in disliked):
        if len(chosen) == count:
            break
        if port not in taken and is_free(port):
            chosen.append(port)
    if len(chosen) == count:
        return chosen
    raise EnvironmentProblem(
        Problem(f"fewer than {count} free ports between 20000 and 32000", "stop other servers.", "127.0.0.1")
    )
