"""The documented configuration of Renovate finds every pin of the stack files, and what it writes is read again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.config import load_stack_file
from tests.stacks import ROOT

PAGE = (ROOT / "docs" / "renovate.md").read_text(encoding="utf-8")
CONFIG: dict[str, Any] = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])  # type: ignore[index]
ARGOCD, ADDONS, KUBERNETES = CONFIG["customManagers"]
STACKS = ("dev", "prd", "local")
NODE = shutil.which("node")
ADDON_PINS = re.compile(r"^ +([a-z-]+): (v[\d.]+-eksbuild\.\d+)$", re.MULTILINE)


def python(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern))


def find(manager: dict[str, Any], text: str) -> list[dict[str, str]]:
    return [found.groupdict() for pattern in manager["matchStrings"] for found in python(pattern).finditer(text)]


def read(stack: str) -> str:
    return (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")


def with_comments(text: str) -> str:
    """Put the documented comment above every pin of an add-on."""
    return ADDON_PINS.sub(
        lambda pin: f'      # renovate: {{"addonName": "{pin[1]}", "kubernetesVersion": "1.35"}}\n{pin[0]}', text
    )


@pytest.mark.parametrize("manager", CONFIG["customManagers"], ids=lambda manager: manager["description"])
def test_a_pattern_is_one_that_re2_takes(manager: dict[str, Any]) -> None:
    """RE2, which Renovate uses, has neither look-around nor back-references."""
    for pattern in [*manager["matchStrings"], *manager["managerFilePatterns"]]:
        assert not re.search(r"\(\?[=!]|\(\?<[=!]|\\[1-9]", pattern)
    assert "?<currentValue>" in manager["matchStrings"][0]


@pytest.mark.parametrize("manager", CONFIG["customManagers"], ids=lambda manager: manager["description"])
def test_stack_files_are_looked_at_and_pulumi_yaml_is_not(manager: dict[str, Any]) -> None:
    [pattern] = manager["managerFilePatterns"]
    assert pattern.startswith("/")
    assert pattern.endswith("/")
    names = [
        name for name in ("Pulumi.dev.yaml", "Pulumi.yaml", "apps/Pulumi.dev.yaml") if re.search(pattern[1:-1], name)
    ]
    assert names == ["Pulumi.dev.yaml"]


@pytest.mark.parametrize("stack", STACKS)
def test_the_release_is_found_with_its_commit_once_per_stack(stack: str) -> None:
    settings = load_stack_file(ROOT, stack).argocd
    wanted = {"currentValue": settings.version, "currentDigest": settings.commit}
    assert find(ARGOCD, read(stack)) == [wanted]
    flow = f"argocd: {{version: {settings.version}, commit: {settings.commit}}}"
    quoted = f'argocd:\n  version: "{settings.version}"\n  commit: "{settings.commit}"\n'
    assert find(ARGOCD, flow) == find(ARGOCD, quoted) == [wanted]


def test_every_pin_of_an_add_on_is_found_by_its_comment() -> None:
    settings = load_stack_file(ROOT, "prd").eks
    assert settings is not None
    found = find(ADDONS, with_comments(read("prd")))
    assert {one["depName"]: one["currentValue"] for one in found} == dict(settings.addons)
    for one in found:
        assert json.loads(one["packageName"]) == {"addonName": one["depName"], "kubernetesVersion": "1.35"}
    assert find(ADDONS, read("prd")) == []
    [example] = find(ADDONS, PAGE)
    assert example["depName"] == "vpc-cni"


@pytest.mark.parametrize(("stack", "wanted"), [("dev", ["1.35"]), ("prd", ["1.35"]), ("local", [])])
def test_the_cluster_s_version_is_found_where_there_is_one(stack: str, wanted: list[str]) -> None:
    assert [one["currentValue"] for one in find(KUBERNETES, read(stack))] == wanted


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Renovate replaces the captured texts inside of the match."""
    text = with_comments(read("prd"))
    for manager, new in (
        (ARGOCD, {"currentValue": "v3.6.0", "currentDigest": "a" * 40}),
        (ADDONS, {"currentValue": "v9.9.9-eksbuild.1"}),
    ):
        [found, *_] = python(manager["matchStrings"][0]).finditer(text)
        match = found[0]
        for name, value in new.items():
            match = match.replace(found[name], value)
        text = text.replace(found[0], match)
    shutil.copyfile(ROOT / "Pulumi.yaml", tmp_path / "Pulumi.yaml")
    (tmp_path / "Pulumi.prd.yaml").write_text(text, encoding="utf-8")
    settings = load_stack_file(tmp_path, "prd")
    assert (settings.argocd.version, settings.argocd.commit) == ("v3.6.0", "a" * 40)
    assert settings.eks is not None
    assert "v9.9.9-eksbuild.1" in settings.eks.addons.values()


def test_generated_files_are_left_alone() -> None:
    assert CONFIG["ignorePaths"] == ["gitops/*/argocd/**"]
    [pattern] = CONFIG["argocd"]["managerFilePatterns"]
    assert re.search(pattern[1:-1], "gitops/dev/apps/chart.yaml")


@pytest.mark.skipif(NODE is None, reason="needs node: the patterns are JavaScript's")
def test_javascript_finds_the_same() -> None:
    assert NODE is not None
    for manager in CONFIG["customManagers"]:
        for stack in STACKS:
            text = with_comments(read(stack))
            script = (
                "const [p, t] = JSON.parse(require('fs').readFileSync(0));"
                "console.log(JSON.stringify([...t.matchAll(new RegExp(p, 'g'))].map(m => m.groups)))"
            )
            asked = json.dumps([manager["matchStrings"][0], text])
            done = subprocess.run([NODE, "-e", script], input=asked, capture_output=True, text=True, check=True)
            assert json.loads(done.stdout) == find(manager, text)
