"""The Makefile itself: it is read without an error, with its variables given or not."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.stacks import ROOT

SHOW = "show: ; @echo $$GITOPS_STACK_FIND_LINKS"


def make(*arguments: str, **variables: str) -> str:
    # `make test` hands its own down, of which a second make would say where it is.
    handed = {"GITOPS_STACK_FIND_LINKS", "FIND_LINKS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    environment = {name: value for name, value in os.environ.items() if name not in handed}
    done = subprocess.run(
        ["make", *arguments], cwd=ROOT, env={**environment, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_module_of_the_lab_tests_is_marked_since_make_test_leaves_out_their_folder() -> None:
    for file in (ROOT / "tests/e2e").glob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        assert re.search(r"^pytestmark = \[?\s*pytest\.mark\.e2e\b", text, re.MULTILINE), file


def test_help_lists_the_targets() -> None:
    assert "make local " in make("help")


@pytest.mark.parametrize(
    ("arguments", "variables", "folder"),
    [
        ([], {}, ""),
        (["FIND_LINKS=dist/tools"], {}, "dist/tools"),
        ([], {"GITOPS_STACK_FIND_LINKS": "shared"}, "shared"),
        (["FIND_LINKS=dist/tools"], {"GITOPS_STACK_FIND_LINKS": "shared"}, "dist/tools"),
    ],
)
def test_commands_see_the_folder_of_wheels(arguments: list[str], variables: dict[str, str], folder: str) -> None:
    assert make("--eval", SHOW, "show", *arguments, **variables) == folder
