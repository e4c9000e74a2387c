"""What a chart makes at every render, by the real helm: a placeholder stands for it, and for nothing else."""

from __future__ import annotations

import os
import shutil
from base64 import b64encode
from pathlib import Path

import pytest

from gitops_stack.lab.tools import build_tools
from gitops_stack.rules.made_values import MADE_ANEW
from gitops_stack.tree_check.check import check_folder
from gitops_stack.tree_check.render import render_source
from gitops_stack.tree_check.source import Request
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e

CHART = "apiVersion: v2\nname: web\nversion: 0.1.0\n"
SECRET = """\
{{- $ca := genCA "web" 365 }}
apiVersion: v1
kind: Secret
metadata: {name: web}
data:
  password: {{ randAlphaNum 12 | b64enc }}
  tls.key: {{ $ca.Key | b64enc }}
  set: {{ .Values.set | b64enc }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: web, annotations: {made: {{ uuidv4 }}, kept: same}}
webhooks:
  - name: web.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {url: "https://web.example.com", caBundle: {{ $ca.Cert | b64enc }}}
"""


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
    if shutil.which("helm") is None:
        pytest.skip("the lab's tools have no helm here")


def test_what_is_made_at_every_render_is_told_from_what_is_in_git(tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(CHART)
    (chart / "values.yaml").write_text("set: hunter2\n")
    (chart / "templates/all.yaml").write_text(SECRET)
    first, second = (render_source(Request(chart, {})) for _ in range(2))
    assert first.failed == ()
    assert first.documents == second.documents
    secret, hook = (document for _, document in first.documents)
    placeholder = b64encode(MADE_ANEW.encode()).decode()
    assert secret["data"] == {"password": placeholder, "tls.key": placeholder, "set": b64encode(b"hunter2").decode()}
    assert hook["metadata"]["annotations"] == {"made": MADE_ANEW, "kept": "same"}
    assert hook["webhooks"][0]["clientConfig"]["caBundle"] == placeholder
    found = check_folder(tmp_path, chart).findings
    assert [(one.rule, one.found) for one in found if one.severity == "error"] == [
        ("secret-in-git", "found values of set")
    ]
    assert [(str(one.object), one.field) for one in found if one.rule == "value-made-anew"] == [
        ("Secret web", "data.password"),
        ("Secret web", "data.tls.key"),
        ("admissionregistration.k8s.io/ValidatingWebhookConfiguration web", "metadata.annotations.made"),
        ("admissionregistration.k8s.io/ValidatingWebhookConfiguration web", "webhooks[0].clientConfig.caBundle"),
    ]
