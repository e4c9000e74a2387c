"""One run in the lab: what it works on, what it made, and how long each phase took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.gitops_tree.lock import Lock
from gitops_stack.lab.argocd_processes import RESYNC_SECONDS
from gitops_stack.lab.control_plane import CONTEXT
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.phases import Phases
from gitops_stack.lab.repository import Preparation
from gitops_stack.lab.workspace import Workspace
from gitops_stack.rules.application_status import ApplicationStatus
from gitops_stack.rules.ownership import Certificate

ENGINE_ENVIRONMENT = "engine-environment.json"  # what a rehearsal's engine needs to find its account


@dataclass
class LabRun(Phases):
    """What a run made and how long each phase took."""

    lab: Lab
    workspace: Workspace
    engine: Engine
    as_written: bool = False
    """The stack file is taken as it is, and not pointed at the lab's cluster and repository."""
    repo_server: Mapping[str, str] = field(default_factory=dict)
    """Variables of Argo CD's repo-server alone."""
    resync_seconds: int = RESYNC_SECONDS
    """How often Argo CD compares every application anew; hundreds of them need more than the default."""
    changes: dict[str, int] = field(default_factory=dict)
    revision: str = ""
    applications: list[ApplicationStatus] = field(default_factory=list)
    certificate: Certificate = field(default_factory=lambda: Certificate(()))
    lock: Lock | None = None


def open_report(lab: Lab, stack: str) -> LabRun:
    """Return an empty report of ``stack`` in ``lab``; nothing is started or written."""
    workspace = Workspace.under(lab.state.directory, stack)
    kept = lab.state.directory / ENGINE_ENVIRONMENT
    extra = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    engine = Engine(
        lab.state.directory, workspace.directory, stack, lab.tools.bin, load_git_environment(), extra, lab.watch
    )
    return LabRun(lab, workspace, engine)


def prepare_repository(report: LabRun, project: Path, progress: Progress = lambda _line: None) -> None:
    """Seed the lab's repository and clone, or take what was pushed since; select the Pulumi stack."""
    cluster = None if report.as_written else (report.lab.state.kubeconfig, CONTEXT)
    Preparation(report.workspace, report.engine, project, cluster, progress).run()
