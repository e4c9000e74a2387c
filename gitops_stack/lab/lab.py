"""The lab: a control plane and, on request, Argo CD's controllers, up and down as one.

Composes every other module of this package; the command line and end-to-end tests are its callers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.argocd_processes import MOST_SHARDS, RESYNC_SECONDS, build_argocd
from gitops_stack.lab.control_plane import build_control_plane, write_credentials, write_kubeconfig
from gitops_stack.lab.disk_space import SPACE_TO_BEGIN, check_space
from gitops_stack.lab.engine_process import Watch
from gitops_stack.lab.nodes import apply_nodes
from gitops_stack.lab.orphans import end_marked_processes
from gitops_stack.lab.processes import ProcessStatus, Program, Supervisor
from gitops_stack.lab.state import LabState
from gitops_stack.lab.tools import Tools

Progress = Callable[[str], None]

_CONTROL_PLANE, _OUTSIDE, _ARGOCD = "control-plane", "outside", "argocd"
_OUTSIDE_PRIORITY = 50
_ARGOCD_PRIORITY = 100  # stopped before anything of the control plane


@dataclass(frozen=True)
class Lab:
    """Drive one lab: its state folder and the executables it runs."""

    state: LabState
    tools: Tools

    @classmethod
    def open(cls, directory: Path, tools: Tools) -> Lab:
        """Return the lab in ``directory``, which is made when missing; nothing is started.

        Raise EnvironmentProblem on a system other than Linux, or a folder that cannot serve.
        """
        if sys.platform != "linux":
            raise EnvironmentProblem(
                Problem("the lab needs Linux (/proc, pidfds)", "run it in a Linux machine.", sys.platform)
            )
        return cls(LabState.open(directory), tools)

    def up(self, progress: Progress, *, nodes: bool = True) -> None:
        """Start the control plane and wait until its nodes are Ready. A running lab returns quickly.

        Without ``nodes`` the cluster has none until somebody makes them, as a rehearsal's node groups do.

        What an earlier, killed run left behind is ended first. Raise EnvironmentProblem naming the process that
        does not become ready.
        """
        check_space([self.state.directory], SPACE_TO_BEGIN)
        with self.state.locked():
            supervisor = self._started_supervisor(progress)
            token = write_credentials(self.state)
            ports = self.state.load_ports()
            programs = build_control_plane(self.state, self.tools.bin, ports, self.process_environment(), token)
            supervisor.load_programs(_CONTROL_PLANE, programs, first_priority=1)
            for program in programs:
                _start(supervisor, [program], progress)
                if program.name == "kube-apiserver":
                    # The controllers read it; it carries the certificate the API server has made by now.
                    write_kubeconfig(self.state, token, ports["kube-apiserver"])
            if nodes:
                apply_nodes(self.state.kubeconfig, self.state.log("kwok"))
            progress(f"the control plane is up{', its nodes are Ready' if nodes else ', without nodes'}")

    def start_outside(self, build: Callable[[Mapping[str, int]], Sequence[Program]], progress: Progress) -> None:
        """Start what a cluster has around it, such as an AWS account; needs no control plane.

        ``build`` gets the lab's ports. Raise EnvironmentProblem naming the process that does not become ready.
        """
        with self.state.locked():
            supervisor = self._started_supervisor(progress)
            programs = build(self.state.load_ports())
            supervisor.load_programs(_OUTSIDE, programs, first_priority=_OUTSIDE_PRIORITY)
            _start(supervisor, programs, progress)

    def start_argocd(
        self,
        *,
        namespace: str,
        git_environment: Mapping[str, str],
        progress: Progress,
        resync_seconds: int = RESYNC_SECONDS,
        shards: int = 1,
    ) -> None:
        """Start Argo CD's controllers for the installation in ``namespace``, or restart those that changed.

        The CRDs, config maps and secrets must be there. ``git_environment`` goes to the repo-server's git; every
        application is compared anew each ``resync_seconds``; the clusters are spread over ``shards`` controllers.
        Raise EnvironmentProblem naming the process that does not become ready.
        """
        with self.state.locked():
            supervisor = self._running_supervisor()
            programs = build_argocd(
                self.state,
                self.tools.bin,
                self.state.load_ports(),
                self.process_environment(),
                namespace=namespace,
                git_environment=git_environment,
                resync_seconds=resync_seconds,
                shards=min(shards, MOST_SHARDS),
            )
            supervisor.load_programs(_ARGOCD, programs, first_priority=_ARGOCD_PRIORITY)
            _start(supervisor, programs, progress)
            progress("Argo CD's controllers are up")

    def stop_argocd(self) -> None:
        """Stop Argo CD's controllers, if they run; the control plane stays."""
        with self.state.locked():
            supervisor = Supervisor(self.state)
            if supervisor.is_running():
                supervisor.load_programs(_ARGOCD, (), first_priority=_ARGOCD_PRIORITY)

    def down(self, progress: Progress) -> None:
        """Stop every process of the lab, last started first; the state folder and the cluster's data stay."""
        with self.state.locked():
            supervisor = Supervisor(self.state)
            if supervisor.is_running():
                try:
                    supervisor.load_programs(_ARGOCD, (), first_priority=_ARGOCD_PRIORITY)
                    for name in ("kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"):
                        progress(f"stopping {name}")
                        supervisor.stop(name)
                    supervisor.shut_down()
                except EnvironmentProblem as problem:  # a supervisor that does not answer is ended with the rest
                    progress(f"ending the processes by force: {problem}")
            supervisor.clear_stale(progress)
            if end_marked_processes(self.state.directory):
                raise EnvironmentProblem(
                    Problem("a process of this lab does not end", "see its logs.", str(self.state.directory))
                )
            progress("the lab is down")

    def watch(self) -> Watch:
        """Return a function that says so once the supervisor, which runs now, is gone; its children follow it soon."""
        supervisor = Supervisor(self.state)
        if not supervisor.is_running():
            return lambda: None
        gone = f"{self.state.directory}: the lab's supervisor has ended, and its cluster with it; run the same again"
        return lambda: None if supervisor.is_running() else gone

    def processes(self) -> list[ProcessStatus]:
        """Return the status of each process, empty when the lab is down."""
        return Supervisor(self.state).statuses()

    def environment(self) -> dict[str, str]:
        """Return what a command needs to use this lab: KUBECONFIG, and PATH with the tools first."""
        path = os.pathsep.join([str(self.tools.bin), os.environ.get("PATH", os.defpath)])
        return {"KUBECONFIG": str(self.state.kubeconfig), "PATH": path}

    def _started_supervisor(self, progress: Progress) -> Supervisor:
        supervisor = Supervisor(self.state)
        if not supervisor.is_running():
            supervisor.clear_stale(progress)
            self.state.choose_ports()
            supervisor.start()
        return supervisor

    def _running_supervisor(self) -> Supervisor:
        supervisor = Supervisor(self.state)
        if not supervisor.is_running():
            raise EnvironmentProblem(Problem("this lab is not up", "bring it up first.", str(self.state.directory)))
        return supervisor

    def process_environment(self) -> dict[str, str]:
        """Return the whole environment of a process of the lab."""
        # Whole: env -i drops the caller's. The caller's PATH stays out too, git and sh are where systems have them.
        path = os.pathsep.join([str(self.tools.bin), "/usr/local/bin", "/usr/bin", "/bin"])
        return {
            "PATH": path,
            "HOME": str(self.state.home),
            "TMPDIR": str(self.state.temporary),
            "LANG": "C.UTF-8",
        }


def _start(supervisor: Supervisor, programs: Sequence[Program], progress: Progress) -> None:
    running = {status.name for status in supervisor.statuses() if status.state == "RUNNING"}
    for program in programs:
        if program.name not in running:
            progress(f"starting {program.name}")
        supervisor.start_program(program)
