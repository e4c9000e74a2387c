"""`upgrade argocd` and `upgrade cluster`: what is told, where it goes, and what is refused. Planning is tests/e2e's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.account.session import AccessDeniedError, AwsError
from gitops_stack.cli import upgrade
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.kustomize import BuildOptionNeededError
from gitops_stack.upgrade.argocd_upgrade import ArgoCDUpgrade
from gitops_stack.upgrade.cluster_upgrade import ClusterUpgrade
from tests.cli.test_main import run
from tests.delivery.conftest import Remote, run_git
from tests.forge.fake_pull_requests import TOKEN, serve
from tests.stacks import ROOT

BRANCH = "gitops-stack/dev/argocd-v3.6.0"
ARGOCD = ("upgrade", "argocd", "--to", "v3.6.0", "--stack", "dev")
CLUSTER = ("upgrade", "cluster", "--to", "1.36", "--stack", "dev", "--offline")


@pytest.fixture
def platform(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """Push a project to the bare repository, work in its clone, and plan one changed file."""
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / name, remote.clone)
    remote.commit({}, "project")
    monkeypatch.chdir(remote.clone)
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "GITHUB_SERVER_URL", "CI_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)

    def plan_argocd(tree: Path, prefix: str, stack: str, version: str | None, *, downgrade: bool) -> ArgoCDUpgrade:
        done = (tree / "new").is_file()
        texts = {} if done else {f"{prefix}new": "text\n"}
        return ArgoCDUpgrade(stack, "v3.5.1", str(version), "c" * 40, texts=texts, warnings=(f"down: {downgrade}",))

    def plan_cluster(tree: Path, _prefix: str, stack: str, version: str, _account: Any, images: Any) -> ClusterUpgrade:
        pins = tuple((name, "", release) for name, release in images.items())
        texts = {} if (tree / "new").is_file() else {"new": "text\n"}
        return ClusterUpgrade(stack, "1.35", version, pins, texts=texts)

    monkeypatch.setattr(upgrade, "plan_argocd_upgrade", plan_argocd)
    monkeypatch.setattr(upgrade, "plan_cluster_upgrade", plan_cluster)
    monkeypatch.setattr(upgrade, "prove_upgrade", lambda *_: None)
    monkeypatch.setattr(upgrade, "prove_cluster_upgrade", lambda *_: None)
    return remote


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_pull_request_is_opened_and_a_second_run_finds_it(
    kind: str, platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"https://{kind}.com/acme/platform.git"
    run_git(platform.clone, "config", "remote.origin.url", url)
    run_git(platform.clone, "config", f"url.{platform.bare}.insteadOf", url)
    with serve(kind) as forge:
        monkeypatch.setenv({"github": "GITHUB_SERVER_URL", "gitlab": "CI_SERVER_URL"}[kind], f"https://{kind}.com")
        monkeypatch.setenv({"github": "GITHUB_API_URL", "gitlab": "CI_API_V4_URL"}[kind], forge.url)
        monkeypatch.setenv({"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN"}[kind], TOKEN)
        assert run(*ARGOCD, "--output", "json", monkeypatch=monkeypatch) == 0
        report = json.loads(capsys.readouterr().out)
        assert run(*ARGOCD, monkeypatch=monkeypatch) == 0
        [opened] = forge.open
        page = forge.page(1)
    assert (opened.branch, opened.base, opened.title) == (BRANCH, "main", "Upgrade Argo CD v3.5.1 to v3.6.0 in dev")
    assert "down: False" in opened.body
    assert (report["branch"], report["pullRequest"], report["files"]) == (BRANCH, page, ["new"])
    assert report["commit"] == run_git(platform.bare, "rev-parse", BRANCH)
    assert capsys.readouterr().out.splitlines()[-1] == f"pull request updated: {page}"


def test_without_a_forge_the_branch_and_how_to_merge_it_are_told(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*ARGOCD, "--forge", "none", "--downgrade", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "down: True" in said
    assert f"branch {BRANCH}\nto merge: " in said
    assert platform.text("new", BRANCH) == "text\n"
    message = run_git(platform.bare, "log", "-1", "--format=%B", BRANCH)
    assert message.endswith("\n\nGitops-Stack-Release: v3.6.0\nGitops-Stack-Stack: dev")


def test_a_dry_run_commits_nothing_and_a_push_goes_to_the_base(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*ARGOCD, "--dry-run", monkeypatch=monkeypatch) == 0
    assert "dry run: nothing is committed" in capsys.readouterr().err
    assert (platform.branches(), platform.log()[0]) == (["main"], "project")
    assert run(*ARGOCD, "--push", monkeypatch=monkeypatch) == 0
    assert platform.log()[0] == "Upgrade Argo CD v3.5.1 to v3.6.0 in dev"


def test_nothing_to_do_is_said(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.commit({"new": "text\n"})
    assert run(*ARGOCD, "--forge", "none", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "dev: nothing to do, origin/main has v3.6.0 already\n"


def test_a_cluster_s_images_are_given_by_node_group(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--ami", "system=1.36.1-20261101", "--forge", "none")
    assert run(*CLUSTER, *options, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "cluster.version: 1.35 -> 1.36\n  system: none -> 1.36.1-20261101" in said
    assert platform.log("gitops-stack/dev/kubernetes-1.36")[0] == "Upgrade Kubernetes 1.35 to 1.36 in dev"


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*CLUSTER, "--ami", "system"), "--ami: found 'system'; needs GROUP=RELEASE, such as general=1.36.1-20261101"),
        ((*CLUSTER, "--author", "Ada"), "--author: found 'Ada'; needs 'NAME <EMAIL>'"),
        ((*ARGOCD, "--forge", "none", "--base", "gone"), "origin: has no branch gone; name one with --base"),
    ],
)
def test_what_is_not_valid_is_refused(
    arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, monkeypatch=monkeypatch) == 2
    assert said in capsys.readouterr().err


def test_a_stack_that_the_base_does_not_have_is_named(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(platform.clone / "Pulumi.dev.yaml", platform.clone / "Pulumi.new.yaml")
    arguments = ("upgrade", "argocd", "--to", "v3.6.0", "--stack", "new", "--forge", "none")
    assert run(*arguments, monkeypatch=monkeypatch) == 2
    assert "origin/main: has no Pulumi.new.yaml; push it" in capsys.readouterr().err


def test_a_proof_that_fails_commits_nothing_and_names_the_file_as_the_repository_does(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(tree: Path, *_: object) -> None:
        raise GitOpsStackError(f"{tree}/gitops/dev: renders to something else")

    monkeypatch.setattr(upgrade, "prove_upgrade", refuse)
    assert run(*ARGOCD, "--forge", "none", monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err.endswith("error: gitops/dev: renders to something else\n")
    assert platform.branches() == ["main"]


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (AwsError("is throttled", "wait", "Throttling"), 2, "AWS: is throttled; wait"),
        (
            AccessDeniedError("eks:ListInsights", "AccessDenied"),
            2,
            "AWS: the credentials may not eks:ListInsights; allow that action",
        ),
        (
            BuildOptionNeededError(Path("gitops/dev"), "--enable-helm"),
            1,
            "gitops/dev: needs --enable-helm; set argocd.kustomize.buildOptions, or --kustomize-build-options for a "
            "folder without a stack",
        ),
    ],
)
def test_what_stops_the_planning_is_one_sentence(
    error: GitOpsStackError,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(upgrade, "plan_cluster_upgrade", refuse)
    assert run(*CLUSTER, "--forge", "none", monkeypatch=monkeypatch) == code
    assert capsys.readouterr().err.splitlines()[-1] == f"error: {said}"
