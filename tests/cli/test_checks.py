"""`check` and `diff` on the command line: exit codes, outputs, and which stacks and paths they look at."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_main import run
from tests.stacks import STACKS
from tests.tree_check.test_trees import PROJECT, TEAM_POLICY, write_files

NGINX = {"base": "deployment", "spec": {"template": {"spec": {"containers": [{"image": "nginx"}]}}}}


@pytest.fixture
def shop(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a project whose stack dev has one error and one warning."""
    monkeypatch.chdir(project)
    write_files(
        project,
        {
            "gitops/dev/projects/shop.yaml": [PROJECT],
            "gitops/dev/apps/web.yaml": [{"base": "application"}],
            "apps/web/web.yaml": [NGINX],
            "policies/own.py": TEAM_POLICY,
        },
    )
    return project


ERROR = (
    "error: apps/web/web.yaml: apps/Deployment shop/web: spec.template.spec.containers[0].image: found nginx: no tag, "
    "which means latest; name a version's tag or a digest [image-not-pinned]"
)
WARNING = (
    "warning: gitops/workloads/guestbook/base/deployment.yaml: apps/Deployment storefront/guestbook: "
    "metadata.labels.team: is missing; add it [team-label]"
)


def test_findings_are_sentences_and_errors_leave_with_1(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.is_dir()
    assert run("check", "--stack", "dev", monkeypatch=monkeypatch) == 1
    said = capsys.readouterr()
    assert [line for line in said.err.splitlines() if line != "checking"] == [ERROR, WARNING]
    assert said.out.splitlines()[0] == "gitops/dev: 1 error, 1 warning"


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--fail-on", "warning"], 1)])
def test_warnings_leave_with_1_only_when_asked_to(
    arguments: list[str], code: int, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(project, {"policies/own.py": TEAM_POLICY})
    assert run("check", "-s", "dev", "-C", project, *arguments, monkeypatch=monkeypatch) == code


def test_without_a_stack_every_stack_is_checked(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", "-C", project, "--output", "json", monkeypatch=monkeypatch) == 0
    assert [check["stack"] for check in json.loads(capsys.readouterr().out)["checks"]] == sorted(STACKS)


def test_paths_choose_and_what_no_application_reads_is_checked_by_itself(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(shop, {"drafts/one.yaml": [{"base": "configmap", "datta": {}}]})
    assert run("check", "drafts", "gitops/workloads", "-s", "dev", monkeypatch=monkeypatch) == 1
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line != "checking"]
    assert lines[0] == WARNING
    assert lines[1].startswith("error: drafts/one.yaml: ConfigMap shop/settings: datta: is not a known field")
    assert said.out.splitlines()[:2] == [
        "gitops/workloads: fine, 1 application, 4 objects, Kubernetes 1.35, 1 warning",
        "drafts: 1 error, 0 warnings",
    ]


def test_a_path_is_not_called_fine_whose_chart_was_not_rendered(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = {"path": "charts/hc"}
    write_files(
        shop,
        {
            "gitops/dev/apps/hc.yaml": [
                {"base": "application", "metadata": {"name": "hc"}, "spec": {"source": source}},
            ],
            "charts/hc/Chart.yaml": "apiVersion: v2\nname: hc\nversion: 0.1.0\n",
            "charts/hc/templates/a.yaml": "{{ .Values }}",
        },
    )
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "helm" else which(name))
    for path in ("charts/hc", "charts/hc/templates"):
        assert run("check", "-s", "dev", path, "--fail-on", "warning", monkeypatch=monkeypatch) == 1
        said = capsys.readouterr()
        place = "gitops/dev/apps/hc.yaml: argoproj.io/Application argocd/hc: spec.source"
        assert f"warning: {place}: is not rendered: it is a Helm chart and helm is not on PATH" in said.err
        assert (
            said.out.splitlines()[0]
            == f"{path}: fine, 1 application, 0 objects, Kubernetes 1.35, 1 warning, 1 source not checked"
        )
    (shop / "gitops/dev/apps/hc.yaml").unlink()
    assert run("check", "-s", "dev", "charts", "--fail-on", "warning", monkeypatch=monkeypatch) == 1
    said = capsys.readouterr()
    assert "warning: charts/hc: is not rendered: it is a Helm chart" in said.err
    assert said.out.splitlines() == ["charts: fine, 0 objects, Kubernetes 1.35, 1 warning, 1 source not checked"]


@pytest.mark.parametrize(
    ("arguments", "version"),
    [(["-s", "dev"], "1.35"), ([], "1.35"), (["-s", "local"], "1.37"), (["--kubernetes-version", "1.34"], "1.34")],
)
def test_a_folder_no_application_reads_is_validated_for_the_version_that_stacks_name(
    arguments: list[str],
    version: str,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_files(shop, {"drafts/one.yaml": [{"base": "configmap"}]})
    assert run("check", "drafts", *arguments, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.splitlines() == [f"drafts: fine, 1 object, Kubernetes {version}"]


@pytest.mark.parametrize("path", ["notes", "notes/README.md", "notes/values.yaml"])
def test_a_path_without_a_manifest_is_warned_of(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"notes/README.md": "x", "notes/values.yaml": "replicas: 2\n"})
    monkeypatch.chdir(tmp_path)
    assert run("check", path, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    warning = f"warning: {path}: holds no manifest, so nothing was checked; correct the path [passed-over]"
    assert warning in said.err.splitlines()
    assert "0 objects" in said.out
    assert run("check", path, "--fail-on", "warning", monkeypatch=monkeypatch) == 1


def test_a_folder_needs_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"one.yaml": [{"base": "configmap"}]})
    assert run("check", tmp_path, "-C", tmp_path, "--kubernetes-version", "1.30", monkeypatch=monkeypatch) == 0
    assert "fine, 1 object, Kubernetes 1.30" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "error: nowhere: is not there; name a folder or file"),
        (["-s", "dev", "--kubernetes-version", "1.2"], "error: --kubernetes-version: found 1.2; needs one of 1."),
    ],
)
def test_what_cannot_be_checked_leaves_with_2(
    arguments: list[str],
    said: str,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shop.is_dir()
    assert run("check", *arguments, monkeypatch=monkeypatch) == 2
    assert said in capsys.readouterr().err


def test_a_missing_kustomize_is_one_sentence_and_leaves_with_2(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "gitops/workloads/guestbook/base/service.yaml").write_text("")  # so that nothing kept stands in
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name in ("kustomize", "kubectl") else which(name))
    assert run("check", monkeypatch=monkeypatch) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line != "checking"]
    assert said == [
        "error: PATH: found neither kustomize nor kubectl; install one of them, or build kustomize with "
        '`eval "$(gitops-stack lab env --tools)"`'
    ]


def test_a_folder_without_stacks_leaves_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", "-C", tmp_path, monkeypatch=monkeypatch) == 2
    assert "found no Pulumi.<stack>.yaml" in capsys.readouterr().err


def test_wrong_settings_are_findings_in_every_output(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shop / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("v3.5.1", "latest"))
    for output in ("text", "json", "sarif", "github"):
        assert run("check", "-s", "dev", "--output", output, monkeypatch=monkeypatch) == 1
        said = capsys.readouterr()
        assert all(words in said.out + said.err for words in ("gitops-stack:argocd.version", "found latest"))


@pytest.mark.parametrize("output", ["sarif", "github"])
def test_machines_get_paths_from_where_they_are(
    output: str, shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shop.parent)
    assert run("check", "-s", "dev", "-C", shop.name, "--output", output, monkeypatch=monkeypatch) == 1
    assert f"{shop.name}/apps/web/web.yaml" in capsys.readouterr().out


def test_a_remote_base_that_cannot_be_reached_leaves_with_2_after_all_else_was_reported(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tools").mkdir()
    for name, text in {"git": "exit 0", "kustomize": "echo 'fatal: unable to access x' >&2; exit 1"}.items():
        (tmp_path / "tools" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "tools" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "tools"), prepend=os.pathsep)
    files = {"far/kustomization.yaml": "resources: [https://git.example.com/a/b?ref=v1]\n"}
    write_files(shop, {**files, "drafts/one.yaml": [{"base": "configmap", "datta": {}}]})
    assert run("check", "drafts", "far", "-s", "dev", monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err.splitlines()
    assert any(line.startswith("error: drafts/one.yaml: ConfigMap shop/settings: datta") for line in said)
    assert any(line.startswith("warning: far: is not rendered: it needs what cannot be reached") for line in said)
    assert said[-1] == (
        "error: far/kustomization.yaml: the remote base cannot be reached: fatal: unable to access x; "
        "check the network and the base's address"
    )


@pytest.fixture
def changed(repository: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository whose last commit takes a team's Namespace out of stack dev, and adds a ConfigMap."""
    monkeypatch.chdir(repository)
    project = repository / "gitops/dev/projects/storefront.yaml"
    project.write_text(project.read_text().replace("namespace: storefront", "namespace: '*'"))
    git(repository, "commit", "--quiet", "--all", "--message", "widen")
    return repository


def test_diff_shows_both_revisions_and_its_verdict(
    changed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("diff", "base..HEAD", monkeypatch=monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "stack dev: 1 application, 1 object" in lines
    assert "stack prd: no difference" in lines
    verdict = "project-widened: argoproj.io/AppProject argocd/storefront: spec.destinations"
    assert f"  high risk: {verdict}: the project permits more than before" in lines
    assert changed.is_dir()


def test_a_revision_against_itself_says_that_only_commits_are_compared(
    changed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("diff", "HEAD..", "-s", "dev", "-C", changed, monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr()
    assert printed.out == "stack dev: no difference\n"
    assert "; what is not committed is not compared\n" in printed.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["base..HEAD", "--fail-on-risk", "-s", "dev"], 1),
        (["base..HEAD", "--fail-on-risk", "--stack", "prd"], 0),
        (["HEAD..HEAD", "--fail-on-risk", "-s", "dev"], 0),
        (["base..nope"], 2),
        (["base..HEAD", "--stack", "nope"], 2),
    ],
)
def test_exit_codes_of_diff(arguments: list[str], code: int, changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert changed.is_dir()
    assert run("diff", *arguments, monkeypatch=monkeypatch) == code


def test_what_no_longer_renders_is_a_risk(
    changed: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = changed / "gitops/dev/apps/guestbook.yaml"
    file.write_text(file.read_text().replace("path: gitops/workloads/guestbook/overlays/dev", "path: gitops/gone"))
    git(changed, "commit", "--quiet", "--all", "--message", "break")
    arguments = ["diff", "HEAD~1..HEAD", "-s", "dev"]
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    assert "  not seen: root: found gitops/gone" in capsys.readouterr().out
    assert run(*arguments, "--fail-on-risk", monkeypatch=monkeypatch) == 1


def test_diff_for_a_comment_and_for_machines(
    changed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert changed.is_dir()
    assert run("diff", "base..HEAD", "-s", "dev", "--output", "markdown", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.startswith("### Rendered difference `")
    assert run("diff", "base..HEAD", "-s", "dev", "--output", "json", monkeypatch=monkeypatch) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], [stack["stack"] for stack in document["stacks"]]) == ("high", ["dev"])


def test_diff_of_a_new_stack(
    repository: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(repository, "rm", "--quiet", "Pulumi.prd.yaml")
    git(repository, "commit", "--quiet", "--message", "gone")
    assert run("diff", "HEAD..base", "-C", repository, "-s", "prd", monkeypatch=monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  + apps/Deployment storefront/guestbook" in lines
    assert not [line for line in lines if "risk" in line]
