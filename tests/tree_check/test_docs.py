"""docs/checks.md: its tables are the code's, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gitops_stack.cli.checks import CheckOutput
from gitops_stack.cli.difference import DiffOutput
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.known_rules import RULES
from gitops_stack.tree_check.plugins import load_plugins, run_plugins
from gitops_stack.tree_check.rule_switches import load_switches, render_rules_table
from tests.stacks import ROOT
from tests.tree_check.test_risks import VERDICTS

TEXT = (ROOT / "docs/checks.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL) if containing in text]
    assert len(found) == 1
    return str(found[0])


def test_the_table_of_rules_is_the_code_s() -> None:
    assert render_rules_table() in TEXT


def test_every_verdict_is_listed() -> None:
    section = TEXT.partition("## Risks of a difference")[2]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)) == VERDICTS


def test_rules_have_one_sentence_each_and_no_two_share_an_id() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert [rule.id for rule in RULES if not (rule.finds.endswith(".") and rule.reason.endswith((".", ")")))] == []
    assert [rule.id for rule in RULES if not re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)] == []


def test_the_switches_shown_are_valid(tmp_path: Path) -> None:
    (tmp_path / "gitops").mkdir()
    (tmp_path / "gitops/policies.yaml").write_text(block("yaml", "severity: off"))
    assert [entry.switch for entry in load_switches(tmp_path)] == ["error", "off"]


def test_the_policy_shown_runs(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/labels.py").write_text(block("python", "yield found.finding"))
    made = RenderedObject({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}, "shop", "a.yaml")
    rules = [finding.rule for finding in run_plugins(load_plugins(tmp_path), [made])]
    assert rules == ["name-label"]


@pytest.mark.parametrize("output", [*CheckOutput, *DiffOutput])
def test_every_output_is_named(output: CheckOutput | DiffOutput) -> None:
    assert output.value in ("text", *re.findall(r"--output (\w+)", TEXT))


def test_the_pipeline_is_yaml() -> None:
    steps = yaml.safe_load(block("yaml", "upload-sarif"))["steps"]
    assert any("gitops-stack check --output sarif" in step.get("run", "") for step in steps)
