"""From a commit in a chart's repository to production, by the real helm and a registry on the loopback.

The chart's repository is laid out by `init`, and its `publish.sh` runs as it stands there; the login is left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from gitops_stack.charts.lock import LOCK
from gitops_stack.lab.tools import build_tools
from gitops_stack.scaffold.init import init_project
from tests.cli.test_main import run
from tests.delivery.conftest import Remote, git_folder, git_on_path, remote
from tests.e2e.scenario import say
from tests.oci_registry import open_registry
from tests.stacks import ROOT, STACKS

__all__ = ["git_folder", "git_on_path", "remote"]
pytestmark = pytest.mark.e2e

# A registry without TLS: everywhere else helm and ECR need no such word.
HELM = '#!/bin/sh\ncase "$1" in pull|push) exec {helm} "$@" --plain-http ;; *) exec {helm} "$@" ;; esac\n'
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: NAME, namespace: argocd}
spec:
  project: storefront
  source:
    repoURL: REGISTRY/charts
    chart: cart
    targetRevision: 0.1.0
  destination: {server: https://kubernetes.default.svc, namespace: storefront}
"""


@dataclass(frozen=True)
class Chart:
    """A chart's repository, the registry it publishes to, and the platform's repository."""

    folder: Path
    registry: str
    platform: Remote
    helm: Path

    def publish(self) -> subprocess.CompletedProcess[str]:
        """Run the pipeline's step."""
        variables = {**os.environ, "REGISTRY": self.registry}
        return subprocess.run(
            ["sh", "publish.sh", "job.env"], cwd=self.folder, env=variables, capture_output=True, text=True, check=False
        )

    def change(self, version: str, replicas: int) -> None:
        """Change the chart as its owner does."""
        for name, key, value in (("Chart.yaml", "version", version), ("values.yaml", "replicas", replicas)):
            file = self.folder / "chart" / name
            file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), key: value}))

    @property
    def versions(self) -> list[str]:
        """What the pipeline proposed so far."""
        return (self.folder / "job.env").read_text().splitlines()


@pytest.fixture
def chart(remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chart]:
    tools, own = build_tools(say).bin, tmp_path / "bin"
    if not (tools / "helm").exists():
        pytest.skip("the lab's tools have no helm here")
    own.mkdir()
    (own / "helm").write_text(HELM.format(helm=tools / "helm"))
    (own / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{own}{os.pathsep}{tools}", prepend=os.pathsep)
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"HELM_{name}_HOME", str(tmp_path / f"helm-{name.lower()}"))
    init_project(tmp_path / "cart", {"layout": "chart", "repository": "acme/cart"}, defaults=True)
    for stack in STACKS:
        shutil.copy(ROOT / f"Pulumi.{stack}.yaml", remote.clone)
    shutil.copytree(ROOT / "gitops", remote.clone / "gitops")
    with open_registry() as registry:
        text = APPLICATION.replace("NAME", "cart").replace("REGISTRY", registry)
        remote.commit({f"gitops/{stack}/apps/cart.yaml": text for stack in ("dev", "prd")}, "project")
        monkeypatch.chdir(remote.clone)
        yield Chart(tmp_path / "cart", registry, remote, tools / "helm")


def test_a_commit_in_the_charts_repository_gets_to_production_with_the_same_bytes(
    chart: Chart, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chart.publish().returncode == 0
    chart.change("0.2.0", replicas=5)
    published = chart.publish()
    assert published.returncode == 0, published.stderr
    assert chart.versions == ["VERSION=0.1.0", "VERSION=0.2.0"]
    assert run("chart", "set", "cart=0.2.0", "--stack", "dev", "--dry-run", monkeypatch=monkeypatch) == 0
    assert "-  replicas: 2\n+  replicas: 5" in capsys.readouterr().out
    assert run("chart", "set", "cart=0.2.0", "--stack", "dev", "--push", monkeypatch=monkeypatch) == 0
    assert run("promote", "cart", "--from", "dev", "--to", "prd", "--push", monkeypatch=monkeypatch) == 0
    assert chart.platform.log()[0] == "Promote cart from dev to cart 0.2.0 in prd"
    for stack in ("dev", "prd"):
        assert "targetRevision: 0.2.0\n" in chart.platform.text(f"gitops/{stack}/apps/cart.yaml")
    (entry,) = yaml.safe_load(chart.platform.text(LOCK))["charts"]
    archive = chart.folder / "package/cart-0.2.0.tgz"
    digest = subprocess.run(["sha256sum", archive], capture_output=True, text=True, check=True).stdout.split()[0]
    assert (entry["version"], entry["package"]) == ("0.2.0", f"sha256:{digest}")


def test_a_pipeline_that_runs_again_publishes_nothing_and_other_content_needs_another_version(chart: Chart) -> None:
    first = chart.publish()
    assert "Pushed: " in first.stdout + first.stderr
    again = chart.publish()
    assert (again.returncode, "Pushed: " in again.stdout + again.stderr) == (0, False)
    chart.change("0.1.0", replicas=5)
    refused = chart.publish()
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "cart 0.1.0 is published with other content; raise the version in chart/Chart.yaml\n"
    )
    assert chart.versions == ["VERSION=0.1.0", "VERSION=0.1.0"]


def test_a_version_that_was_published_again_is_not_promoted(
    chart: Chart, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for version in ("0.1.0", "0.2.0"):
        chart.change(version, replicas=3)
        chart.publish()
    assert run("chart", "set", "cart=0.2.0", "--stack", "dev", "--push", monkeypatch=monkeypatch) == 0
    chart.change("0.2.0", replicas=7)
    archive = chart.folder / "package/cart-0.2.0.tgz"
    for arguments in (
        ["package", "chart", "--destination", "package"],
        ["push", str(archive), f"oci://{chart.registry}/charts"],
    ):
        subprocess.run(["helm", *arguments], cwd=chart.folder, check=True, capture_output=True)
    assert run("promote", "cart", "--from", "dev", "--to", "prd", "--push", monkeypatch=monkeypatch) == 1
    assert "it was published again with other bytes" in capsys.readouterr().err
    assert "targetRevision: 0.1.0\n" in chart.platform.text("gitops/prd/apps/cart.yaml")


def test_a_vendored_chart_goes_on_with_its_registry_gone(chart: Chart, monkeypatch: pytest.MonkeyPatch) -> None:
    for version, replicas in (("0.1.0", 2), ("0.2.0", 5)):
        chart.change(version, replicas)
        assert chart.publish().returncode == 0
    reference = f"oci://{chart.registry}/charts/cart"
    for stack in ("dev", "prd"):
        arguments = ("chart", "add", reference, "--version", "0.1.0", "--stack", stack)
        assert run(*arguments, monkeypatch=monkeypatch) == 0
    chart.platform.commit({}, "vendored")
    assert run("chart", "set", "cart=0.2.0", "--stack", "dev", "--push", monkeypatch=monkeypatch) == 0
    assert chart.registry not in chart.platform.text("gitops/dev/apps/cart.yaml")
    helm = shutil.which("helm")
    assert helm is not None
    Path(helm).write_text(f'#!/bin/sh\n[ "$1" != pull ] && exec {chart.helm} "$@"\n')
    assert run("promote", "cart", "--from", "dev", "--to", "prd", "--push", monkeypatch=monkeypatch) == 0
    for stack in ("dev", "prd"):
        assert "path: charts/cart/0.2.0\n" in chart.platform.text(f"gitops/{stack}/apps/cart.yaml")
