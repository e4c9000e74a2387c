"""The benchmark's own promises: the same trees every time, and figures that are not those of another run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bench.kubeconform import PINS, VERSION
from bench.section import Section, Target, render_section, write_sections
from bench.trees import STACK, write_project
from gitops_stack.config import load_stack_file
from gitops_stack.gitops_tree.files import check_tree

ORDER = ["first", "second"]


def digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("as_workloads", [False, True])
def test_a_tree_is_the_same_every_time_and_fresh(as_workloads: bool, tmp_path: Path) -> None:
    one, two = (write_project(tmp_path / name, 4, as_workloads=as_workloads) for name in ("one", "two"))
    assert digests(one) == digests(two)
    settings = load_stack_file(one, STACK)
    assert check_tree(settings, one / settings.tree_path) == []
    assert len(settings.workloads) == (4 if as_workloads else 0)
    assert len(list((one / settings.tree_path / "apps").glob("app-*.yaml"))) == 4


def test_one_part_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "results.md"
    write_sections(file, {"second": render_section(Section("Two", ["old"]), {"on": "Monday"})}, ORDER)
    text = write_sections(file, {"first": render_section(Section("One", ["new"]), {"on": "Tuesday"})}, ORDER)
    assert file.read_text() == text
    assert text.index("## One\n\nnew\n\nMeasured on Tuesday.") < text.index("## Two\n\nold\n\nMeasured on Monday.")
    again = write_sections(file, {"second": render_section(Section("Two", ["new"]), {"on": "Friday"})}, ORDER)
    assert "old" not in again
    assert again.count("<!-- part") == 2


@pytest.mark.parametrize(
    ("limit", "found", "at_least", "met"),
    [(2, 1.9, False, True), (2, 2.1, False, False), (0.5, 0.6, True, True), (0.5, 0.4, True, False)],
)
def test_a_target_is_met_or_said_to_be_missed(limit: float, found: float, at_least: bool, met: bool) -> None:
    text = render_section(Section("A", [], [Target("what", limit, found, " s", at_least=at_least)]), {})
    assert ("| met |" in text, "**missed**" in text) == (met, not met)


def test_the_pinned_kubeconform_is_the_one_that_is_named() -> None:
    pins = (PINS / "kubeconform/go.mod").read_text()
    assert f"require github.com/yannh/kubeconform {VERSION}\n" in pins
