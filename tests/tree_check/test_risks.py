"""The verdicts of a difference: exactly these risks, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.applications import RenderedApplication, Tree
from gitops_stack.tree_check.difference import compare_trees
from tests.cases import build_object, load_cases, show_risk

CASES = load_cases("risks")
VERDICTS = {
    "ownership-change", "crd-removed", "crd-version-removed", "cascade-delete", "left-behind", "prune",
    "project-widened", "replicas-to-zero", "recreate", "finalizer-added", "finalizer-removed", "project-changed",
    "destination-changed", "prune-switched-on", "data-removed", "allow-empty",
}  # fmt: skip


def build_tree(prunes: bool, **applications: list[dict[str, Any]]) -> Tree:
    """Build a tree of applications, name -> objects."""
    return build_synced_tree({"automated": {"prune": prunes}}, applications)


def build_synced_tree(
    policy: dict[str, Any], applications: dict[str, list[dict[str, Any]]], *, cascades: bool = True
) -> Tree:
    rendered = []
    for name, written in applications.items():
        metadata = {"name": name, **({} if cascades else {"finalizers": None})}
        made = build_object({"base": "application", "metadata": metadata, "spec": {"syncPolicy": policy}})
        spec = read_application_spec(RenderedObject(made, "argocd", "apps.yaml"))
        found = [build_object(one) for one in written]
        objects = [RenderedObject(one, one["metadata"].get("namespace", ""), "web.yaml", name) for one in found]
        rendered.append(RenderedApplication(spec, objects))
    return Tree(rendered)


def risks(case: dict[str, Any]) -> list[str]:
    policy = {"automated": {"prune": case.get("prunes", True)}, "syncOptions": case.get("sync_options", [])}
    before = build_synced_tree(policy, {"web": case["before"], "other": []}, cascades=case.get("cascades", True))
    left = {"web": case["after"]} if "after" in case else {}  # else the application itself is gone
    after = build_synced_tree(policy, {**left, "other": case.get("other_after", [])})
    difference = compare_trees("dev", before, after)
    return [show_risk(risk) for one in difference.applications for risk in one.risks]


@pytest.mark.parametrize("case", CASES)
def test_a_change_has_exactly_its_risks(case: dict[str, Any]) -> None:
    assert risks(case) == case.get("risks", [])


def test_every_verdict_is_reached() -> None:
    reached = {risk.split()[1] for case in CASES for risk in case.values[0].get("risks", [])}
    assert reached == VERDICTS
    assert any(not case.values[0].get("risks") for case in CASES)
