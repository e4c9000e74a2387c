"""A plan is written as a whole, or nothing of it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.scaffold.plan import ProjectPlan, check_edited, load_stack_text
from tests.scaffold.conftest import snapshot


def test_a_tree_with_an_authored_file_in_the_way_keeps_its_stack_file(laid_out: Path) -> None:
    text = load_stack_text(laid_out, "dev")
    text.set(("gitops-stack:argocd", "adminEnabled"), False)
    plan = ProjectPlan({"Pulumi.dev.yaml": text.text}, stacks=check_edited(laid_out, {"dev": text.text}))
    (laid_out / "gitops/dev/apps/root.yaml").write_text("kind: Application\n")
    (laid_out / "gitops/dev/apps/projects.yaml").write_text("kind: Application\n")
    before = snapshot(laid_out)
    with pytest.raises(GitOpsStackError, match="is authored, but the settings generate a file of that name"):
        plan.write(laid_out)
    assert snapshot(laid_out) == before


def test_a_plan_writes_its_files_and_the_trees_that_follow(laid_out: Path) -> None:
    text = load_stack_text(laid_out, "dev")
    text.set(("gitops-stack:argocd", "adminEnabled"), False)
    plan = ProjectPlan({"Pulumi.dev.yaml": text.text}, stacks=check_edited(laid_out, {"dev": text.text}))
    wanted = plan.paths(laid_out)
    before = snapshot(laid_out)
    plan.write(laid_out)
    after = snapshot(laid_out)
    assert sorted(path for path in after if after[path] != before.get(path)) == sorted(wanted)
    assert not load_stack_file(laid_out, "dev").argocd.admin_enabled
