"""Findings from what the commands print."""

from __future__ import annotations

import json

import pytest

from gitops_stack.preview.findings import parse_findings
from gitops_stack.rules.finding import Finding, ObjectName
from gitops_stack.tree_check.report import build_json
from gitops_stack.tree_check.result import CheckResult


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", []),
        ("gitops/dev: fresh\n", []),
        ("rendering\nerror: a: is missing; add it\nerror: b: differs\n", ["a: is missing; add it", "b: differs"]),
        ("error: https://me:pw@host: refused", ["https://(secret)@host: refused"]),
        ('["a: is missing"]', ["a: is missing"]),
        ('{"findings": ["a", "b"]}', ["a", "b"]),
        (
            '{"checks": [{"name": "quota", "ok": false, "found": "5 VPCs", "needs": "1 free", "remedy": "ask"},'
            ' {"name": "region", "ok": true, "found": "enabled"}, {"name": "git", "status": "ok"}]}',
            ["quota: 5 VPCs; 1 free; ask"],
        ),
        ('[{"check": "a", "status": "failed", "message": "m"}, 7, null, {}]', ["a: m"]),
        ("7", []),
        ("{}", []),
    ],
)
def test_findings(text: str, findings: list[str]) -> None:
    assert parse_findings(text) == findings


def test_errors_of_check_as_json_are_sentences() -> None:
    named = ObjectName("apps", "Deployment", "shop", "web")
    errors = [
        Finding(
            "value-invalid", "error", "gitops/web.yaml", named, "spec.replicas", "found -1", "needs no less than 0"
        ),
        Finding("installation", "error", "Pulumi.dev.yaml", None, "", "the lock is stale", "run lock"),
    ]
    warning = Finding("prunable-namespace", "warning", "a.yaml", named, "", "found x", "")
    report = CheckResult("gitops/dev", "dev", "1.35", 1, 1, (*errors, warning))
    assert parse_findings(json.dumps(build_json([report]))) == [one.sentence for one in errors]
