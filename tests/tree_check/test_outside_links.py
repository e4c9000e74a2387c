"""Links out of the repository, which make Argo CD refuse every source of it: said once, wherever they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.applications import load_tree
from gitops_stack.tree_check.bounds import list_outside_links
from gitops_stack.tree_check.check import check_folder
from gitops_stack.tree_check.difference import compare_trees
from gitops_stack.tree_check.inputs import Inputs
from gitops_stack.tree_check.outside_links import check_outside_links
from gitops_stack.tree_check.result_cache import load_result, write_result
from gitops_stack.tree_check.selection import find_blocking

Git = Callable[..., str]
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n"
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec:
  project: default
  source: {repoURL: https://git.example.com/acme/platform, path: web, targetRevision: main}
  destination: {server: https://kubernetes.default.svc, namespace: shop}
"""
LINKS = {
    "docs/passwd": ("/etc/passwd", True),
    "docs/by-its-own-path": ("{top}/web/a.yaml", True),
    "docs/above": ("../../other", True),
    "docs/there-and-back": ("../../{name}/web/a.yaml", True),
    "docs/through-nothing": ("gone/../../../x", True),
    "docs/root": ("..", False),
    "docs/inside": ("../web/a.yaml", False),
    "docs/nowhere": ("gone", False),
    "docs/dots": ("../...", False),
    ".hidden/far": ("../../../x", True),
}


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    root = tmp_path / "platform"
    for name, text in {"web/a.yaml": CONFIG_MAP, "apps/web.yaml": APPLICATION, ".gitignore": "venv/\n"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    return root


def link(root: Path, name: str, target: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).symlink_to(target)


@pytest.mark.parametrize("name", LINKS)
def test_a_link_leads_out_by_its_text_alone(name: str, repository: Path, git: Git) -> None:
    target, out = LINKS[name]
    link(repository, name, target.format(top=repository, name=repository.name))
    git(repository, "add", "--all")
    assert list_outside_links(repository) == [name] * out
    exported = repository.with_name("exported")  # another revision has no .git
    git(repository, "checkout-index", "--all", f"--prefix={exported}/")
    assert list_outside_links(exported) == [name] * out


def test_what_git_does_not_have_is_no_link_of_the_repository(repository: Path, git: Git) -> None:
    link(repository, "venv/python", "/usr/bin/python3")
    link(repository, "later", "/etc/passwd")
    git(repository, "add", "later")
    git(repository, "rm", "--cached", "--quiet", "later")
    assert list_outside_links(repository) == []


def test_it_is_one_finding_for_all_applications_of_a_folder(repository: Path, git: Git) -> None:
    for name in ("docs/a", "docs/b", "docs/c"):
        link(repository, name, "/etc/passwd")
    assert "outside-link" not in {one.rule for one in check_folder(repository, repository).findings}
    git(repository, "add", "--all")
    found = [one.sentence for one in check_folder(repository, repository).findings if one.rule == "outside-link"]
    assert found == [
        "docs/a: and 2 more are links out of the repository; put copies of the files in their place [outside-link]"
    ]


def test_a_link_in_a_source_is_said_of_the_source_alone(repository: Path, git: Git) -> None:
    link(repository, "web/b.yaml", "/etc/passwd")
    git(repository, "add", "--all")
    rules = [one.rule for one in check_folder(repository, repository).findings if one.severity == "error"]
    assert rules == ["render-failed"]


def test_a_folder_that_no_application_reads_is_not_judged_by_its_repository(repository: Path, git: Git) -> None:
    link(repository, "docs/a", "/etc/passwd")
    git(repository, "add", "--all")
    assert check_folder(repository, repository / "web").count("error") == 0


def test_argo_cd_may_be_told_to_take_them(repository: Path, git: Git) -> None:
    link(repository, "docs/a", "/etc/passwd")
    git(repository, "add", "--all")
    metadata = {"name": "argocd-cmd-params-cm", "namespace": "argocd"}
    parameters = {"kind": "ConfigMap", "metadata": metadata, "data": {"reposerver.allow.oob.symlinks": "1"}}
    told = [RenderedObject(parameters, "argocd", "a.yaml")]
    assert not list(check_outside_links(repository, repository, "", told, []))
    assert list(check_outside_links(repository, repository, "", [], []))


def test_a_stack_s_tree_has_it_once_and_a_difference_calls_it_broken(project: Path, git: Git) -> None:
    settings = load_stack_file(project, "dev")
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    base = load_tree(project, settings, installed=False)
    link(project, "docs/far", "../../x")
    git(project, "add", "--all")
    head = load_tree(project, settings, installed=False)
    assert [one.file for one in head.findings if one.rule == "outside-link"] == ["docs/far"]
    assert compare_trees("dev", base, head).broken == ("docs/far",)
    assert [one.rule for one in find_blocking(head, [])] == ["outside-link"]


def test_a_kept_result_does_not_outlive_a_new_link(repository: Path, git: Git) -> None:
    inputs = Inputs()
    inputs.repositories.add(repository)
    assert write_result("key", inputs, 0.0, "fine")
    assert load_result("key") == "fine"
    link(repository, "docs/a", "/etc/passwd")
    git(repository, "add", "--all")
    assert load_result("key") is None
