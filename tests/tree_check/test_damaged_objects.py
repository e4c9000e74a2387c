"""Objects and schemas that nobody would write on purpose: each is a finding at most, and the others are judged."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.applications import Tree
from gitops_stack.tree_check.check import check_folder
from gitops_stack.tree_check.json_form import settle_json
from gitops_stack.tree_check.judge import judge
from gitops_stack.tree_check.schemas import SchemaSet
from tests.api_corpus import build_definition, load_bases
from tests.cases import build_object
from tests.odd_values import MUTATIONS, mutate


def own_objects() -> Iterator[dict[str, Any]]:
    yield from load_bases().values()
    for base in ("application", "project", "crd", "backup"):
        yield build_object({"base": base})


def judge_all(objects: list[Any], definitions: list[Any]) -> list[str]:
    tree = Tree(loose={"": [RenderedObject(one, "shop", "a.yaml") for one in objects]})
    settle_json(tree)
    findings = [*tree.findings, *SchemaSet("1.36", definitions).check(tree.objects), *judge(tree, "", "argocd")]
    return [one.sentence for one in findings]


@pytest.mark.parametrize("seed", range(4))
def test_no_mutation_of_an_object_stops_a_check(seed: int) -> None:
    chance, bases, definitions = random.Random(seed), list(own_objects()), [build_definition()]
    broken = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "last"}, "datta": {}}
    for _ in range(MUTATIONS // 4):
        made = chance.choice(bases)
        for _ in range(chance.randint(1, 3)):
            made = mutate(made, chance)
        if not isinstance(made, dict) or not isinstance(made.get("metadata"), dict):
            continue
        made |= {"apiVersion": str(made.get("apiVersion") or "v1"), "kind": str(made.get("kind") or "Pod")}
        findings = judge_all([made, broken], definitions)
        assert any("last: datta: is not a known field" in sentence for sentence in findings)


@pytest.mark.parametrize("seed", range(4))
def test_no_mutation_of_a_crd_stops_a_check(seed: int) -> None:
    chance, definition = random.Random(seed), build_definition()
    found = load_bases()["backup"]
    for _ in range(MUTATIONS // 20):
        made = mutate(mutate(definition, chance), chance)
        if isinstance(made, dict) and isinstance(made.get("metadata"), dict):
            made |= {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
            tree = Tree(loose={"": [RenderedObject(made, "", "a.yaml")]})
            settle_json(tree)
            judge_all([made, found], tree.definitions)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("data: {404: x}", ""),
        ("data: {true: x, 1.5: y}", ""),
        ("data: {a: .nan}", "found nan, which JSON does not have"),
        ("data: &a {b: *a}", "holds itself"),
        ("data: !!set {a, b}", ""),
        ("data: !own {a: b}", ""),
        ("data: {? [a, b] : c}", ""),
        ("data: {a: !!binary aGk=}", ""),
        ('data: {a: "\\ud800"}', ""),
        ("kind: " + "x" * 300, "kind: found " + "x" * 20),
        ("data: " + "[" * 150 + "]" * 150, "found a list; needs a map"),
        ("data: " + "[" * 100_000, ""),
        ("data:\n" + "".join(f"{' ' * depth}- \n" for depth in range(300)), ""),
    ],
)
def test_what_yaml_has_and_json_has_not(written: str, said: str, tmp_path: Path) -> None:
    kind = "" if written.startswith("kind") else "kind: ConfigMap\n"
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "odd.yaml").write_text(f"apiVersion: v1\n{kind}metadata: {{name: odd}}\n{written}\n")
    (folder / "other.yaml").write_text(yaml.safe_dump(build_object({"base": "configmap", "datta": {}})))
    sentences = [one.sentence for one in check_folder(tmp_path, folder).findings]
    assert any("datta: is not a known field" in sentence for sentence in sentences), "the others are judged"
    assert not said or any(said in sentence for sentence in sentences)


def test_a_deep_document_is_an_error_of_yaml_and_no_crash() -> None:
    for text in ("[" * 100_000, "{a: " * 100_000, "- " * 100_000):
        with pytest.raises(yaml.YAMLError):
            load_documents(text)
