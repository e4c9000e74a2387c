"""What commands print is what they were given, byte by byte."""

from __future__ import annotations

import json

import pytest

from gitops_stack.cli.console import err, out, print_json

TEXT = "registry.example.com/web:ok:1 urn:id:5 a:x:b [bold] [/]"


def test_a_text_with_colons_or_brackets_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    out.print(TEXT, markup=False)
    err.print(TEXT, markup=False)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"{TEXT}\n", f"{TEXT}\n")


def test_json_holds_the_values_it_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"image": TEXT})
    assert json.loads(capsys.readouterr().out) == {"image": TEXT}
