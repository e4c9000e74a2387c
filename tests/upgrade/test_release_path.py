"""Which ways from release to release there are."""

from __future__ import annotations

import pytest

from gitops_stack.upgrade.release_facts import list_crossed, load_fact_table
from gitops_stack.upgrade.release_path import check_known, check_path, is_downgrade


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v3.4.7", "v3.5.1"),
        ("v3.2.11", "v3.4.7"),  # upstream: minors may be skipped, with the notes of each read
        ("v3.5.0", "v3.5.1"),
        ("v3.5.0-rc2", "v3.5.0"),
        ("v2.14.21", "v3.5.1"),
        ("v3.9.9", "v3.10.0"),
    ],
)
def test_a_way_upstream_describes_is_open(old: str, new: str) -> None:
    assert check_path(old, new) == []
    assert not is_downgrade(old, new)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("v3.5.1", "v3.4.7", "v3.4.7 is older than v3.5.1; upstream describes no way back"),
        ("v3.10.0", "v3.9.9", "v3.9.9 is older than v3.10.0"),
        ("v3.5.0", "v3.5.0-rc1", "v3.5.0-rc1 is older than v3.5.0"),
        ("v2.11.3", "v3.5.1", "upstream describes the way from 2.14 only; take the newest v2.14 first"),
        ("v1.8.7", "v3.5.1", "v3.5.1 is 2 majors after v1.8.7; take one major at a time"),
        ("v3.2.11", "v3.3.0", "v3.3.0 is known to be bad"),
        ("v3.2.11", "v3.2.12", "v3.2.12 is known to be bad"),
        *(
            ("v3.5.1", text, f"found {text}; needs a release")
            for text in ("stable", "3.6.0", "v3.6", "v3.6.0-beta", "")
        ),
    ],
)
def test_any_other_way_is_refused_with_its_reason(old: str, new: str, said: str) -> None:
    [problem] = check_path(old, new)
    assert said in str(problem)


def test_going_back_is_allowed_when_it_is_meant() -> None:
    assert check_path("v3.5.1", "v3.4.7", downgrade=True) == []
    assert is_downgrade("v3.5.1", "v3.4.7")


def test_a_minor_after_the_table_and_a_candidate_are_warned_of() -> None:
    assert [sentence.split(":")[0] for sentence in check_known("v3.99.0-rc1")] == ["v3.99.0-rc1"] * 2
    assert check_known("v3.5.1") == []


def test_a_patch_crosses_no_minor_and_a_jump_all_in_between() -> None:
    assert list_crossed("v3.5.0", "v3.5.1") == []
    assert list_crossed("v3.2.11", "v3.5.1") == [(3, 3), (3, 4), (3, 5)]
    assert list_crossed("v3.5.1", "v3.4.7") == []


def test_the_table_says_of_when_it_is() -> None:
    table = load_fact_table()
    assert len(table.as_of) == len("2026-11-29")
    assert all("says" in fact for facts in table.minors.values() for fact in facts)
