"""Errors at values that something fills in later are warnings, in a folder without a stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_stack.tree_check.check import check_folder
from gitops_stack.tree_check.result import CheckOptions
from gitops_stack.tree_check.uncertain import find_value

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: "@NAME@", namespace: shop, labels: {env: "@ENV@"}}
spec:
  replicas: "@REPLICAS@"
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: "@REGISTRY@/web:1.0.0"
          resources: {limits: {memory: "@MEMORY@"}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}, rules: [{host: "web.@DOMAIN@"}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: team, namespace: argocd}
spec: {sourceRepos: ["*"], destinations: [{server: "*", namespace: team}]}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: team
  source: {repoURL: https://example.com/acme/other.git, path: a}
  destination: {server: https://kubernetes.default.svc, namespace: "@NAMESPACE@"}
"""
BROKEN = {
    "metadata.name", 'metadata.labels["env"]', "spec.replicas", "spec.template.spec.containers[0].image",
    "spec.template.spec.containers[0].resources.limits.memory", "spec.rules[0].host", "spec.destination",
}  # fmt: skip


def judge(folder: Path, text: str) -> dict[str, str]:
    """Return the severities of what is not taste: field -> severity."""
    (folder / "a.yaml").write_text(text)
    report = check_folder(folder, folder, options=CheckOptions(profile="adopt"))
    return {one.field: one.severity for one in report.findings if one.severity != "note"}


@pytest.mark.parametrize(("opening", "closing", "severity"), [("${", "}", "warning"), ("_", "_", "error")])
def test_a_value_that_something_fills_in_is_a_warning(
    opening: str, closing: str, severity: str, tmp_path: Path
) -> None:
    parts = MANIFESTS.split("@")
    text = "".join(part if index % 2 == 0 else f"{opening}{part}{closing}" for index, part in enumerate(parts))
    assert judge(tmp_path, text) == dict.fromkeys(BROKEN, severity)


@pytest.mark.parametrize(("host", "severity"), [("dev.<domain>", "warning"), ("dev.<10>", "error")])
def test_a_value_with_a_word_in_angle_brackets_is_a_warning(host: str, severity: str, tmp_path: Path) -> None:
    service = "{service: {name: web, port: {number: 80}}}"
    text = f"spec: {{defaultBackend: {service}, rules: [{{host: '{host}'}}]}}\n"
    head = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\n"
    assert judge(tmp_path, head + text) == {"spec.rules[0].host": severity}


def test_a_kustomization_among_examples_whose_base_is_elsewhere_is_a_warning(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path_factory.mktemp("bin") / "kustomize"
    program.write_text("#!/bin/sh\necho 'Error: no such base' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(program.parent / "cache"))
    for place in ("docs/examples/cluster", "apps/cluster-template", "apps/web"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "kustomization.yaml").write_text("resources: [../../../../gone]\n")
    report = check_folder(tmp_path, tmp_path, options=CheckOptions(profile="adopt"))
    found = {one.folder: one.severity for one in report.findings if one.rule == "render-failed"}
    assert found == {"docs/examples/cluster": "warning", "apps/cluster-template": "warning", "apps/web": "error"}


def test_a_placeholder_beside_a_secret_value_leaves_it_an_error(tmp_path: Path) -> None:
    secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {user: "${USER}", password: hunter2}\n'
    assert judge(tmp_path, secret) == {"stringData": "error"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("a.b[1].c", "x"), ('labels["a.b/c"]', "y"), ("data.key.with.dots", "z"), ("a.b[7].c", None),
        ("a.missing", None), ("a.b[0]", 1), ("", None),
    ],
)  # fmt: skip
def test_a_field_is_found_as_findings_write_it(field: str, value: object) -> None:
    manifest: dict[str, Any] = {"a": {"b": [1, {"c": "x"}]}, "labels": {"a.b/c": "y"}, "data": {"key.with.dots": "z"}}
    assert find_value(manifest, field) == (manifest if not field else value)
