"""Checks of whole stacks: what is kept, what paths choose, where findings point to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.tree_check import check as check_module
from gitops_stack.tree_check.check import build_settings_report, check_folder, check_stack
from gitops_stack.tree_check.result import CheckResult
from tests.cases import build_object, show_finding
from tests.stacks import ROOT, STACKS, stack_settings
from tests.tree_check.test_trees import PROJECT, TEAM_POLICY, wait_until_settled, write_files


@pytest.fixture
def shop(project: Path) -> Path:
    """Return a project whose stack dev has a workload web, a folder of YAML with an image that moves."""
    moving = {"base": "deployment", "spec": {"template": {"spec": {"containers": [{"image": "nginx"}]}}}}
    write_files(
        project,
        {
            "gitops/dev/projects/shop.yaml": [PROJECT],
            "gitops/dev/apps/web.yaml": [{"base": "application"}],
            "apps/web/settings.yaml": [{"base": "configmap"}],
            "apps/web/web.yaml": [{"base": "service"}, moving],
        },
    )
    wait_until_settled(project)
    return project


def check(project: Path, *paths: Path) -> CheckResult:
    return check_stack(project, load_stack_file(project, "dev"), paths=paths)


def rules(report: CheckResult) -> list[str]:
    return [finding.rule for finding in report.findings]


@pytest.mark.parametrize("stack", STACKS)
def test_the_committed_trees_have_no_findings(stack: str) -> None:
    report = check_stack(ROOT, stack_settings(stack))
    assert (report.place, report.applications) == (f"gitops/{stack}", 4)
    assert report.findings == ()


def test_what_kustomize_has_made_is_reported_where_it_was_written(project: Path) -> None:
    write_files(project, {"policies/own.py": TEAM_POLICY})
    (finding,) = check(project).findings
    assert (finding.file, finding.line) == ("gitops/workloads/guestbook/base/deployment.yaml", 2)


def test_own_policies_do_not_see_the_installation(project: Path) -> None:
    policy = "def check_all(objects):\n    for one in objects:\n        yield one.finding('kind', 'found it', '')\n"
    write_files(project, {"policies/own.py": policy})
    seen = {finding.application for finding in check(project).findings}
    assert seen == {"root", "projects", "guestbook"}


def test_a_finding_points_to_the_line_of_its_object(shop: Path) -> None:
    finding = check(shop).findings[0]
    text = (shop / finding.file).read_text().splitlines()
    assert finding.rule == "image-not-pinned"
    assert text[finding.line - 1] == "kind: Deployment"


def test_an_unchanged_tree_is_not_rendered_again(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = check(shop)
    monkeypatch.setattr(check_module, "load_tree", None)
    assert check(shop) == first
    assert "image-not-pinned" in rules(first)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("apps/web/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: 1\n"),
        ("apps/web/more.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: 1\n"),
        ("gitops/dev/apps/more.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: 1\n"),
        ("schemas/core/x.json", "{}"),
        ("policies/own.py", "def check_all(objects):\n    yield objects[0].finding('a', 'b', 'c')\n"),
        ("gitops/policies.yaml", "rules: [{rule: image-not-pinned, severity: off, reason: x}]\n"),
        ("gitops/workloads/guestbook/base/service.yaml", "{}"),
    ],
)
def test_whatever_was_read_makes_a_new_check(name: str, text: str, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(shop)
    (shop / name).parent.mkdir(parents=True, exist_ok=True)
    (shop / name).write_text(text)
    monkeypatch.setattr(check_module, "load_tree", None)
    with pytest.raises(TypeError):
        check(shop)


def test_what_does_not_render_is_looked_at_again(shop: Path) -> None:
    write_files(
        shop, {"gitops/dev/apps/late.yaml": [{"base": "application", "spec": {"source": {"path": "apps/late"}}}]}
    )
    assert "dangling-path" in rules(check(shop))
    write_files(shop, {"apps/late/settings.yaml": [{"base": "configmap", "metadata": {"name": "late"}}]})
    assert "dangling-path" not in rules(check(shop))


def test_a_damaged_result_is_made_again(shop: Path, offline_folder: Path) -> None:
    first = check(shop)
    for file in (offline_folder / "cache/renders/reports").glob("*"):
        file.write_bytes(b"no gzip")
    assert check(shop) == first


def test_paths_choose_what_is_reported(shop: Path) -> None:
    inside = check(shop, shop / "apps/web")
    assert rules(inside) == ["image-not-pinned"]
    assert inside.covered == (str(shop / "apps/web"),)
    write_files(shop, {"policies/own.py": TEAM_POLICY})
    base = check(shop, shop / "gitops/workloads/guestbook/base")
    assert rules(base) == ["team-label"]
    elsewhere = check(shop, shop / "schemas")
    assert (rules(elsewhere), elsewhere.covered) == ([], ())


def test_the_version_comes_from_the_caller_the_stack_file_or_is_the_newest(shop: Path) -> None:
    settings = load_stack_file(shop, "dev")
    assert check_stack(shop, settings, kubernetes_version="v1.34.2").kubernetes_version == "1.34"
    assert check_stack(shop, settings).kubernetes_version == "1.35", "cluster.version of the stack file"
    assert check_stack(shop, load_stack_file(shop, "local")).kubernetes_version >= "1.37"
    with pytest.raises(EnvironmentProblem, match=r"found 1\.2; needs one of 1\.\d+ to 1\.\d+"):
        check_stack(shop, settings, kubernetes_version="1.2")


def test_an_edited_lock_is_a_finding_among_the_others(shop: Path) -> None:
    file = shop / "gitops/dev/argocd/lock.yaml"
    file.write_text(file.read_text().replace("objectCount: 57", "objectCount: 58"))
    report = check(shop)
    assert rules(report) == ["image-not-pinned", "installation"]
    finding = report.findings[1]
    assert finding.file == "gitops/dev/argocd/lock.yaml"
    assert (finding.found, finding.needs) == (
        "its digest fits, but the rest was edited",
        "run `gitops-stack lock --stack dev` and commit it",
    )


def test_settings_that_cannot_be_used_are_a_report_too() -> None:
    place = "Pulumi.dev.yaml"
    wrong = Problem("found latest", "needs a release", place, "argocd.version")
    report = build_settings_report(Path(), "dev", [wrong, Problem("odd")])
    assert [show_finding(finding) for finding in report.findings] == [
        "error installation Pulumi.dev.yaml: odd",
        "error installation Pulumi.dev.yaml: argocd.version: found latest; needs a release",
    ]


def test_switches_that_cannot_be_read_stop_the_check(shop: Path) -> None:
    (shop / "gitops/policies.yaml").write_text("rules: [{rule: nope}]")
    with pytest.raises(GitOpsStackError, match="which is not a rule"):
        check(shop)


def test_a_folder_of_several_kinds(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "gitops/workloads", tmp_path / "workloads")
    one = yaml.safe_dump(build_object({"base": "configmap", "datta": {}}))
    (tmp_path / "workloads/loose.yaml").write_text(one)
    report = check_folder(tmp_path, tmp_path / "workloads")
    # Three overlays render the same objects: no owner of one conflicts with another's. The base is in all of them.
    assert rules(report) == ["schema-invalid"]
    assert report.objects == 13


def test_one_file(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/one.yaml": [{"base": "configmap", "datta": {}}], "a/two.yaml": "a: b: c"})
    report = check_folder(tmp_path, tmp_path / "a/one.yaml")
    assert [finding.file for finding in report.findings] == ["a/one.yaml"]


def test_a_finding_shows_no_password_of_a_repository(shop: Path) -> None:
    source = {"repoURL": "https://me:s3cret@git.example.com/x.git", "path": "."}
    write_files(shop, {"gitops/dev/apps/web.yaml": [{"base": "application", "spec": {"source": source}}]})
    found = {
        finding.found for finding in check(shop).findings if finding.rule in ("not-rendered", "project-repository")
    }
    shown = "https://(secret)@git.example.com/x.git"
    assert found == {f"found {shown}, which project shop does not permit", f"found . of {shown}, which is not here"}
