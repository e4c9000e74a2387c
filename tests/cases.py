"""Cases in YAML: manifests built on a base, and exactly what is found in them."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.rules.finding import Finding
from gitops_stack.rules.risks import Risk

FIXTURES = Path(__file__).resolve().parent / "fixtures"


@cache
def _bases() -> dict[str, Any]:
    bases: dict[str, Any] = load_documents((FIXTURES / "checks/bases.yaml").read_text(encoding="utf-8"))[0]
    return bases


def load_cases(folder: str) -> list[Any]:
    """Read all cases of a folder as pytest's parameters."""
    files = sorted((FIXTURES / folder).glob("*.yaml"))
    return [
        pytest.param(case, id=f"{file.stem}: {case['case']}")
        for file in files
        if file.stem != "bases"
        for case in load_documents(file.read_text(encoding="utf-8"))[0]
    ]


def build_object(written: dict[str, Any]) -> dict[str, Any]:
    """Lay what a case writes over its base: maps and lists are merged, null takes a key away."""
    own = {key: value for key, value in written.items() if key != "base"}
    base = copy.deepcopy(_bases()[written["base"]]) if "base" in written else {}
    built: dict[str, Any] = _merge(base, own)
    return built


def write_objects(folder: Path, written: list[dict[str, Any]], name: str = "objects.yaml") -> Path:
    """Write the objects of a case to one file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(yaml.safe_dump_all([build_object(one) for one in written], sort_keys=False))
    return folder


def show_finding(finding: Finding) -> str:
    """Render a finding as the cases write it."""
    place = f"{finding.object or finding.file}: {finding.field}: " if finding.field else f"{finding.file}: "
    return f"{finding.severity} {finding.rule} {place}{finding.message}"


def show_risk(risk: Risk) -> str:
    """Render a risk as the cases write it."""
    return f"{risk.level} {risk.verdict} {risk.object}: {f'{risk.field}: ' if risk.field else ''}{risk.message}"


def _merge(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        merged = {key: _merge(base[key], over[key]) if key in over else base[key] for key in base}
        merged |= {key: value for key, value in over.items() if key not in base}
        return {key: value for key, value in merged.items() if value is not None}
    if isinstance(base, list) and isinstance(over, list) and all(isinstance(one, dict) for one in (*base, *over)):
        same = [_merge(left, right) for left, right in zip(base, over, strict=False)]
        return [*same, *base[len(over) :], *over[len(base) :]]
    return over
