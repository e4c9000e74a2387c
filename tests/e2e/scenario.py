"""One project, one lab, and the few verbs the proofs are told in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lightkube import ApiError, Client
from lightkube.types import PatchType

from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.lab import bootstrap as road
from gitops_stack.lab import handover
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.lab_run import LabRun, open_report, prepare_repository
from gitops_stack.lab.tools import build_tools
from gitops_stack.live.kinds import resource_class, served_class
from gitops_stack.live.reading import (
    ObjectReference,
    connect,
    load_applications,
    load_certificate,
    load_objects,
    reference,
)
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.rules.application_status import read_application
from gitops_stack.rules.ownership import Certificate
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.settings import StackSettings

ROOT = Path(__file__).parents[2]
STACK = "local"


def say(line: str) -> None:
    """Print progress where pytest keeps it for a failure."""
    sys.stderr.write(f"{line}\n")


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 120, every: float = 0.3) -> Any:
    """Poll until ``condition`` is truthy and return it; fail with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(every)
    return value


@contextmanager
def watching(sample: Callable[[], None], every: float = 0.2) -> Iterator[None]:
    """Call ``sample`` over and over, in a thread, while the block runs."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(every):
            sample()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def copy_project(folder: Path) -> None:
    """Copy this project's program, its lab stack and all trees into ``folder``."""
    for name in ("Pulumi.yaml", "__main__.py", f"Pulumi.{STACK}.yaml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "gitops", folder / "gitops")


@dataclass
class Scenario:
    """A copy of this project, a lab of its own, and what the last bootstrap reported."""

    project: Path
    lab: Lab
    report: LabRun

    @classmethod
    def create(cls, folder: Path, stack_changes: Mapping[str, Mapping[str, Any]], release: str) -> Scenario:
        """Copy the project into ``folder`` with changed settings at ``release``, rendered and locked; start nothing."""
        project = folder / "project"
        project.mkdir()
        copy_project(project)
        edit_stack(project, stack_changes)
        lab = Lab.open(folder / "lab", build_tools(say))
        scenario = cls(project, lab, open_report(lab, STACK))
        scenario.cli("lock", "--stack", STACK, "--version", release, folder=project)
        return scenario

    def bootstrap(self) -> LabRun:
        """Walk the whole road; a lab that does not come up goes down, since its fixture never gets to close it."""
        try:
            self.report = road.bootstrap(self.lab, self.project, STACK, say)
        except BaseException:
            self.lab.down(say)
            raise
        return self.report

    def prepare(self) -> None:
        """Walk it up to `pulumi up`: control plane, repository, stack."""
        self.lab.up(say)
        prepare_repository(self.report, self.project)

    def start_controllers(self) -> None:
        """Start Argo CD's processes for the installed namespace."""
        handover.start_controllers(self.report, say)

    def cli(self, *arguments: str, folder: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `gitops-stack` as a person in the workspace would, with the lab's tools on PATH."""
        environment = {**os.environ, **self.report.engine.git_environment}
        environment["PATH"] = f"{self.lab.tools.bin}{os.pathsep}{environment['PATH']}"
        command = [str(Path(sys.executable).parent / "gitops-stack"), *arguments]
        done = subprocess.run(
            command, cwd=folder or self.workspace, env=environment, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def pulumi(self, *arguments: str) -> str:
        """Run the engine; raises with its own words when it fails."""
        return self.report.engine.run(*arguments, "--stack", STACK, limit_seconds=300)

    def push(self, message: str) -> str:
        """Render, commit everything in the workspace, push. Returns the revision."""
        write_tree(self.settings, self.workspace / self.settings.tree_path)
        return self.report.workspace.commit_and_push(message)

    def notify(self, *names: str) -> None:
        """Have all applications, or some, look at the repository now, as a webhook does in production."""
        for found in self.applications():
            if not names or found["metadata"]["name"] in names:
                self.merge(found, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})

    def notify_generators(self) -> None:
        """Have the ApplicationSets look now. Until each has, root may take its annotation for drift."""
        resource = resource_class("argoproj.io", "v1alpha1", "ApplicationSet", True)
        for found in self.client.list(resource, namespace=self.settings.argocd.namespace):
            refresh = {"argocd.argoproj.io/application-set-refresh": "true"}
            self.merge(found.to_dict(), {"metadata": {"annotations": refresh}})

    def wait_until_well(self, seconds: float = 180) -> None:
        """Wait until all applications are Synced at the pushed revision and Healthy."""
        handover.wait_until_synced(self.report, limit_seconds=seconds)

    def certificate(self) -> Certificate:
        """Certify the cluster against the workspace's tree."""
        tree = self.workspace / self.settings.tree_path
        manifests = [*load_manifests(tree / "argocd"), *build_app_projects(self.settings)]
        return load_certificate(self.client, self.applications(), manifests)

    def wait_until_handed_over(self) -> Certificate:
        """Wait until the certificate is complete."""
        handover.wait_until_handed_over(self.report, limit_seconds=90)
        return self.report.certificate

    def applications(self) -> list[Manifest]:
        """Read all live Applications."""
        return load_applications(self.client, self.settings.argocd.namespace)

    def application(self, name: str) -> Manifest | None:
        """Read one live Application."""
        return next((found for found in self.applications() if found["metadata"]["name"] == name), None)

    def well(self, name: str) -> bool:
        """Tell whether one application is Synced and Healthy."""
        found = self.application(name)
        return found is not None and read_application(found).well

    def installed(self) -> dict[str, Manifest | None]:
        """Read every object of the workspace's installation."""
        tree = self.workspace / self.settings.tree_path / "argocd"
        return load_objects(self.client, [reference(manifest) for manifest in load_manifests(tree)])

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> Manifest | None:
        """Read one live object."""
        group, _, version = api_version.rpartition("/")
        wanted = ObjectReference(group, kind, namespace, name, version)
        return load_objects(self.client, [wanted])[wanted.text]

    def apply(self, manifest: Manifest, field_manager: str, *, force: bool = True) -> None:
        """Server-side apply ``manifest`` by hand."""
        self._patch(manifest, manifest, PatchType.APPLY, field_manager=field_manager, force=force)

    def merge(self, manifest: Manifest, change: Manifest) -> None:
        """Merge-patch ``change`` into a live object by hand."""
        self._patch(manifest, change, PatchType.MERGE, field_manager="hand")

    def _patch(self, manifest: Manifest, change: Manifest, patch_type: PatchType, **options: Any) -> None:
        found = reference(manifest)
        resource = served_class(self.client, found)
        if found.namespace:
            options["namespace"] = found.namespace
        try:
            self.client.patch(resource, found.name, change, patch_type=patch_type, **options)
        except ApiError as error:
            raise AssertionError(f"{found.text}: {error}") from None

    @cached_property
    def client(self) -> Client:
        """A client of the lab's API server, kept while the lab runs."""
        return connect(self.lab.state.kubeconfig)

    def close(self) -> None:
        """Stop every process of the lab."""
        self.client.close()
        self.lab.down(say)

    @property
    def settings(self) -> StackSettings:
        """The stack's settings as the workspace has them."""
        return self.report.workspace.settings()

    @property
    def workspace(self) -> Path:
        """The clone people work in."""
        return self.report.workspace.directory


def edit_stack(folder: Path, changes: Mapping[str, Mapping[str, Any]], stack: str = STACK) -> None:
    """Merge ``changes`` (settings key -> values, None takes one out) into the stack file in ``folder``."""
    file = folder / f"Pulumi.{stack}.yaml"
    text = StackText.load(file)
    for key, values in changes.items():
        for name, value in values.items():
            path = (f"gitops-stack:{key}", name)
            if value is None:
                text.remove(path)
            else:
                text.set(path, value)
    text.write(file)
