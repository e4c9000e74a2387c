"""Every part of `make bench` at its smallest size: the figures say nothing, that it still runs does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.__main__ import ORDER, choose_parts, run_parts
from bench.checkout import check_out
from bench.run import SMALLEST, Run
from bench.section import Section
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder, tools = tmp_path_factory.mktemp("bench"), build_tools(say)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tools.bin), prepend=os.pathsep)
        patch.setenv("GITOPS_STACK_CACHE_DIR", str(folder / "cache"))  # each part sets its own; restored here
        yield Run(tools, folder, SMALLEST, say, check_out("HEAD", folder / "against"))


@pytest.mark.parametrize("name", ORDER)
def test_part(name: str, run: Run, tmp_path: Path) -> None:
    part = choose_parts(None, paired=True)[name]
    found = run_parts({name: part}, run, tmp_path / "results.md")[name]
    assert isinstance(found, Section), found
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert f"<!-- part {name} -->\n## {found.title}\n" in text
    assert all(target.found > 0 for target in found.targets)
