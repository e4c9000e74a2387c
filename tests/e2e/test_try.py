"""`gitops-stack try` in one lab that is kept from test to test: a real API server and a real Argo CD."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.orphans import load_marked_pids
from gitops_stack.lab.tools import build_tools
from gitops_stack.live.reading import ObjectReference, connect, load_applications, load_objects
from gitops_stack.manifests import Manifest
from tests.e2e.scenario import ROOT, say, wait_for

pytestmark = pytest.mark.e2e

URL = "https://github.com/acme/platform.git"
IMAGE = {"name": "web", "image": "example.com/web:v1"}
LABELS = {"app": "edge"}


@dataclass
class Project:
    """A copy of this project's stack dev in a repository of its own, and its lab."""

    folder: Path
    lab: Lab

    def run(self, *arguments: str, code: int = 0) -> Any:
        """Run `gitops-stack try` and return what it prints as JSON."""
        environment = {**os.environ, **load_git_environment()}
        environment["PATH"] = f"{self.lab.tools.bin}{os.pathsep}{environment['PATH']}"
        command = [str(Path(sys.executable).parent / "gitops-stack"), "try", *arguments]
        command += ["--stack", "dev", "--output", "json", "--timeout", "120"]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def add(self, name: str, *objects: Manifest, **changes: Any) -> None:
        """Write an application of project storefront with these objects."""
        spec = {
            "project": "storefront",
            "source": {"repoURL": URL, "targetRevision": "main", "path": f"apps/{name}"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "storefront"},
            "syncPolicy": {"automated": {"prune": True}},
            **changes,
        }
        application = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": spec,
        }
        (self.folder / f"gitops/dev/apps/{name}.yaml").write_text(yaml.safe_dump(application))
        (self.folder / "apps" / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "apps" / name / "all.yaml").write_text(yaml.safe_dump_all(objects))

    def applications(self) -> dict[str, Manifest]:
        with connect(self.lab.state.kubeconfig) as client:
            return {found["metadata"]["name"]: found for found in load_applications(client, "argocd")}

    def load(self, *wanted: ObjectReference) -> list[Manifest | None]:
        with connect(self.lab.state.kubeconfig) as client:
            found = load_objects(client, wanted)
        return [found[one.text] for one in wanted]

    def pids(self) -> dict[str, int | None]:
        return {process.name: process.pid for process in self.lab.processes()}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("try")
    shutil.copytree(ROOT / "gitops", folder / "gitops")
    shutil.copy(ROOT / "Pulumi.dev.yaml", folder)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for arguments in (("init", "--quiet", "--initial-branch=main"), ("add", "--all"), ("commit", "-qm", "base")):
        subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)
    made = Project(folder, Lab.open(folder / ".lab" / "try", build_tools(say)))
    yield made
    made.lab.down(say)


def build(api_version: str, kind: str, name: str, **fields: Any) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **fields}


def build_edge() -> list[Manifest]:
    """Build what waits for a cloud everywhere else: a load balancer, a volume, metrics."""
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [IMAGE]}}
    target = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "edge"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    claim = {"accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "resources": {"requests": {"storage": "1Gi"}}}
    backend = {"service": {"name": "edge", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return [
        build("v1", "Service", "edge", spec={"type": "LoadBalancer", "ports": [{"port": 80}], "selector": LABELS}),
        build("networking.k8s.io/v1", "Ingress", "edge", spec={"rules": [{"http": {"paths": [path]}}]}),
        build(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "edge",
            spec={"maxReplicas": 3, "minReplicas": 2, "scaleTargetRef": target, "metrics": [metric]},
        ),
        build(
            "apps/v1",
            "StatefulSet",
            "edge",
            spec={
                "serviceName": "edge",
                "selector": {"matchLabels": LABELS},
                "template": template,
                "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
            },
        ),
    ]


def outcomes(report: Any) -> dict[str, tuple[str, str]]:
    return {found["name"]: (found["sync"], found["health"]) for found in report["applications"]}


def test_changed_applications_of_an_eks_stack_become_synced_and_healthy(project: Project) -> None:
    overlay = project.folder / "gitops/workloads/guestbook/overlays/dev/kustomization.yaml"
    overlay.write_text(f"{overlay.read_text()}commonAnnotations: {{tried: once}}\n")
    project.add("edge", *build_edge())
    project.add("manual", build("v1", "ConfigMap", "manual"), syncPolicy={})
    report = project.run("--keep")
    well = ("Synced", "Healthy")
    assert outcomes(report) == {"edge": well, "guestbook": well, "manual": well}
    live = project.applications()
    assert live.keys() == {"edge", "guestbook", "manual"}, "Argo CD does not manage itself here"
    assert {found["status"]["sync"]["revision"] for found in live.values()} == {report["commit"]}
    written = yaml.safe_load((project.folder / "gitops/dev/apps/guestbook.yaml").read_text())
    assert live["guestbook"]["spec"] == written["spec"]
    assert (project.folder / "Pulumi.dev.yaml").read_text() == (ROOT / "Pulumi.dev.yaml").read_text()


DEPLOYMENT = ObjectReference("apps", "Deployment", "storefront", "guestbook", "v1")
DEFINITION = ObjectReference("apiextensions.k8s.io", "CustomResourceDefinition", "", "applications.argoproj.io", "v1")


def test_what_a_project_refuses_is_reported_with_argo_cd_s_reason(project: Project) -> None:
    role = build("rbac.authorization.k8s.io/v1", "ClusterRole", "all", rules=[])
    project.add("kind", role)
    project.add("place", destination={"server": "https://kubernetes.default.svc", "namespace": "kube-system"})
    project.add("ghost", project="ghost")
    report = project.run("kind", "place", "ghost", "--keep", code=1)
    reasons = {found["name"]: found["reason"] for found in report["applications"]}
    assert "ClusterRole is not permitted in project storefront" in reasons["kind"]
    assert "namespace 'kube-system' do not match any of the allowed destinations" in reasons["place"]
    assert "Application referencing project ghost which does not exist" in reasons["ghost"]
    assert [found["stage"] for found in report["applications"]] == ["failing"] * 3
    assert all(Path(found["log"]).is_file() for found in report["applications"])
    assert project.applications().keys() == {"kind", "place", "ghost"}
    assert project.load(DEPLOYMENT) == [None], "what nobody asks for any more is gone, with all it made"


def test_a_second_try_goes_on_in_the_same_cluster_from_a_failed_one(project: Project) -> None:
    processes = project.pids()
    installed = project.load(DEFINITION)[0]
    project.add("kind", build("v1", "ConfigMap", "kind"))
    report = project.run("kind", "--keep")
    assert outcomes(report) == {"kind": ("Synced", "Healthy")}
    assert project.applications().keys() == {"kind"}
    assert project.pids() == processes
    again = project.load(DEFINITION)[0]
    assert installed is not None
    assert again is not None
    assert again["metadata"]["resourceVersion"] == installed["metadata"]["resourceVersion"]


def test_an_application_names_the_commit_where_its_host_cannot_be_played(project: Project) -> None:
    elsewhere = {"repoURL": "https://github.com/acme/other.git", "targetRevision": "main", "path": "."}
    project.add("ghost", project="ghost", source=elsewhere)  # refused before anything is fetched
    report = project.run("manual", "ghost", "--keep", code=1)
    assert outcomes(report)["manual"] == ("Synced", "Healthy")
    source = project.applications()["manual"]["spec"]["source"]
    assert source == {"repoURL": URL, "targetRevision": report["commit"], "path": "apps/manual"}


def test_nothing_is_left_running_unless_it_is_kept(project: Project) -> None:
    report = project.run("guestbook")
    assert outcomes(report) == {"guestbook": ("Synced", "Healthy")}
    assert load_marked_pids(project.lab.state.directory) == []


def test_a_saved_file_is_in_the_lab_within_five_seconds(project: Project, tmp_path: Path) -> None:
    """Two saves, uncommitted; between them one that does not render, which ends nothing."""
    file = project.folder / "apps/live/all.yaml"
    project.add("live", build("v1", "ConfigMap", "live", data={"color": "red"}))
    environment = {**os.environ, **load_git_environment()}
    environment["PATH"] = f"{project.lab.tools.bin}{os.pathsep}{environment['PATH']}"
    command = [str(Path(sys.executable).parent / "gitops-stack"), "try", "live", "--watch", "--keep", "--stack", "dev"]
    log = tmp_path / "log"
    found = ObjectReference("", "ConfigMap", "storefront", "live", "v1")

    def has_color(wanted: str) -> bool:
        (living,) = project.load(found)
        return (living or {}).get("data") == {"color": wanted}

    with log.open("w") as output:
        running = subprocess.Popen(command, cwd=project.folder, env=environment, stdout=output, stderr=output)
        try:
            wait_for("a first try", lambda: "watching: save a file" in log.read_text(), seconds=120)
            assert has_color("red")
            seconds = []
            for wanted in ("blue", "green"):
                saved = time.monotonic()
                file.write_text(yaml.safe_dump(build("v1", "ConfigMap", "live", data={"color": wanted})))
                wait_for(f"the color {wanted}", partial(has_color, wanted), seconds=60, every=0.1)
                seconds.append(time.monotonic() - saved)
                wait_for("it rests", lambda: log.read_text().rstrip().endswith("or end with Ctrl-C"), seconds=60)
                if wanted == "blue":
                    file.write_text("kind: [")
                    wait_for("it is refused", lambda: "not tried: " in log.read_text(), seconds=30)
            say(f"seconds from a save to the lab: {seconds}")
            assert min(seconds) <= 5  # the quicker of the two: another lab may have both cores for a moment
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(timeout=60)
    assert "not tried: apps/live/all.yaml" in log.read_text()
    assert running.returncode == 130
    status = subprocess.run(
        ["git", "status", "--short", "apps/live"], cwd=project.folder, capture_output=True, text=True, check=True
    )
    assert status.stdout  # nothing was committed
