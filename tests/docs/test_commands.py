"""Every command README and docs show is run, in the order they show it, or listed with the reason why not."""

from __future__ import annotations

import ast
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import fake_kustomize
from tests.docs.documents import FILES, Line, find_lines
from tests.docs.table import LEFT, STEPS, Left, Step, committed
from tests.docs.world import World, open_world
from tests.stacks import ROOT

GIT = shutil.which("git")  # before the guards of tests/conftest.py stand in front of it
LINES = {str(file.relative_to(ROOT)): find_lines(file) for file in FILES if file.name != "CHANGELOG.md"}


def run_document(world: World, document: str, *, kustomize: bool) -> list[str]:
    """Run the commands of a document in its order; those that need kustomize only with it. Returns what was run."""
    committed(world)
    done = []
    for line in LINES[document]:
        step = STEPS.get(document, {}).get(line.text, Step())
        if line.text in LEFT.get(document, {}) or (step.kustomize and not kustomize):
            continue
        if step.before:
            step.before(world)
        world.say()
        code = world.run(line.text)
        said = world.say()
        assert code == step.code, f"{document}: {line.text}\n{said}"
        assert step.says in said, f"{document}: {line.text}\n{said}"
        done.append(line.text)
    return done


def runs(document: str, *, kustomize: bool) -> bool:
    steps, left = STEPS.get(document, {}), LEFT.get(document, {})
    wanted = [line for line in LINES[document] if line.text not in left]
    return any(steps.get(line.text, Step()).kustomize == kustomize for line in wanted)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    assert GIT, "these tests need git"
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").symlink_to(GIT)
    fake_kustomize.install(tools, monkeypatch)  # the real one is in tests/e2e
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    with open_world(tmp_path, monkeypatch, capsys) as made:
        yield made


@pytest.mark.parametrize("document", [name for name in LINES if runs(name, kustomize=False)])
def test_the_commands_of_a_document_run_in_its_order(document: str, world: World) -> None:
    assert run_document(world, document, kustomize=False)


def entries() -> list[tuple[str, str, Step | Left]]:
    tables = [(document, text, one) for document, steps in STEPS.items() for text, one in steps.items()]
    return [*tables, *((document, text, one) for document, left in LEFT.items() for text, one in left.items())]


def test_the_tables_name_only_what_is_documented_and_each_line_once() -> None:
    known = {(document, line.text) for document, lines in LINES.items() for line in lines}
    named = [(document, text) for document, text, _ in entries()]
    assert [one for one in named if one not in known] == [], "not documented any more: take it out"
    assert len(named) == len(set(named)), "run or not run: one of them"


def test_a_command_of_ours_that_is_not_run_names_what_shows_it() -> None:
    for document, lefts in LEFT.items():
        for text, left in lefts.items():
            assert left.why, (document, text)
            assert left.tests or text.endswith("--version"), (document, text)


@cache
def defined_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    "test", sorted({test for lefts in LEFT.values() for left in lefts.values() for test in left.tests})
)
def test_the_tests_that_are_named_are_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert name in defined_in(file)


def test_lines_are_found_in_every_kind_of_code() -> None:
    assert Line("README.md", "gitops-stack check --stack local", False) in LINES["README.md"], "a span in prose"
    assert Line("docs/first-up.md", "gitops-stack doctor --stack dev", True) in LINES["docs/first-up.md"], (
        "an indented line"
    )
    assert Line("docs/previews.md", "gitops-stack changed-stacks origin/main", True) in LINES["docs/previews.md"]
    assert Line("docs/aws-account.md", "gitops-stack sweep --stack dev", True) in LINES["docs/aws-account.md"]
    sarif = Line("docs/checks.md", "gitops-stack check --output sarif > checks.sarif", True)
    assert sarif in LINES["docs/checks.md"], "a step of a pipeline"
