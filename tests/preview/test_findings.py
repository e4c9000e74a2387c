"""Findings from what the commands print."""

from __future__ import annotations

import pytest

from gitops_stack.preview.findings import parse_findings


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
