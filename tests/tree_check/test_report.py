"""Reports for machines: keys that others rely on, and text that no message can break out of."""

from __future__ import annotations

import json

from gitops_stack.rules.finding import Finding, ObjectName
from gitops_stack.tree_check.report import build_annotations, build_json, build_sarif
from gitops_stack.tree_check.result import CheckResult

NAME = ObjectName("apps", "Deployment", "shop", "web")
BAD = Finding(
    "image-not-pinned", "error", "apps/web.yaml", NAME, "spec.x", "found a\n::error::", "needs 50%", "web", "apps", 7
)
OWN = Finding("team-label", "note", "a,b:c.yaml", None, "", "found none", "")
REPORTS = [
    CheckResult("gitops/dev", "dev", "1.35", 4, 67, (BAD, OWN)),
    CheckResult("gitops/prd", "prd", "1.35", 4, 67, (BAD,)),
]


def test_json_holds_every_finding_with_its_place() -> None:
    document = json.loads(json.dumps(build_json(REPORTS)))
    assert [check["stack"] for check in document["checks"]] == ["dev", "prd"]
    assert document["checks"][0]["findings"][0] == {
        "rule": "image-not-pinned",
        "severity": "error",
        "file": "apps/web.yaml",
        "line": 7,
        "object": {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web"},
        "field": "spec.x",
        "found": "found a\n::error::",
        "needs": "needs 50%",
        "application": "web",
        "docs": "docs/checks.md#rules",
    }
    assert document["checks"][0]["findings"][1]["docs"] == "docs/checks.md#own-policies"


def test_sarif_has_what_the_specification_requires() -> None:
    """SARIF 2.1.0: 3.13.2 version, 3.13.4 runs, 3.14.6 tool, 3.19.8 name, 3.27.11 message, 3.49.3 rule id."""
    log = json.loads(json.dumps(build_sarif(REPORTS, "0.1.0", "deploy/")))
    assert log["version"] == "2.1.0"
    assert log["$schema"].startswith("https://")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("gitops-stack", "0.1.0")
    assert [rule["id"] for rule in driver["rules"]] == ["image-not-pinned", "team-label"]
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"].startswith("deploy/")
        assert location["physicalLocation"]["region"]["startLine"] >= 1


def test_sarif_shows_a_finding_of_two_stacks_once_and_tells_findings_apart() -> None:
    results = build_sarif(REPORTS, "0.1.0")["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["image-not-pinned", "team-label"]
    assert len({result["partialFingerprints"]["gitopsStack/v1"] for result in results}) == 2


def test_annotations_escape_what_would_end_them() -> None:
    assert list(build_annotations(REPORTS)) == [
        "::error file=apps/web.yaml,line=7,title=gitops-stack image-not-pinned::"
        "apps/Deployment shop/web spec.x: found a%0A::error::; needs 50%25",
        "::notice file=a%2Cb%3Ac.yaml,line=1,title=gitops-stack team-label::found none",
    ]
