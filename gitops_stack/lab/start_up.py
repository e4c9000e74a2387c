"""Bring Applications into the lab's cluster and wait until each is well, or fails and stays so."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightkube import Client

from gitops_stack.conventions import REFRESH
from gitops_stack.lab.lab import Progress
from gitops_stack.lab.probes import wait_until
from gitops_stack.lab.server_side_apply import FIELD_MANAGER, apply_objects
from gitops_stack.lab.state import LabState
from gitops_stack.lab.volumes import provide_volumes
from gitops_stack.live.reading import load_applications, reference
from gitops_stack.live.writing import merge
from gitops_stack.manifests import Manifest
from gitops_stack.rules.application_status import read_application
from gitops_stack.rules.start_up import (
    Stage,
    has_failed,
    is_automated,
    is_followed,
    is_syncing,
    judge_start,
    read_sources,
)
from gitops_stack.settings import StackSettings

_POLL_SECONDS = 0.3
_SETTLED_SECONDS = 5.0  # what fails so long without a break is not on its way to something else
_TERMINATION_SECONDS = 15.0


@dataclass(frozen=True)
class Outcome:
    """What became of one application after ``seconds``; ``waiting`` when the time was out.

    ``reason`` is empty when all is well, ``log`` the file to read on in.
    """

    name: str
    sync: str
    health: str
    stage: Stage
    seconds: float
    reason: str
    log: Path


@dataclass
class StartUp:
    """Starts of Applications in one cluster, each run in ``limit_seconds``."""

    client: Client
    settings: StackSettings
    commit: str
    state: LabState
    limit_seconds: float

    def run(self, applications: list[Manifest], progress: Progress) -> list[Outcome]:
        """Apply Applications and wait for each. Returns one outcome per Application, in their order."""
        started = time.monotonic()
        self._start(applications)
        names = [found["metadata"]["name"] for found in applications]
        outcomes: dict[str, Outcome] = {}
        failing: dict[str, float] = {}
        while len(outcomes) < len(names):
            provide_volumes(self.client)
            now = time.monotonic()
            late = now - started > self.limit_seconds
            for name, found in self._load(set(names) - outcomes.keys()):
                stage = self._judge(found)
                failing = {key: since for key, since in failing.items() if key != name or stage == "failing"}
                steady = stage == "failing" and now - failing.setdefault(name, now) > _SETTLED_SECONDS
                if stage == "well" or steady or late:
                    outcomes[name] = self._describe(found, stage, now - started)
                    progress(f"{name}: {outcomes[name].sync}, {outcomes[name].health}")
            if late:  # nothing is left but what is not there: somebody deleted it
                gone = [name for name in names if name not in outcomes]
                outcomes |= {name: self._describe(_build_missing(name), "waiting", now - started) for name in gone}
            time.sleep(_POLL_SECONDS)
        return [outcomes[name] for name in names]

    def _start(self, applications: list[Manifest]) -> None:
        names = {one["metadata"]["name"] for one in applications}
        terminate_syncs(self.client, self.settings.argocd.namespace, names)
        apply_objects(self.client, applications)
        for _, found in self._load(names):
            change: Manifest = {"metadata": {"annotations": {REFRESH: "normal"}}}
            if not is_automated(found) or has_failed(found):  # the rest starts by itself
                change["operation"] = self._build_operation(found)
            merge(self.client, reference(found), change, FIELD_MANAGER)

    def _build_operation(self, found: Manifest) -> dict[str, Any]:
        """Build the sync a person would start; what left the tree is pruned, or it would never be Synced."""
        sync: dict[str, Any] = {"prune": True}
        options = (found["spec"].get("syncPolicy") or {}).get("syncOptions")
        if options:
            sync["syncOptions"] = options
        sources = read_sources(found)
        if len(sources) == 1 and is_followed(sources[0], *self._followed):
            sync["revision"] = self.commit
        return {"initiatedBy": {"username": "gitops-stack try"}, "sync": sync}

    def _judge(self, found: Manifest) -> Stage:
        return judge_start(found, *self._followed, self.commit)

    @property
    def _followed(self) -> tuple[str, str]:
        return self.settings.gitops.repo_url, self.settings.gitops.revision

    def _load(self, names: Iterable[str]) -> Iterator[tuple[str, Manifest]]:
        wanted = set(names)
        for found in load_applications(self.client, self.settings.argocd.namespace):
            if found["metadata"]["name"] in wanted:
                yield found["metadata"]["name"], found

    def _describe(self, found: Manifest, stage: Stage, seconds: float) -> Outcome:
        status = read_application(found)
        reason = "" if stage == "well" else status.reason or f"{status.sync}, {status.health}"
        if stage == "waiting":
            reason = f"not within {self.limit_seconds:.0f} s: {reason}"
        process = "argocd-repo-server" if "ComparisonError" in reason else "argocd-application-controller"
        log = self.state.log(process)
        return Outcome(status.name, status.sync, status.health, stage, seconds, reason, log)


def terminate_syncs(client: Client, namespace: str, names: Collection[str]) -> None:
    """End syncs of an earlier test, whose retries may go on for minutes; as `argocd app terminate-op` does."""

    def find_syncing() -> list[Manifest]:
        found = load_applications(client, namespace)
        return [one for one in found if one["metadata"]["name"] in names and is_syncing(one)]

    for found in find_syncing():
        merge(client, reference(found), {"status": {"operationState": {"phase": "Terminating"}}}, FIELD_MANAGER)
    wait_until(lambda: not find_syncing(), seconds=_TERMINATION_SECONDS)


def _build_missing(name: str) -> Manifest:
    condition = {"type": "ApplicationMissingWarning", "message": "is no longer in the cluster"}
    return {"metadata": {"name": name}, "spec": {}, "status": {"conditions": [condition]}}
