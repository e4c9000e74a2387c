"""Trees with add-ons as Applications pass `check`, are fresh, and leave nothing when a setting goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.files import check_tree, load_generated, write_tree
from gitops_stack.tree_check.check import check_stack
from tests.add_ons import ADD_ONS, with_add_ons


@pytest.mark.parametrize(
    "names", [*([name] for name in ADD_ONS), ADD_ONS], ids=lambda names: names[0] if len(names) == 1 else "all"
)
def test_check_finds_nothing_in_a_tree_with_add_ons(names: list[str], project: Path) -> None:
    settings = with_add_ons(project, {name: {} for name in names})
    write_tree(settings, project / settings.tree_path)
    report = check_stack(project, settings)
    assert [str(one) for one in report.findings if (one.rule, one.severity) != ("not-rendered", "note")] == []
    assert len(report.findings) == len(names)  # a chart is elsewhere: said, and no more
    assert report.applications == 4 + len(names)


def test_an_add_on_that_is_switched_off_leaves_no_file(project: Path) -> None:
    off = with_add_ons(project, {})
    root = project / off.tree_path
    before = load_generated(root)
    on = with_add_ons(project, {name: {} for name in ADD_ONS})
    changed = write_tree(on, root)
    assert check_tree(on, root) == []
    assert write_tree(off, root) == changed
    assert load_generated(root) == before


def test_a_file_of_a_person_in_the_place_of_an_add_on_s_is_left_and_said(project: Path) -> None:
    settings = with_add_ons(project, {"metrics-server": {}})
    file = project / settings.tree_path / "apps/metrics-server.yaml"
    file.write_text("kind: Application\n")
    with pytest.raises(GitOpsStackError) as refused:
        write_tree(settings, project / settings.tree_path)
    assert refused.value.findings == (
        f"{file}: is authored, but the settings generate a file of that name; "
        "rename it or the setting, or delete it and run `gitops-stack render`",
    )
    assert file.read_text() == "kind: Application\n"


@pytest.mark.parametrize("name", ["metrics-server", "aws-load-balancer-controller"])
def test_an_application_of_a_person_has_no_add_on_s_name(name: str, project: Path) -> None:
    settings = with_add_ons(project, {name: {}})
    root = project / settings.tree_path
    write_tree(settings, root)
    own = (root / "apps/guestbook.yaml").read_text().partition("\n")[2].replace("name: guestbook", f"name: {name}")
    (root / "apps/own.yaml").write_text(own)
    found = [one for one in check_stack(project, settings).findings if one.rule == "duplicate-application"]
    assert [one.severity for one in found] == ["error"]
    assert name in found[0].message
