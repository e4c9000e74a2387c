"""Regular expressions that Go compiles, and some that it does not."""

from __future__ import annotations

import pytest

from gitops_stack.rules.api.go_patterns import is_go_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[\w-.]+$", r"^[\d-x]$", r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", r"[\p{L}-.]+", r"(?<year>\d{4})",
        r"(?P<year>\d{4})", r"[\x{0041}-\x{005A}]", r"\x{1F600}", r"^[[:alpha:]][[:^digit:]_-]*$", r"[[:alpha:]-.]",
        r"[[a-z]", r"[]a]", r"[^]a]", r"[a&&b]", r"[a||b]", r"[a~~b]", r"[+--]", r"[--a]", r"\pN\PL",
        r"a(?i)b(?-s:c)(?U)d*", r"^a\z", r"\Qa[b\E(c)", r"\Q[", r"", "^(v1|v2)$", r"\-\.\/", r"[\]\-\\]", r"[[.]",
        r"[\[\]]", r"[^\s,]+", r"a{2,3}?", r"\(?=x", "[(?=]", r"[\w-\.]", r"[a-z-9]",
    ],
)  # fmt: skip
def test_a_pattern_that_go_compiles(pattern: str) -> None:
    assert is_go_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "[z-a]", "(?!a)b", "(?=a)", "(?<=a)b", "(?<!a)b", "(", "[", "a)", "*a", r"[\x{005A}-\x{0041}]", r"[a-\d]",
        r"[[:alpha:]", "(?<year>a", "a{2,1}", "a\\", "[a\\", r"\x{110000}", r"[\Qa]", "(" * 5000,
    ],
)  # fmt: skip
def test_a_pattern_that_go_does_not_compile(pattern: str) -> None:
    assert not is_go_pattern(pattern)
