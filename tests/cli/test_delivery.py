"""`image set` and `promote` from end to end: bare repositories, a forge on the loopback, exit codes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests import fake_kustomize
from tests.cli.test_main import run
from tests.delivery.conftest import Remote, run_git
from tests.forge.fake_pull_requests import TOKEN, serve
from tests.stacks import ROOT, STACKS

A = "sha256:" + "a" * 64
IMAGE = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/guestbook@{A}"
NAME = "registry.k8s.io/e2e-test-images/agnhost"
DEV, PRD = (f"gitops/workloads/guestbook/overlays/{stack}/kustomization.yaml" for stack in ("dev", "prd"))
ENTRY = f"images:\n  - name: {NAME}\n    newName: {IMAGE.partition('@')[0]}\n    digest: {A}\n"
BRANCH = "gitops-stack/dev/guestbook-aaaaaaaaaaaa"
CHANGED = re.compile(rf"(?m)^-\s+(- )?image: {re.escape(NAME)}:2\.53\n\+\s+(- )?image: {re.escape(IMAGE)}$")
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: load}
spec: {template: {spec: {containers: [{name: a, image: registry.k8s.io/e2e-test-images/agnhost:2.53}]}}}
"""
RECREATE = "cannot be changed: the sync fails until the object is deleted"
RISK = {
    "application": "guestbook",
    "verdict": "recreate",
    "level": "high",
    "object": {"group": "batch", "kind": "Job", "namespace": "storefront", "name": "load"},
    "field": "spec.template",
    "message": RECREATE,
}


@pytest.fixture
def platform(remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """Push the project to the bare repository and work in its clone."""
    for stack in STACKS:
        shutil.copy(ROOT / f"Pulumi.{stack}.yaml", remote.clone)
    shutil.copytree(ROOT / "gitops", remote.clone / "gitops")
    remote.commit({}, "project")
    fake_kustomize.install(tmp_path / "tools", monkeypatch)
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))  # whose renders are of the real program
    monkeypatch.chdir(remote.clone)
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "GITHUB_SERVER_URL", "CI_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    return remote


@pytest.fixture
def job(platform: Remote) -> None:
    """Give the application a Job, whose template cannot be changed."""
    base = platform.clone / "gitops/workloads/guestbook/base"
    (base / "job.yaml").write_text(JOB)
    file = base / "kustomization.yaml"
    file.write_text(file.read_text().replace("migration.yaml]", "migration.yaml, job.yaml]"))
    platform.commit({}, "job")


def test_an_image_goes_to_dev_and_is_promoted_to_prd(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = platform.text(PRD)
    assert run("image", "set", f"guestbook={IMAGE}", "--stack", "dev", "--push", monkeypatch=monkeypatch) == 0
    assert platform.text(DEV).endswith(f"resources: [../../base]\n{ENTRY}")
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [f"guestbook: {NAME}:2.53 -> {IMAGE}", DEV]
    assert said[2] == "no risk found"
    assert said[3].startswith("pushed ")
    assert said[3].endswith(" to origin/main")
    assert run("promote", "guestbook", "--from", "dev", "--to", "prd", "--push", monkeypatch=monkeypatch) == 0
    assert platform.text(PRD) == f"{before}{ENTRY}"
    assert platform.log()[:2] == [
        "Promote guestbook from dev to guestbook sha256:aaaaaaaaaaaa in prd",
        "Set guestbook to guestbook sha256:aaaaaaaaaaaa in dev",
    ]
    capsys.readouterr()
    assert run("promote", "guestbook", "--from", "dev", "--to", "prd", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "prd: nothing to do, origin/main has it already\n"
    assert platform.branches() == ["main"]


def test_a_promotion_takes_the_stack_before_it_in_the_order(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("image", "set", f"guestbook={IMAGE}", "--stack", "dev", "--push", monkeypatch=monkeypatch)
    assert run("promote", "guestbook", "--to", "prd", "--push", monkeypatch=monkeypatch) == 0
    assert platform.text(PRD).endswith(ENTRY)
    (platform.clone / "gitops/promotion.yaml").write_text("order: [dev, local, prd]\n")
    assert run("promote", "guestbook", "--to", "prd", "--output", "json", "--push", monkeypatch=monkeypatch) == 0
    assert platform.log()[0] == "Promote guestbook from local to agnhost 2.53 in prd", "dev is not the one before"
    capsys.readouterr()


def test_several_applications_are_promoted_in_one_commit(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cart = platform.clone / "gitops/workloads/cart"
    shutil.copytree(cart.with_name("guestbook"), cart)
    for file in filter(Path.is_file, cart.rglob("*")):
        file.write_text(file.read_text().replace("guestbook", "cart"))
    for stack in ("dev", "prd"):
        entry = (
            f"    cart: {{project: storefront, path: gitops/workloads/cart/overlays/{stack}, namespace: storefront}}\n"
        )
        with (platform.clone / f"Pulumi.{stack}.yaml").open("a") as stack_file:
            stack_file.write(entry)
        assert run("render", "--stack", stack, monkeypatch=monkeypatch) == 0
    platform.commit({}, "cart")
    images = (f"guestbook={IMAGE}", f"cart={IMAGE.replace('/guestbook@', '/cart@')}")
    assert run("image", "set", *images, "--stack", "dev", "--push", monkeypatch=monkeypatch) == 0
    before = len(platform.log())
    assert run("promote", "cart", "guestbook", "--from", "dev", "--to", "prd", "--push", monkeypatch=monkeypatch) == 0
    assert len(platform.log()) == before + 1
    assert platform.text(PRD).endswith(ENTRY)
    assert platform.text(PRD.replace("/guestbook/", "/cart/")).endswith(
        ENTRY.replace("eu-west-1.amazonaws.com/guestbook", "eu-west-1.amazonaws.com/cart")
    )
    capsys.readouterr()


def test_plain_git_gets_a_branch_and_a_way_to_merge(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("image", "set", f"guestbook={IMAGE}", "--stack", "dev", "--source-revision", "0" * 40)
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.splitlines()[3:] == [
        f"pushed branch {BRANCH}",
        f"to merge: git fetch origin && git switch main && git pull --ff-only origin main && "
        f"git merge --no-ff origin/{BRANCH} && git push",
    ]
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    assert f"is pushed already: branch {BRANCH}\n" in capsys.readouterr().out
    assert platform.branches() == [BRANCH, "main"]
    trailers = run_git(platform.bare, "log", "-1", "--format=%(trailers:only)", BRANCH).splitlines()
    assert trailers == [
        "Gitops-Stack-Application: guestbook",
        f"Gitops-Stack-Image: {IMAGE}",
        "Gitops-Stack-Stack: dev",
        f"Gitops-Stack-Source-Revision: {'0' * 40}",
    ]


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_forge_gets_a_pull_request_with_the_rendered_difference(
    kind: str, platform: Remote, job: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del job
    url = f"https://{kind}.com/acme/platform.git"
    run_git(platform.clone, "config", "remote.origin.url", url)
    run_git(platform.clone, "config", f"url.{platform.bare}.insteadOf", url)
    with serve(kind) as forge:
        prefix = {"github": "GITHUB", "gitlab": "CI"}[kind]
        monkeypatch.setenv(f"{prefix}_SERVER_URL", f"https://{kind}.com")
        monkeypatch.setenv({"github": "GITHUB_API_URL", "gitlab": "CI_API_V4_URL"}[kind], forge.url)
        monkeypatch.setenv({"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN"}[kind], TOKEN)
        arguments = ("image", "set", f"guestbook={IMAGE}", "--stack", "dev", "--output", "json")
        assert run(*arguments, monkeypatch=monkeypatch) == 0
        report = json.loads(capsys.readouterr().out)
        assert run(*arguments, monkeypatch=monkeypatch) == 0
        assert [(one.branch, one.base) for one in forge.open] == [(BRANCH, "main")]
        body = forge.open[0].body
        page = forge.page(1)
    assert report == {
        "stack": "dev",
        "result": "pull-request",
        "changes": [{"application": "guestbook", "image": NAME, "before": [f"{NAME}:2.53"], "after": IMAGE}],
        "files": [DEV],
        "base": "main",
        "branch": BRANCH,
        "commit": run_git(platform.bare, "rev-parse", BRANCH),
        "pullRequest": page,
        "warnings": [],
        "risks": [RISK],
        "unseen": [],
    }
    assert (
        "\n**Risk:** high\n\n| risk | verdict | application | object | what happens |\n"
        "| --- | --- | --- | --- | --- |\n"
        f"| high | `recreate` | guestbook | `batch/Job storefront/load` | `spec.template`: `{RECREATE}` |\n\n<details>"
    ) in body
    assert f"| guestbook | `{NAME}:2.53` | `{IMAGE}` |" in body
    assert CHANGED.search(body)


def test_a_missing_token_stops_before_anything_is_pushed(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_git(platform.clone, "config", "remote.origin.url", "https://github.com/acme/platform.git")
    run_git(platform.clone, "config", f"url.{platform.bare}.insteadOf", "https://github.com/acme/platform.git")
    arguments = ("image", "set", f"guestbook={IMAGE}", "--stack", "dev")
    assert run(*arguments, monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: GITHUB_TOKEN: is not set; ")
    assert platform.branches() == ["main"]
    assert run(*arguments, "--no-pull-request", monkeypatch=monkeypatch) == 0
    assert platform.branches() == [BRANCH, "main"]


@pytest.mark.parametrize(
    "command",
    [
        ("image", "set", f"guestbook={IMAGE}", "--stack", "dev"),
        ("promote", "guestbook", "--from", "dev", "--to", "prd"),
        ("upgrade", "argocd", "--to", "v3.5.1", "--stack", "dev"),
    ],
)
@pytest.mark.parametrize("way", ["--push", "--no-pull-request"])
def test_a_fork_that_argo_cd_does_not_follow_gets_nothing(
    command: tuple[str, ...], way: str, platform: Remote, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run_git(platform.clone, "remote", "set-url", "origin", "git@github.com:ana/platform.git")
    assert run(*command, way, "--base", "main", monkeypatch=monkeypatch) == 2
    assert (
        "remote origin: is ana/platform, and Argo CD follows acme/platform; name the remote of acme/platform by "
        "--remote, or correct the stack's repository" in " ".join(capsys.readouterr().err.split())
    )


def test_a_dry_run_shows_the_difference(
    platform: Remote, job: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del job
    assert run("image", "set", f"guestbook={IMAGE}", "--stack", "dev", "--dry-run", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert CHANGED.search(said)
    assert said.splitlines()[2] == (
        f"high risk in guestbook: recreate: batch/Job storefront/load: spec.template: {RECREATE}"
    )
    assert said.endswith("dry run: nothing is committed\n")
    assert platform.branches() == ["main"]


def test_where_kustomize_fails_nothing_is_pushed(
    platform: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tools/kustomize").write_text("#!/bin/sh\necho 'yaml: line 1: no' >&2\nexit 1\n")
    for option in ("--dry-run", "--push", "--no-pull-request"):
        assert run("image", "set", f"guestbook={IMAGE}", "--stack", "dev", option, monkeypatch=monkeypatch) == 1
        folder = DEV.rpartition("/")[0]
        said = capsys.readouterr().err
        assert f"error: {folder}: cannot be rendered, so nobody can say what would change: found text that is" in said
        assert "yaml: line 1: no; correct the file\n" in said
    assert platform.branches() == ["main"]
    assert platform.log() == ["project", "first"]


def test_a_push_without_a_pull_request_is_judged_too(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("image", "set", f"guestbook={IMAGE}", "--stack", "dev", "--push", "--output", "json")
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["risks"], report["unseen"]) == ([], [])
    assert platform.text(DEV).endswith(ENTRY)


def test_a_developer_s_branch_is_pushed_to_directly(platform: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    run_git(platform.clone, "push", "--quiet", "origin", "main:refs/heads/dev/ada")
    arguments = ("--stack", "dev", "--push", "--base", "dev/ada", "--author", "CI <ci@example.org>")
    assert run("image", "set", "guestbook=:2.54", *arguments, monkeypatch=monkeypatch) == 0
    assert 'newTag: "2.54"' in platform.text(DEV, "dev/ada")
    assert "images" not in platform.text(DEV)
    assert platform.log("dev/ada", "%an <%ae>")[0] == "CI <ci@example.org>"


def test_files_in_a_repository_of_their_own(
    platform: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack_file = platform.clone / "Pulumi.dev.yaml"
    own = "namespace: storefront, repoUrl: https://github.com/acme/manifests.git, revision: main"
    text = stack_file.read_text().replace(
        "    storefront:\n", f"    storefront:\n      sourceRepos: [{'https://github.com/acme/manifests.git'}]\n"
    )
    stack_file.write_text(text.replace("namespace: storefront", own))
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copy(stack_file, outside)
    arguments = ("image", "set", f"guestbook={IMAGE}", "--stack", "dev", "--push")
    remote_options = ("--project", str(outside), "--repository", str(platform.clone))
    assert run(*arguments, *remote_options, monkeypatch=monkeypatch) == 0
    assert platform.text(DEV).endswith(ENTRY)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["image", "set", "guestbok=web:1", "-s", "dev"], 1, "guestbok: is not an application of stack dev; known in"),
        (["image", "set", "guestbook=web", "-s", "dev"], 1, "guestbook: found 'web' without tag and digest"),
        (["image", "set", "guestbook=web:latest", "-s", "dev"], 1, "the tag latest, which moves"),
        (["image", "set", "guestbook", "-s", "dev"], 1, "'guestbook': needs APP=REPOSITORY:TAG"),
        (["image", "set", "guestbook/api=web:1", "-s", "dev"], 1, f"overlays/dev/kustomization.yaml: {NAME}"),
        (["image", "set", "guestbook=web:1", "-s", "nope"], 2, "stacks found here: dev, local, prd"),
        (["image", "set", "guestbook=web:1", "-s", "dev", "--base", "gone"], 2, "origin: has no branch gone"),
        (["image", "set", "guestbook=web:1", "-s", "dev", "--remote", "gone"], 2, "has no remote gone; known: origin"),
        (["image", "set", "guestbook=web:1", "-s", "dev", "--author", "me"], 2, "--author: found 'me'; needs"),
        (["image", "set", "guestbook=web:1", "-s", "dev", "-C", "/"], 2, "Pulumi.dev.yaml: is missing"),
        (["promote", "nope", "--from", "dev", "--to", "prd"], 1, "nope: is not an application of stack dev"),
        (["promote", "--from", "dev", "--to", "prd"], 2, ""),
        (
            ["promote", "guestbook", "--to", "dev"],
            2,
            "promotion.yaml: found order: [dev, prd], without a stack before dev; name one by --from",
        ),
        (
            ["promote", "guestbook", "--to", "qa"],
            2,
            "--to: found qa, which is not a stack here; known: dev, local, prd",
        ),
        (["promote", "guestbook", "--from", "prd", "--to", "prd"], 2, "--from: found prd, which is --to as well"),
        (["image", "set", "guestbook=:v1", "guestbook=:v2", "-s", "dev"], 1, "image set: found guestbook twice"),
        (["promote", "guestbook", "--from", "qa", "--to", "prd"], 2, "origin/main: has no Pulumi.qa.yaml; push it"),
        (["promote", "guestbook", "--to", "local"], 2, "without a stack before local; name one by --from"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_pushed(
    arguments: list[str],
    code: int,
    said: str,
    platform: Remote,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(*arguments, monkeypatch=monkeypatch) == code
    assert said in capsys.readouterr().err
    assert platform.branches() == ["main"]
    assert platform.log() == ["project", "first"]


def test_a_promotion_of_a_tag_warns(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("image", "set", "guestbook=:2.54", "--stack", "dev", "--push", monkeypatch=monkeypatch)
    assert run("promote", "guestbook", "--from", "dev", "--to", "prd", "--push", monkeypatch=monkeypatch) == 0
    assert f"warning: guestbook: dev runs {NAME}:2.54 by its tag, which could be moved\n" in capsys.readouterr().err
    assert 'newTag: "2.54"' in platform.text(PRD)
