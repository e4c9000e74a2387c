"""README and docs: commands exist with these options, links lead somewhere, examples run."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.testing import RegisteredResource, record_program
from tests.docs.architecture_page import write_layers
from tests.docs.commands_page import write_commands
from tests.docs.documents import FENCED, FILES, find_calls, find_command
from tests.docs.recover_page import write_drills
from tests.stacks import CALLS, ROOT, is_golden_run

LIBRARY = ROOT / "docs" / "library.md"


def options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def argument_range(command: Any) -> tuple[int, float]:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    most = math.inf if any(argument.nargs == -1 for argument in arguments) else len(arguments)
    return sum(argument.required for argument in arguments), most


def count_arguments(command: Any, words: list[str]) -> int:
    flags = {
        option for parameter in command.params if getattr(parameter, "is_flag", False) for option in parameter.opts
    }
    count, rest = 0, iter(words)
    for word in rest:
        if not word.startswith("-"):
            count += 1
        elif "=" not in word and word not in flags:
            next(rest, None)
    return count


CALLED = list(dict.fromkeys((file, tuple(words)) for file, words in find_calls("gitops-stack")))
MADE = list(dict.fromkeys((file, tuple(words)) for file, words in find_calls("make")))


def label(call: object) -> str:
    return " ".join(call) if isinstance(call, tuple) else str(call)


def test_calls_are_found_in_every_kind_of_code() -> None:
    found = {words for _, words in CALLED}
    assert {
        ("status", "--stack", "local"),  # a span in prose
        ("lab", "env", "--tools"),  # within "$(…)"
        ("lock", "--version", "v3.5.1", "--stack", "dev"),  # before a comment
        ("changed-stacks", "origin/main"),  # a fenced block
        ("sweep", "--stack", "dev", "--delete"),  # behind a prompt
    } <= found
    assert {("local",), ("rehearse", "STACK=dev")} <= {words for _, words in MADE}


@pytest.mark.parametrize(("file", "words"), CALLED, ids=label)
def test_every_command_exists_with_these_options(file: str, words: tuple[str, ...]) -> None:
    command, rest = find_command(list(words))
    if hasattr(command, "commands"):  # a placeholder for any of the group's
        assert rest[0] in {"…", "COMMAND"} or rest[0] in options_of(command) | {"--help"}, file
        return
    rest, behind = (rest[: rest.index("--")], rest[rest.index("--") + 1 :]) if "--" in rest else (rest, [])
    given = {word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"}
    assert given <= options_of(command) | {"--help"}, file
    fewest, most = argument_range(command)
    has_line = len(rest) > 0  # a bare name in prose stands for the command, not for a call of it
    arguments = count_arguments(command, rest) + len(behind)
    assert arguments <= most, file
    assert not has_line or "--help" in given or arguments >= fewest, file


@pytest.mark.parametrize(("file", "words"), MADE, ids=label)
def test_every_make_target_exists(file: str, words: tuple[str, ...]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))
    assert {word for word in words if "=" not in word} <= targets, file
    assert {word.partition("=")[0] for word in words if "=" in word} <= variables, file


def test_the_page_of_commands_says_what_they_say_of_themselves() -> None:
    page = ROOT / "docs" / "commands.md"
    written = write_commands(page.read_text(encoding="utf-8"))
    if is_golden_run():
        page.write_text(written, encoding="utf-8")
    assert written == page.read_text(encoding="utf-8")


def test_the_page_of_recoveries_is_that_of_the_drills_that_ran() -> None:
    page = ROOT / "docs" / "recover.md"
    written = write_drills(page.read_text(encoding="utf-8"))
    if is_golden_run():
        page.write_text(written, encoding="utf-8")
    assert written == page.read_text(encoding="utf-8")


def test_the_layers_are_those_of_the_contract() -> None:
    page = ROOT / "ARCHITECTURE.md"
    written = write_layers(page.read_text(encoding="utf-8"))
    if is_golden_run():
        page.write_text(written, encoding="utf-8")
    assert written == page.read_text(encoding="utf-8")


def test_the_site_has_every_page_once() -> None:
    named = re.findall(r'= "([^"]+\.md)" }', (ROOT / "zensical.toml").read_text(encoding="utf-8"))
    pages = [str(file.relative_to(ROOT / "docs")) for file in (ROOT / "docs").rglob("*.md")]
    assert sorted(named) == sorted(
        page for page in pages if not re.match(r"samples/.*/", page)
    )  # its index links those


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(file: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", file.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = file.parent / path if path else file
        assert found.exists(), target
        headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, target


def run_example(number: int) -> list[RegisteredResource]:
    source = [block[2] for block in FENCED.findall(LIBRARY.read_text(encoding="utf-8")) if block[1] == "python"][number]
    program = compile(source, f"docs/library.md, example {number + 1}", "exec")
    return record_program(lambda: exec(program, {"__name__": "__main__"}), stack="dev", calls=CALLS)


def test_the_example_on_a_cluster_installs_argo_cd_and_hands_nothing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "gitops" / "local")  # whose folder argocd the example reads
    found = run_example(0)
    assert "argocd/argocd-server" in {one.name for one in found}
    assert all(not one.ignore_changes for one in found)


def test_the_example_with_a_cluster_of_its_own_waits_for_nodes_and_keeps_the_way_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT / "gitops" / "local")
    resources = {(one.type, one.name): one for one in run_example(1)}
    provider = resources["pulumi:providers:kubernetes", "cluster"]
    assert "eks-access-me" in provider.depends_on
    assert provider.inputs["clusterIdentifier"] == "arn:aws:eks:eu-west-1:123456789012:cluster/acme"
    assert provider.deleted_with == "eks"
    assert resources["gitops-stack:index:ArgoCD", "argocd"].deleted_with == "eks"
    guard = resources["pulumi-python:dynamic/gitops-stack:ClusterGuard", "argocd/cluster-guard"]
    assert "eks" in guard.depends_on
    assert resources["kubernetes:core/v1:Namespace", "argocd/argocd"].depends_on == ("argocd/cluster-guard",)
