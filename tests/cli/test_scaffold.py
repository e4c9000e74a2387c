"""`init`, `update`, `app` and `stack` on the command line: exit codes, what is printed, what is asked."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from gitops_stack.cli.main import app
from gitops_stack.config import load_stack_file
from tests import fake_kustomize
from tests.cli.test_main import run
from tests.scaffold.conftest import commit, git_folder, laid_out, made, real_git, snapshot
from tests.stacks import ROOT

__all__ = ["git_folder", "laid_out", "made", "real_git"]  # fixtures

ROOT_COMMAND: Any = typer.main.get_command(app)


@pytest.mark.usefixtures("real_git")
def test_init_prints_files_and_next_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("stacks: [dev]\nteam: shop\nsample: false\n")
    arguments = ("--answers-file", answers, "-d", "team=store", "--defaults")
    assert run("init", tmp_path / "new", *arguments, monkeypatch=monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"{tmp_path}/new/Pulumi.dev.yaml" in lines
    said = [f"next, in {tmp_path}/new, with network and kustomize or kubectl:", "  gitops-stack lock --stack dev"]
    assert lines[-2:] == said
    assert list(load_stack_file(tmp_path / "new", "dev").projects) == ["store"], "--data goes before the file"
    assert run("render", "--check", "-s", "dev", "-C", tmp_path / "new", monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert run("init", tmp_path / "new", *arguments, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == f"{tmp_path}/new: has everything, nothing to do\n"


@pytest.mark.usefixtures("real_git")
def test_init_in_the_way_leaves_with_1_and_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text("ours\n")
    assert run("init", tmp_path, "--defaults", monkeypatch=monkeypatch) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"error: {tmp_path}: has files that init would write otherwise: README.md; nothing was written"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize("wrong", ["team", "=x"])
def test_data_without_a_value_leaves_with_1(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init", tmp_path, "-d", wrong, monkeypatch=monkeypatch) == 1
    assert "--data: found" in capsys.readouterr().err


@pytest.mark.usefixtures("real_git")
def test_update_says_when_there_is_nothing_to_do(
    laid_out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commit(laid_out)
    assert run("update", laid_out, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == f"{laid_out}: is at template v1, nothing to do\n"


def test_update_names_files_and_conflicts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from gitops_stack.scaffold import update as module  # noqa: PLC0415

    found = module.Update("v1", "v2", ("README.md", "new"), ("README.md",))
    monkeypatch.setattr(module, "update_project", lambda *_, **__: found)
    assert run("update", "x", monkeypatch=monkeypatch) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == ["x/README.md", "x/new", "x: template v1 -> v2; review and commit"]
    assert said.err.startswith("error: x/README.md: your change meets the template's in the same lines; ")


def test_app_add_and_remove_walk_the_whole_way(
    laid_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_kustomize.install(tmp_path / "tools", monkeypatch)
    before = snapshot(laid_out)
    add = ("app", "add", "cart", "--project", "shop", "--namespace", "shop", "--stacks", "dev, prd", "-C", laid_out)
    assert run(*add, "--dry-run", monkeypatch=monkeypatch) == 0
    dry = capsys.readouterr()
    assert dry.err.splitlines()[-1] == "dry run: nothing was written"
    assert snapshot(laid_out) == before
    assert run(*add, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == dry.out, "a dry run lists what is then written"
    assert run(*add, monkeypatch=monkeypatch) == 1
    assert "workloads.cart: exists already" in capsys.readouterr().err
    assert run("app", "remove", "cart", "--files", "-C", laid_out, monkeypatch=monkeypatch) == 1
    assert run("app", "remove", "cart", "-C", laid_out, monkeypatch=monkeypatch) == 0
    assert f"{laid_out}/gitops/dev/apps/cart.yaml: removed" in capsys.readouterr().out.splitlines()
    assert run("app", "remove", "cart", "--files", "-p", "shop", "-C", laid_out, monkeypatch=monkeypatch) == 0
    assert snapshot(laid_out) == before


@pytest.mark.parametrize(("written", "hint"), [(".", True), ("../platform", True), ("Shop", False)])
def test_app_add_says_that_its_project_is_no_folder(
    written: str, hint: bool, laid_out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--project", written, "--namespace", "shop", "-C", laid_out)
    assert run("app", "add", "cart", *options, monkeypatch=monkeypatch) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: app add: --project: found {written}; needs the name of the team's project")
    assert line.endswith("; the folder of Pulumi.yaml is --directory's") == hint


def test_an_entry_of_an_application_set_comes_and_goes(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "docs/samples/environments/gitops", project / "gitops", dirs_exist_ok=True)
    fake_kustomize.install(project.parent / "tools", monkeypatch)
    before = snapshot(project)
    options = ("--application-set", "environments", "-C", project)
    assert run("app", "add", "cy", *options, "--dry-run", monkeypatch=monkeypatch) == 0
    assert snapshot(project) == before
    assert run("app", "add", "cy", *options, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == f"{project}/gitops/local/apps/environments.yaml\n" * 2
    assert run("app", "add", "cy", *options, "--set-value", "zone", monkeypatch=monkeypatch) == 1
    assert run("app", "add", "cy", *options, monkeypatch=monkeypatch) == 1
    assert run("app", "remove", "cy", *options, monkeypatch=monkeypatch) == 0
    assert snapshot(project) == before
    assert run("app", "remove", "cy", *options, monkeypatch=monkeypatch) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "cy"], "app add: needs --project and --namespace, or --application-set"),
        (["add", "cy", "-p", "shop"], "app add: needs --project and --namespace, or --application-set"),
        (
            ["add", "cy", "--application-set", "s", "--helm"],
            "app add: --application-set decides on --project, --namespace, --helm and --manual-sync; leave them out",
        ),
        (
            ["add", "cy", "-p", "a", "--namespace", "a", "--set-value", "a=b"],
            "app add: --set-value belongs to --application-set; name the set or leave it out",
        ),
        (
            ["remove", "cy", "--application-set", "s", "--files"],
            "app remove: --application-set is one step; leave --files and --project out",
        ),
    ],
)
def test_options_that_do_not_go_together_leave_with_2(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("app", *arguments, "-C", ROOT, monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == f"error: {said}\n"


@pytest.mark.parametrize("arguments", [["--files", "--stacks", "dev"], ["--project", "shop"]])
def test_the_steps_of_a_removal_are_not_mixed(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("app", "remove", "cart", *arguments, "-C", ROOT, monkeypatch=monkeypatch) == 2


def test_stack_add_asks_on_a_terminal(
    laid_out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[tuple[str, str]] = []

    def prompt(text: str, *, default: str, err: bool) -> str:
        assert err
        asked.append((text, default))
        return "eu-west-1" if text.startswith("region") else default

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("typer.prompt", prompt)
    arguments = ("stack", "add", "staging", "--from", "prd", "--set", "account.id=111122223333", "-C", laid_out)
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    assert asked == [("region of staging", "ap-northeast-1"), ("network.cidr of staging", "10.31.0.0/16")]
    assert load_stack_file(laid_out, "staging").region == "eu-west-1"
    assert "next: gitops-stack lock --stack staging" in capsys.readouterr().err


def test_stack_add_keeps_no_account_unasked(
    laid_out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    arguments = ("stack", "add", "staging", "--from", "prd", "--dry-run", "-C", laid_out)
    assert run(*arguments, monkeypatch=monkeypatch) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: stack add: account.id: there is no terminal to ask at, and staging would be in the")
    assert line.endswith("; name its own by --set account.id=…, or keep that one by --defaults")
    assert run(*arguments, "--set", "account.id=111122223333", monkeypatch=monkeypatch) == 0
    assert run(*arguments, "--defaults", monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert run("stack", "add", "two", "--from", "local", "--dry-run", "-C", laid_out, monkeypatch=monkeypatch) == 0


def test_the_template_engine_is_imported_only_when_it_renders() -> None:
    code = "import sys, json; import gitops_stack.cli.scaffold; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not {"copier", "jinja2", "plumbum", "questionary", "pulumi"} & set(json.loads(done.stdout))


def named_commands(text: str) -> list[list[str]]:
    """Return every `gitops-stack …` of a text, as words, up to what ends a command in a shell or in prose."""
    found = (text.replace("'", "") for text in re.findall(r"gitops-stack ((?!=)[a-z][^`&|;#)\n]*)", text))
    # One that stands in double quotes itself takes their end along.
    whole = (command if command.count('"') % 2 == 0 else command[: command.rindex('"')] for command in found)
    return [shlex.split(command.replace("$(", ""), comments=True) for command in whole]


def documented(pattern: str) -> list[list[str]]:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob(pattern)) if path.is_file())
    lines = re.findall(r"(?m)^    .*gitops-stack .*$|`gitops-stack [^`]*`|^\s+- run: gitops-stack .*$", text)
    lines += re.findall(r"(?m)^\s+(?:- )?gitops-stack .*$", text)
    within = re.compile(r"^.*\$\((gitops-stack [^)]*)\).*$", re.MULTILINE)  # a command within a command's words
    return named_commands(within.sub(r"    \1", "\n".join(lines)))


def check_command(words: list[str]) -> None:
    command = ROOT_COMMAND
    while words and (commands := getattr(command, "commands", None)):
        assert words[0] in commands, f"gitops-stack has no {words[0]}"
        command, words = commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        if word == "--":  # what follows is another program's
            break
        if word.startswith("-"):
            assert word.partition("=")[0] in options, f"{command.name} has no {word}"


DOCS = ("docs/scaffold.md", "docs/samples/**/README.md")


@pytest.mark.parametrize("pattern", DOCS)
def test_every_command_of_the_docs_exists_with_its_options(pattern: str) -> None:
    commands = documented(pattern)
    assert len(commands) >= 2
    for words in commands:
        check_command(words)


def test_every_command_of_the_templates_exists_with_its_options() -> None:
    commands = documented("gitops_stack/scaffold/template/**/*.jinja") + documented(
        "gitops_stack/scaffold/template/**/.*/**/*.jinja"
    )
    assert len(commands) > 12
    for words in commands:
        check_command(words)
    assert {words[0] for words in commands} >= {"image", "promote"}


def test_the_docs_name_every_command_and_every_option() -> None:
    text = (ROOT / "docs/scaffold.md").read_text(encoding="utf-8")
    known = ROOT_COMMAND.commands
    commands = [known["init"], known["update"], *known["app"].commands.values()]
    for command in (*commands, *known["stack"].commands.values()):
        for parameter in command.params:
            if parameter.opts[0].startswith("--") and parameter.name not in ("help", "folder"):
                assert any(option in text for option in (*parameter.opts, *parameter.secondary_opts)), parameter.name
