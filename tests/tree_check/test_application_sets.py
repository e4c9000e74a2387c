"""ApplicationSets, expanded as Argo CD's own code does: equal applications, or it is said that there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.tree_check.application_sets import Expansion, RefusedError, Repository, expand_application_set
from gitops_stack.tree_check.source_roots import SourceRoots
from tests.application_sets import ANSWERS, CLUSTERS, REPOSITORY, build_cases, compare_form, write_repository

RELEASE = (3, 2)  # whose answers are kept
# What this library does not expand, and says so. The first two Argo CD refuses: it has no such repository either.
NOT_EXPANDED = {
    "folders of another repository": "reads https://github.com/acme/other, which is not here",
    "folders of a revision that is not there": "reads revision gone, which this clone does not have; fetch it",
    'function: {{ now | date "2006" }}': "function now is not evaluated here",
}


def expand(found: dict[str, Any], folder: Path, release: tuple[int, ...] = RELEASE) -> Expansion:
    return expand_application_set(found, Repository(SourceRoots(folder, REPOSITORY, "main")), CLUSTERS, release=release)


@pytest.fixture
def folder(tmp_path: Path, git: Callable[..., str]) -> Path:
    write_repository(tmp_path, git)
    return tmp_path


def test_every_set_has_the_applications_that_argo_cd_makes(folder: Path) -> None:
    wanted = json.loads(ANSWERS.read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for name, one in build_cases().items():
        try:
            made = expand(one, folder)
        except RefusedError:
            found[name] = "refused"
        else:
            found[name] = made.left_out if made.left_out else compare_form(made.applications)
    assert found.keys() == wanted.keys()
    assert len(found) >= 60
    for name, reason in NOT_EXPANDED.items():
        (said,) = found.pop(name)
        assert reason in said
    assert {name: one for name, one in found.items() if one != wanted[name]} == {}
