"""Reports for machines: JSON, SARIF 2.1.0 and GitHub's workflow commands. Data in, text out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from gitops_stack.rules.finding import Finding
from gitops_stack.rules.known_rules import BY_ID
from gitops_stack.tree_check.result import CheckResult

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_GITHUB = {"error": "error", "warning": "warning", "note": "notice"}


def build_json(reports: Sequence[CheckResult]) -> dict[str, Any]:
    """Build the JSON document of `check`; its keys are part of the interface."""
    return {
        "checks": [
            {
                "place": report.place,
                "stack": report.stack or None,
                "kubernetesVersion": report.kubernetes_version,
                "applications": report.applications,
                "objects": report.objects,
                "findings": [_finding(finding) for finding in report.findings],
            }
            for report in reports
        ]
    }


def _finding(finding: Finding) -> dict[str, Any]:
    named = asdict(finding.object) if finding.object else None
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "file": finding.file,
        "line": finding.line or None,
        "object": named,
        "field": finding.field or None,
        "found": finding.found,
        "needs": finding.needs or None,
        "application": finding.application or None,
        "docs": finding.docs,
    }


def build_sarif(reports: Sequence[CheckResult], version: str, prefix: str = "") -> dict[str, Any]:
    """Build a SARIF log with one run; ``prefix`` leads from the repository's root to the project."""
    findings = _distinct(reports)
    used = sorted({finding.rule for finding in findings})
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "gitops-stack",
                        "version": version,
                        "rules": [_sarif_rule(rule) for rule in used],
                    }
                },
                "results": [_sarif_result(finding, used.index(finding.rule), prefix) for finding in findings],
            }
        ],
    }


def _sarif_rule(rule: str) -> dict[str, Any]:
    known = BY_ID.get(rule)
    if known is None:
        return {"id": rule, "shortDescription": {"text": f"Own policy {rule}."}}
    return {
        "id": rule,
        "shortDescription": {"text": known.finds},
        "fullDescription": {"text": f"{known.finds} {known.reason}"},
        "help": {"text": f"{known.reason} See docs/checks.md#rules."},
        "defaultConfiguration": {"level": "none" if known.default == "off" else known.default},
    }


def _sarif_result(finding: Finding, index: int, prefix: str) -> dict[str, Any]:
    named = " ".join(part for part in (str(finding.object or ""), finding.field) if part)
    identity = f"{finding.rule}\0{finding.file}\0{named}\0{finding.found}"
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": f"{prefix}{finding.file}"},
            "region": {"startLine": finding.line or 1},  # GitHub shows no result without a line
        }
    }
    if named:
        location["logicalLocations"] = [{"fullyQualifiedName": named}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": f"{named}: {finding.message}" if named else finding.message},
        "locations": [location],
        "partialFingerprints": {"gitopsStack/v1": hashlib.sha256(identity.encode()).hexdigest()[:32]},
    }


def build_annotations(reports: Sequence[CheckResult], prefix: str = "") -> Iterator[str]:
    """Yield one workflow command per finding (GitHub docs, "Workflow commands for GitHub Actions")."""
    for finding in _distinct(reports):
        named = " ".join(part for part in (str(finding.object or ""), finding.field) if part)
        message = _escape(f"{named}: {finding.message}" if named else finding.message)
        file = _escape_property(f"{prefix}{finding.file}")
        title = _escape_property(f"gitops-stack {finding.rule}")
        yield f"::{_GITHUB[finding.severity]} file={file},line={finding.line or 1},title={title}::{message}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def _distinct(reports: Iterable[CheckResult]) -> list[Finding]:
    """List the findings of all stacks, each once: a base is checked by each of them."""
    return list(dict.fromkeys(finding for report in reports for finding in report.findings))
