"""`gitops-stack lab tools`: what each option does, with a cache that holds stand-ins for the executables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gitops_stack.cli.main import app
from gitops_stack.lab.artifacts import ARTIFACTS, OPTIONAL
from gitops_stack.lab.tool_cache import load_tool_cache


@pytest.fixture(autouse=True)
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")  # no Go: nothing here may build
    for path in load_tool_cache(artifacts=(*ARTIFACTS, *OPTIONAL)).paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name, encoding="utf-8")
    return tmp_path / "cache"


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["lab", "tools", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_what_no_lab_needs_is_not_taken_for_a_lab(full: Path) -> None:
    assert run().startswith("16 tools are in ")
    assert "pulumi-language-yaml" not in {path.name for path in (full / "tools").glob("bin-*/*")}


def test_the_key_names_the_folder_of_these_pins() -> None:
    key = run("--key").strip()
    assert run().splitlines()[-1].endswith(f"/tools/{key}")


def test_an_export_is_taken_by_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("--export", str(tmp_path / "shared"))
    assert f"16 tools written to {tmp_path}/shared, 0 of them with the committed bytes" in said
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "other"))
    assert "16 tools taken from" in run("--import", str(tmp_path / "shared"))
    assert load_tool_cache().missing() == []


def test_wheels_of_other_bytes_are_not_written(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["lab", "tools", "--wheels", str(tmp_path / "wheels")])
    assert "differ from the committed digests" in str(done.exception)
    assert not (tmp_path / "wheels").exists()


def test_the_digests_document_is_printed_whole() -> None:
    document = json.loads(run("--digests"))
    assert document["go"].startswith("go1.")
    assert any({"kustomize", "pulumi-language-yaml"} <= tools.keys() for tools in document["platforms"].values())
