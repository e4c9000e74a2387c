"""Where go-yaml parts from libyaml; tests/fixtures/sources/yaml_forms.yaml holds it against the repo-server."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from gitops_stack.gitops_tree.go_yaml import is_excessive
from gitops_stack.gitops_tree.yaml_text import load_documents


def grow(levels: int, width: int = 10) -> str:
    """Write lists of aliases of lists, each ``width`` times as long as the one before."""
    lines = [f"l0: &l0 [{', '.join('x' * width)}]"]
    lines += [f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * width)}]" for level in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("levels", "read"), [(2, True), (3, True), (6, False), (60, False)])
def test_aliases_may_not_make_a_document_many_times_larger(levels: int, read: bool) -> None:
    if read:
        assert load_documents(grow(levels))
        return
    with pytest.raises(yaml.YAMLError, match="document contains excessive aliasing"):
        load_documents(grow(levels))


@pytest.mark.parametrize(
    ("read", "repeated", "excessive"),
    [
        (1000, 1000, False), (1001, 100, False), (1001, 1001, True), (100_000, 98_000, False), (100_000, 99_500, True),
        (2_200_000, 1_190_000, False), (2_200_000, 1_210_000, True), (4_000_000, 500_000, True), (10**9, 10**7, False),
    ],
)  # fmt: skip
def test_the_larger_a_document_the_less_of_it_may_be_repeated(read: int, repeated: int, excessive: bool) -> None:
    assert is_excessive(read, repeated) is excessive


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'a: "it\'s"', "it's"),
        (r'a: "\'\'"', "''"),
        (r"""a: {b: "x", c: "y\'"}""", {"b": "x", "c": "y'"}),
        ('\ufeffa: "é\\\'"', "é'"),
        (r"a: 'x\/y'", r"x\/y"),
        (r'a: "x\\/y"', r"x\/y"),
        (r"""a: ['x\', "y\'", z\'z, "\\'", '\''']""", ["x\\", "y'", r"z\'z", r"\'", r"\'"]),
        ("b: |\n  \\'\n# \\'\n\"\\'\": 1\na: \"x\\\n \\'\"\n", "x'"),
    ],
)
def test_an_escape_that_go_yaml_takes(text: str, value: object) -> None:
    for written in (text, text.encode()):
        assert [one["a"] for one in load_documents(written)] == [value]


def test_quotes_are_written_plainly_in_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    scan, read = yaml.scan, []

    def count(text: str, Loader: Any) -> object:  # noqa: N803 - PyYAML's name
        read.append(text)
        return scan(text, Loader=Loader)

    monkeypatch.setattr(yaml, "scan", count)
    assert load_documents(300 * '- "it\\\'s"\n') == [["it's"] * 300]
    assert len(read) == 1


@pytest.mark.parametrize("text", [r'a: "x\/y"', r'a: "\\\/"', r'{"a": "x\/y"}', r'a: "\q"', r'a: "\'\q"'])
def test_an_escape_that_go_yaml_does_not_take(text: str) -> None:
    for written in (text, text.encode()):
        with pytest.raises(yaml.YAMLError, match="unknown escape character"):
            load_documents(written)
