"""The tree on disk: what is committed is what the settings generate, and what people wrote is never touched."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.conventions import GENERATED_HEADER
from gitops_stack.gitops_tree.files import check_authored_names, check_tree, load_generated, write_tree
from gitops_stack.gitops_tree.tree import KUSTOMIZATION, build_tree
from gitops_stack.gitops_tree.yaml_text import load_documents
from tests.stacks import STACKS, minimal, stack_settings, stack_tree

REMEDY = "run `gitops-stack render --stack dev` and commit"
AUTHORED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\n"


def generated_bytes(root: Path) -> dict[str, bytes]:
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("stack", STACKS)
def test_the_committed_tree_is_what_the_settings_generate(stack: str) -> None:
    assert check_tree(stack_settings(stack), stack_tree(stack)) == []
    assert load_generated(stack_tree(stack)) == build_tree(stack_settings(stack))


@pytest.mark.parametrize("stack", STACKS)
def test_every_generated_file_says_so_first(stack: str) -> None:
    assert {text.splitlines()[0] for text in build_tree(stack_settings(stack)).values()} == {GENERATED_HEADER}


def test_the_order_of_maps_does_not_reach_the_overlay() -> None:
    argocd = {"version": "v3.5.1", "commit": "0" * 40}
    groups = {"b": "admin", "a": "readonly"}
    patches = {name: {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in ("y", "x")}
    one = minimal(argocd={**argocd, "rbac": groups, "patches": patches})
    other = minimal(
        argocd={
            **argocd,
            "rbac": dict(sorted(groups.items())),
            "patches": dict(sorted(patches.items())),
        }
    )
    assert build_tree(one) == build_tree(other)


def _delete(root: Path) -> None:
    (root / "apps/argocd.yaml").unlink()


def _edit(root: Path) -> None:
    with (root / "projects/default.yaml").open("a") as file:
        file.write("# edited\n")


def _leave_over(root: Path) -> None:
    (root / "apps/old.yaml").write_text(f"{GENERATED_HEADER}\nkind: Application\n")


def _author(root: Path) -> None:
    (root / "apps/projects.yaml").write_text(AUTHORED)


def _behead(root: Path) -> None:
    file = root / "apps/projects.yaml"
    file.write_text(file.read_text().partition("\n")[2])


def _add_patch(root: Path) -> None:
    (root / "argocd/patches/50-mine.yaml").write_text(AUTHORED)


def _all(root: Path) -> None:
    for change in (_delete, _edit, _leave_over):
        change(root)


GONE = "apps/argocd.yaml: is missing"
EDITED = "projects/default.yaml: differs from what the settings generate"
LEFT = "apps/old.yaml: is generated but no longer wanted by the settings"


@pytest.mark.parametrize(
    ("change", "findings"),
    [
        (_delete, [GONE]),
        (_edit, [EDITED]),
        (_leave_over, [LEFT]),
        (_behead, ["apps/projects.yaml: has lost its first line, which says that it is generated"]),
        (_add_patch, ["argocd/kustomization.yaml: differs from what the settings generate"]),
        (_all, [GONE, LEFT, EDITED]),
    ],
)
def test_a_stale_tree_is_told_file_by_file(change: Callable[[Path], None], findings: list[str], project: Path) -> None:
    root = project / "gitops/dev"
    change(root)
    assert list(map(str, check_tree(stack_settings("dev"), root))) == [
        f"{root}/{finding}; {REMEDY}" for finding in findings
    ]


def test_an_authored_file_in_the_way_is_not_overwritten_by_a_render(project: Path) -> None:
    root, settings = project / "gitops/dev", stack_settings("dev")
    _author(root)
    said = [
        f"{root}/apps/projects.yaml: is authored, but the settings generate a file of that name; "
        "rename it or the setting, or delete it and run `gitops-stack render`"
    ]
    assert check_authored_names(settings, root) == check_tree(settings, root)
    assert list(map(str, check_tree(settings, root))) == said


def test_a_generated_file_that_lost_its_first_line_is_rendered_again(project: Path) -> None:
    root = project / "gitops/dev"
    before = generated_bytes(root)
    _behead(root)
    assert write_tree(stack_settings("dev"), root) == ["apps/projects.yaml"]
    assert generated_bytes(root) == before


def test_a_generated_file_that_an_editor_marked_is_still_generated(project: Path) -> None:
    root, settings = project / "gitops/dev", stack_settings("dev")
    file = root / "apps/projects.yaml"
    file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
    assert (check_authored_names(settings, root), check_tree(settings, root)) == ([], [])
    file.write_bytes(file.read_bytes() + b"# edited\n")
    write_tree(settings, root)
    assert file.read_text() == build_tree(settings)["apps/projects.yaml"]


def test_writing_repairs_generated_files_and_nothing_else(project: Path) -> None:
    root = project / "gitops/dev"
    before = generated_bytes(root)
    _all(root)
    (root / "apps/authored.yaml").write_text(AUTHORED)
    assert write_tree(stack_settings("dev"), root) == ["apps/argocd.yaml", "apps/old.yaml", "projects/default.yaml"]
    assert generated_bytes(root) == {**before, "apps/authored.yaml": AUTHORED.encode()}


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    assert write_tree(stack_settings("prd"), tmp_path)
    assert write_tree(stack_settings("prd"), tmp_path) == []


def test_authored_patches_are_kept_and_follow_the_generated_ones_in_name_order(project: Path) -> None:
    root = project / "gitops/dev"
    for name in ("z-last.yaml", "50-mine.yaml"):
        (root / "argocd/patches" / name).write_text(AUTHORED)
    assert write_tree(stack_settings("dev"), root) == [KUSTOMIZATION]
    kustomization = load_documents((root / KUSTOMIZATION).read_text())[0]
    names = [patch["path"].removeprefix("patches/") for patch in kustomization["patches"]]
    assert names == sorted(names)
    assert names[-2:] == ["50-mine.yaml", "z-last.yaml"]
    assert all(name.startswith("00-") for name in names[:-2])
    assert (root / "argocd/patches/50-mine.yaml").read_text() == AUTHORED
    assert check_tree(stack_settings("dev"), root) == []


def test_authored_files_may_hold_anything(project: Path) -> None:
    root = project / "gitops/dev"
    (root / "apps/binary.yaml").write_bytes(b"\xff\xfe")
    (root / "apps/folder.yaml").mkdir()
    assert check_tree(stack_settings("dev"), root) == []


def test_a_workload_taken_out_loses_its_file(project: Path) -> None:
    settings = stack_settings("dev").model_copy(update={"workloads": {}})
    assert write_tree(settings, project / "gitops/dev") == ["apps/guestbook.yaml"]
    assert not (project / "gitops/dev/apps/guestbook.yaml").exists()
