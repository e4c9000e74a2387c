"""A folder without a stack, rendered by the real helm and jsonnet: as its Applications say, and no error by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from gitops_stack.lab.tools import build_tools
from gitops_stack.tree_check.check import check_folder
from gitops_stack.tree_check.folder import load_folder
from gitops_stack.tree_check.render import render_source
from gitops_stack.tree_check.result import CheckOptions
from gitops_stack.tree_check.source import Request
from tests.delivery.trees import write
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e

CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "charts/web/prd.yaml": "host: shop.example.com\n",
    "charts/web/templates/map.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n"
        'data: {host: {{ required "host must be set" .Values.host }}}\n'
    ),
}
APPLICATION = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  source:
    repoURL: https://example.com/acme/platform.git
    targetRevision: main
    path: charts/web
    helm: {valueFiles: [prd.yaml]}
  destination: {server: https://kubernetes.default.svc, namespace: shop}
"""


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
    if not (shutil.which("helm") and shutil.which("jsonnet")):
        pytest.skip("the lab's tools have no helm and jsonnet here")


def test_a_chart_is_what_helm_makes_of_the_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {**CHART, "apps/shop.yaml": APPLICATION})
    monkeypatch.chdir(tmp_path)
    command = ["helm", "template", "shop", "charts/web", "--values=charts/web/prd.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [one.manifest for one in load_folder(Path(), Path()).objects if one.kind == "ConfigMap"]
    assert found == [yaml.safe_load(done.stdout)]


@pytest.mark.parametrize(
    ("template", "severity"),
    [
        ('{{ required "host must be set" .Values.host }}', "warning"),
        ("{{ .Values.web.host }}", "warning"),
        ('{{ fail "no host" }}', "warning"),
        ("kind: {{ .Values.host }}:\n a: b\n  c: d", "warning"),
        ("{{ if }}", "error"),
        ("{{ nothingKnown 1 }}", "error"),
    ],
)
def test_what_values_may_mend_is_no_error_of_a_chart_alone(template: str, severity: str, tmp_path: Path) -> None:
    write(tmp_path, {**CHART, "charts/web/templates/map.yaml": template})
    options = CheckOptions(profile="adopt")
    assert [one.severity for one in check_folder(tmp_path, tmp_path, options=options).findings] == [severity]


def test_jsonnet_is_imported_from_where_it_was_looked_for(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "site/a.jsonnet": "import 'lib/one.libsonnet'",
            "first/lib/one.libsonnet": "[]",
            "last/lib/one.libsonnet": "import '../../top.libsonnet'",
            "top.libsonnet": "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'last'}}",
        },
    )
    options = {"directory": {"jsonnet": {"libs": ["first", "last"]}}}
    render = render_source(Request(tmp_path / "site", options, "site", root=tmp_path))
    assert [document["metadata"]["name"] for _, document in render.documents] == ["last"]
    assert {file.resolve().relative_to(tmp_path).as_posix() for file in render.files} >= {
        "last/lib/one.libsonnet", "top.libsonnet",
    }  # fmt: skip
