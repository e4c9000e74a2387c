"""The benchmark's own promises: the same trees every time, and figures that are not those of another run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import __main__ as program
from bench.kubeconform import PINS, VERSION
from bench.run import SMALLEST, Run
from bench.section import Section, Target, render_section, write_sections
from bench.trees import STACK, write_project
from gitops_stack.config import load_stack_file
from gitops_stack.gitops_tree.files import check_tree
from gitops_stack.lab.tools import Tools

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


@contextmanager
def known() -> Iterator[dict[str, str]]:
    yield {"on": "Monday"}


def fail(_run: Run) -> Section:
    raise RuntimeError("no room\nleft")


def run_parts(parts: dict[str, program.Part], folder: Path) -> tuple[dict[str, Section | Exception], str]:
    run = Run(Tools(folder), folder, SMALLEST, lambda _line: None)
    found = program.run_parts(parts, run, folder / "results.md")
    return found, (folder / "results.md").read_text()


def test_a_part_that_fails_leaves_the_others_figures_and_says_that_its_own_are_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "circumstances", known)
    good = Section("Good", ["figures"])
    run_parts({"install": lambda _run: Section("Old", ["older figures"])}, tmp_path)
    for _ in range(2):
        found, text = run_parts({"install": fail, "checks": lambda _run: good}, tmp_path)
        assert isinstance(found["install"], RuntimeError)
        assert found["checks"] is good
        assert "**Not measured on Monday: RuntimeError: no room left** What follows" in text
        assert text.count("Not measured") == 1, "said once, of the last try"
        assert text.index("Not measured") < text.index("older figures") < text.index("## Good\n\nfigures")
    _, text = run_parts({"install": lambda _run: good}, tmp_path)
    assert "Not measured" not in text


def test_each_part_has_an_empty_folder_and_keeps_renders_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "circumstances", known)
    seen: list[tuple[Path, list[Path], str]] = []

    def look(run: Run) -> Section:
        seen.append((run.folder, list(run.folder.iterdir()), os.environ["GITOPS_STACK_CACHE_DIR"]))
        (run.folder / "left").touch()
        return Section("A", [])

    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", "restored by the fixture")
    run_parts({"install": look, "checks": look}, tmp_path)
    assert [files for _, files, _ in seen] == [[], []]
    assert [cache for _, _, cache in seen] == [f"{folder}/cache" for folder, _, _ in seen]
    assert not any(folder.exists() for folder, _, _ in seen)


def test_one_part_against_another_revision_is_its_pair_alone() -> None:
    assert list(program.choose_parts("install", paired=True)) == ["install_pair"]
    assert list(program.choose_parts("install", paired=False)) == ["install"]
    assert list(program.choose_parts(None, paired=False)) == list(program.PARTS)
    assert list(program.choose_parts(None, paired=True)) == program.ORDER


def test_a_part_without_a_pair_is_refused_with_the_names_of_those_that_have_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        program.main(["--only", "ups", "--against", "HEAD"])
    assert "part ups is not paired; these are: install, checks" in capsys.readouterr().err


def test_figures_of_the_smallest_sizes_do_not_replace_real_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.main(["--smallest"])
    assert "name another file for them with --results" in capsys.readouterr().err
