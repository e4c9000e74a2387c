"""Tables of settings, one file per subject: what is good beside a good stack, and what is refused with which words.

Each case changes the stack `good` in tests/fixtures/bad_aws_settings.yaml; `base` changes it for all cases of a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import load_documents, render_document
from gitops_stack.settings import StackSettings
from tests.stacks import ROOT
from tests.test_config import AWS_TABLE, build_config

TABLES = sorted((ROOT / "tests" / "fixtures" / "settings").glob("*.yaml"))


def cases(kind: str) -> Iterator[Any]:
    for file in TABLES:
        table = load_documents(file.read_text(encoding="utf-8"))[0]
        for case in table.get(kind, ()):
            changes = {**table.get("base", {}), **case["changes"]}
            wanted = [case["findings"]] if kind == "bad" else []
            yield pytest.param(changes, *wanted, id=f"{file.stem}: {case['name']}")


def load(changes: dict[str, Any], folder: Path) -> StackSettings:
    (folder / "Pulumi.test.yaml").write_text(
        render_document({"config": build_config(changes, AWS_TABLE)}), encoding="utf-8"
    )
    return load_stack_file(folder, "test")


@pytest.mark.parametrize("changes", list(cases("fine")))
def test_it_is_taken(changes: dict[str, Any], tmp_path: Path) -> None:
    assert load(changes, tmp_path).eks is not None


@pytest.mark.parametrize(("changes", "findings"), list(cases("bad")))
def test_it_is_refused_with_all_its_findings(changes: dict[str, Any], findings: list[str], tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        load(changes, tmp_path)
    found = [finding.removeprefix("Pulumi.test.yaml: gitops-stack:") for finding in refused.value.findings]
    assert found == findings
