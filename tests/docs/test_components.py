"""docs/components.md: its tables are what the components take and give, and its examples run."""

from __future__ import annotations

import re

import pytest

from gitops_stack.testing import RegisteredResource, record_program
from tests.docs.components_page import NAMES, write_tables
from tests.docs.documents import FENCED
from tests.stacks import CALLS, ROOT, is_golden_run, stack_config

PAGE = ROOT / "docs" / "components.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]}


def test_the_page_has_a_section_for_every_component() -> None:
    assert sorted(SECTIONS) == NAMES


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Pulumi leaves pulumi-plugin.json open
def test_tables_are_what_pulumi_reads_of_the_components() -> None:
    written = write_tables(TEXT)
    if is_golden_run():
        PAGE.write_text(written, encoding="utf-8")
    assert written == PAGE.read_text(encoding="utf-8")


def run_example(name: str) -> list[RegisteredResource]:
    (source,) = [block[2] for block in FENCED.findall(SECTIONS[name]) if block[1] == "python"]
    program = compile(source, f"docs/components.md, {name}", "exec")
    return record_program(
        lambda: exec(program, {"__name__": "__main__"}), stack="dev", config=stack_config("dev"), calls=CALLS
    )


@pytest.mark.usefixtures("in_project")
@pytest.mark.parametrize("name", NAMES)
def test_every_example_registers_its_component_with_children(name: str) -> None:
    found = run_example(name)
    (component,) = [one for one in found if one.type == f"gitops-stack:index:{name}"]
    assert len([one for one in found if one.parent == component.name]) >= 1
