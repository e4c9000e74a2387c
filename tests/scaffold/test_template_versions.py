"""The template's versions: complete, frozen once released, and each knows its own name."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from gitops_stack.scaffold.template_versions import ADDRESS, VERSIONS, load_versions, template_repository
from tests.stacks import compare_golden


def digest(version: Path) -> str:
    files = sorted(file for file in version.rglob("*") if file.is_file())
    lines = (
        f"{file.relative_to(version).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_versions_are_numbered_without_a_gap() -> None:
    assert [path.name for path in load_versions()] == [f"v{number + 1}" for number in range(len(load_versions()))]


def test_versions_are_ordered_as_numbers(tmp_path: Path) -> None:
    for name in ("v10", "v9", "v2", "notes"):
        (tmp_path / name).mkdir()
    assert [path.name for path in load_versions(tmp_path)] == ["v2", "v9", "v10"]


def test_a_version_does_not_change_unnoticed() -> None:
    """A released version that changes would make every later merge wrong: add a version instead (docs/adr/0008)."""
    compare_golden("template-versions.txt", "".join(f"{path.name} {digest(path)}\n" for path in load_versions()))


@pytest.mark.parametrize("version", load_versions(), ids=lambda path: path.name)
def test_answers_files_record_version_and_address(version: Path) -> None:
    found = list(version.rglob("*answers_file*"))
    assert len(found) == 3
    for file in found:
        assert f"_commit='{version.name}', _src_path='{ADDRESS}'" in file.read_text()


@pytest.mark.usefixtures("real_git")
def test_the_repository_has_a_tag_per_version_and_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("v1", "one"), ("v2", "two")):
        (tmp_path / "versions" / name).mkdir(parents=True)
        (tmp_path / "versions" / name / "file").write_text(text)
    (tmp_path / "versions/v1/dropped").write_text("one")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "somebody")
    with template_repository(tmp_path / "versions") as variables:
        assert variables["GIT_CONFIG_COUNT"] == "3", "what was configured stays in force"
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        subprocess.run(["git", "clone", "--quiet", "--branch", "v1", ADDRESS, str(tmp_path / "one")], check=True)
        subprocess.run(["git", "clone", "--quiet", ADDRESS, str(tmp_path / "two")], check=True)
        repository = Path(re.fullmatch(r"url\.(.*)\.insteadOf", variables["GIT_CONFIG_KEY_1"])[1])  # type: ignore[index]
    assert ((tmp_path / "one/file").read_text(), (tmp_path / "one/dropped").exists()) == ("one", True)
    assert ((tmp_path / "two/file").read_text(), (tmp_path / "two/dropped").exists()) == ("two", False)
    assert not repository.exists()


def test_no_template_file_is_hidden_from_the_package() -> None:
    assert list(VERSIONS.rglob(".gitignore")) == [], "named .gitignore.jinja, or it would hide its neighbours"
