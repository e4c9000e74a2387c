"""Kustomizations built together by the real kustomize: the same objects as each alone, or not answered at all."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.kustomize import render_kustomization
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.tools import build_tools
from gitops_stack.tree_check.batch import build_together
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e

NAMES = ["web", "api", "store"]
TREES = 120
FOLDERS = 7


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)


class Draw:
    """One random tree: folders that share names, references and bases with one another, some of them broken."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.random = root, random.Random(seed)
        self.shared = self.random.random()  # how much of it knows the names of other folders
        self.write("common/kustomization.yaml", {"kind": "Component", "labels": [{"pairs": {"team": "shop"}}]})
        self.write("base/kustomization.yaml", {"resources": ["base.yaml"], **self.generators("base")})
        self.write("base/base.yaml", self.workload("base"))

    def folders(self) -> list[Path]:
        return [self.folder(f"f{number}") for number in range(FOLDERS)]

    def folder(self, own: str) -> Path:
        documents = [self.some(own) for _ in range(self.random.randint(1, 4))]
        (self.root / own).mkdir()
        text = "---\n".join(render_document(document) for document in documents)
        (self.root / own / "all.yaml").write_text(text, encoding="utf-8")
        kustomization: dict[str, Any] = {"resources": ["all.yaml"], **self.generators(own)}
        if self.chance(0.05):
            kustomization["resources"].append("../base")
        if self.chance(0.2):
            kustomization["components"] = ["../common"]
        for chance, field in self.fields(own, documents):
            if self.chance(chance):
                kustomization |= field
        self.write(f"{own}/kustomization.yaml", kustomization)
        if self.chance(0.6):  # an overlay on it
            overlay = {"resources": ["../base"], **self.generators(own)} | {"namespace": self.random.choice(NAMES)}
            overlay["resources"] = [f"../../{own}"]
            self.write(f"over/{own}/kustomization.yaml", overlay)
            return self.root / "over" / own
        return self.root / own

    def fields(self, own: str, documents: list[dict[str, Any]]) -> list[tuple[float, dict[str, Any]]]:
        first = documents[0]
        target = {"kind": first["kind"], "name": first["metadata"]["name"]}
        note = {"apiVersion": first["apiVersion"], "kind": first["kind"], "metadata": {"name": target["name"]}}
        note["metadata"]["annotations"] = {"note": self.name(own)}
        rename = [{"op": "replace", "path": "/metadata/name", "value": self.name(own)}]
        label = [{"op": "add", "path": "/metadata/labels", "value": {"of": self.name(own)}}]
        variable = {"name": "WEB", "objref": {"apiVersion": "v1", "kind": "Service", "name": "web"}}
        return [
            (0.3, {"namespace": self.random.choice(NAMES)}),
            (0.3, {"labels": [{"pairs": {"own": own}, "includeSelectors": True}]}),
            (0.3, {"commonAnnotations": {"own": own}}),
            (0.3, {"images": [{"name": "app", "newTag": own}]}),
            (0.2, {"patches": [{"patch": render_document(note)}]}),
            (0.2, {"patches": [{"patch": render_document(label), "target": target}]}),
            (0.1, {"patches": [{"patch": render_document(rename), "target": target}]}),
            (
                0.1,
                {"patches": [{"patch": render_document(note), "target": target, "options": {"allowNameChange": True}}]},
            ),
            (0.05, {"namePrefix": f"{own}-"}),
            (0.05, {"nameSuffix": "-x"}),
            (0.05, {"vars": [variable]}),
            (0.03, {"sortOptions": {"order": "fifo"}}),
            (0.03, {"buildMetadata": ["originAnnotations"]}),
            (0.02, {"resources": ["missing.yaml"]}),
        ]

    def generators(self, own: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if self.chance(0.5):
            made["configMapGenerator"] = [{"name": self.name(own), "literals": [f"a={own}"]}]
        if self.chance(0.3):
            made["secretGenerator"] = [{"name": self.name(own), "literals": [f"b={own}"]}]
        if self.chance(0.2):
            made["generatorOptions"] = {"disableNameSuffixHash": True}
        return made

    def some(self, own: str) -> dict[str, Any]:
        makers: list[Callable[[str], dict[str, Any]]] = [
            self.workload,
            self.account,
            self.binding,
            self.service,
            self.role,
        ]
        return self.random.choice(makers)(own)

    def workload(self, own: str) -> dict[str, Any]:
        container = {
            "name": "app",
            "image": "app:1",
            "args": ["$(WEB)", self.reference(own)],
            "envFrom": [{"configMapRef": {"name": self.reference(own)}}, {"secretRef": {"name": self.reference(own)}}],
        }
        pod = {"serviceAccountName": self.reference(own), "containers": [container]}
        pod["volumes"] = [{"name": "v", "configMap": {"name": self.reference(own)}}]
        made = self.object("apps/v1", "Deployment", own)
        return made | {"spec": {"selector": {"matchLabels": {"a": own}}, "template": {"spec": pod}}}

    def account(self, own: str) -> dict[str, Any]:
        return self.object("v1", "ServiceAccount", own) | {"secrets": [{"name": self.reference(own)}]}

    def binding(self, own: str) -> dict[str, Any]:
        kind = self.random.choice(["RoleBinding", "ClusterRoleBinding"])
        subject = {"kind": "ServiceAccount", "name": self.reference(own)}
        if self.chance(0.5):
            subject["namespace"] = self.random.choice(NAMES)
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self.reference(own)}
        made = self.object("rbac.authorization.k8s.io/v1", kind, own)
        return made | {"subjects": [subject], "roleRef": reference}

    def role(self, own: str) -> dict[str, Any]:
        rule = {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "verbs": ["get"],
            "resourceNames": [self.reference(own)],
        }
        return self.object("rbac.authorization.k8s.io/v1", "ClusterRole", own) | {"rules": [rule]}

    def service(self, own: str) -> dict[str, Any]:
        return self.object("v1", "Service", own) | {"spec": {"externalName": self.reference(own)}}

    def object(self, api_version: str, kind: str, own: str) -> dict[str, Any]:
        metadata: dict[str, Any] = {"name": self.name(own)}
        if self.chance(0.3):
            metadata["namespace"] = self.random.choice(NAMES)
        if self.chance(0.2):
            metadata["annotations"] = self.random.choice([{}, {"config.kubernetes.io/local-config": "true"}])
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata}

    def name(self, own: str) -> str:
        """Name an object: some names are those of other folders too, which kustomize refuses side by side."""
        name = self.random.choice(NAMES)
        return name if self.chance(self.shared / 20) else f"{own}-{name}"

    def reference(self, own: str) -> str:
        """Name what an object refers to: of its own folder, of another one, or of nothing."""
        other = self.random.choice([own] * 8 + [f"f{self.random.randrange(FOLDERS)}"])
        return f"{other}-{self.random.choice(NAMES)}" if self.chance(0.95) else self.random.choice(NAMES)

    def chance(self, one: float) -> bool:
        return self.random.random() < one

    def write(self, path: str, document: dict[str, Any]) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(render_document(document), encoding="utf-8")


def alone(folder: Path) -> list[dict[str, Any]] | None:
    try:
        return render_kustomization(folder)
    except GitOpsStackError:
        return None


@pytest.mark.parametrize("share", range(4))
def test_what_is_built_together_is_what_each_folder_renders_to_alone(share: int, tmp_path: Path) -> None:
    answered = builds = 0
    for seed in range(share, TREES, 4):
        root = tmp_path / str(seed)
        single = {folder: alone(folder) for folder in Draw(root, seed).folders()}
        well = [folder for folder, found in single.items() if found]
        made = build_together(single if seed % 8 == share else well)  # one that fails takes the others with it
        for folder in made:
            assert made[folder].manifests == single[folder], f"seed {seed}, {folder.relative_to(root)}"
        answered += len(made)
        builds += len(well)
    assert builds > TREES / 4 * FOLDERS / 3, "most folders can be built"
    assert answered > builds / 4, "and many of them together"


def test_a_reference_that_kustomize_would_follow_into_another_folder_is_built_alone(tmp_path: Path) -> None:
    draw = Draw(tmp_path, 0)
    generator = [{"name": "shared", "literals": ["a=b"]}]
    draw.write("one/kustomization.yaml", {"configMapGenerator": generator})
    reference = draw.object("v1", "Pod", "x") | {"spec": {"volumes": [{"name": "v", "configMap": {"name": "shared"}}]}}
    reference["metadata"] = {"name": "pod"}
    draw.write("two/kustomization.yaml", {"resources": ["pod.yaml"]})
    draw.write("two/pod.yaml", reference)
    for name in ("three", "four"):
        draw.write(f"{name}/kustomization.yaml", {"configMapGenerator": [{"name": name, "literals": ["a=b"]}]})
    folders = [tmp_path / name for name in ("one", "two", "three", "four")]
    seen: list[list[dict[str, Any]]] = []

    def build(folder: Path) -> list[dict[str, Any]]:
        seen.append(render_kustomization(folder))
        return seen[-1]

    assert set(build_together(folders, build)) == {tmp_path / "three", tmp_path / "four"}
    (pod,) = (found for found in seen[0] if found["kind"] == "Pod")
    assert pod["spec"]["volumes"][0]["configMap"]["name"].startswith("shared-"), "followed, so it had to be seen"


def test_one_broken_folder_leaves_the_others_to_be_built_alone(tmp_path: Path) -> None:
    draw = Draw(tmp_path, 0)
    for name in ("one", "two"):
        draw.write(f"{name}/kustomization.yaml", {"configMapGenerator": [{"name": name, "literals": ["a=b"]}]})
    draw.write("broken/kustomization.yaml", {"configMapGenerator": [{"name": "x", "literals": ["no equals sign"]}]})
    folders = [tmp_path / name for name in ("one", "two", "broken")]
    assert build_together(folders) == {}
    assert set(build_together(folders[:2])) == set(folders[:2])
