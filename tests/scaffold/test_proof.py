"""What `app …` announces happens in the render, and nothing else does; else it is refused with the place."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.scaffold import proof
from gitops_stack.scaffold.app_manifests import AppSource
from gitops_stack.scaffold.app_removal import plan_deletion, plan_removal
from gitops_stack.scaffold.applications import plan_addition
from gitops_stack.scaffold.plan import ProjectPlan
from gitops_stack.scaffold.set_entries import plan_entry, plan_entry_removal
from tests import fake_kustomize
from tests.cli.test_main import run
from tests.scaffold.conftest import commit, snapshot
from tests.tree_check.test_trees import write_files

TEMPLATE = """\
  template:
    metadata: {name: 'made-{{.path.basename}}', finalizers: [resources-finalizer.argocd.argoproj.io]}
    spec:
      project: storefront
      source: {repoURL: https://github.com/acme/platform.git, targetRevision: main, path: '{{.path.path}}/base'}
      destination: {server: https://kubernetes.default.svc, namespace: storefront}
"""
FOLDERS = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: every, namespace: argocd}
spec:
  goTemplate: true
  generators:
    - git:
        repoURL: https://github.com/acme/platform.git
        revision: main
        directories: [{path: gitops/workloads/*}]
"""
LISTED = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: listed, namespace: argocd}
spec:
  goTemplate: true
  generators:
    - list: {elements: [{name: guestbook}]}
      SELECTOR
  template:
    metadata: {name: 'listed-{{.name}}'}
    spec:
      project: storefront
      source:
        {repoURL: https://github.com/acme/platform.git, targetRevision: main, path: gitops/workloads/guestbook/base}
      destination: {server: https://kubernetes.default.svc, namespace: storefront}
"""


@pytest.fixture
def kustomized(laid_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository laid out by defaults, whose kustomizations a stand-in builds."""
    fake_kustomize.install(tmp_path / "tools", monkeypatch)
    return laid_out


def add(project: Path, **changes: Any) -> ProjectPlan:
    options = {"app_project": "storefront", "namespace": "storefront", "stacks": ("dev", "local"), "helm": False}
    return plan_addition(project, "cart", AppSource(), **{**options, **changes})


def test_what_a_stack_file_says_since_its_last_render_is_no_change_of_the_plan(kustomized: Path) -> None:
    file = kustomized / "Pulumi.local.yaml"
    text = file.read_text(encoding="utf-8")
    entry = "    second: {project: storefront, path: gitops/workloads/guestbook/base, namespace: storefront}\n"
    assert "  gitops-stack:workloads:\n" in text
    file.write_text(
        text.replace("  gitops-stack:workloads:\n", f"  gitops-stack:workloads:\n{entry}"), encoding="utf-8"
    )
    assert proof.prove(kustomized, add(kustomized)) == []


def refused(project: Path, plan: ProjectPlan) -> list[str]:
    before = snapshot(project)
    with pytest.raises(GitOpsStackError) as raised:
        proof.prove(project, plan)
    assert snapshot(project) == before
    return list(raised.value.findings)


def test_an_application_that_comes_and_goes_alone_is_proved(kustomized: Path) -> None:
    plan = add(kustomized, namespace="tea")
    assert proof.prove(kustomized, plan) == []
    plan.write(kustomized)
    removal = plan_removal(kustomized, "cart", ())
    assert proof.prove(kustomized, removal) == []
    removal.write(kustomized)
    assert proof.prove(kustomized, plan_deletion(kustomized, "cart", None)) == []


def test_a_set_that_reads_the_new_folder_makes_another_application(kustomized: Path) -> None:
    write_files(kustomized, {"gitops/prd/apps/every.yaml": FOLDERS + TEMPLATE})
    said = refused(kustomized, add(kustomized))
    assert said == ["prd: cart: made-cart would appear too, by gitops/prd/apps/every.yaml; nothing is written"]


def test_a_folder_that_a_set_reads_goes_with_its_application(kustomized: Path) -> None:
    plan = add(kustomized)
    plan.write(kustomized)
    write_files(kustomized, {"gitops/prd/apps/every.yaml": FOLDERS + TEMPLATE})
    plan_removal(kustomized, "cart", ()).write(kustomized)
    said = refused(kustomized, plan_deletion(kustomized, "cart", None))
    assert said == ["prd: cart: made-cart would go too, by gitops/prd/apps/every.yaml; nothing is written"]


def test_an_element_that_its_selector_leaves_out_does_not_appear(kustomized: Path) -> None:
    selector = "selector: {matchLabels: {name: guestbook}}"
    write_files(kustomized, {"gitops/dev/apps/listed.yaml": LISTED.replace("SELECTOR", selector)})
    said = refused(kustomized, plan_entry(kustomized, "cy", "listed", values={}, source=AppSource(), stacks=()))
    decides = "look for another place that decides it; nothing is written"
    assert said == [f"dev: cy: would not appear with ApplicationSet listed; {decides}"]


def test_an_element_comes_and_goes(kustomized: Path) -> None:
    write_files(kustomized, {"gitops/dev/apps/listed.yaml": LISTED.replace("      SELECTOR\n", "")})
    plan = plan_entry(kustomized, "cy", "listed", values={}, source=AppSource(), stacks=())
    assert [one for one in refused(kustomized, plan) if "cy" in one], "two applications would own the same objects"
    plan.write(kustomized)
    assert proof.prove(kustomized, plan_entry_removal(kustomized, "cy", "listed", ())) == []


def test_an_application_of_the_same_name_elsewhere_does_not_go(kustomized: Path) -> None:
    add(kustomized, stacks=("dev",)).write(kustomized)
    text = (kustomized / "gitops/dev/apps/cart.yaml").read_text()
    write_files(kustomized, {"gitops/dev/apps/authored.yaml": text.partition("\n")[2]})
    (said,) = refused(kustomized, plan_removal(kustomized, "cart", ()))
    assert said == "dev: cart: would not go with its entry; look for another place that decides it; nothing is written"


def test_what_would_change_beside_it_is_named(kustomized: Path) -> None:
    base = "gitops/workloads/guestbook/base"
    plan = add(kustomized, stacks=("dev",))
    text = (kustomized / base / "deployment.yaml").read_text().replace("replicas: 2", "replicas: 9")
    said = refused(kustomized, replace(plan, writes={**plan.writes, f"{base}/deployment.yaml": text}))
    changed = "guestbook: apps/Deployment guestbook spec.replicas: 2 -> 9; nothing is written"
    assert said == [f"{stack}: more than cart would change: {changed}" for stack in ("dev", "local", "prd")]


def test_another_image_than_announced_is_named(kustomized: Path) -> None:
    plan = add(kustomized, stacks=("dev",))
    assert plan.announced is not None
    announced = replace(plan.announced, image="acme/cart:v2")
    said = refused(kustomized, replace(plan, announced=announced))
    assert len(said) == 1
    assert said[0].startswith("dev: cart: would run ")
    assert said[0].endswith(", not acme/cart:v2; look for the place that wins; nothing is written")


def test_without_kustomize_it_is_said_that_nothing_was_looked_at(
    kustomized: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack(*_: object, **__: object) -> None:
        raise EnvironmentProblem("PATH: found neither kustomize nor kubectl; install one of them")

    monkeypatch.setattr(proof, "load_tree", lack)
    assert proof.prove(kustomized, add(kustomized)) == [
        "not held against the render: PATH: found neither kustomize nor kubectl; install one of them"
    ]


def link_workloads(project: Path, kind: str, outside: Path) -> tuple[Path, str]:
    """Put a link in the place of the workloads. Returns the folder they are in then, and what is said of the link."""
    workloads = project / "gitops/workloads"
    folder, written = {
        "absolute": (outside, str(outside)),
        "relative": (outside, f"../../{outside.name}"),
        "inside": (project / "deploy/workloads", "../deploy/workloads"),
        "hidden": (project / ".deploy/workloads", "../.deploy/workloads"),
    }[kind]
    folder.parent.mkdir(exist_ok=True)
    shutil.move(workloads, folder)
    workloads.symlink_to(written)
    out = "not held against the render: gitops/workloads: is a link out of the project\n"
    return folder, out if folder == outside else ""


@pytest.mark.usefixtures("real_git")
@pytest.mark.parametrize(
    ("kind", "committed"),
    [
        ("absolute", "link"),
        ("relative", "link"),
        ("relative", "nothing"),
        ("inside", "link"),
        ("inside", "nothing"),
        ("inside", "what was there before"),
        ("hidden", "link"),
    ],
)
def test_a_dry_run_changes_nothing_behind_a_link(
    kind: str,
    committed: str,
    kustomized: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_files(kustomized, {"gitops/workloads/old/base/deployment.yaml": "kind: Deployment\n"})
    if committed == "what was there before":  # so that git's index names files behind the link
        commit(kustomized)
    folder, said = link_workloads(kustomized, kind, kustomized.parent / "elsewhere")
    if committed == "link":
        commit(kustomized)
    before = snapshot(folder)
    assert "old/base/deployment.yaml" in before
    add = ("app", "add", "cart", "-p", "storefront", "--namespace", "tea", "--stacks", "dev")
    for arguments in (add, ("app", "remove", "old", "--files")):
        assert run(*arguments, "--dry-run", "-C", str(kustomized), monkeypatch=monkeypatch) == 0
        assert said in capsys.readouterr().err
        assert snapshot(folder) == before
