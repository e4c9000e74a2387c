"""Every rule on folders of manifests that pass or fail it: exactly these findings, and no others."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.rules.known_rules import RULES
from gitops_stack.tree_check.check import check_folder
from tests.cases import load_cases, show_finding, write_objects
from tests.stacks import stack_render

CASES = load_cases("checks")
# Rules about whole stacks have their own tests: a folder cannot break them; so have those that need an extra.
OF_STACKS = {
    "installation", "outside-link", "render-failed", "not-rendered", "project-kind", "project-namespace",
    "shared-object",
    "dangling-path", "application-set-not-expanded", "application-set-refused", "application-set-empty",
    "application-set-placeholder", "prunable-crd", "prunable-namespace", "prunable-volume-claim", "replaced-by-force",
    "access-policy", "api-server", "argocd-config", "cluster-unknown", "crd-rule", "crd-rule-unjudged",
    "environment-in-namespace", "library-finalizer", "notification-unknown", "override-kept", "passed-over",
    "policy-failed", "pulumi-owned-secret", "setting-overridden", "value-made-anew", "vendored-chart",
}  # fmt: skip


@cache
def argocd_schemas() -> dict[str, str]:
    """Return the files of a catalogue with the schemas of the pinned release."""
    return {
        f"{found['spec']['names']['singular']}_v1alpha1.json": json.dumps(
            found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        )
        for found in stack_render("dev")
        if found["kind"] == "CustomResourceDefinition"
    }


def check(case: dict[str, Any], tmp_path: Path) -> list[str]:
    folder = write_objects(tmp_path / "manifests", case["objects"])
    if any(written.get("base") in ("application", "project") for written in case["objects"]):
        catalogue = tmp_path / "schemas/argoproj.io"
        catalogue.mkdir(parents=True)
        for name, text in argocd_schemas().items():
            (catalogue / name).write_text(text)
    if "policies" in case:
        (tmp_path / "gitops").mkdir()
        (tmp_path / "gitops/policies.yaml").write_text(yaml.safe_dump({"rules": case["policies"]}))
    report = check_folder(tmp_path, folder, kubernetes_version="1.35")
    elsewhere = [one for one in report.findings if (one.rule, one.severity) == ("not-rendered", "note")]
    return [show_finding(finding) for finding in report.findings if finding not in elsewhere]


@pytest.mark.parametrize("case", CASES)
def test_a_case_has_exactly_its_findings(case: dict[str, Any], tmp_path: Path) -> None:
    assert check(case, tmp_path) == case.get("findings", [])


def test_every_rule_fails_somewhere_and_passes_somewhere() -> None:
    found = [finding.split()[1] for case in CASES for finding in case.values[0].get("findings", [])]
    assert {rule.id for rule in RULES} - OF_STACKS == set(found)
    assert sum(bool(case.values[0].get("findings")) for case in CASES) >= 60
    assert sum(not case.values[0].get("findings") for case in CASES) >= 15
