"""Stack files with values that nobody writes on purpose: refused with sentences, or read."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.tree import build_tree
from gitops_stack.gitops_tree.yaml_text import render_document
from tests.odd_values import MUTATIONS, mutate
from tests.stacks import changed_config

WHOLE = [changed_config(*pair) for pair in (("prd", "everything"), ("dev", "hub"), ("prd", "karpenter"))]


@pytest.mark.parametrize("number", range(len(WHOLE)))
def test_no_mutation_of_a_stack_file_is_a_traceback(number: int, tmp_path: Path) -> None:
    chance, read, refused = random.Random(number), 0, 0
    (tmp_path / "Pulumi.yaml").write_text("name: gitops-stack\nruntime: python\n")
    good = {"config": WHOLE[number]}
    for _ in range(MUTATIONS // len(WHOLE)):
        made = mutate(good, chance)
        try:
            written = render_document(made) if isinstance(made, dict) else repr(made)
            (tmp_path / "Pulumi.odd.yaml").write_text(written, encoding="utf-8")
        except (TypeError, ValueError):  # no file can hold it
            continue
        try:
            build_tree(load_stack_file(tmp_path, "odd"))
            read += 1
        except GitOpsStackError as error:
            refused += all(error.findings)
    assert read
    assert refused > MUTATIONS / 10
