"""Text of others stays text, and what does not fit is counted."""

from __future__ import annotations

import pytest

from gitops_stack.preview.markdown import Section, code, fence, fit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("vpc", "`vpc`"),
        ("a`b", "``a`b``"),
        ("`a``", "``` `a`` ```"),
        ("a|b", "`a|b`"),
        ("two\nlines", "`two lines`"),
        ("", "`  `"),
        ("x" * 300, f"`{'x' * 199}…`"),
        ("a\u202eb\x1b[0m", "`ab[0m`"),
    ],
)
def test_code_spans(text: str, shown: str) -> None:
    assert code(text) == shown


def test_a_fence_is_longer_than_any_inside() -> None:
    assert fence("```\n@team </details>\n````") == "`````\n```\n@team </details>\n````\n`````"


def test_a_long_block_is_cut_at_a_line_and_the_rest_counted() -> None:
    text = "\n".join(f"line {number}" for number in range(100))
    shown = fence(text, limit=50)
    assert shown.splitlines()[-3:] == ["line 6", "… 93 more lines", "```"]


def test_everything_fits_without_a_remark() -> None:
    sections = [Section("Changes (2)", "changes", ["a", "b"]), Section("Warnings (0)", "warnings", [])]
    assert fit("head\n", sections, 2000, "See the run.") == (
        "head\n\n<details><summary>Changes (2)</summary>\n\na\n\nb\n\n</details>\n"
    )


@pytest.mark.parametrize("limit", range(600, 3000, 97))
def test_the_limit_holds_and_what_is_left_out_is_counted(limit: int) -> None:
    sections = [
        Section("Changes (9)", "changes", [f"{number}" * 90 for number in range(9)]),
        Section("Manifests (5)", "manifest differences", [f"<{number}>" * 60 for number in range(5)]),
    ]
    text = fit("head\n", sections, limit, "See the run.")
    assert len(text) <= limit
    changes, manifests = (9 - sum(str(number) * 90 in text for number in range(9)), 5 - text.count("<0><0>") and 0)
    assert (f"{changes} of 9 changes" in text) is (changes > 0)
    left = [number for number in range(5) if f"<{number}>" * 60 not in text]
    assert (f"{len(left)} of 5 manifest differences" in text) is bool(left)
    assert manifests == 0
