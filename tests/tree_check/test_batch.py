"""Which kustomizations are built together, and what is not taken from such a build; held against kustomize in e2e."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.tree_check.batch import MOST, build_together, find_mixed
from gitops_stack.tree_check.batch_candidate import FIELD, load_candidate
from gitops_stack.tree_check.closure import load_closure

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
RENAME = [{"op": "replace", "path": "/metadata/name", "value": "other"}]


def write(folder: Path, kustomization: Mapping[str, Any], **files: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in {"kustomization": kustomization, **files}.items():
        (folder / f"{name}.yaml").write_text(render_document(document), encoding="utf-8")
    return folder


class Kustomize:
    """Stands in for the program: each folder renders to the ConfigMap named in its `namespace`."""

    def __init__(self, failing: str = "", marked: bool = True) -> None:
        self.groups: list[list[str]] = []
        self.failing, self.marked = failing, marked

    def __call__(self, root: Path) -> list[dict[str, Any]]:
        (top,) = yaml.safe_load_all((root / "kustomization.yaml").read_text())
        names = [(root / number / "base").resolve().name for number in top["resources"]]
        self.groups.append(names)
        if self.failing in names:
            raise GitOpsStackError("kustomize failed")
        return [self.build(root / number) for number in top["resources"]]

    def build(self, overlay: Path) -> dict[str, Any]:
        wrapping = yaml.safe_load((overlay / "kustomization.yaml").read_text())
        (transformer,) = map(yaml.safe_load, wrapping["transformers"])
        (base,) = wrapping["resources"]
        name = yaml.safe_load((overlay / base / "kustomization.yaml").read_text())["namespace"]
        mark = {transformer["fieldSpecs"][0]["path"]: transformer["annotations"]} if self.marked else {}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **mark}


def folders(root: Path, count: int) -> list[Path]:
    return [write(root / f"f{number}", {"namespace": f"n{number}"}) for number in range(count)]


def test_each_folder_gets_its_own_objects_without_the_mark(tmp_path: Path) -> None:
    kustomize = Kustomize()
    made = build_together(folders(tmp_path, 3), kustomize)
    assert kustomize.groups == [["f0", "f1", "f2"]]
    for number in range(3):
        folder = tmp_path / f"f{number}"
        assert made[folder].manifests == [{**CONFIG_MAP, "metadata": {"name": f"n{number}"}}]
        assert made[folder].key == load_closure(folder).key(folder)


def test_a_folder_named_twice_is_built_once_and_one_alone_not_at_all(tmp_path: Path) -> None:
    kustomize = Kustomize()
    one, two = folders(tmp_path, 2)
    assert set(build_together([one, two, one], kustomize)) == {one, two}
    assert build_together([one, one], kustomize) == {}
    assert kustomize.groups == [["f0", "f1"]]


def test_a_group_that_fails_leaves_all_of_it_to_be_built_alone(tmp_path: Path) -> None:
    kustomize = Kustomize(failing="f1")
    made = build_together(folders(tmp_path, MOST + 2), kustomize)
    assert [len(group) for group in kustomize.groups] == [MOST, 2]
    assert set(made) == {tmp_path / f"f{number}" for number in (MOST, MOST + 1)}


def test_objects_without_a_mark_are_not_taken(tmp_path: Path) -> None:
    assert build_together(folders(tmp_path, 2), Kustomize(marked=False)) == {}


def test_overlays_of_one_base_are_built_apart_and_those_of_one_component_together(tmp_path: Path) -> None:
    write(tmp_path / "base", {"resources": ["settings.yaml"]}, settings=CONFIG_MAP)
    write(tmp_path / "labels", {"kind": "Component", "labels": [{"pairs": {"a": "b"}}]})
    for name, listed in (("dev", "base"), ("prd", "base")):
        write(tmp_path / name, {"namespace": name, "resources": [f"../{listed}"]})
    for name in ("one", "two"):
        write(tmp_path / name, {"namespace": name, "components": ["../labels"]})
    kustomize = Kustomize()
    build_together([tmp_path / name for name in ("dev", "prd", "one", "two")], kustomize)
    assert kustomize.groups == [["dev", "one", "two"]]


@pytest.mark.parametrize(
    "kustomization",
    [
        {"namePrefix": "x-"},
        {"NamePrefix": "x-"},
        {"nameSuffix": "-x"},
        {"vars": [{"name": "A", "objref": {"kind": "Service", "name": "web"}}]},
        {"replacements": [{"path": "settings.yaml"}]},
        {"transformers": ["settings.yaml"]},
        {"generators": ["settings.yaml"]},
        {"configurations": ["settings.yaml"]},
        {"crds": ["settings.yaml"]},
        {"openapi": {"path": "settings.yaml"}},
        {"configMapGenerator": [{"name": "a", "envs": ["settings.yaml"]}]},
        {"secretGenerator": [{"name": "a", "env": "settings.yaml"}]},
        {"sortOptions": {"order": "fifo"}},
        {"buildMetadata": ["originAnnotations"]},
        {"helmCharts": [{"name": "web"}]},
        {"resources": ["https://example.com/a.yaml"]},
        {"resources": ["github.com/acme/web//base?ref=0123456789abcdef0123456789abcdef01234567"]},
        {"resources": ["missing.yaml"]},
        {"resources": "settings.yaml"},
        {"patches": [{"patch": render_document(RENAME), "target": {"kind": "ConfigMap"}}]},
        {"patches": [{"path": "rename.yaml", "target": {"kind": "ConfigMap"}}]},
        {"patchesJson6902": [{"path": "rename.yaml", "target": {"kind": "ConfigMap"}}]},
        {"patches": [{"patch": render_document([{"op": "replace", "path": "", "value": {}}])}]},
        {"patches": [{"patch": render_document([{"op": "move", "path": "/a", "from": "/metadata"}])}]},
        {"patches": [{"patch": "not: [closed"}]},
        {"patches": [{"path": "settings.yaml", "options": {"allowNameChange": True}}]},
        {"commonAnnotations": {"kustomize.config.k8s.io/needs-hash": "true"}},
        {"commonAnnotations": {"internal.config.kubernetes.io/previousNames": "web"}},
        {"commonAnnotations": {"a": FIELD}},
        ["resources"],
    ],
)
def test_what_reaches_beyond_its_folder_is_built_alone(kustomization: Any, tmp_path: Path) -> None:
    assert load_candidate(write(tmp_path, kustomization, settings=CONFIG_MAP, rename=RENAME)) is None


def test_an_escape_that_could_hide_an_annotation_is_built_alone(tmp_path: Path) -> None:
    write(tmp_path, {"resources": ["settings.yaml"]})
    (tmp_path / "settings.yaml").write_text('a: "config\\u002ekubernetes.io"\n', encoding="utf-8")
    assert load_candidate(tmp_path) is None


def test_what_stays_within_its_folder_is_a_candidate_with_its_manifests(tmp_path: Path) -> None:
    label = [{"op": "add", "path": "/metadata/labels/a", "value": "b"}]
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["settings.yaml", "../base"],
        "namespace": "shop",
        "images": [{"name": "web", "newTag": "2"}],
        "replicas": [{"name": "web", "count": 2}],
        "labels": [{"pairs": {"a": "b"}}],
        "configMapGenerator": [{"name": "settings", "literals": ["A=b"]}],
        "generatorOptions": {"disableNameSuffixHash": True},
        "patches": [{"path": "strategic.yaml"}, {"patch": render_document(label), "target": {"kind": "ConfigMap"}}],
    }
    write(tmp_path / "base", {"resources": ["web.yaml"]}, web=CONFIG_MAP)
    found = load_candidate(write(tmp_path / "over", kustomization, settings=CONFIG_MAP, strategic=CONFIG_MAP))
    assert found is not None
    assert found.manifests == {tmp_path / "over/settings.yaml", tmp_path / "base/web.yaml"}


HASHED = "settings-5h2kbt7g9m"


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        (HASHED, "ConfigMap", HASHED),  # followed
        (HASHED, "ConfigMap", "settings"),  # not followed, as there were two to follow
        ("web", "ServiceAccount", "web"),  # its namespace may have been written beside the name
        ("123", "ServiceAccount", 123),
    ],
)
def test_folders_between_which_a_name_may_have_been_followed_are_mixed(name: str, kind: str, text: Any) -> None:
    owner = {"kind": kind, "metadata": {"name": name}}
    referrer = {"kind": "Pod", "metadata": {"name": "pod"}, "spec": {"volumes": [{"configMap": {"name": text}}]}}
    apart = {"kind": "Pod", "metadata": {"name": "other"}}
    assert find_mixed({0: [owner], 1: [referrer], 2: [apart]}) == {0, 1}
    assert find_mixed({0: [owner, referrer], 2: [apart]}) == set(), "within one folder that is what is wanted"


def test_two_generated_objects_of_one_name_are_mixed_whatever_their_hashes() -> None:
    first, second = (
        {"kind": "Secret", "metadata": {"name": f"settings-{ten}"}} for ten in ("5h2kbt7g9m", "2222222222")
    )
    assert find_mixed({0: [first], 1: [second]}) == {0, 1}


def test_an_object_of_the_same_name_that_keeps_it_mixes_nothing() -> None:
    service = {"kind": "Service", "metadata": {"name": "web"}}
    assert find_mixed({0: [service], 1: [{"kind": "Deployment", "metadata": {"name": "web"}}]}) == set()
