"""Patterns of files against git itself: what `git ls-files -- PATTERN` lists, which Argo CD asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.tree_check.application_sets.errors import NotExpandableError, RefusedError
from gitops_stack.tree_check.application_sets.git_paths import match_file

FILES = (
    "a.yaml", "b.yml", "conf/a.yaml", "conf/deep/b.yaml", "conf/deep/er/c.json", "conf/[x].yaml", "conf/a b.yaml",
    "conf/.hidden.yaml", ".github/w.yaml", "x-1.yaml", "x_2.yaml", "Conf/A.yaml", "conf/a*b.yaml", "conf/é.yaml",
    "conf/a.yaml.d/z", "confidential/a.yaml",
)  # fmt: skip
PATTERNS = (
    "*.yaml", "conf", "conf/", "conf/*", "conf/*.yaml", "conf/**", "conf/**/*.yaml", "**/*.yaml", "**/a.yaml",
    "*/a.yaml", "*a.yaml", "conf/?.yaml", "conf?a.yaml", "?.yaml", "??yaml", "[ab].*", "[!a].yml", "[^a].yml",
    "conf/[[]x].yaml", r"conf/\[x\].yaml", "conf/[x].yaml", "conf/[a-z].yaml", "x[-_][0-9].yaml",
    "x[[:punct:]]?.yaml", "[[:upper:]]*/*", "conf/[]]", "conf/[", "conf/[a", "conf/a b.yaml", "conf/{a,b}.yaml",
    "./conf/a.yaml", "conf//a.yaml", "conf/./deep/*", "conf/deep/../a.yaml", "conf/../*.yml", ".", "", "*", "**",
    "***", "conf/.*", ".*", "nothing", "conf/a.yaml", r"conf/a\*b.yaml", "conf/a*b.yaml", "conf/é.yaml",
    "conf/?.yaml", "conf/a.yaml/", "conf/deep/", "c*/d*/*.json", "conf/*/*", "*/*/*", "conf/a.yam[l]",
    r"conf/a.yaml\\", "conf/**/a.yaml", "co*",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, git: Callable[..., str]) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    git(tmp_path, "add", "--all")
    return tmp_path


def test_files_match_as_git_lists_them(folder: Path, git: Callable[..., str]) -> None:
    different = {}
    for pattern in PATTERNS:
        listed = git(folder, "ls-files", "--full-name", "-z", "--", pattern or ".").split("\0")
        wanted = sorted(name for name in listed if name)
        found = sorted(file for file in FILES if match_file(pattern, file))
        if found != wanted:
            different[pattern] = (found, wanted)
    assert different == {}


@pytest.mark.parametrize("pattern", ["/conf/a.yaml", "../a.yaml", "conf/../../a.yaml", ".."])
def test_a_pattern_outside_of_the_repository_is_refused(pattern: str) -> None:
    with pytest.raises(RefusedError):
        match_file(pattern, "conf/a.yaml")


def test_a_pathspec_with_magic_is_not_read() -> None:
    with pytest.raises(NotExpandableError):
        match_file(":(icase)conf/A.yaml", "conf/a.yaml")
