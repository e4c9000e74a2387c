"""The command line: exit codes, sentences instead of tracebacks, and help for everything."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from gitops_stack import schema
from gitops_stack.cli import tree
from gitops_stack.cli.main import app, main
from gitops_stack.manifests.cluster_metadata import render_metadata_schema
from tests.stacks import ROOT, STACKS, stack_render


def run(*arguments: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command as the shell does and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["gitops-stack", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    assert isinstance(left.value.code, int)
    return left.value.code


def _commands(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, *path, name)


def _command(path: tuple[str, ...]) -> Any:
    command: Any = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    return command


COMMANDS = list(_commands(typer.main.get_command(app)))


def test_a_group_of_one_command_stays_a_group_and_nothing_offers_completion() -> None:
    assert ("registry", "login") in COMMANDS
    offered = {option for path in COMMANDS for parameter in _command(path).params for option in parameter.opts}
    assert "--install-completion" not in offered


def test_all_commands_are_known() -> None:
    assert {" ".join(path) for path in COMMANDS} >= {"render", "lock", "check", "schema", "status", "lab bootstrap"}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_has_help(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = _command(path)
    assert command.help
    assert [option.name for option in command.params if not getattr(option, "help", None)] == []
    monkeypatch.setenv("COLUMNS", "200")
    assert run(*path, "--help", monkeypatch=monkeypatch) == 0
    assert command.help.split(".")[0].split("\n")[0].split("`")[0].strip() in capsys.readouterr().out


def test_the_help_of_all_commands_is_in_groups_and_starts_with_a_new_repository() -> None:
    root = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    shown = [(command.rich_help_panel, name) for name, command in root.items() if not command.hidden]
    assert all(panel for panel, _ in shown)
    assert shown[0] == ("Repository and stacks", "init")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_is_as_wide_as_the_terminal_and_says_how_often_once(path: tuple[str, ...]) -> None:
    command = _command(path)
    assert "\n" not in command.help.replace("\n\n", "")
    shown = [parameter.metavar or "" for parameter in command.params]
    assert [name for name in shown if name.endswith(("...", "…")) or name.startswith("[")] == []


def test_the_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "gitops-stack 0.1.0\n"


@pytest.mark.parametrize("arguments", [["--nope"], ["nope"], ["render"], ["render", "-s", "dev", "-C", "/nowhere"]])
def test_wrong_usage_leaves_with_2(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(*arguments, monkeypatch=monkeypatch) == 2


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(
    ("command", "said"), [(["render", "--check"], "gitops/{}: fresh"), (["check"], "gitops/{}: fine, ")]
)
def test_committed_trees_pass(
    stack: str, command: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(*command, "--stack", stack, monkeypatch=monkeypatch) == 0
    assert said.format(stack) in capsys.readouterr().out


def test_findings_leave_with_1_and_all_of_them(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("argocd", "projects"):
        (project / f"gitops/dev/apps/{name}.yaml").unlink()
    assert run("render", "--check", "-s", "dev", "-C", project, monkeypatch=monkeypatch) == 1
    remedy = "run `gitops-stack render --stack dev` and commit"
    assert capsys.readouterr().err.splitlines() == [
        f"error: {project}/gitops/dev/apps/{name}.yaml: is missing; {remedy}" for name in ("argocd", "projects")
    ]


@pytest.mark.parametrize("command", [["lock", "--check"], ["check"]])
def test_a_lock_that_does_not_fit_names_a_command_that_runs(
    command: list[str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = project / "gitops/dev/argocd/lock.yaml"
    lock.write_text(lock.read_text().replace("variant: standard", "variant: high-availability"))
    monkeypatch.setattr(tree, "check_release_tag", lambda _: [])
    monkeypatch.setattr(tree, "load_manifests", lambda *_, **__: stack_render("dev"))
    assert run(*command, "-s", "dev", "-C", project, monkeypatch=monkeypatch) == 1
    assert "run `gitops-stack lock --stack dev` and review what changes" in "".join(capsys.readouterr())


def test_a_render_repairs_the_tree(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "gitops/dev/apps/argocd.yaml").unlink()
    assert run("render", "-s", "dev", "-C", project, monkeypatch=monkeypatch) == 0
    root = project / "gitops/dev"
    assert capsys.readouterr().out.splitlines() == [f"{root}/apps/argocd.yaml", f"{root}: rendered"]
    assert run("check", "-s", "dev", "-C", project, monkeypatch=monkeypatch) == 0


def test_a_render_overwrites_nothing_people_wrote(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project / "gitops/dev/apps/argocd.yaml"
    file.write_text("kind: Application\n")
    assert run("render", "-s", "dev", "-C", project, monkeypatch=monkeypatch) == 1
    assert file.read_text() == "kind: Application\n"


def test_a_stack_that_is_not_there_leaves_with_2(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", "-s", "stage", "-C", project, monkeypatch=monkeypatch) == 2
    wanted = f"error: {project}/Pulumi.stage.yaml: is missing; stacks found here: dev, local, prd"
    assert capsys.readouterr().err.splitlines() == [wanted]


def test_the_schema_is_printed_and_fresh(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema", "--check", monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert run("schema", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(schema.render_schema())
    assert run("schema", "--table", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == schema.render_settings_table()


def test_the_schema_of_metadata_is_printed_and_fresh(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("schema", "--metadata", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == render_metadata_schema()
    assert run("schema", "--metadata", "--check", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "gitops_stack/cluster-metadata.schema.json: fresh\n"


@pytest.mark.parametrize(("option", "file"), [((), "stack"), (("--metadata",), "cluster-metadata")])
def test_a_stale_schema_leaves_with_1(
    option: tuple[str, ...], file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("render_schema", "render_metadata_schema"):
        monkeypatch.setattr(tree, name, lambda: "{}")
    assert run("schema", "--check", *option, monkeypatch=monkeypatch) == 1
    said = capsys.readouterr().err
    assert f"gitops_stack/{file}.schema.json: differs from" in said
    assert "run `make schema`" in said


@pytest.mark.parametrize("option", ["--check", "--metadata"])
def test_the_table_of_settings_goes_alone(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("schema", "--table", option, monkeypatch=monkeypatch) == 2
    assert "--table prints settings and goes with no other option" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kubeconfig", "said"),
    [
        (
            {
                "contexts": [{"name": "kind-gitops-stack", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {}}],
            },
            "cluster: does not answer at 127.0.0.1:1: ",
        ),
        ({"contexts": [], "clusters": [], "users": []}, "cannot be used: Context 'kind-gitops-stack' not found; "),
        (
            {"contexts": [{"name": "kind-gitops-stack", "context": {"cluster": "gone", "user": ""}}], "clusters": []},
            "cannot be used: its context names 'gone', which it does not have; ",
        ),
        (None, "config: No such file or directory; "),
    ],
    ids=["no server", "no context", "no cluster", "no file"],
)
def test_status_of_a_cluster_that_cannot_be_reached_leaves_with_2_and_a_sentence(
    kubeconfig: dict[str, object] | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if kubeconfig is not None:
        (tmp_path / "config").write_text(yaml.safe_dump(kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert run("status", "-s", "local", "-C", ROOT, monkeypatch=monkeypatch) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
    assert lines[0].startswith("error: ")


def test_a_cancelled_job_s_signal_ends_as_ctrl_c_does() -> None:
    code = (
        "import os, signal, gitops_stack.cli.main as main\n"
        "main.app = lambda: os.kill(os.getpid(), signal.SIGTERM)\n"
        "main.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "stopped\n")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "No space left on device; make room, then run again"),
        (errno.EACCES, "Permission denied; give yourself the right to it, then run again"),
        (errno.EROFS, "Read-only file system; make it writable, then run again"),
        (errno.EISDIR, "Is a directory; move the folder away, then run again"),
    ],
)
def test_what_the_system_refuses_and_a_person_can_mend_is_a_sentence(
    number: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> str:
        raise OSError(number, os.strerror(number), "Pulumi.dev.yaml")

    monkeypatch.setattr(tree, "render_schema", refuse)
    assert run("schema", monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == f"error: Pulumi.dev.yaml: {said}\n"
