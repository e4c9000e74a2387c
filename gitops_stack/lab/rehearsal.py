"""A stack written for AWS, run end to end on this machine with its stack file unchanged.

The cluster is the lab's, the account a moto server behind doubles of the aws and eks providers, the host of the GitOps
repository a process on loopback. Composes ``bootstrap`` with what a cluster has around it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gitops_stack.account.base.wanted import Base, Jobs, default_bucket, list_rights
from gitops_stack.account.crashed_creates import load_crashed_creates
from gitops_stack.account.recover import Recovery
from gitops_stack.account.session import Account
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.stack_needs import list_made_issuers
from gitops_stack.config import load_stack_file
from gitops_stack.conventions import PREVIEW_STAND_IN, PULUMI_PROJECT
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.lab.bootstrap import naming_what_is_left, recover_pending
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.git_host import build_git_variables, build_host_program, build_host_variables, check_url
from gitops_stack.lab.handover import hand_over
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.lab_run import ENGINE_ENVIRONMENT, LabRun, open_report, prepare_repository
from gitops_stack.lab.made import Made, load_made
from gitops_stack.lab.network_first import list_updates
from gitops_stack.lab.processes import Program
from gitops_stack.lab.rehearsal_account import (
    as_our_errors,
    build_programs,
    build_variables,
    check_place,
    choose_place,
)
from gitops_stack.lab.rehearsal_prerequisites import write_prerequisites
from gitops_stack.lab.repository import keep_touched_clone
from gitops_stack.lab.state import LabState
from gitops_stack.settings import ExistingClusterSettings, StackSettings
from gitops_stack.settings.missing_cluster import describe_missing_cluster
from gitops_stack.settings.registered_clusters import list_stack_references
from pulumi_aws_double.account import NAME
from pulumi_aws_double.actions import ROLE, load_unused, write_role
from pulumi_aws_double.endpoint_gate import VPC
from pulumi_aws_double.executables import write_executables
from pulumi_aws_double.session import ENDPOINT, AwsSession

_UP_SECONDS = 600.0
_DESTROY_SECONDS = 300.0


@dataclass
class Rehearsal:
    """One rehearsal: its steps, in the order of the methods. Each can be run again after a failure or a kill."""

    report: LabRun
    settings: StackSettings
    place: str = ""
    """From where it plays: an address, or `vpc`; empty: a place that the stack's endpoint lets in."""
    planned: dict[str, int] = field(default_factory=dict)
    """What the first preview announced: operation -> number of resources."""
    made: list[Made] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    """What the stack expects to find in its account and the rehearsal put there, in words."""
    unmade: list[Made] = field(default_factory=list)
    """What the last `pulumi destroy` took down, in order."""
    unused: list[str] = field(default_factory=list)
    """Actions the role for `up` has, by `gitops-stack account init`, and this rehearsal did not take."""
    left: list[str] = field(default_factory=list)
    """What `pulumi destroy` left behind in the account with the stack's tag, as `gitops-stack sweep` lists it."""

    @classmethod
    def open(cls, lab: Lab, project: Path, stack: str, place: str = "") -> Rehearsal:
        """Return the rehearsal of ``stack`` in ``lab``, played from ``place``; nothing is started.

        Raises :class:`GitOpsStackError` for a stack without an EKS cluster, or whatever is wrong in its file.
        """
        settings = load_rehearsed(project, stack)
        report = open_report(lab, stack)
        report.as_written = True
        return cls(report, settings, check_place(place or choose_place(settings)))

    @property
    def event_log(self) -> Path:
        """Where the engine's events of the last `pulumi up` are."""
        return self.report.lab.state.directory / "up-events.jsonl"

    def start(self, project: Path, progress: Progress, *, control_plane: bool = True) -> None:
        """Bring up cluster, account and repository. An account that is gone takes its cluster and state with it."""
        report, state = self.report, self.report.lab.state
        if not self._is_living():
            report.lab.down(lambda _line: None)  # of an earlier one: nobody waits for it
            keep_touched_clone(report.workspace, state.directory.with_name(f"{state.directory.name}-clone"), progress)
            shutil.rmtree(state.directory)
            LabState.open(state.directory)
        with report.phase("AWS account and repository host", progress):
            report.lab.start_outside(self._outside, progress)
            self._connect()
            self.assumed = self._write_prerequisites()
        if self.settings.cluster is None:
            progress(str(describe_missing_cluster(self.settings)))
        elif control_plane:
            with report.phase("control plane", progress):
                report.lab.up(progress, nodes=False)
        with report.phase("repository", progress):
            prepare_repository(report, project, progress)

    def preview(self, progress: Progress, *options: str) -> None:
        """Run the first `pulumi preview`."""
        with self.report.phase("pulumi preview", progress):
            self.planned = self._previewer().preview(*options)

    def up(self, progress: Progress) -> None:
        """Run `pulumi up`, and note what was made in which order. What a killed one left pending is recovered first.

        Of a private stack the network is made before it, alone.
        """
        self.recover(progress)
        self.made = []
        for phase, options in list_updates(self.settings, self.report, inside=self.place == VPC):
            with self.report.phase(phase, progress):
                self.event_log.unlink(missing_ok=True)
                log = f"--event-log={self.event_log}"
                self.report.changes = self.report.engine.up(log, *options, limit_seconds=_UP_SECONDS)
            self.made += load_made(self.event_log)

    def recover(self, progress: Progress) -> list[Recovery]:
        """Take what a killed `pulumi up` made without noting its id into the state; as `gitops-stack recover` does."""
        account = Account(self._region, double=self._account_environment()[ENDPOINT])
        return recover_pending(self.report, account, progress, load_crashed_creates(self.event_log))

    def hand_over(self, progress: Progress) -> None:
        """Start Argo CD's controllers and wait until all is synced and owned by them; nothing without a cluster."""
        if self.settings.cluster is not None:
            hand_over(self.report, progress)

    def preview_again(self, progress: Progress) -> None:
        """Run `pulumi preview --refresh --expect-no-changes`; raises :class:`GitOpsStackError` when it sees any."""
        with self.report.phase("preview --refresh --expect-no-changes", progress):
            self._previewer().preview("--refresh", "--expect-no-changes")

    def destroy(self, progress: Progress) -> None:
        """Take deletion protection off where it is on, as docs/destroy.md says, and run `pulumi destroy`."""
        report, engine = self.report, self.report.engine
        if self.settings.eks and self.settings.eks.deletion_protection:
            with report.phase("deletion protection off", progress):
                path = f"{PULUMI_PROJECT}:cluster.deletionProtection"
                engine.run(
                    "config", "set", "--stack", engine.stack, "--path", path, "false", "--type", "bool",
                    limit_seconds=60,
                )  # fmt: skip
                engine.up(limit_seconds=_UP_SECONDS)
        log = report.lab.state.directory / "destroy-events.jsonl"
        log.unlink(missing_ok=True)
        try:
            with report.phase("pulumi destroy", progress), naming_what_is_left(report):
                engine.destroy(f"--event-log={log}", limit_seconds=_DESTROY_SECONDS)
        finally:
            self.unmade = load_made(log)

    def run_command(
        self, *words: str, variables: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.CompletedProcess[str]:
        """Run `gitops-stack` for the stack against the account, as a person in the clone would."""
        engine = self.report.engine
        command = [sys.executable, "-c", "from gitops_stack.cli.main import main; main()", *words]
        command += ["--stack", engine.stack, "--project", str(engine.project)]
        environment = {**engine.environment(), **variables}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    def sweep(self, *options: str) -> dict[str, Any]:
        """Run `gitops-stack sweep` against the account, as a person would, and return its report.

        Raises :class:`EnvironmentProblem` with its own words when it cannot look.
        """
        done = self.run_command("sweep", *options, "--output", "json")
        if not done.stdout:
            raise EnvironmentProblem(done.stderr.strip().removeprefix("error: "))
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def look_for_leftovers(self, progress: Progress) -> None:
        """Note what the stack left in its account, but for what is kept on purpose."""
        with self.report.phase("sweep", progress):
            leftovers = self.sweep()["leftovers"]
        self.left = [f"{found['kind']} {found['id']}: {found['because']}" for found in leftovers if not found["keep"]]

    def _previewer(self) -> Engine:
        """Return the engine as the role for previews, which may not open the repository's secret."""
        engine = self.report.engine
        own = {ROLE: str(self._roles / "preview.json"), PREVIEW_STAND_IN: "true"}
        return replace(engine, extra={**engine.extra, **own})

    @property
    def _roles(self) -> Path:
        return self.report.lab.state.directory / "aws-roles"

    def _write_roles(self) -> None:
        """Write both roles as `gitops-stack account init` would make them."""
        account = AccountRegion(self._account_id, self._region)
        bucket, key = default_bucket(account), account.arn("kms", "key/state")
        made = tuple(list_made_issuers(self.settings))  # as written: no base has named its providers in the file
        base = Base(account, self.settings, bucket, key, Jobs("github", "acme/platform"), made)
        self._roles.mkdir(exist_ok=True)
        for name, role in (("up", base.up_role), ("preview", base.preview_role)):
            write_role(self._roles / f"{name}.json", role.name, list_rights(base, role))

    def note_unused(self) -> None:
        """Note what the role for `up` was not needed for."""
        self.unused = load_unused(self._roles / "up.json")

    def _is_living(self) -> bool:
        return any(status.name == NAME for status in self.report.lab.processes())

    def _outside(self, ports: Mapping[str, int]) -> list[Program]:
        state, environment = self.report.lab.state, self.report.lab.process_environment()
        account, gate = build_programs(state, self._account_id, self._region, self.place, environment)
        url, repository = self.settings.gitops.repo_url, self.report.workspace.repository
        host = build_host_program(state, ports["git-host"], url, repository, environment)
        return [account, host, gate]

    def _account_environment(self) -> dict[str, str]:
        return build_variables(self.report.lab.state, self._region)

    def _write_prerequisites(self) -> list[str]:
        endpoint = self._account_environment()[ENDPOINT]
        with as_our_errors():
            return write_prerequisites(self.settings, AwsSession(self._region, endpoint=endpoint))

    @property
    def _account_id(self) -> str:
        return self.settings.account.id if self.settings.account else ""

    @property
    def _region(self) -> str:
        return self.settings.region or ""

    def _connect(self) -> None:
        """Point engine and repo-server at the account and at the repository's host."""
        report, state = self.report, self.report.lab.state
        executables = write_executables(state.directory / "aws-bin")
        self._write_roles()
        extra = {**self._account_environment(), "PATH": str(executables), ROLE: str(self._roles / "up.json")}
        report.engine = replace(report.engine, extra=extra)
        (state.directory / ENGINE_ENVIRONMENT).write_text(json.dumps(extra, indent=2), encoding="utf-8")
        url, ports = self.settings.gitops.repo_url, state.load_ports()
        report.repo_server = {
            **build_git_variables(url, report.workspace.repository, report.engine.git_environment),
            **build_host_variables(state, ports["git-host"]),
        }


def load_rehearsed(project: Path, stack: str) -> StackSettings:
    """Read a stack that can be rehearsed. Raises :class:`GitOpsStackError` for any other; makes nothing."""
    settings = load_stack_file(project, stack)
    if isinstance(settings.cluster, ExistingClusterSettings):
        raise GitOpsStackError(
            Problem(
                "found existing; a rehearsal needs eks",
                f"use `gitops-stack lab bootstrap --stack {stack}`",
                f"Pulumi.{stack}.yaml",
                f"{PULUMI_PROJECT}:cluster.provider",
            )
        )
    GitOpsStackError.raise_for(
        f"Pulumi.{stack}.yaml: {PULUMI_PROJECT}:{path}: found {other}; a rehearsal has no state of other stacks: write "
        "down what that one says (docs/clusters.md), in a copy of the stack file"
        for path, other in list_stack_references(settings).items()
    )
    check_url(settings.gitops.repo_url)
    return settings


def rehearse(rehearsal: Rehearsal, project: Path, progress: Progress) -> None:
    """Run a whole rehearsal: up, handover, a preview without changes, destroy. Raises what stops it."""
    rehearsal.start(project, progress)
    rehearsal.preview(progress)
    rehearsal.up(progress)
    rehearsal.hand_over(progress)
    rehearsal.preview_again(progress)
    rehearsal.destroy(progress)
    rehearsal.look_for_leftovers(progress)
    rehearsal.note_unused()
