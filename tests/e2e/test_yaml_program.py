"""The program of docs/languages.md: `ArgoCD` and `AppOfApps` from YAML, against the lab's cluster."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_stack.lab import bootstrap as road
from gitops_stack.lab.artifacts import ARTIFACTS, OPTIONAL
from gitops_stack.lab.control_plane import CONTEXT
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.processes import PYTHON_PATH
from gitops_stack.lab.tools import build_tools
from gitops_stack.live.kinds import resource_class
from tests.e2e.scenario import ROOT, STACK, Scenario, say

pytestmark = pytest.mark.e2e

PROGRAM = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    made = Scenario.create(tmp_path_factory.mktemp("yaml"), {}, "v3.5.1")
    made.prepare()
    yield made
    made.close()


@pytest.fixture(scope="module")
def engine(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Lay the program beside the tree, and put the plugin on PATH as an installed package does."""
    folder = tmp_path_factory.mktemp("program")
    shutil.copytree(scenario.workspace / "gitops", folder / "gitops")
    (text,) = PROGRAM.findall((ROOT / "docs" / "languages.md").read_text(encoding="utf-8"))
    own = {
        "https://github.com/acme/platform.git": scenario.settings.gitops.repo_url,
        "gitops/dev": f"gitops/{STACK}",
        "kubeconfig: kubeconfig": f"kubeconfig: {scenario.lab.state.kubeconfig}",
        "context: acme-dev": f"context: {CONTEXT}",
    }
    for documented, here in own.items():
        assert documented in text
        text = text.replace(documented, here)
    (folder / "Pulumi.yaml").write_text(text, encoding="utf-8")
    plugins = tmp_path_factory.mktemp("plugins")
    plugin = plugins / "pulumi-resource-gitops-stack"
    plugin.write_text(f'#!/bin/sh\nPYTHONPATH={PYTHON_PATH} exec {sys.executable} -m gitops_stack.plugin "$@"\n')
    plugin.chmod(0o755)
    tools = build_tools(say, artifacts=(*ARTIFACTS, *OPTIONAL))
    made = replace(scenario.report.engine, project=folder, tools=tools.bin, extra={"PATH": str(plugins)})
    made.select_stack()
    return made


def test_the_program_of_the_documents_comes_up_and_is_handed_over(scenario: Scenario, engine: Engine) -> None:
    assert engine.up()["create"] > 60
    scenario.start_controllers()
    scenario.wait_until_well()
    assert scenario.wait_until_handed_over().complete
    engine.preview("--refresh", "--expect-no-changes")
    outputs = json.loads(engine.run("stack", "output", "--json", "--stack", STACK, limit_seconds=60))
    assert (outputs["namespace"], outputs["objects"]) == ("argocd", len(scenario.installed()))


def test_it_is_no_other_program_s_cluster(scenario: Scenario) -> None:
    said = scenario.cli("status", "--stack", STACK, check=False)
    assert (said.returncode, "belongs to stack shop/local" in said.stderr) == (2, True)


def test_a_destroy_takes_root_down_before_argo_cd_and_ends(scenario: Scenario, engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    engine.destroy(f"--event-log={log}", limit_seconds=road.DESTROY_LIMIT_SECONDS)
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    gone = [one["resOutputsEvent"]["metadata"]["urn"] for one in events if "resOutputsEvent" in one]
    root = next(place for place, urn in enumerate(gone) if urn.endswith("::apps/root"))
    argocd = [place for place, urn in enumerate(gone) if "::argocd/" in urn]
    assert len(argocd) > 60
    assert root < min(argocd)
    assert scenario.get("apps/v1", "Deployment", "guestbook", "storefront") is None
    resource = resource_class("apiextensions.k8s.io", "v1", "CustomResourceDefinition", False)
    assert not [one for one in scenario.client.list(resource) if "argoproj" in (one.metadata.name or "")]
    assert scenario.get("v1", "ConfigMap", "gitops-stack", "kube-system") is None
