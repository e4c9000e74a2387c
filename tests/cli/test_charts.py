"""`chart add` from end to end: what it prints, what it writes, and what `check` says afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import fake_kustomize
from tests.charts.packages import REPOSITORY, FakeHelm, build_package
from tests.cli.test_main import run
from tests.stacks import ROOT

APPLICATION = """\
# Ours.
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: storefront
  source:
    repoURL: https://charts.example.com # theirs
    chart: web
    targetRevision: 1.0.0
    helm: {valuesObject: {a: 1}}
  destination: {server: https://kubernetes.default.svc, namespace: storefront}
"""


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the project and give its stack dev an Application of a chart."""
    made = tmp_path / "platform"
    made.mkdir()
    shutil.copy(ROOT / "Pulumi.dev.yaml", made)
    shutil.copytree(ROOT / "gitops", made / "gitops")
    (made / "gitops/dev/apps/web.yaml").write_text(APPLICATION)
    fake_kustomize.install(tmp_path / "tools", monkeypatch)
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(made)
    return made


def test_a_dry_run_prints_the_plan_and_writes_nothing(
    platform: Path, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    helm.publish(build_package(files={f"templates/{number}.yaml": "" for number in range(9)}))
    before = sorted(platform.rglob("*"))
    arguments = ("chart", "add", f"{REPOSITORY}/web", "--version", "1.0.0", "--stack", "dev")
    assert run(*arguments, "--dry-run", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[:3] == ["charts/web/1.0.0: 11 files", "gitops/dev/apps/web.yaml", "charts/charts.lock.yaml"]
    assert lines[3].startswith(f"{REPOSITORY}/web 1.0.0: sha256:")
    assert said.err.splitlines()[-1] == "dry run: nothing was written"
    assert sorted(platform.rglob("*")) == before
    assert (platform / "gitops/dev/apps/web.yaml").read_text() == APPLICATION


def test_an_application_takes_the_chart_from_here_and_nothing_else_of_it_changes(
    platform: Path, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    helm.publish(build_package())
    arguments = ("chart", "add", f"{REPOSITORY}/web", "--version", "1.0.0", "--stack", "dev")
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    changed = APPLICATION.replace("https://charts.example.com", "https://github.com/acme/platform.git")
    changed = changed.replace("chart: web", "path: charts/web/1.0.0").replace(": 1.0.0", ": main")
    assert (platform / "gitops/dev/apps/web.yaml").read_text() == changed
    helm.fail("the repository is down")
    assert run(*arguments[:-2], monkeypatch=monkeypatch) == 2
    assert "the repository is down" in capsys.readouterr().err
    (helm.folder / "fails").unlink()
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.startswith("charts/web/1.0.0: is there already, sha256:")


def test_a_stack_without_the_chart_is_told_what_it_has(
    platform: Path, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    helm.publish(build_package(version="2.0.0"), version="2.0.0")
    (platform / "gitops/dev/apps/broken.yaml").write_text("kind: Application\na: [\n")
    arguments = ("chart", "add", f"{REPOSITORY}/web", "--version", "2.0.0", "--stack", "dev")
    assert run(*arguments, monkeypatch=monkeypatch) == 1
    first, second = capsys.readouterr().err.splitlines()[-2:]
    assert first == (
        f"error: --stack: no Application of dev takes {REPOSITORY}/web 2.0.0; write one first, or leave --stack out; "
        f"charts there: web has {REPOSITORY}/web 1.0.0"
    )
    assert second.startswith("error: gitops/dev/apps/broken.yaml: is not YAML: ")
    assert not (platform / "charts").exists()


def test_overwritten_and_removed_files_are_named(
    platform: Path, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    helm.publish(build_package())
    arguments = ("chart", "add", f"{REPOSITORY}/web", "--version", "1.0.0")
    run(*arguments, monkeypatch=monkeypatch)
    (platform / "charts/web/1.0.0/Chart.yaml").write_text("mine\n")
    (platform / "charts/web/1.0.0/mine.yaml").write_text("mine\n")
    capsys.readouterr()
    assert run(*arguments, "--overwrite", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "charts/web/1.0.0/Chart.yaml: overwritten",
        "charts/web/1.0.0/mine.yaml: removed",
    ]
    assert not (platform / "charts/web/1.0.0/mine.yaml").exists()
