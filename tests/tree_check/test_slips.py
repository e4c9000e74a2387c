"""docs/changes.md, "Slips in Git": what `check` and `diff` say of every row before it is merged."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.rules.finding import Finding
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import Tree, load_tree
from gitops_stack.tree_check.check import check_stack
from gitops_stack.tree_check.difference import compare_trees
from tests.stacks import ROOT

STACK = "local"
SECTION = (ROOT / "docs/changes.md").read_text(encoding="utf-8").partition("## Slips in Git")[2].partition("\n## ")[0]
ROWS = {
    cells[0]: cells[1:3]
    for line in SECTION.splitlines()
    if re.match(r"\| (?!slip |---)", line) and (cells := [cell.strip() for cell in line.strip("|").split(" | ")])
}
CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, annotations: {argocd.argoproj.io/sync-options: "%s"}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {color: green}\n"
MINE = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: mine, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec:
  project: storefront
  source: {repoURL: "%s", targetRevision: main, path: gitops/workloads/mine}
  destination: {server: https://kubernetes.default.svc, namespace: storefront}
  syncPolicy: {automated: {prune: true, selfHeal: true}}
"""
DATA = "gitops/workloads/data"


@pytest.fixture
def base(project: Path) -> Path:
    """Give stack local a workload with a volume claim, and an Application that people wrote, with one too."""
    file = project / f"Pulumi.{STACK}.yaml"
    line = f"    data: {{project: storefront, path: {DATA}, namespace: storefront}}\n"
    file.write_text(file.read_text(encoding="utf-8").rstrip("\n") + "\n" + line, encoding="utf-8")
    for name in ("data", "mine"):
        folder = project / "gitops/workloads" / name
        folder.mkdir()
        (folder / "all.yaml").write_text(
            f"{SETTINGS % name}---\n{CLAIM % 'Prune=true'}".replace("name: data,", f"name: {name},")
        )
    settings = load_stack_file(project, STACK)
    (project / settings.tree_path / "apps/mine.yaml").write_text(MINE % settings.gitops.repo_url, encoding="utf-8")
    write_tree(settings, project / settings.tree_path)
    return project


def edit(project: Path, file: str, *changes: tuple[str, str]) -> None:
    path = project / file
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert re.search(old, text), old
        text = re.sub(old, new, text)
    path.write_text(text, encoding="utf-8")


def edit_stack(*changes: tuple[str, str]) -> Callable[[Path], None]:
    return lambda project: edit(project, f"Pulumi.{STACK}.yaml", *changes)


def edit_file(file: str, *changes: tuple[str, str]) -> Callable[[Path], None]:
    return lambda project: edit(project, file, *changes)


def move(before: str, after: str) -> Callable[[Path], None]:
    def make(project: Path) -> None:
        (project / before).rename(project / after)

    return make


def remove(pattern: str) -> Callable[[Path], None]:
    def make(project: Path) -> None:
        for file in project.glob(pattern):
            file.unlink()

    return make


def copy_stack(project: Path) -> None:
    edit(project, f"Pulumi.{STACK}.yaml", ("(  gitops-stack:gitops:\n)", rf"\1    path: gitops/{STACK}\n"))
    shutil.copy(project / f"Pulumi.{STACK}.yaml", project / "Pulumi.copy.yaml")


LINE = r"\n    data: {.*}"
TREE = f"gitops/{STACK}"
# What a person does in Git, and whether they render afterwards as they should.
SLIPS: dict[str, tuple[Callable[[Path], None], bool]] = {
    "A workload is taken out of the stack file": (edit_stack((LINE, "")), True),
    "A workload is renamed": (edit_stack(("    data:", "    database:")), True),
    "A workload's namespace changes": (
        edit_stack((LINE, f"\n    data: {{project: storefront, path: {DATA}, namespace: other}}"),
                   (r"namespaces: \[storefront\]", "namespaces: [storefront, other]")), True),
    "A workload's project is renamed": (
        edit_stack(("    storefront:", "    store:"), ("project: storefront", "project: store")), False),
    "A workload's folder is moved": (move(DATA, "gitops/workloads/database"), True),
    "A workload's folder is emptied": (remove(f"{DATA}/*.yaml"), True),
    "A volume claim is taken out": (edit_file(f"{DATA}/all.yaml", (r"(?s)---.*", "")), True),
    "A volume claim is renamed": (edit_file(f"{DATA}/all.yaml", ("name: data, ann", "name: files, ann")), True),
    "The stack file lists a second workload with the path of the first": (
        edit_stack((LINE, rf"\g<0>\n    second: {{project: storefront, path: {DATA}, namespace: storefront}}")), True),
    "The stack file is copied to a new stack with its gitops.path": (copy_stack, True),
    "A project loses the namespace of its workload": (
        edit_stack((r"namespaces: \[storefront\]", "namespaces: [store]")), True),
    "A project is taken out, and its workload stays": (
        edit_stack((r"    storefront:\n.*\n", "    other: {namespaces: [other]}\n")), True),
    "An AppProject's file is deleted": (remove(f"{TREE}/projects/storefront.yaml"), False),
    "A namespace's file is deleted": (remove(f"{TREE}/apps/namespace-storefront.yaml"), False),
    "The tree's folder is renamed": (move(TREE, "gitops/laboratory"), False),
    "All of apps/ is deleted": (remove(f"{TREE}/apps/*.yaml"), False),
    "The stack file of last month is copied over today's": (edit_stack((LINE, "")), False),
    "An authored Application is deleted": (remove(f"{TREE}/apps/mine.yaml"), True),
    "An authored Application is renamed": (edit_file(f"{TREE}/apps/mine.yaml", ("name: mine,", "name: yours,")), True),
    "An authored Application loses its finalizer": (
        edit_file(f"{TREE}/apps/mine.yaml", (r", finalizers: \[.*?\]", "")), True),
    "A workload's finalizer is deleted by hand": (
        edit_file(f"{TREE}/apps/data.yaml", (r"\n  finalizers:\n.*", "")), False),
}  # fmt: skip


def test_every_row_is_run_and_every_slip_is_a_row() -> None:
    assert ROWS.keys() == SLIPS.keys()


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
    make, renders = SLIPS[slip]
    make(base)
    assert judge(base, before, usual, renders=renders) == tuple(ROWS[slip])


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
