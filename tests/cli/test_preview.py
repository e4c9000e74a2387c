"""`preview-comment`, `changed-stacks` and `manifests` as a job runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_stack.preview.manifest_files import load_manifest_files
from tests.cli.test_main import run
from tests.forge.fake_forges import HEAD, TOKEN, FakeForge, environment, serve
from tests.preview.samples import EVENTS
from tests.stacks import GOLDEN
from tests.tree_check.test_trees import write_files

MARKER = "<!-- gitops-stack preview dev -->"

OWN = {"base": "application", "metadata": {"name": "own"}}


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeForge]:
    """Run as a job of pull request 7 on GitHub."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    with serve("github") as server:
        for name, value in environment("github", server, str(event)).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("GITLAB_CI", raising=False)
        yield server


def comment(*arguments: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    return run("preview-comment", "--stack", "dev", *arguments, monkeypatch=monkeypatch)


def test_a_preview_becomes_the_pull_request_s_comment(
    github: FakeForge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("create", "replace"):
        arguments = ("--events", EVENTS / f"{name}.jsonl", "--commit", HEAD)
        assert comment(*arguments, monkeypatch=monkeypatch) == 0
    url = "https://github.com/acme/platform/pull/7#issuecomment-1"
    assert capsys.readouterr().out == f"acme/platform#7: preview of dev written, {url}\n" * 2
    assert len(github.comments) == 1
    assert "**REPLACES 3**" in github.bodies()[0]


def test_a_merge_request_gets_the_same_comment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve("gitlab") as server:
        for name, value in environment("gitlab", server).items():
            monkeypatch.setenv(name, value)
        assert comment("--events", EVENTS / "delete.jsonl", "--commit", HEAD, monkeypatch=monkeypatch) == 0
        assert server.bodies()[0].startswith(f"{MARKER}\n\n### Preview of `dev`: **DELETES 1**")


def test_an_outdated_preview_is_not_written(
    github: FakeForge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert comment("--events", EVENTS / "create.jsonl", "--commit", "b" * 40, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "acme/platform#7: is at aaaaaaaaaaaa, not bbbbbbbbbbbb; nothing written\n"
    assert github.comments == {}


@pytest.mark.parametrize("to_file", [True, False])
def test_without_a_forge_the_comment_is_printed_or_written(
    to_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_TOKEN", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "comment.md"
    arguments: list[str | Path] = [
        "--events", EVENTS / "update.jsonl", "--commit", "0123456789abcdef0123456789abcdef01234567",
        "--run-url", "https://github.com/acme/platform/actions/runs/1", "--output", file if to_file else "-",
    ]  # fmt: skip
    assert comment(*arguments, monkeypatch=monkeypatch) == 0
    text = file.read_text() if to_file else capsys.readouterr().out
    assert text == (GOLDEN / "preview-update.md").read_text()


def test_without_a_token_it_leaves_with_2_and_a_sentence(
    github: FakeForge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.delenv("GH_TOKEN", raising=False)
    assert comment("--events", EVENTS / "create.jsonl", monkeypatch=monkeypatch) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: GITHUB_TOKEN: is not set; give the step `env: GITHUB_TOKEN: ")
    assert github.requests == []


def test_a_fork_s_read_only_token_leaves_with_2_and_never_shows(
    github: FakeForge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    github.answers["POST .*"] = (403, {}, {"message": "Resource not accessible by integration"})
    assert comment("--events", EVENTS / "create.jsonl", monkeypatch=monkeypatch) == 2
    printed = capsys.readouterr()
    assert "(Resource not accessible by integration); give the job `permissions: pull-requests: write`" in printed.err
    assert TOKEN not in printed.out + printed.err


def test_findings_and_manifests_are_in_the_comment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "findings.txt").write_text("rendering\nerror: gitops/dev: stale; render\n")
    for side, value in (("base", 1), ("head", 2)):
        (tmp_path / f"{side}.yaml").write_text(
            f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: web}}, data: {{a: {value}}}}}"
        )
        (tmp_path / side).mkdir()
        (tmp_path / f"{side}.yaml").rename(tmp_path / side / "apps.yaml")
    arguments: list[str | Path] = [
        "--findings",
        tmp_path / "findings.txt",
        "--base",
        tmp_path / "base",
        "--head",
        tmp_path / "head",
    ]
    assert comment(*arguments, "-o", "-", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "### Preview of `dev`: no preview was made; 1 manifest differs; 1 finding" in said
    assert "gitops/dev: stale; render" in said
    assert "-  a: 1\n+  a: 2" in said


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "preview-dev"
    folder.mkdir()
    shutil.copy(EVENTS / "create.jsonl", folder / "events.jsonl")
    (folder / "pull-request").write_text("7\n")
    return folder


def test_an_artifact_is_written_to_the_pull_request_of_its_commit(
    artifact: Path, github: FakeForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_EVENT_PATH", "/nowhere")  # a workflow_run knows no pull request
    assert comment("--artifact", artifact, "--commit", HEAD, "--rehearsed", monkeypatch=monkeypatch) == 0
    assert "Rehearsed without credentials" in github.bodies()[0]


def test_an_artifact_does_not_reach_another_pull_request(
    artifact: Path, github: FakeForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = ("/repos/acme/platform/pulls/8", {"head": {"sha": "c" * 40}})
    github.answers[f"GET {victim[0]}"] = (200, {}, victim[1])
    (artifact / "pull-request").write_text("8\n")
    assert comment("--artifact", artifact, "--commit", HEAD, monkeypatch=monkeypatch) == 0
    assert github.requests == ["GET /repos/acme/platform/pulls/8"]
    assert github.comments == {}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--artifact", "."], 2, "--artifact: needs --commit, which ties a fork's files to its own pull request"),
        (["--artifact", "missing"], 0, ""),
    ],
)
def test_an_artifact_without_commit_or_without_files(
    arguments: list[str], code: int, said: str, github: FakeForge, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert comment(*arguments, monkeypatch=monkeypatch) == code
    assert said in capsys.readouterr().err
    assert github.requests == []


@pytest.mark.parametrize("name", ["--> x", "", "../dev", "a b", "-x"])
def test_a_stack_s_name_cannot_end_the_marker(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("preview-comment", f"--stack={name}", "-o", "-", monkeypatch=monkeypatch) == 2
    assert "--stack: is not a name of a stack" in capsys.readouterr().err


def test_an_event_log_of_something_else_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "events").write_text("hello\nworld\n")
    assert comment("--events", tmp_path / "events", "-o", "-", monkeypatch=monkeypatch) == 1
    assert "events: line 1 is not an engine event" in capsys.readouterr().err


@pytest.fixture
def repository(project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Turn the copied project into a repository with a commit, by the real git."""
    path = os.environ["PATH"].partition(":")[2]  # behind the guards, which no other test may pass
    monkeypatch.setenv("PATH", path)
    settings = tmp_path_factory.mktemp("git") / "config"
    settings.touch()
    for name, value in {
        "GIT_CONFIG_GLOBAL": str(settings), "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    git(project, "init", "--quiet", "--initial-branch=main")
    commit(project)
    return project


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "change")


def test_changed_stacks_are_those_of_the_commits_between(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(repository, "switch", "--quiet", "--create", "topic")
    (repository / "gitops/dev/apps/neu ä.yaml").write_text("a: 1\n")
    (repository / "gitops/prd/apps/argocd.yaml").rename(repository / "gitops/prd/apps/renamed.yaml")
    commit(repository)
    git(repository, "switch", "--quiet", "main")
    (repository / "gitops/local/apps/argocd.yaml").write_text("a: 1\n")  # on main since: no change of topic's
    commit(repository)
    git(repository, "switch", "--quiet", "topic")
    for arguments, said in (
        ((), "dev\nprd\n"),
        (("--only", "dev", "--only", "local"), "dev\n"),
        (("--output", "json"), '["dev", "prd"]\n'),
        (("--output", "json", "--only", "local"), "[]\n"),
    ):
        assert run("changed-stacks", "main", *arguments, "-C", repository, monkeypatch=monkeypatch) == 0
        assert capsys.readouterr().out == said


def test_the_stacks_of_a_project_in_a_subfolder(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = repository / "platform"
    inner.mkdir()
    for name in ("Pulumi.dev.yaml", "Pulumi.prd.yaml"):
        shutil.copy(repository / name, inner)
    commit(repository)
    (inner / "Pulumi.dev.yaml").write_text("config: [\n")  # broken, and still the one that changed
    (repository / "Pulumi.prd.yaml").unlink()
    commit(repository)
    assert run("changed-stacks", "HEAD~1", "-C", inner, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "dev\n"


def test_the_tree_of_a_broken_stack_file_is_the_one_it_names(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stack in ("local", "prd"):
        (repository / f"Pulumi.{stack}.yaml").unlink()
    (repository / "Pulumi.dev.yaml").write_text("config:\n  gitops-stack:gitops: {path: clusters/dev}\n")  # too little
    commit(repository)
    (repository / "clusters/dev").mkdir(parents=True)
    (repository / "clusters/dev/a.yaml").write_text("a: 1\n")
    commit(repository)
    assert run("changed-stacks", "HEAD~1", "-C", repository, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "dev\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["changed-stacks", "HEAD"], "is missing"),
        (["diff", "HEAD..HEAD", "--fail-on-risk"], "is missing in both revisions"),
    ],
)
def test_a_gate_in_a_folder_without_stacks_does_not_pass(
    arguments: list[str],
    said: str,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (repository / "docs").mkdir(exist_ok=True)
    (repository / "docs/a.md").touch()
    commit(repository)
    assert run(*arguments, "-C", repository / "docs", monkeypatch=monkeypatch) == 2
    remedy = "run the command in the folder of Pulumi.yaml, or name that with --project"
    assert f"Pulumi.*.yaml: {said}; {remedy}" in capsys.readouterr().err


@pytest.mark.parametrize("base", ["nowhere", "--output=/tmp/x", "f" * 40])
def test_a_commit_that_is_not_there_leaves_with_2(
    base: str, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("changed-stacks", "-C", repository, "--", base, monkeypatch=monkeypatch) == 2
    assert "give commits this clone has (actions/checkout: fetch-depth: 0)" in capsys.readouterr().err


def test_manifests_of_a_stack_are_written_by_source(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(project / "gitops/workloads")  # what is not there cannot be rendered, and is Argo CD's to complain of
    write_files(project, {"gitops/dev/apps/own.yaml": [{**OWN, "spec": {"source": {"path": "own"}}}]})
    write_files(project, {"own/a.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}'})
    out = tmp_path / "made"
    assert run("manifests", "-s", "dev", "-C", project, "-o", out, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert "objects from root, argocd, guestbook, " in said.out
    assert "found gitops/workloads/guestbook/overlays/dev, which is not a folder here" in said.err
    made = load_manifest_files(out)
    assert {found["kind"] for found in made["projects"]} == {"AppProject"}
    assert [found["metadata"]["name"] for found in made["own"]] == ["a"]  # of an authored Application, and JSON


def test_manifests_of_a_tree_that_does_not_render_are_not_written(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(project / "gitops/workloads")
    (project / "gitops/dev/apps/mine.yaml").write_text("kind: ConfigMap\napiVersion: v1\nmetadata: [\n")
    out = tmp_path / "made"
    assert run("manifests", "-s", "dev", "-C", project, "-o", out, monkeypatch=monkeypatch) == 1
    assert "gitops/dev/apps/mine.yaml: is not YAML" in capsys.readouterr().err
    assert not out.exists()


def test_manifests_of_a_stack_that_is_new_are_an_empty_folder_on_its_base(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments: list[str | Path] = ["manifests", "-s", "stage", "-C", project, "-o", tmp_path / "made"]
    assert run(*arguments, monkeypatch=monkeypatch) == 2
    assert run(*arguments, "--allow-missing", monkeypatch=monkeypatch) == 0
    assert load_manifest_files(tmp_path / "made") == {}


def test_the_comment_needs_no_engine_s_sdk() -> None:
    arguments = ["x", "preview-comment", "-s", "dev", "-o", "-", "--events", str(EVENTS / "create.jsonl")]
    code = (
        f"import sys\nfrom gitops_stack.cli.main import main\nsys.argv = {arguments!r}\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pulumi', 'grpc', 'pulumi_aws', 'boto3'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "creates 15" in done.stdout
