"""Whole trees: files laid over the committed tree of stack dev, and exactly what is found in them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.config import load_stack_file
from gitops_stack.tree_check import check as check_module
from gitops_stack.tree_check.check import check_stack
from tests.cases import build_object, load_cases, show_finding

CASES = load_cases("trees")
TEAM_POLICY = """
def check_team_label(objects):
    for found in objects:
        if found.name.kind == "Deployment" and found.name.name == "guestbook":
            yield found.finding("metadata.labels.team", "is missing", "add it", severity="warning")
"""  # warns of the sample, whose files the committed trees share: there is nothing else to say about it
PROJECT = {
    "base": "project",
    "spec": {
        "namespaceResourceWhitelist": [
            {"group": group, "kind": kind}
            for group, kind in (
                ("", "ConfigMap"),
                ("", "Service"),
                ("", "PersistentVolumeClaim"),
                ("apps", "Deployment"),
                ("example.com", "*"),
            )
        ],
        "destinations": [
            {"server": "https://kubernetes.default.svc", "namespace": name} for name in ("shop", "shop-dev")
        ],
    },
}


def wait_until_settled(project: Path) -> None:
    """Wait until what was written is older than a check that begins now, by more than a tick of the file system."""
    newest = max(path.stat().st_ctime for path in project.rglob("*"))
    while time.time() < newest + 0.02:
        pass


def write_files(project: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        documents = content if isinstance(content, list) else []
        text = yaml.safe_dump_all([build_object(one) for one in documents], sort_keys=False)
        file.write_text(text if isinstance(content, list) else content)


def check(case: dict[str, Any], project: Path) -> list[str]:
    write_files(project, {"gitops/dev/projects/shop.yaml": [PROJECT], **case["files"]})
    if "policies" in case:
        (project / "gitops/policies.yaml").write_text(yaml.safe_dump({"rules": case["policies"]}))
    report = check_stack(project, load_stack_file(project, "dev"), kubernetes_version="1.35")
    return [show_finding(finding) for finding in report.findings]


@pytest.mark.parametrize("case", CASES)
def test_a_tree_has_exactly_its_findings(case: dict[str, Any], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    if not any("installation" in found for found in case.get("findings", [])):
        # What `pulumi up` would refuse has tests of its own, and takes most of a second.
        monkeypatch.setattr(check_module, "load_stack_installation", lambda *_: [])
    assert check(case, Path()) == case.get("findings", [])
