"""What is kept of a check is given out again only while nothing it was made from has changed, however it changed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.tree_check import check as check_module
from gitops_stack.tree_check.applications import load_tree
from gitops_stack.tree_check.check import check_stack
from gitops_stack.tree_check.inputs import digest_file, digest_paths
from gitops_stack.tree_check.plugins import load_plugins
from gitops_stack.tree_check.result import CheckResult, Question
from tests.tree_check.test_trees import PROJECT, wait_until_settled, write_files

SETTINGS = "apps/web/settings.yaml"
BASE = "gitops/workloads/guestbook/base"


@pytest.fixture
def shop(project: Path) -> Path:
    """Return a project whose stack dev has a workload web, a plain folder."""
    write_files(
        project,
        {
            "gitops/dev/projects/shop.yaml": [PROJECT],
            "gitops/dev/apps/web.yaml": [{"base": "application"}],
            SETTINGS: [{"base": "configmap"}],
        },
    )
    wait_until_settled(project)
    return project


def ask(project: Path, stack: str = "dev", version: str | None = None, *paths: Path) -> Question:
    return Question(project, stack, version, paths)


def answer(project: Path) -> CheckResult:
    """Do what the command line does for a question nobody has asked before."""
    question, settings = ask(project), load_stack_file(project, "dev")
    report = check_stack(project, settings)
    question.keep(settings.model_dump_json(), report.kubernetes_version)
    return report


def test_an_unchanged_tree_is_answered_without_its_settings(shop: Path) -> None:
    assert ask(shop).load_report() is None
    report = answer(shop)
    assert ask(shop).load_report() == report


@pytest.mark.parametrize(
    ("stack", "version", "paths"), [("prd", None, ()), ("dev", "1.34", ()), ("dev", None, (Path("apps"),))]
)
def test_another_question_has_another_answer(
    stack: str, version: str | None, paths: tuple[Path, ...], shop: Path
) -> None:
    answer(shop)
    assert ask(shop, stack, version, *paths).load_report() is None


def _write_again(file: Path, before: os.stat_result) -> None:
    file.write_text(file.read_text().replace("green", "brown"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _write_into_the_same_inode(file: Path, before: os.stat_result) -> None:
    with file.open("r+b") as opened:
        opened.seek(file.read_bytes().index(b"green"))
        opened.write(b"brown")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace(file: Path, before: os.stat_result) -> None:
    other = file.with_name("other")
    other.write_text(file.read_text().replace("green", "brown"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


@pytest.mark.parametrize("change", [_write_again, _write_into_the_same_inode, _replace])
def test_a_change_that_keeps_size_and_time_is_seen(change: Callable[[Path, os.stat_result], None], shop: Path) -> None:
    answer(shop)
    file = shop / SETTINGS
    before = file.stat()
    change(file, before)
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert ask(shop).load_report() is None


@pytest.mark.parametrize("name", ["Pulumi.dev.yaml", "Pulumi.prd.yaml", "Pulumi.new.yaml"])
def test_a_stack_file_that_changes_is_another_question(name: str, shop: Path) -> None:
    answer(shop)
    with (shop / name).open("a") as file:
        file.write("# a comment\n")
    assert ask(shop).load_report() is None


@pytest.mark.parametrize("name", ["Chart.yaml", "kustomization.yml"])
def test_a_file_that_changes_how_a_folder_is_rendered_is_seen(name: str, shop: Path) -> None:
    answer(shop)
    (shop / BASE / name).touch()
    assert ask(shop).load_report() is None


def test_a_tool_that_is_replaced_in_its_place_asks_anew(
    shop: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm = tmp_path_factory.mktemp("bin") / "helm"
    helm.write_text("#!/bin/sh\n")
    helm.chmod(0o755)
    monkeypatch.setenv("PATH", str(helm.parent), prepend=os.pathsep)
    answer(shop)
    assert ask(shop).load_report() is not None
    helm.write_text("#!/bin/sh\n# a later release\n")
    assert ask(shop).load_report() is None


@pytest.mark.parametrize("link", ["gitops/workloads", "gitops/workloads/guestbook", BASE])
def test_a_link_that_leads_elsewhere_is_seen(
    link: str, shop: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    kustomize = tmp_path_factory.mktemp("bin") / "kustomize"
    kustomize.write_text("#!/bin/sh\necho '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}'\n")
    kustomize.chmod(0o755)
    monkeypatch.setenv("PATH", str(kustomize.parent), prepend=os.pathsep)
    (shop / link).rename(shop / "one")
    shutil.copytree(shop / "one", shop / "two")
    base = shop / "two" / Path(BASE).relative_to(link)
    (base / "deployment.yaml").write_text((base / "deployment.yaml").read_text().replace("replicas: 2", "replicas: 9"))
    (shop / link).symlink_to(shop / "one")
    wait_until_settled(shop)
    answer(shop)
    assert ask(shop).load_report() is not None
    (shop / link).unlink()
    (shop / link).symlink_to(shop / "two")
    assert ask(shop).load_report() is None


def test_a_file_whose_name_is_no_text_is_no_reason_to_stop(shop: Path) -> None:
    (shop / os.fsdecode(b"gitops/dev/\xff.txt")).touch()
    wait_until_settled(shop)
    report = answer(shop)
    assert ask(shop).load_report() == report


def test_a_copy_of_the_project_in_the_current_folder_does_not_answer_for_it(
    shop: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(shop, copy)
    monkeypatch.chdir(shop)
    answer(Path())
    monkeypatch.chdir(copy)
    assert ask(shop).load_report() is not None
    (shop / SETTINGS).write_text((shop / SETTINGS).read_text().replace("green", "brown"))
    assert ask(shop).load_report() is None


def test_what_is_installed_or_removed_asks_anew(
    shop: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path_factory.mktemp("site-packages")
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    answer(shop)
    assert ask(shop).load_report() is not None
    (packages / "acme_policies-1.dist-info").mkdir()
    assert ask(shop).load_report() is None


@pytest.mark.parametrize("put_back", [False, True])
def test_what_is_written_while_a_check_runs_is_not_kept(
    put_back: bool, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_and_change(*arguments: object, **named: object) -> object:
        tree = load_tree(*arguments, **named)  # type: ignore[arg-type]
        before = (shop / SETTINGS).stat()
        (shop / SETTINGS).write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: late}\n")
        if put_back:
            os.utime(shop / SETTINGS, ns=(before.st_atime_ns, before.st_mtime_ns))
        return tree

    monkeypatch.setattr(check_module, "load_tree", load_and_change)
    answer(shop)
    assert ask(shop).load_report() is None


def test_a_name_that_appears_while_a_check_runs_is_not_kept(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_and_add(*arguments: object, **named: object) -> object:
        tree = load_tree(*arguments, **named)  # type: ignore[arg-type]
        late = shop / "late"
        late.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: late}\n")
        os.utime(late, (0, 0))
        late.rename(shop / "apps/web/late.yaml")
        return tree

    monkeypatch.setattr(check_module, "load_tree", load_and_add)
    answer(shop)
    assert ask(shop).load_report() is None


def test_a_stack_file_that_changes_while_a_check_runs_is_not_answered_for(shop: Path) -> None:
    question, settings = ask(shop), load_stack_file(shop, "dev")
    report = check_stack(shop, settings)
    text = (shop / "Pulumi.dev.yaml").read_text()
    (shop / "Pulumi.dev.yaml").write_text(f"{text}# meanwhile\n")
    question.keep(settings.model_dump_json(), report.kubernetes_version)
    (shop / "Pulumi.dev.yaml").write_text(text)
    assert ask(shop).load_report() is None


def test_an_own_policy_is_read_from_its_source_and_leaves_no_file_behind(tmp_path: Path) -> None:
    file = tmp_path / "policies/own.py"
    write_files(tmp_path, {"policies/own.py": "def check_one(objects): return []\n"})
    (found,) = load_plugins(tmp_path).policies
    second = int(time.time())
    file.write_text("def check_two(objects): return []\n")
    os.utime(file, (second, second))
    (changed,) = load_plugins(tmp_path).policies
    assert (found.rule, changed.rule) == ("one", "two")
    assert [path.name for path in file.parent.iterdir()] == ["own.py"]


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1 << 18])
def test_the_last_byte_of_a_file_counts(size: int, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a" * size)
    before = digest_file(file), digest_paths([str(file)], [])
    file.write_bytes(b"a" * size + b"b")
    longer = digest_file(file), digest_paths([str(file)], [])
    file.write_bytes(b"a" * size + b"c")
    assert len({before, longer, (digest_file(file), digest_paths([str(file)], []))}) == 3


def test_what_is_gone_differs_from_what_is_empty(tmp_path: Path) -> None:
    file = tmp_path / "file"
    gone = digest_paths([str(file)], []), digest_paths([], [str(file)]), digest_file(file)
    file.touch()
    assert digest_paths([str(file)], []) != gone[0]
    assert digest_file(file) != gone[2]
    file.unlink()
    file.mkdir()
    assert digest_paths([], [str(file)]) != gone[1]
    assert digest_file(file) == gone[2], "a folder has no content"


WHOLE = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: every, namespace: argocd}
spec:
  generators:
    - git: {repoURL: https://github.com/acme/platform.git, revision: main, files: [{path: '**/app.yaml'}]}
  template:
    metadata: {name: '{{name}}'}
    spec:
      project: shop
      source: {repoURL: https://github.com/acme/platform.git, targetRevision: main, path: '{{path}}/made'}
      destination: {server: https://kubernetes.default.svc, namespace: shop}
"""


@pytest.fixture
def whole(shop: Path) -> Path:
    """Add a set that looks for files in the whole repository, and finds one."""
    files = {
        "gitops/dev/apps/every.yaml": WHOLE,
        "teams/a/app.yaml": "name: a\n",
        "teams/a/made/map.yaml": [{"base": "configmap"}],
        "other/deep/notes.txt": "x\n",
    }
    write_files(shop, files)
    wait_until_settled(shop)
    return shop


@pytest.mark.parametrize(
    "change",
    [
        lambda project: write_files(project, {"teams/b/app.yaml": "name: b\n"}),
        lambda project: write_files(project, {"other/deep/app.yaml": "name: b\n"}),
        lambda project: (project / "teams/a/app.yaml").write_text("name: c\n"),
        lambda project: (project / "teams/a/app.yaml").unlink(),
        lambda project: write_files(project, {".gitignore": "teams\n"}),
    ],
    ids=["a folder more", "a file more", "another content", "a file less", "ignored"],
)
def test_a_set_over_the_whole_repository_is_kept_until_what_it_sees_changes(
    change: Callable[[Path], object], whole: Path
) -> None:
    report = answer(whole)
    assert report.applications > 4
    assert ask(whole).load_report() == report
    (whole / "other/deep/notes.txt").write_text("another\n")
    assert ask(whole).load_report() == report, "no set reads it"
    change(whole)
    assert ask(whole).load_report() is None
