"""Which stacks a change concerns, as a table."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_stack.gitops_tree.read_paths import is_read, load_read_paths
from gitops_stack.preview.changed_stacks import find_changed_stacks
from tests.fake_kustomize import build

APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {{{}}}\n"
SET = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec: {{generators: [{{git: {{{}}}}}]}}\n"

GUESTBOOK = "gitops/workloads/guestbook"
FOLDERS = {
    "local": ("gitops/local", f"{GUESTBOOK}/overlays/local"),
    "dev": ("gitops/dev", f"{GUESTBOOK}/overlays/dev"),
    "prd": ("gitops/prd", f"{GUESTBOOK}/overlays/prd", "gitops/shop/overlays/prd"),
    "old": ("clusters/old/",),
}
ALL = sorted(FOLDERS)


@pytest.mark.parametrize(
    ("paths", "stacks"),
    [
        ([], []),
        (["Pulumi.dev.yaml"], ["dev"]),
        (["Pulumi.dev.yaml", "Pulumi.prd.yaml", "docs/a.md"], ["dev", "prd"]),
        (["Pulumi.gone.yaml"], []),
        (["gitops/dev/apps/argocd.yaml"], ["dev"]),
        (["gitops/device/x.yaml"], ALL),
        (["clusters/old/argocd/lock.yaml"], ["old"]),
        ([f"{GUESTBOOK}/overlays/prd/kustomization.yaml"], ["prd"]),
        ([f"{GUESTBOOK}/base/deployment.yaml"], ["dev", "local", "prd"]),
        ([f"{GUESTBOOK}/overlays/stage/kustomization.yaml"], []),
        (["gitops/shop/base/a.yaml"], ["prd"]),
        (["gitops/unknown/a.yaml"], ALL),
        (["__main__.py"], ALL),
        (["Pulumi.yaml"], ALL),
        (["gitops_stack/components/argocd.py"], ALL),
        (["requirements.txt"], ALL),
        (["requirements-dev.txt"], ALL),
        (["pyproject.toml"], ALL),
        (["infra/new.py"], ALL),
        (["docs/a.md", "tests/test_x.py", "README.md", "CHANGELOG.md", "LICENSE", ".github/workflows/ci.yml"], []),
        ([".gitlab-ci.yml", ".gitignore", "Makefile", ".ci/run", "bench/__main__.py"], []),
        (["gitops/dev/README.md"], ["dev"]),
        (["documentation/a.md"], ALL),
        (["docs/a.md", "gitops/prd/projects/default.yaml"], ["prd"]),
    ],
    ids=lambda value: ",".join(value) or "none",
)
def test_the_stacks_a_change_concerns(paths: list[str], stacks: list[str]) -> None:
    assert find_changed_stacks(paths, FOLDERS) == stacks


NAMES = ("a", "b", "c", "d", "e")


@st.composite
def trees(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Draw kustomizations that build on others (folder -> folders), and the folders of each stack's workloads."""
    folders = [
        *(f"gitops/workloads/{name}/base" for name in NAMES[: draw(st.integers(1, 3))]),
        *(f"gitops/common/{name}" for name in NAMES[: draw(st.integers(0, 2))]),
        *(f"gitops/workloads/{name}/overlays/{stack}" for name in NAMES[:2] for stack in ("dev", "prd")),
        *(f"other/{name}" for name in NAMES[: draw(st.integers(0, 2))]),
    ]
    named = {
        folder: draw(st.lists(st.sampled_from(folders[:place]), max_size=2, unique=True)) if place else []
        for place, folder in enumerate(folders)
    }
    workloads = {stack: draw(st.lists(st.sampled_from(folders), max_size=2)) for stack in ("dev", "prd", "qa")}
    return named, workloads


@settings(max_examples=40, deadline=None, database=None)
@given(trees())
def test_every_stack_whose_render_changes_is_found(tree: tuple[dict[str, list[str]], dict[str, list[str]]]) -> None:
    named, workloads = tree
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        for folder, below in named.items():
            (root / folder).mkdir(parents=True)
            references = [os.path.relpath(root / one, root / folder) for one in below]
            (root / folder / "kustomization.yaml").write_text(json.dumps({"resources": ["own.yaml", *references]}))
            (root / folder / "own.yaml").write_text(f"kind: ConfigMap\nmetadata: {{name: x}}\ndata: {{a: {folder}}}\n")
        read = {stack: load_read_paths(root, [f"gitops/{stack}", *own]) for stack, own in workloads.items()}
        before = {folder: build(root / folder) for folder in named}
        for changed in named:
            file = root / changed / "own.yaml"
            text = file.read_text()
            file.write_text(text.replace("data:", "data: {b: new}\nmore:"))
            now = {stack for stack, own in workloads.items() if any(build(root / one) != before[one] for one in own)}
            found = find_changed_stacks([f"{changed}/own.yaml"], read)
            assert now <= set(found), changed
            assert now == set(found) or not now, "a stack is named whose render does not change"
            file.write_text(text)


@pytest.mark.parametrize(
    ("files", "start", "changed"),
    [
        (
            {
                "a/kustomization.yaml": "components: [../c]\n",
                "c/kustomization.yaml": "kind: Component\npatches: [{path: x.yaml}]\n",
                "c/x.yaml": "{}\n",
            },
            "a",
            "c/x.yaml",
        ),
        ({"a/kustomization.yaml": "patches: [{path: ../p/p.yaml}]\n", "p/p.yaml": "{}\n"}, "a", "p/p.yaml"),
        ({"a/kustomization.yaml": "configMapGenerator: [{files: [k=../f/x.ini]}]\n", "f/x.ini": ""}, "a", "f/x.ini"),
        ({"a/Chart.yaml": "dependencies: [{repository: 'file://../b'}]\n", "b/Chart.yaml": ""}, "a", "b/t/x.yaml"),
        ({"t/apps/x.yaml": APPLICATION.format("source: {path: apps/x}")}, "t", "apps/x/deep/y.yaml"),
        ({"t/apps/x.yaml": APPLICATION.format("source: {path: x, helm: {valueFiles: [../v.yaml]}}")}, "t", "v.yaml"),
        ({"t/apps/x.yaml": APPLICATION.format("sources: [{helm: {valueFiles: [$v/e/v.yaml]}}]")}, "t", "e/v.yaml"),
        ({"t/apps/x.yaml": APPLICATION.format("source: {path: x, kustomize: {components: [../c]}}")}, "t", "c/k.yaml"),
        (
            {"t/apps/x.yaml": APPLICATION.format("source: {kustomize: {patches: [{path: ../p.yaml}]}, path: x}")},
            "t",
            "p.yaml",
        ),
        (
            {"t/apps/x.yaml": APPLICATION.format("source: {path: x, helm: {fileParameters: [{path: ../f.txt}]}}")},
            "t",
            "f.txt",
        ),
        (
            {"t/apps/x.yaml": APPLICATION.format("source: {path: x, directory: {jsonnet: {libs: [vendor]}}}")},
            "t",
            "vendor/a/b.libsonnet",
        ),
        (
            {
                "t/apps/x.yaml": APPLICATION.format(
                    "source: {path: x, helm: {valueFiles: [../e/$ARGOCD_APP_NAME.yaml]}}"
                )
            },
            "t",
            "e/web.yaml",
        ),
        (
            {
                "a/x.jsonnet": "local l = import '../lib/l.libsonnet'; [l]",
                "lib/l.libsonnet": 'importstr "t.txt"',
                "lib/t.txt": "",
            },
            "a",
            "lib/t.txt",
        ),
        ({"t/apps/x.yaml": SET.format("directories: [{path: 'teams/*'}]")}, "t", "teams/new/k.yaml"),
        ({"t/apps/x.yaml": SET.format("files: [{path: 'conf/**/c.yaml'}]")}, "t", "conf/a/c.yaml"),
    ],
)
def test_what_a_stack_reads_is_followed(files: dict[str, str], start: str, changed: str, tmp_path: Path) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    read = load_read_paths(tmp_path, [start])
    assert is_read(changed, read)
    assert not is_read("elsewhere/x.yaml", read)


def test_a_link_is_read_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "shared/x.yaml").write_text("a: b\n")
    (tmp_path / "a/x.yaml").symlink_to("../shared/x.yaml")
    assert is_read("shared/x.yaml", load_read_paths(tmp_path, ["a"]))


def test_who_reads_the_whole_repository_does_not_own_the_program() -> None:
    assert find_changed_stacks(["__main__.py"], {"dev": ["."], "prd": ["gitops/prd"]}) == ["dev", "prd"]
    assert find_changed_stacks(["docs/a.md"], {"dev": ["."], "prd": ["gitops/prd"]}) == ["dev"]
