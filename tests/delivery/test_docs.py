"""The documented flow and the pipelines to copy: every command in them exists, with its options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from gitops_stack.cli.main import app
from gitops_stack.delivery.image_reference import parse_image_reference
from gitops_stack.delivery.message import APPLICATION, IMAGE, PROMOTED_FROM, SOURCE_REVISION, STACK
from tests.stacks import ROOT

FOLDER = ROOT / "docs/delivery"
PIPELINES = sorted(FOLDER.iterdir())
FILES = [ROOT / "docs/delivery.md", *PIPELINES]
YAML = [file for file in PIPELINES if file.suffix == ".yml"]
_COMMAND = re.compile(r"(?:^|[`\s])gitops-stack ((?:image set|[a-z]+) [^`#\n]*(?:\n\s+--[^\n#]*)*)", re.MULTILINE)
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def commands(file: Path) -> list[list[str]]:
    return [shlex.split(found) for found in _COMMAND.findall(file.read_text(encoding="utf-8"))]


def command(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that ``words`` start, and what is left for it."""
    found: Any = typer.main.get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found, words = found.commands[words[0]], words[1:]
    return found, words


def options(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("-")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_command_exists_with_its_options(file: Path) -> None:
    found = commands(file)
    assert found
    for words in found:
        known, rest = command(words)
        assert not hasattr(known, "commands"), words
        accepted = {name for parameter in known.params for name in parameter.opts}
        assert set(options(rest)) <= accepted, words


def test_the_page_shows_every_option_of_its_own() -> None:
    text = FILES[0].read_text(encoding="utf-8")
    known = {
        name
        for words in (["image", "set"], ["promote"])
        for parameter in command(words)[0].params
        for name in parameter.opts
        if name.startswith("--")
    }
    assert {name for name in known if name not in text} <= {"--remote", "--help"}


def test_the_page_names_every_trailer_and_file() -> None:
    text = FILES[0].read_text(encoding="utf-8")
    assert all(f"      {name}: " in text for name in (APPLICATION, IMAGE, STACK, PROMOTED_FROM, SOURCE_REVISION))
    assert sorted(re.findall(r"\]\(delivery/([^)]+)\)", text)) == sorted(file.name for file in PIPELINES)


def test_the_page_s_example_is_a_reference_when_its_digest_is_one() -> None:
    (example,) = (words[2] for words in commands(FILES[0]) if "DIGEST" in " ".join(words))
    parse_image_reference(example.partition("=")[2].replace("DIGEST", "a" * 64))


@pytest.mark.parametrize("file", YAML, ids=lambda file: file.name)
def test_pipelines_are_yaml(file: Path) -> None:
    assert isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("file", [file for file in YAML if file.name.startswith("github")], ids=lambda file: file.name)
def test_actions_are_pinned_by_commit(file: Path) -> None:
    used = re.findall(r"uses: (.+)", file.read_text(encoding="utf-8"))
    assert used
    assert [one for one in used if not _PINNED.fullmatch(one)] == []
    own = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert {one for one in used if one.split("@")[0] in own} <= set(re.findall(r"uses: (.+)", own))


@pytest.mark.parametrize("file", PIPELINES, ids=lambda file: file.name)
def test_shells_get_inputs_as_variables_not_as_text(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for line in text.splitlines():
        if "gitops-stack " in line:
            assert "${{" not in line, line
            assert "<<" not in line, line
    assert "TOKEN@" not in text


def test_pipelines_that_build_do_not_start_themselves() -> None:
    github = yaml.safe_load((FOLDER / "github-actions.yml").read_text(encoding="utf-8"))
    assert github[True]["push"]["paths-ignore"] == ["gitops/**"]  # YAML 1.1 reads `on` as true
    assert "Gitops-Stack-Application:" in github["jobs"]["image"]["if"]
    gitlab = yaml.safe_load((FOLDER / "gitlab-ci.yml").read_text(encoding="utf-8"))
    assert gitlab["workflow"]["rules"][0]["when"] == "never"
    assert "Gitops-Stack-Application:" in gitlab["workflow"]["rules"][0]["if"]
    assert gitlab["prd"]["rules"][0]["when"] == "manual"
