"""docs/add-ons.md says what the files of add-ons say."""

from __future__ import annotations

from tests.docs.add_ons_page import write_add_ons
from tests.stacks import ROOT, is_golden_run

PAGE = ROOT / "docs/add-ons.md"


def test_the_page_has_every_add_on_as_it_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    if is_golden_run():
        PAGE.write_text(write_add_ons(text), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == write_add_ons(text)
