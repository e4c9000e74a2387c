"""A vendored chart in a real Argo CD: it is synced with its repository gone, whether its values are ignored or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import STACK, Scenario, say, wait_for
from tests.e2e.test_charts_with_helm import helm, open_repository

pytestmark = pytest.mark.e2e

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
data: {password: {{ randAlphaNum 12 | b64enc }}}
"""
IGNORED = {"ignoreDifferences": [{"kind": "Secret", "jsonPointers": ["/data/password"]}]}
NAMES = ("plain", "ignored", "kept")


def build_application(name: str, url: str) -> dict[str, Any]:
    options = ["RespectIgnoreDifferences=true"] if name == "kept" else []
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "platform",
            "source": {"repoURL": url, "targetRevision": "HEAD", "path": "charts/keys/1.0.0"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "argocd"},
            "syncPolicy": {"automated": {}, "syncOptions": options},
            **({} if name == "plain" else IGNORED),
        },
    }


def write_chart(folder: Path) -> None:
    chart = folder / "keys"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: keys\nversion: 1.0.0\n")
    (chart / "templates/all.yaml").write_text(SECRET)
    helm("package", chart, "--destination", folder / "repository")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    folder = tmp_path_factory.mktemp("charts")
    made = Scenario.create(folder, {}, "v3.2.11")
    made.bootstrap()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
            write_chart(folder)
            with open_repository(folder) as url:
                made.cli("chart", "add", f"{url}/keys", "--version", "1.0.0")
        for name in NAMES:
            file = made.workspace / f"gitops/{STACK}/apps/{name}.yaml"
            file.write_text(yaml.safe_dump(build_application(name, made.settings.gitops.repo_url)))
        made.push("Keys")
        made.notify("root")
        yield made
    finally:
        made.close()


def sync_of(scenario: Scenario, name: str) -> tuple[str, str]:
    """Return the sync status, and when it was last looked at."""
    found = scenario.application(name) or {}
    status = found.get("status", {})
    return str(status.get("sync", {}).get("status")), str(status.get("reconciledAt"))


def test_it_is_synced_with_its_repository_gone(scenario: Scenario) -> None:
    wait_for("all are synced", lambda: {sync_of(scenario, name)[0] for name in NAMES} == {"Synced"})
