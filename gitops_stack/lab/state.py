"""The folder one lab lives in: its paths, its loopback ports, its lock.

Which processes use them is left to ``control_plane`` and ``argocd_processes``.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.ports import PortFile

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
        return PortFile(self.directory / _PORTS).load()

    def choose_ports(self) -> dict[str, int]:
        """Return the lab's ports, each that somebody else has replaced. Only while the lab is down."""
        return PortFile(self.directory / _PORTS).choose()
