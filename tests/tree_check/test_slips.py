"""docs/changes.md, "Slips in Git": what `check` and `diff` say of every row before it is merged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.rules.finding import Finding
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import Tree, load_tree
from gitops_stack.tree_check.check import check_stack
from gitops_stack.tree_check.difference import compare_trees
from tests.slips import OF_THE_BRANCH, STACK, add_workload, build_slips, load_rows, write_application, write_workload

ROWS, SLIPS = load_rows(), build_slips()


@pytest.fixture
def base(project: Path) -> Path:
    """Give stack local a workload with a volume claim, and an Application that people wrote, with one too.

    A subscription names the project as well; whoever forgets that is refused, whatever else the slip is.
    """
    stack = StackText.load(project / f"Pulumi.{STACK}.yaml")
    stack.remove((f"{PULUMI_PROJECT}:argocd", "notifications", "subscriptions"))
    stack.write(project / f"Pulumi.{STACK}.yaml")
    add_workload("data", "storefront")(project)
    for name in ("data", "mine"):
        write_workload(project, name, {name: "Prune=true"})
    settings = load_stack_file(project, STACK)
    write_application(project, "mine", "storefront", settings.gitops.repo_url)
    write_tree(settings, project / settings.tree_path)
    return project


def test_every_row_is_run_and_every_slip_is_a_row() -> None:
    assert ROWS.keys() == SLIPS.keys() | set(OF_THE_BRANCH)
    assert {tuple(ROWS[slip][:2]) for slip in OF_THE_BRANCH} == {("-", "-")}


def look(project: Path) -> tuple[StackSettings, Tree]:
    settings = load_stack_file(project, STACK)
    return settings, load_tree(project, settings)


def said_by_check(project: Path) -> set[str]:
    findings: list[Finding] = list(check_stack(project, load_stack_file(project, STACK)).findings)
    return {f"`{one.rule}`" for one in findings if one.severity != "note"}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_said_before_its_merge_as_the_table_has_it(
    slip: str, base: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = tmp_path_factory.mktemp("before") / "project"
    shutil.copytree(base, before)
    usual = said_by_check(before)
    SLIPS[slip].make(base)
    assert judge(base, before, usual, renders=SLIPS[slip].renders) == tuple(ROWS[slip][:2])


def judge(project: Path, before: Path, usual: set[str], *, renders: bool) -> tuple[str, str]:
    """Return the rules that `check` names beyond the usual ones, and the verdicts of `diff`."""
    try:
        settings, after = look(project)
    except GitOpsStackError:
        return "refused", "-"
    if renders:
        write_tree(settings, project / settings.tree_path)
        after = load_tree(project, settings)
    difference = compare_trees(STACK, look(before)[1], after)
    risks = {f"`{risk.verdict}`" for one in difference.applications for risk in one.risks}
    return ", ".join(sorted(said_by_check(project) - usual)) or "-", ", ".join(sorted(risks)) or "-"
