"""The folder one lab lives in: its paths, its loopback ports, its lock.

Which processes use them is left to ``control_plane`` and ``argocd_processes``.
"""

from __future__ import annotations

import fcntl
import json
import random
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem

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

_PORTS = "ports.json"
_SOCKET_LIMIT = 107  # sun_path holds 108 bytes, one of them the closing NUL
_SOCKET_SUFFIX = len(".4194304")  # supervisor binds <socket>.<pid> first and links it into place
_FORBIDDEN = set("\"'\\;#*?[]\n\r\t")  # each means something in an ini file, a command line or a glob


def find_server_port(kubeconfig: Path) -> int | None:
    """Return the port of the lab's argocd-server for a lab's own kubeconfig; none for any other."""
    state = LabState(kubeconfig.absolute().parent)
    if state.kubeconfig != kubeconfig.absolute() or not (state.directory / _PORTS).is_file():
        return None
    return state.load_ports()["argocd-server"]


@dataclass(frozen=True)
class LabState:
    """Hold the paths of one lab; everything it writes is below ``directory``."""

    directory: Path

    @classmethod
    def open(cls, directory: Path) -> LabState:
        """Return the lab's state in ``directory``, made with mode 0700 when missing.

        Raise EnvironmentProblem when the path cannot serve: too long for a Unix socket, or with quotes in it.
        """
        state = cls(directory.absolute())
        longest = len(str(state.socket).encode()) + _SOCKET_SUFFIX
        if longest > _SOCKET_LIMIT:
            raise EnvironmentProblem(
                Problem(
                    f"this path is {longest - _SOCKET_LIMIT} bytes too long for the lab's Unix sockets",
                    "choose a shorter state folder.",
                    str(state.directory),
                )
            )
        if forbidden := sorted(_FORBIDDEN & set(str(state.directory))):
            raise EnvironmentProblem(
                Problem(
                    f"{' '.join(map(repr, forbidden))} cannot be in the path of a lab",
                    "choose another state folder.",
                    str(state.directory),
                )
            )
        for folder in (state.directory, state.logs, state.run, state.programs, state.temporary, state.home):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.directory.chmod(0o700)
        return state

    @property
    def kubeconfig(self) -> Path:
        """Return the kubeconfig with the lab's administrator token, mode 0600."""
        return self.directory / "kubeconfig"

    @property
    def logs(self) -> Path:
        """Return the folder with one log per process."""
        return self.directory / "logs"

    @property
    def run(self) -> Path:
        """Return the folder with the socket and pid file of the supervisor."""
        return self.directory / "run"

    @property
    def socket(self) -> Path:
        """Return the supervisor's control socket; its name is short because Unix socket paths are."""
        return self.run / "s.sock"

    @property
    def pid_file(self) -> Path:
        """Return the supervisor's pid file."""
        return self.run / "supervisord.pid"

    @property
    def programs(self) -> Path:
        """Return the folder with the supervisor's program sections, one file per group."""
        return self.directory / "programs"

    @property
    def etcd(self) -> Path:
        """Return etcd's data folder: the cluster's contents, kept while the lab is down."""
        return self.directory / "etcd"

    @property
    def certificates(self) -> Path:
        """Return the folder kube-apiserver writes its certificate and key to."""
        return self.directory / "certificates"

    @property
    def temporary(self) -> Path:
        """Return TMPDIR of every process of the lab."""
        return self.directory / "tmp"

    @property
    def home(self) -> Path:
        """Return HOME of every process of the lab."""
        return self.directory / "home"

    def log(self, process: str) -> Path:
        """Return the log of one process."""
        return self.logs / f"{process}.log"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands on the same lab waiting until this one has finished."""
        with (self.directory / ".lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Refuse a second run on the same lab while this one is under way. Raise EnvironmentProblem when one is."""
        with (self.directory / "bootstrap.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EnvironmentProblem(
                    Problem(
                        "another bootstrap, destroy or try of this lab is running", "wait for it", str(self.directory)
                    )
                ) from None
            yield

    def load_ports(self) -> dict[str, int]:
        """Return the lab's ports by name, choosing free ones for names that have none yet."""
        file = self.directory / _PORTS
        known: dict[str, int] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return self._write_ports({name: known[name] for name in PORT_NAMES if name in known})

    def choose_ports(self) -> dict[str, int]:
        """Return the lab's ports, each that somebody else occupies replaced. Only while the lab is down."""
        return self._write_ports({name: port for name, port in self.load_ports().items() if is_free(port)})

    def _write_ports(self, known: dict[str, int]) -> dict[str, int]:
        missing = [name for name in PORT_NAMES if name not in known]
        ports = {**known, **dict(zip(missing, choose_free_ports(len(missing), set(known.values())), strict=True))}
        if missing:
            file = self.directory / _PORTS
            file.write_text(json.dumps(ports, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return ports


def is_free(port: int) -> bool:
    """Return whether a server could listen on ``port`` of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Go's servers do: TIME_WAIT is no obstacle
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose_free_ports(count: int, taken: Iterable[int]) -> list[int]:
    """Return ``count`` distinct free loopback ports outside ``taken``."""
    chosen: list[int] = []
    avoided = set(taken)
    for port in random.sample(PORT_RANGE, len(PORT_RANGE)):
        if len(chosen) == count:
            return chosen
        if port not in avoided and is_free(port):
            chosen.append(port)
    raise EnvironmentProblem(
        Problem(f"fewer than {count} free ports between 20000 and 32000", "stop other servers.", "127.0.0.1")
    )
