"""The recorded picture of `make local`: it is the report of this code, and loads nothing."""

from __future__ import annotations

import html
import re

from gitops_stack.gitops_tree.lock import Lock, load_lock
from gitops_stack.gitops_tree.tree import LOCK
from tests.docs.recording import PICTURE, draw
from tests.stacks import ROOT


def read(picture: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", picture)).replace("\xa0", " ")


def test_a_picture_shows_what_was_printed_and_loads_nothing() -> None:
    made = draw(["root  Synced  <Healthy>", f"  cd {ROOT}/.lab"])
    assert re.search(r"\$ make local\s.*root  Synced  <Healthy>\s.*cd ~/platform/.lab\s", read(made), re.DOTALL)
    assert not re.search(r"@font-face|url\(['\"]?http|href=", made)


def test_the_picture_is_of_the_release_and_the_phases_of_today() -> None:
    """Look only for what a reader compares: digests and counts change with every patch, and need no new picture."""
    shown = read(PICTURE.read_text(encoding="utf-8"))
    lock = load_lock(ROOT / "gitops" / "local" / LOCK)
    assert isinstance(lock, Lock)
    assert f"Argo CD {lock.version} ({lock.variant}, " in shown, "run `make recording`"
    phases = ["control plane", "repository", "pulumi up", "controllers", "sync", "certificate"]
    assert re.search(r"\s.*".join(f"{phase} +\\d+\\.\\d" for phase in phases), shown, re.DOTALL)
