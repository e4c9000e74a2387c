"""`chart set` and `promote` of charts from end to end: a bare repository, a forge on the loopback, exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gitops_stack.charts.lock import LOCK, ChartLock
from gitops_stack.charts.package import read_package
from gitops_stack.charts.reference import ChartReference
from gitops_stack.charts.vendor import plan_package
from gitops_stack.cli import gates
from gitops_stack.cli.gates import Promoted
from tests import fake_kustomize
from tests.charts.packages import REPOSITORY, FakeHelm, build_package
from tests.cli.test_main import run
from tests.delivery.conftest import Remote, run_git
from tests.forge.fake_pull_requests import TOKEN, serve
from tests.stacks import ROOT, STACKS

OWN = "https://github.com/acme/platform.git"
HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: NAME, namespace: argocd}
spec:
  project: storefront
  destination: {server: https://kubernetes.default.svc, namespace: storefront}
"""
REMOTE = f"""{HEAD.replace("NAME", "web")}  source: # pinned
    repoURL: {REPOSITORY}
    chart: web
    targetRevision: 1.0.0 # by chart set
    helm: {{releaseName: shop}}
"""
VENDORED = f"""{HEAD.replace("NAME", "api")}  sources:
    - {{repoURL: {OWN}, targetRevision: main, ref: values}}
    - {{repoURL: {OWN}, targetRevision: main, path: charts/web/1.0.0}}
"""
PLACE = {(name, stack): f"gitops/{stack}/apps/{name}.yaml" for name in ("web", "api") for stack in ("dev", "prd")}


@pytest.fixture
def platform(remote: Remote, helm: FakeHelm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """Push the project, with an Application of a repository's chart and one of a vendored chart in dev and prd."""
    for stack in STACKS:
        shutil.copy(ROOT / f"Pulumi.{stack}.yaml", remote.clone)
    shutil.copytree(ROOT / "gitops", remote.clone / "gitops")
    for version in ("1.0.0", "1.1.0"):
        helm.publish(build_package(version=version), version=version)
    package = read_package(build_package(), "web")
    plan_package(remote.clone, ChartLock({}), ChartReference(REPOSITORY, "web"), package).write(remote.clone)
    texts = {PLACE["web", stack]: REMOTE for stack in ("dev", "prd")}
    texts |= {PLACE["api", stack]: VENDORED for stack in ("dev", "prd")}
    remote.commit(texts, "project")
    fake_kustomize.install(tmp_path / "tools", monkeypatch)
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(remote.clone)
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "GITHUB_SERVER_URL", "CI_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    return remote


def digest(version: str, **files: str) -> str:
    return read_package(build_package(version=version, files=files), "web").digest


def entries(remote: Remote) -> list[tuple[str, str, bool]]:
    found = yaml.safe_load(remote.text(LOCK))["charts"]
    return [(one["version"], one["package"], "files" in one) for one in found]


def test_a_version_goes_to_dev_and_is_promoted_to_prd_with_the_same_bytes(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("chart", "set", "web=1.1.0", "--stack", "dev", "--push", monkeypatch=monkeypatch) == 0
    assert platform.text(PLACE["web", "dev"]) == REMOTE.replace("1.0.0", "1.1.0")
    assert platform.text(PLACE["web", "prd"]) == REMOTE
    assert entries(platform) == [("1.0.0", digest("1.0.0"), True), ("1.1.0", digest("1.1.0"), False)]
    said = capsys.readouterr().out.splitlines()
    chart = f"{REPOSITORY}/web"
    assert said[:3] == [
        f"web: {chart} 1.0.0 {digest('1.0.0')} -> {chart} 1.1.0 {digest('1.1.0')}",
        LOCK,
        PLACE["web", "dev"],
    ]
    assert run("promote", "web", "--to", "prd", "--from", "dev", "--push", monkeypatch=monkeypatch) == 0
    assert platform.text(PLACE["web", "prd"]) == REMOTE.replace("1.0.0", "1.1.0")
    assert platform.log()[:2] == ["Promote web from dev to web 1.1.0 in prd", "Set web to web 1.1.0 in dev"]
    trailers = run_git(platform.bare, "log", "-1", "--format=%(trailers:only)", "main").splitlines()
    assert trailers == [
        "Gitops-Stack-Application: web",
        f"Gitops-Stack-Chart: {chart} 1.1.0 {digest('1.1.0')}",
        "Gitops-Stack-Stack: prd",
        "Gitops-Stack-Promoted-From: dev",
    ]
    capsys.readouterr()
    assert run("promote", "web", "--to", "prd", "--from", "dev", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "prd: nothing to do, origin/main has it already\n"


def test_a_vendored_chart_is_brought_along_and_promoted_without_its_repository(
    platform: Remote, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm.publish(build_package(version="1.1.0", files={"charts/part-1.0.0.tgz": b"\x1f\x8b\xff"}), version="1.1.0")
    assert run("chart", "set", "api=1.1.0", "--stack", "dev", "--push", monkeypatch=monkeypatch) == 0
    assert platform.text(PLACE["api", "dev"]) == VENDORED.replace("1.0.0", "1.1.0")
    assert platform.text(PLACE["api", "prd"]) == VENDORED
    listed = run_git(platform.bare, "ls-tree", "-r", "--name-only", "main", "charts/").splitlines()
    assert [path for path in listed if "1.1.0" in path] == [
        "charts/web/1.1.0/Chart.yaml",
        "charts/web/1.1.0/charts/part-1.0.0.tgz",
        "charts/web/1.1.0/templates/all.yaml",
    ]
    assert [(version, vendored) for version, _, vendored in entries(platform)] == [("1.0.0", True), ("1.1.0", True)]
    helm.fail("the repository is down")
    assert run("promote", "api", "--to", "prd", "--from", "dev", "--push", monkeypatch=monkeypatch) == 0
    assert platform.text(PLACE["api", "prd"]) == VENDORED.replace("1.0.0", "1.1.0")


def test_a_forge_gets_a_pull_request_with_what_the_new_chart_renders(
    platform: Remote, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del helm
    url = "https://github.com/acme/platform.git"
    run_git(platform.clone, "config", "remote.origin.url", url)
    run_git(platform.clone, "config", f"url.{platform.bare}.insteadOf", url)
    with serve("github") as forge:
        monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
        monkeypatch.setenv("GITHUB_API_URL", forge.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        arguments = ("chart", "set", "web=1.1.0", "api=1.1.0", "--stack", "dev", "--output", "json")
        assert run(*arguments, monkeypatch=monkeypatch) == 0
        report = json.loads(capsys.readouterr().out)
        assert run(*arguments, monkeypatch=monkeypatch) == 0
        (request,) = forge.open
    assert report["result"] == "pull-request"
    assert [(one["application"], one["chart"]) for one in report["changes"]] == [("web", "web"), ("api", "web")]
    assert request.branch.startswith("gitops-stack/dev/web-api-")
    assert request.title == "Set web, api in dev"
    assert "-  version: 1.0.0\n+  version: 1.1.0" in request.body
    assert "-    targetRevision: 1.0.0\n+    targetRevision: 1.1.0" in request.body


def test_a_version_that_was_published_again_is_not_promoted(
    platform: Remote, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("chart", "set", "web=1.1.0", "--stack", "dev", "--push", monkeypatch=monkeypatch)
    helm.publish(build_package(version="1.1.0", files={"values.yaml": "a: 1\n"}), version="1.1.0")
    assert run("promote", "web", "--to", "prd", "--from", "dev", "--push", monkeypatch=monkeypatch) == 1
    new = digest("1.1.0", **{"values.yaml": "a: 1\n"})
    assert f"web 1.1.0 is {new} in {REPOSITORY}, and the lock has {digest('1.1.0')} from" in capsys.readouterr().err
    assert platform.text(PLACE["web", "prd"]) == REMOTE


def test_a_vendored_chart_that_somebody_edited_is_not_promoted(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("chart", "set", "api=1.1.0", "--stack", "dev", "--push", monkeypatch=monkeypatch)
    platform.commit({"charts/web/1.1.0/values.yaml": "edited: true\n"})
    assert run("promote", "api", "--to", "prd", "--from", "dev", "--push", monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err.endswith(
        "error: charts/web/1.1.0: its files are not those of charts/charts.lock.yaml; `gitops-stack check` says more\n"
    )


def test_gates_are_asked_for_what_the_stack_before_says_of_the_chart(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("chart", "set", "web=1.1.0", "api=1.1.0", "--stack", "dev", "--push", monkeypatch=monkeypatch)
    platform.commit({"gitops/promotion.yaml": "order: [dev, prd]\nrequires: {prd: [status]}\n"})
    asked: list[Promoted] = []

    def ask(promoted: Promoted) -> Iterator[str]:
        asked.append(promoted)
        yield "web of dev is not synced to 1.1.0"

    monkeypatch.setitem(gates._GATES, "status", ask)
    assert run("promote", "web", "api", "--to", "prd", "--push", monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err.endswith(
        "error: gate status: web of dev is not synced to 1.1.0; nothing is promoted to prd\n"
    )
    assert asked[0].charts == {"web": [{"targetRevision": "1.1.0"}], "api": [{"path": "charts/web/1.1.0"}]}
    assert platform.text(PLACE["web", "prd"]) == REMOTE


def test_a_dry_run_shows_the_difference_and_pushes_nothing(
    platform: Remote, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del helm
    assert run("chart", "set", "web=1.1.0", "--stack", "dev", "--dry-run", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "+  version: 1.1.0" in said
    assert said.endswith("dry run: nothing is committed\n")
    assert platform.branches() == ["main"]
    assert platform.log() == ["project", "first"]


def test_what_was_not_locked_is_locked_with_a_word_about_it(
    platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.commit({PLACE["web", "dev"]: REMOTE.replace("1.0.0", "1.1.0")})
    assert run("promote", "web", "--to", "prd", "--from", "dev", "--push", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"warning: web: charts/charts.lock.yaml has no digest of {REPOSITORY}/web 1.1.0, which dev has; the one of "
        "today is taken"
    )


def test_an_old_version_that_is_gone_is_a_warning(
    platform: Remote, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (helm.folder / "web-1.0.0.tgz").unlink()
    assert run("chart", "set", "web=1.1.0", "--stack", "dev", "--push", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"warning: web: not all that changes was looked at: found web of {REPOSITORY}, which is not here"
    )
    assert platform.log()[0] == "Set web to web 1.1.0 in dev"


TWO = f"""{HEAD.replace("NAME", "two")}  sources:
    - {{repoURL: {REPOSITORY}, chart: web, targetRevision: 1.0.0}}
    - {{repoURL: {REPOSITORY}, chart: part, targetRevision: 1.0.0}}
"""
SHARED = REMOTE.replace("1.0.0 # by", "&version 1.0.0 # by") + "  info: [{name: a, value: *version}]\n"
KNOWN = "known: api/web, web/web"


@pytest.mark.parametrize(
    ("arguments", "texts", "sentence"),
    [
        (["web"], {}, "'web': needs APP=VERSION, or APP/CHART=VERSION for one of several charts"),
        (["=1.1.0"], {}, "'': needs APP, or APP/NAME for one of its images"),
        (["web=1.x"], {}, "web: found '1.x'; needs one whole version such as 1.4.2, no range"),
        (["web="], {}, "web: found ''; needs one whole version such as 1.4.2, no range"),
        (["web=1.1.0", "web/web=1.1.0"], {}, "chart set: web and web/web name one chart; give it once"),
        (["web=9.9.9"], {}, f"{REPOSITORY}/web: has no version 9.9.9; needs a name and a version that are there"),
        (
            ["shop=1.1.0"],
            {},
            "shop: is not an Application with a chart in gitops/dev; needs one that is written there by hand, not "
            f"by an ApplicationSet; {KNOWN}",
        ),
        (
            ["web/other=1.1.0"],
            {},
            "web/other: is not an Application with a chart in gitops/dev; needs one that is written there by hand, not "
            f"by an ApplicationSet; {KNOWN}",
        ),
        (
            ["guestbook=1.1.0"],
            {},
            "guestbook: is a workload of Pulumi.dev.yaml with the path gitops/workloads/guestbook/overlays/dev; `chart "
            "set` changes charts of Applications that are written by hand",
        ),
        (
            ["two=1.1.0"],
            {"gitops/dev/apps/two.yaml": TWO},
            "two: has several charts in dev; name one of two/web, two/part",
        ),
        (
            ["web=1.1.0"],
            {PLACE["web", "dev"]: SHARED},
            f"{PLACE['web', 'dev']}: line 10: the source cannot be changed without changing something else, as an "
            "anchor, a merge key or an unusual notation is in the way; write the value out in its own place",
        ),
        (
            ["web=1.1.0"],
            {PLACE["web", "dev"]: REMOTE.replace("    targetRevision: 1.0.0 # by chart set\n", "")},
            f"{PLACE['web', 'dev']}: spec.source: has no targetRevision; add it, then run this again",
        ),
        (
            ["api=1.1.0"],
            {"charts/web/1.1.0/mine.yaml": "mine: true\n"},
            "charts/web/1.1.0: found charts/web/1.1.0/mine.yaml, which the package does not have in this form; move "
            "your changes into values, or give --overwrite to lose them",
        ),
        (
            ["api=1.1.0"],
            {".gitignore": "charts/web/1.1*\n"},
            "charts/web/1.1.0/Chart.yaml and 1 more: is ignored by .gitignore:1 (charts/web/1.1*), so Argo CD would "
            "not see it; take that line away, or add `!charts/` and `!charts/**` below it",
        ),
        (
            ["web=1.2.0"],
            {},
            f"{PLACE['web', 'dev']}: web: does not render with the new version: {REPOSITORY}/web 1.2.0: helm failed: "
            "execution error at (web/templates/all.yaml:1:3): color is required",
        ),
        (
            ["web=1.1.0"],
            {"gitops/dev/apps/web.yaml": "", "gitops/dev/elsewhere/web.yaml": REMOTE},
            "gitops/dev/elsewhere/web.yaml: web: is not in what dev renders; no Application reads the file",
        ),
        (
            ["web=1.1.0"],
            {LOCK: "charts: 7\n"},
            f"{LOCK}: charts: is not a lock of charts: Input should be a valid list; restore it with `git checkout`, "
            "or write the charts anew with `gitops-stack chart add`",
        ),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_sentence(
    arguments: list[str],
    texts: dict[str, str],
    sentence: str,
    platform: Remote,
    helm: FakeHelm,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    helm.publish(build_package(version="1.2.0", files={"templates/all.yaml": "fail"}), version="1.2.0")
    if texts:
        platform.commit(texts)
    assert run("chart", "set", *arguments, "--stack", "dev", "--push", monkeypatch=monkeypatch) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert said == [f"error: {sentence}"]
    assert len(platform.log()) == 2 + bool(texts)


@pytest.mark.parametrize(
    ("arguments", "texts", "sentence"),
    [
        (
            ["web", "guestbook"],
            {},
            "promote: web has a chart, and guestbook images; promote them one after the other",
        ),
        (
            ["web", "--repository", "."],
            {},
            "--repository: charts are set in the project's own repository; leave it out",
        ),
        (
            ["web"],
            {PLACE["web", "dev"]: REMOTE.replace("1.0.0", "1.x")},
            f"web: dev: {PLACE['web', 'dev']}: spec.source: found '1.x'; needs one whole version such as 1.4.2, "
            "no range",
        ),
        (
            ["web"],
            {PLACE["web", "prd"]: REMOTE.replace("chart: web", "chart: other")},
            "web/web: is not an Application with a chart in gitops/prd; needs one that is written there by hand, not "
            "by an ApplicationSet; known: api/web, web/other",
        ),
    ],
)
def test_what_cannot_be_promoted_is_refused_in_one_sentence(
    arguments: list[str],
    texts: dict[str, str],
    sentence: str,
    platform: Remote,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if texts:
        platform.commit(texts)
    assert run("promote", *arguments, "--from", "dev", "--to", "prd", "--push", monkeypatch=monkeypatch) in (1, 2)
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert said == [f"error: {sentence}"]
