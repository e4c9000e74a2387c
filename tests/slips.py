"""Ordinary slips in Git: what a person does in a project, told of one workload, its project and its Application."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.stacks import ROOT

STACK = "local"
TREE = f"gitops/{STACK}"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {color: green}\n"
CLAIM = """\
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %s, annotations: {argocd.argoproj.io/sync-options: "%s"}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: %(name)s, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec:
  project: %(project)s
  source: {repoURL: "%(url)s", targetRevision: main, path: gitops/workloads/%(name)s}
  destination: {server: https://kubernetes.default.svc, namespace: %(project)s}
  syncPolicy: {automated: {prune: true, selfHeal: true}}
"""
OF_THE_BRANCH = ("The branch is forced back to an older commit", "The branch is deleted or renamed")
"""Slips that are no change of files: no pull request shows them, so neither `check` nor `diff` is asked."""
Change = Callable[[Path], None]


@dataclass(frozen=True)
class Slip:
    """What a person does in a project, and whether they render afterwards as they should."""

    make: Change
    renders: bool = True


def load_rows() -> dict[str, list[str]]:
    """Return the table "Slips in Git" of docs/changes.md: the cells after the first one, by it."""
    page = (ROOT / "docs/changes.md").read_text(encoding="utf-8")
    section = page.partition("## Slips in Git")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if re.match(r"\| (?!slip |---)", line)]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {cells[0]: cells[1:] for cells in rows}


def write_workload(project: Path, name: str, claims: dict[str, str]) -> None:
    """Write a workload's folder: a ConfigMap, and volume claims by name with their sync options."""
    folder = project / "gitops/workloads" / name
    folder.mkdir()
    parts = [SETTINGS % name, *(CLAIM % claim for claim in claims.items())]
    (folder / "all.yaml").write_text("".join(parts), encoding="utf-8")


def write_application(project: Path, name: str, app_project: str, url: str) -> None:
    """Write an Application of a workload's folder in the repository ``url`` by hand."""
    text = APPLICATION % {"name": name, "project": app_project, "url": url}
    (project / TREE / f"apps/{name}.yaml").write_text(text, encoding="utf-8")


def add_workload(name: str, project: str) -> Change:
    """List a workload in the stack file, last of all."""
    line = f"    {name}: {{project: {project}, path: gitops/workloads/{name}, namespace: {project}}}"
    return _edit_stack((r"(?s)(\n  gitops-stack:workloads:\n(?:    .*?\n)+)", rf"\g<1>{line}\n"))


def add_project(name: str) -> Change:
    """List a project with a namespace of its name in the stack file."""
    return _edit_stack(("(\n  gitops-stack:projects:\n)", rf"\g<1>    {name}:\n      namespaces: [{name}]\n"))


def build_slips(workload: str = "data", project: str = "storefront", mine: str = "mine") -> dict[str, Slip]:
    """Return the slips of docs/changes.md for a ``workload`` and for an Application ``mine`` that people wrote.

    Both live in the namespace ``project`` of the project of that name.
    """
    folder, line = f"gitops/workloads/{workload}", rf"\n    {workload}: {{.*}}"

    def entry(name: str, *, namespace: str = project) -> str:
        return rf"\n    {name}: {{project: {project}, path: {folder}, namespace: {namespace}}}"

    return {
        "A workload is taken out of the stack file": Slip(_edit_stack((line, ""))),
        "A workload is renamed": Slip(_edit_stack((rf"\n    {workload}: {{", rf"\n    {workload}-base: {{"))),
        "A workload's namespace changes": Slip(
            _edit_stack(
                (line, entry(workload, namespace=f"{project}-two")),
                (rf"namespaces: \[{project}\]", f"namespaces: [{project}, {project}-two]"),
            )
        ),
        "A workload's project is renamed": Slip(
            _edit_stack(
                (rf"\n    {project}:\n", rf"\n    {project}-two:\n"),
                (f"project: {project},", f"project: {project}-two,"),
            ),
            renders=False,
        ),
        "A workload's folder is moved": Slip(_move(folder, f"{folder}-base")),
        "A workload's folder is deleted": Slip(_remove(f"{folder}/*")),
        "A workload's folder loses its manifests, and a README.md stays": Slip(_leave_a_note(folder)),
        "A volume claim is taken out": Slip(_edit_file(f"{folder}/all.yaml", (r"(?s)---.*", ""))),
        "A volume claim is renamed": Slip(
            _edit_file(f"{folder}/all.yaml", (f"name: {workload}, ann", "name: files, ann"))
        ),
        "The stack file lists a second workload with the path of the first": Slip(
            _edit_stack((line, rf"\g<0>{entry('second')}"))
        ),
        "The stack file is copied to a new stack with its gitops.path": Slip(_copy_stack),
        "A project loses the namespace of its workload": Slip(
            _edit_stack((rf"namespaces: \[{project}\]", "namespaces: [store]"))
        ),
        "A project is taken out, and its workload stays": Slip(
            _edit_stack((rf"    {project}:\n.*\n", "    other: {namespaces: [other]}\n"))
        ),
        "An AppProject's file is deleted": Slip(_remove(f"{TREE}/projects/{project}.yaml"), renders=False),
        "A namespace's file is deleted": Slip(_remove(f"{TREE}/apps/namespace-{project}.yaml"), renders=False),
        "The tree's folder is renamed": Slip(_move(TREE, "gitops/laboratory"), renders=False),
        "All of apps/ is deleted": Slip(_remove(f"{TREE}/apps/*.yaml"), renders=False),
        "The stack file of last month is copied over today's": Slip(_edit_stack((line, "")), renders=False),
        "An authored Application is deleted": Slip(_remove(f"{TREE}/apps/{mine}.yaml")),
        "An authored Application is renamed": Slip(
            _edit_file(f"{TREE}/apps/{mine}.yaml", (f"name: {mine},", f"name: {mine}-two,"))
        ),
        "An authored Application loses its finalizer": Slip(
            _edit_file(f"{TREE}/apps/{mine}.yaml", (r", finalizers: \[.*?\]", ""))
        ),
        "A workload's finalizer is deleted by hand": Slip(
            _edit_file(f"{TREE}/apps/{workload}.yaml", (r"\n  finalizers:\n.*", "")), renders=False
        ),
    }


def _edit_file(file: str, *changes: tuple[str, str]) -> Change:
    def make(project: Path) -> None:
        path = project / file
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert re.search(old, text), old
            text = re.sub(old, new, text)
        path.write_text(text, encoding="utf-8")

    return make


def _edit_stack(*changes: tuple[str, str]) -> Change:
    return _edit_file(f"Pulumi.{STACK}.yaml", *changes)


def _move(before: str, after: str) -> Change:
    def make(project: Path) -> None:
        (project / before).rename(project / after)

    return make


def _remove(pattern: str) -> Change:
    def make(project: Path) -> None:
        for file in project.glob(pattern):
            file.unlink()

    return make


def _leave_a_note(folder: str) -> Change:
    def make(project: Path) -> None:
        _remove(f"{folder}/*")(project)
        (project / folder / "README.md").write_text("Moved elsewhere.\n", encoding="utf-8")

    return make


def _copy_stack(project: Path) -> None:
    _edit_stack(("(  gitops-stack:gitops:\n)", rf"\1    path: gitops/{STACK}\n"))(project)
    shutil.copy(project / f"Pulumi.{STACK}.yaml", project / "Pulumi.copy.yaml")
