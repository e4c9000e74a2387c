"""Own policies: found in a folder and by entry point, run on all objects, and never able to stop a check."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check import plugins as plugins_module
from gitops_stack.tree_check.plugins import load_plugins, run_plugins

OBJECTS = [
    RenderedObject({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}, "shop", "a.yaml")
    for name in "ab"
]


@pytest.fixture(autouse=True)
def _no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins_module, "entry_points", lambda **_: [])


def write(project: Path, text: str) -> Path:
    (project / "policies").mkdir()
    (project / "policies/own.py").write_text(text)
    return project


def run(project: Path) -> list[str]:
    return [finding.sentence for finding in run_plugins(load_plugins(project), OBJECTS)]


def test_a_policy_is_named_after_its_function(tmp_path: Path) -> None:
    write(
        tmp_path,
        "def check_team_label(objects):\n"
        "    for found in objects:\n"
        "        if found.name.name == 'b':\n"
        "            yield found.finding('metadata.labels', 'found no team', 'add one', severity='warning')\n"
        "def helper(): ...\n",
    )
    assert [policy.rule for policy in load_plugins(tmp_path).policies] == ["team-label"]
    assert run(tmp_path) == ["a.yaml: ConfigMap shop/b: metadata.labels: found no team; add one [team-label]"]
    assert [found.severity for found in run_plugins(load_plugins(tmp_path), OBJECTS)] == ["warning"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def check_all(objects):\n    return 1 / 0\n", "policies/own.py: line 2: raised ZeroDivisionError: division by zero; correct the policy [policy-failed]"),  # noqa: E501
        ("def check_all(objects):\n    yield 'text'\n", "policies/own.py: line 1: check_all gave something else than findings; yield what RenderedObject.finding() returns [policy-failed]"),  # noqa: E501
        ("def check_all(objects):\n    return None\n", "policies/own.py: line 1: check_all gave something else than findings; yield what RenderedObject.finding() returns [policy-failed]"),  # noqa: E501
        ("import nowhere_at_all\n", "policies/own.py: line 1: raised ModuleNotFoundError: No module named 'nowhere_at_all'; correct the policy [policy-failed]"),  # noqa: E501
        ("import sys\nsys.exit(0)\n", "policies/own.py: line 2: raised SystemExit: 0; correct the policy [policy-failed]"),  # noqa: E501
        ("def check_all(objects):\n    raise SystemExit\n", "policies/own.py: line 2: raised SystemExit: ; correct the policy [policy-failed]"),  # noqa: E501
        ("def check_all(\n", "policies/own.py: line 1: raised SyntaxError: '(' was never closed; correct the policy [policy-failed]"),  # noqa: E501
        ("\ndef check_secret_in_git(objects):\n    return []\n", "policies/own.py: line 2: check_secret_in_git is named as the built-in rule secret-in-git; give it another name [policy-failed]"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_policy_that_fails_is_a_finding(text: str, sentence: str, tmp_path: Path) -> None:
    (found,) = run(write(tmp_path, text))
    assert found == sentence


def check_owner(objects: list[RenderedObject]) -> list[object]:
    return [found.finding("metadata", "found none", "add one", rule="owner-of-objects") for found in objects[:1]]


@pytest.mark.parametrize("value", ["tests.tree_check.test_plugins:check_owner", "tests.tree_check.test_plugins"])
def test_installed_packages_name_a_function_or_a_module(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("acme", value, plugins_module.ENTRY_POINTS)
    monkeypatch.setattr(plugins_module, "entry_points", lambda **_: [point])
    found = load_plugins(tmp_path)
    assert found.installed
    assert "owner" in [policy.rule for policy in found.policies]
    monkeypatch.setattr(
        plugins_module, "entry_points", lambda **_: [SimpleNamespace(name="x", value="y", load=lambda: 1 / 0)]
    )
    assert [one.rule for one in load_plugins(tmp_path).findings] == ["policy-failed"]
    named = [one for one in run_plugins(found, OBJECTS) if one.rule == "owner-of-objects"]
    assert [str(one.object) for one in named] == ["ConfigMap shop/a"]
