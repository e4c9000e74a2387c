"""The workflows: rules that keep strangers out, and commands that exist."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from gitops_stack import versions
from gitops_stack.account.base.wanted import UP_SECONDS
from gitops_stack.cli.main import app
from tests.stacks import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(file.name for file in FOLDER.glob("*.yml"))
GITLAB = ROOT / ".gitlab-ci.yml"
DIGESTS = ROOT / "gitops_stack" / "lab" / "tool-digests.json"
EVERY = pytest.mark.parametrize("name", WORKFLOWS)
# Everything under these may be chosen by whoever opened the pull request: as text in a script it would be run.
UNTRUSTED = r"github\.(event|head_ref|actor|ref_name|base_ref)|inputs\.|needs\.|steps\.|matrix\.|env\.|vars\.|secrets\."


class _GitLabLoader(yaml.SafeLoader):
    """Reads `!reference [job, key]` as a list."""


def _construct_reference(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


_GitLabLoader.add_constructor("!reference", _construct_reference)


def load(name: str) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return document


def jobs(name: str) -> dict[str, Any]:
    found: dict[str, Any] = load(name)["jobs"]
    return found


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name).values() for step in job["steps"]]


def events(name: str) -> set[str]:
    on = load(name)[True]  # YAML 1.1 reads `on` so
    return {on} if isinstance(on, str) else set(on)


def scripts() -> Iterator[tuple[str, str]]:
    """Yield (file, script) of every step and job that runs something."""
    for name in WORKFLOWS:
        yield from ((name, step["run"]) for step in steps(name) if "run" in step)
    for job in yaml.load(GITLAB.read_text(encoding="utf-8"), Loader=_GitLabLoader).values():
        if isinstance(job, dict):
            lines = [*job.get("before_script", ()), *job.get("script", ())]
            yield from ((GITLAB.name, line) for line in lines if isinstance(line, str))


def commands(program: str) -> Iterator[tuple[str, list[str]]]:
    """Yield (file, words behind ``program``) of every call of a program."""
    for name, script in scripts():
        joined = re.sub(r"\\\n", " ", script).replace("'", " ")  # what `sh -c` runs counts as well
        for command in re.split(r"\n|;|&&|\|\||\||\$\(|\)", joined):
            if program not in command:  # others may be quoted over what is split here
                continue
            words = [word for word in shlex.split(re.sub(r"\d?>+ ?\S+|2>&1", "", command)) if word]
            if words and (words[0] == program or words[0].endswith(f"/{program}")):
                yield name, words[1:]
            elif words[:2] == ["env", "-u"] and words[3:4] == [program]:
                yield name, words[4:]
            elif "=" in (words[0] if words else "") and len(words) > 1 and words[1].endswith(program):
                yield name, words[2:]


def test_the_six_workflows_are_looked_at() -> None:
    assert WORKFLOWS == ["ci.yml", "drift.yml", "preview-comment.yml", "preview.yml", "release.yml", "up.yml"]


@EVERY
def test_actions_are_pinned_by_commit_with_their_version(name: str) -> None:
    lines = [line.strip() for line in (FOLDER / name).read_text().splitlines() if re.match(r"\s*(- )?uses:", line)]
    assert lines
    for line in lines:
        assert re.fullmatch(r"(- )?uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_one_action_has_one_pin() -> None:
    uses = {step["uses"] for name in WORKFLOWS for step in steps(name) if "uses" in step}
    assert len(uses) == len({one.partition("@")[0] for one in uses})


@EVERY
def test_permissions_are_given_per_workflow_and_job(name: str) -> None:
    assert load(name)["permissions"] in ({}, {"contents": "read"})
    writes = {
        (job, scope)
        for job, found in jobs(name).items()
        for scope, level in found.get("permissions", {}).items()
        if level == "write"
    }
    assert (
        writes
        == {
            "ci.yml": set(),
            "drift.yml": {("drift", "id-token"), ("drift", "issues")},
            "preview.yml": {("preview", "id-token"), ("preview", "pull-requests")},
            "preview-comment.yml": {("comment", "pull-requests")},
            "release.yml": {("attest", "attestations"), ("attest", "id-token"), ("publish", "id-token")},
            "up.yml": {("dev", "id-token"), ("prd", "id-token")},
        }[name]
    )
    if load(name)["permissions"] == {}:
        assert all("permissions" in job for job in jobs(name).values())


@EVERY
def test_no_expression_is_pasted_into_a_script(name: str) -> None:
    for step in steps(name):
        assert not re.search(r"\$\{\{", step.get("run", "")), step
        assert not re.search(UNTRUSTED, str(step.get("shell", "")))


@EVERY
def test_every_job_ends(name: str) -> None:
    assert all(0 < job["timeout-minutes"] <= 120 for job in jobs(name).values())


@EVERY
def test_no_credentials_are_left_in_the_checkout(name: str) -> None:
    checkouts = [step for step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_workflow_runs_a_stranger_s_code_with_the_repository_s_rights() -> None:
    assert all("pull_request_target" not in events(name) for name in WORKFLOWS)
    assert events("preview-comment.yml") == {"workflow_run"}
    for step in steps("preview-comment.yml"):
        assert "ref" not in step.get("with", {})
        assert "repository" not in step.get("with", {})
    wanted = "github.event.workflow_run.head_repository.full_name != github.repository"
    assert wanted in jobs("preview-comment.yml")["comment"]["if"]


def test_a_fork_s_job_has_neither_identity_nor_secret() -> None:
    job = jobs("preview.yml")["rehearse"]
    assert job["permissions"] == {"contents": "read"}
    assert "head.repo.full_name != github.repository" in job["if"]
    assert "head.repo.full_name == github.repository" in jobs("preview.yml")["preview"]["if"]
    assert not re.search(r"secrets\.|vars\.|github\.token|configure-aws", str(job))


def test_what_is_published_is_what_was_built_attested_and_nothing_else() -> None:
    build, attest, publish = (jobs("release.yml")[name] for name in ("build", "attest", "publish"))
    assert (attest["needs"], publish["needs"], publish["environment"]) == ("build", "attest", "pypi")
    assert "permissions" not in build  # what runs this repository's code cannot sign
    for job in (attest, publish):
        assert not any("run" in step or "checkout" in step["uses"] for step in job["steps"])
        assert job["steps"][0]["with"] == {"name": "dist", "path": "dist/"}
    assert events("release.yml") == {"push"}
    assert load("release.yml")[True]["push"] == {"tags": ["v*"]}


def test_tools_are_released_with_the_go_of_their_digests() -> None:
    (go,) = [step for step in steps("release.yml") if "setup-go@" in step.get("uses", "")]
    assert go["with"]["go-version"] == json.loads(DIGESTS.read_text())["go"].removeprefix("go")


def test_secrets_reach_only_the_step_that_needs_them() -> None:
    for name in WORKFLOWS:
        for job in jobs(name).values():
            assert "secrets." not in str({key: value for key, value in job.items() if key != "steps"})
            for step in job["steps"]:
                if "secrets." in str(step) or "github.token" in str(step):
                    assert re.search(
                        r"pulumi (preview|up) |preview-comment |download-artifact@|gh (issue|run) ", str(step)
                    ), step


def test_what_waits_for_the_cluster_does_not_hold_the_passphrase() -> None:
    waits = [script for _, script in scripts() if "gitops-stack status" in script]
    assert len(waits) == 3  # dev and prd of GitHub, and GitLab's one for both
    for script in waits:
        assert re.findall(r"(\S+ \S+ \S+) gitops-stack status ", script) == ["env -u PULUMI_CONFIG_PASSPHRASE"]


@pytest.mark.parametrize("stack", ["dev", "prd"])
def test_a_session_is_no_longer_than_every_role_allows_unless_a_variable_says_so(stack: str) -> None:
    (login,) = [step for step in jobs("up.yml")[stack]["steps"] if "configure-aws-credentials" in step.get("uses", "")]
    assert login["with"]["role-duration-seconds"] == "${{ vars.UP_SECONDS || 3600 }}"  # IAM's default maximum
    (row,) = [line for line in (ROOT / "docs/previews.md").read_text().splitlines() if "`UP_SECONDS`" in line]
    assert f"Set {UP_SECONDS}, which the roles of `account init` allow" in row


def run_drift(
    folder: Path, step: int, programs: dict[str, str], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run one script of the drift job with stand-ins for the programs it calls; they write to calls.txt."""
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    script = [found["run"] for found in jobs("drift.yml")["drift"]["steps"] if found.get("shell") == "bash"][step]
    known = {"PATH": f"{folder}:{os.environ['PATH']}", "STACK": "dev", "GITHUB_OUTPUT": str(folder / "output")}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]  # as GitHub runs `shell: bash`
    return subprocess.run(
        command, cwd=folder, env={**known, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("pulumi", "code", "output"),
    [
        ("exit 0", 0, "drifted=false\n"),
        ("echo 'error: no changes were expected but changes were proposed'; exit 255", 0, "drifted=true\n"),
        ("echo 'error: no credentials'; exit 255", 1, None),
    ],
)
def test_drift_is_told_from_a_preview_that_could_not_run(
    pulumi: str, code: int, output: str | None, tmp_path: Path
) -> None:
    assert run_drift(tmp_path, 0, {"pulumi": pulumi}).returncode == code
    said = tmp_path / "output"
    assert (said.read_text() if said.exists() else None) == output


@pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's runners have jq, and this machine has not")
@pytest.mark.parametrize(
    ("open_issues", "drifted", "calls"),
    [
        ([], "true", ["create --title Drift in stack dev --body-file issue.md"]),
        (["Drift in stack dev"], "true", ["edit 1 --body-file issue.md"]),
        (["Drift in stack dev", "Drift in stack dev-eu"], "false", ["close 1 --comment No difference any more: run"]),
        (["Drift in stack dev-eu"], "false", []),
    ],
)
def test_a_stack_has_one_issue_while_it_drifts(
    open_issues: list[str], drifted: str, calls: list[str], tmp_path: Path
) -> None:
    listed = json.dumps([{"number": number, "title": title} for number, title in enumerate(open_issues, 1)])
    (tmp_path / "drift.txt").write_text("~ update\n", encoding="utf-8")
    gh = f"""if [ "$2" = list ]; then echo '{listed}'; else shift; echo "$@" >> calls.txt; fi"""
    done = run_drift(tmp_path, 1, {"gh": gh}, DRIFTED=drifted, RUN_URL="run")
    assert done.returncode == 0, done.stderr
    file = tmp_path / "calls.txt"
    assert (file.read_text().splitlines() if file.exists() else []) == calls


def test_previews_replace_each_other_and_updates_do_not() -> None:
    for job in ("preview", "rehearse"):
        group = jobs("preview.yml")[job]["concurrency"]
        assert group == {
            "group": "preview-${{ github.event.pull_request.number }}-${{ matrix.stack }}",
            "cancel-in-progress": True,
        }
    for stack in ("dev", "prd"):
        assert jobs("up.yml")[stack]["concurrency"] == {"group": f"up-{stack}", "cancel-in-progress": False}
        assert jobs("up.yml")[stack]["environment"] == stack
    drift = jobs("drift.yml")["drift"]
    # Not in the group of up.yml: a run that is new there takes the place of one that waits for its reviewers.
    assert drift["concurrency"]["group"] == "drift-${{ matrix.stack }}"
    assert drift["if"] == "needs.idle.outputs.running == '0'"
    assert drift["strategy"]["matrix"]["stack"] == ["dev", "prd"]
    gitlab = yaml.load(GITLAB.read_text(encoding="utf-8"), Loader=_GitLabLoader)
    assert gitlab["drift"]["resource_group"] == "up-$STACK"
    assert {gitlab[f"up-{stack}"]["resource_group"] for stack in ("dev", "prd")} == {"up-dev", "up-prd"}
    assert events("up.yml") == {"push"}
    assert load("up.yml")[True]["push"] == {"branches": ["main"]}


def test_the_stacks_with_an_account_are_the_same_everywhere() -> None:
    listed = {load("preview.yml")["env"]["STACKS"], jobs("preview-comment.yml")["comment"]["env"]["STACKS"]}
    assert listed == {"dev prd"}
    assert all((ROOT / f"Pulumi.{stack}.yaml").is_file() for stack in ("dev", "prd"))


def test_the_engine_is_the_pinned_one() -> None:
    wanted = versions.PULUMI.removeprefix("v")
    given = {
        step["with"]["pulumi-version"]
        for name in WORKFLOWS
        for step in steps(name)
        if step.get("uses", "").startswith("pulumi/actions@")
    }
    assert given == {wanted}
    assert f"name: pulumi/pulumi:{wanted}\n" in GITLAB.read_text()


CALLS = list(commands("gitops-stack"))


def test_calls_are_found() -> None:
    called = {(name, words[0]) for name, words in CALLS}
    files = {"preview.yml", "preview-comment.yml", "up.yml", GITLAB.name}
    assert {name for name, _ in called} == files  # drift.yml calls Pulumi alone
    assert {
        ("preview.yml", "rehearse"),
        ("preview-comment.yml", "preview-comment"),
        ("up.yml", "changed-stacks"),
    } <= called


@pytest.mark.parametrize(("name", "words"), CALLS, ids=[f"{name}: {' '.join(words[:3])}" for name, words in CALLS])
def test_every_call_is_of_a_command_with_these_options(name: str, words: list[str]) -> None:
    known: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    options = {option for param in known[words[0]].params for option in param.opts}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given <= options, name


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = {word for _, words in commands("make") for word in words if "=" not in word}
    assert {"venv"} <= called <= targets


def test_every_path_a_workflow_tests_exists() -> None:
    paths = {word for _, words in commands("python") for word in words if word.startswith("tests/")}
    assert paths == {"tests/components"}
    assert (ROOT / "tests/components").is_dir()


@pytest.mark.parametrize("job", ["preview", "rehearse", "up-dev", "up-prd", "drift"])
def test_gitlab_s_jobs_end_and_know_when_they_run(job: str) -> None:
    document = yaml.load(GITLAB.read_text(), Loader=_GitLabLoader)
    chain: dict[str, Any] | None = document[job]
    merged: dict[str, Any] = {}
    while chain:
        merged = {**chain, **merged}
        chain = document.get(chain.get("extends"))
    assert "timeout" in merged
    assert merged["rules"]
    assert ("id_tokens" in merged) is (job != "rehearse")
    if job == "up-prd":
        assert merged["rules"][0]["when"] == "manual"
        assert merged["rules"][0]["allow_failure"] is False
    if job.startswith("up-"):
        assert merged["interruptible"] is False


def test_actionlint_where_it_is_installed(tmp_path: Path) -> None:
    """Ask actionlint too; where it is absent, at least that every workflow is YAML it could read."""
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        assert all(isinstance(load(name), dict) for name in WORKFLOWS)
        return
    files = [str(FOLDER / name) for name in WORKFLOWS]
    done = subprocess.run([actionlint, *files], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
