"""ApplicationSets of a tree against the contract: in `gitops-stack check` and before anything is registered."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.installation import load_stack_installation
from gitops_stack.gitops_tree.metadata_reads import check_metadata_reads
from tests.stacks import minimal, stack_settings

APPS = """\
# {{metadata.labels.commented}}
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: apps
spec:
  generators:
    - clusters: {}
  template:
    metadata:
      name: 'app-{{metadata.labels.stack}}'
    spec:
      project: '{{metadata.annotations.vpcId}}'
"""
FINDING = (
    "ApplicationSet apps: found metadata.annotations.vpcId, which this stack's cluster Secret does not have; "
    "it has: none"
)


def check(root: Path) -> list[str]:
    return list(map(str, check_metadata_reads(minimal(), root)))


def test_a_finding_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "apps.yml").write_text(APPS, encoding="utf-8")
    (tmp_path / "all.yaml").write_text(f"kind: ConfigMap\n---\n{APPS}---\n", encoding="utf-8")
    assert check(tmp_path) == [f"{tmp_path}/all.yaml: {FINDING}", f"{tmp_path}/sub/apps.yml: {FINDING}"]


@pytest.mark.parametrize(
    "text",
    [
        APPS.replace("ApplicationSet", "Application"),
        APPS.replace("  name: apps\n", "").replace("metadata:\nspec", "spec"),
        APPS.replace("metadata:\n  name: apps\n", "metadata:\n"),
        "kind: ConfigMap\ndata: {kind: ApplicationSet}\n",
        "- ApplicationSet\n",
        "",
    ],
    ids=["another kind", "no metadata", "empty metadata", "the word", "a list", "empty"],
)
def test_what_is_no_application_set_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "apps.yaml").write_text(text, encoding="utf-8")
    assert check(tmp_path) == []


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "apps.yaml.bak").write_text(APPS, encoding="utf-8")
    (tmp_path / "folder.yaml").mkdir()
    assert check(tmp_path) == []


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "apps.yaml").write_text("kind: ApplicationSet\nspec: [", encoding="utf-8")
    (found,) = check(tmp_path)
    assert found.startswith(f"{tmp_path}/apps.yaml: is not YAML: ")
    assert found.endswith("; correct it")
    assert "\n" not in found


def test_check_and_up_refuse_a_tree_that_reads_what_nobody_writes(project: Path) -> None:
    settings = stack_settings("local")
    root = project / settings.tree_path
    load_stack_installation(settings, root)
    (root / "apps.yaml").write_text(APPS, encoding="utf-8")
    with pytest.raises(GitOpsStackError) as refused:
        load_stack_installation(settings, root)
    assert refused.value.findings == (f"{root}/apps.yaml: {FINDING}",)


def test_the_same_tree_is_fine_for_a_stack_that_writes_it(project: Path) -> None:
    settings = stack_settings("dev")
    root = project / settings.tree_path
    (root / "apps.yaml").write_text(APPS, encoding="utf-8")
    assert load_stack_installation(settings, root)
