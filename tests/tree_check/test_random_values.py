"""What a chart makes anew at every render is in no Git, and no difference."""

from __future__ import annotations

import base64
import gzip
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.rules.made_values import MADE_ANEW
from gitops_stack.tree_check.check import check_folder
from gitops_stack.tree_check.random_values import list_varying, may_make_values, settle_made_values

HELM = """#!{python}
import base64, os, sys
made = base64.b64encode(os.urandom(6)).decode()
kept = base64.b64encode(b"hunter2").decode()
sys.stdout.write(f'''apiVersion: v1
kind: Secret
metadata: {{name: login, annotations: {{checksum/it: "{made}"}}}}
data: {{password: {made}{rest}}}
''')
"""


def chart(folder: Path, rest: str, template: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    (folder / "bin").mkdir()
    text = HELM.replace("{python}", sys.executable).replace("{rest}", rest)
    (folder / "bin/helm").write_text(text)
    (folder / "bin/helm").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)
    made = folder / "chart"
    (made / "templates").mkdir(parents=True)
    (made / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (made / "templates/secret.yaml").write_text(template)
    return made


def rules(folder: Path) -> list[tuple[str, str]]:
    report = check_folder(folder.parent, folder, kubernetes_version="1.35")
    return [(one.rule, one.found) for one in report.findings if one.severity == "error"]


def test_a_password_that_is_made_at_every_render_is_not_in_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rules(chart(tmp_path, "", "a: {{ randAlphaNum 8 | b64enc }}", monkeypatch)) == []


def test_it_is_named_by_object_and_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = chart(tmp_path, "", "a: {{ randAlphaNum 8 | b64enc }}", monkeypatch)
    report = check_folder(folder.parent, folder, kubernetes_version="1.35")
    found = [(str(one.object), one.field) for one in report.findings if one.rule == "value-made-anew"]
    assert found == [("Secret login", "data.password"), ("Secret login", "metadata.annotations.checksum/it")]


def test_a_value_beside_it_that_stays_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = chart(tmp_path, ", token: {kept}", "a: {{ randAlphaNum 8 | b64enc }}", monkeypatch)
    assert rules(folder) == [("secret-in-git", "found values of token")]


def test_templates_that_make_nothing_are_rendered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = chart(tmp_path, "", "a: {{ .Values.a }} # random, by now", monkeypatch)
    assert rules(folder) == [("secret-in-git", "found values of password")]


@pytest.mark.parametrize(
    ("text", "makes"),
    [
        ('{{ $ca := genCA "a" 9 }}', True),
        ("{{- if not .Values.x }}{{ uuidv4 }}{{ end }}", True),
        ("{{ htpasswd .a .b }}", True),
        ('{{ now | date "2006" }}', True),
        ("replicas: {{ .Values.now }}s", True),
        ("# {{ .Values.a }} now genCA", False),
        ("password: randAlpha", False),
    ],
)
def test_functions_that_make_values_are_known_in_files_and_archives(text: str, makes: bool, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "a.tgz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "broken.tgz").write_bytes(b"\x1f\x8b\x00")
    assert may_make_values([tmp_path / "a.yaml"]) == makes
    assert may_make_values([tmp_path / "gone", tmp_path / "broken.tgz", tmp_path / "a.tgz"]) == makes


def build(word: str) -> list[dict[str, Any]]:
    container = {"name": word, "image": "a:v1", "env": [{"name": "A", "value": word}]}
    return [
        {"kind": "ConfigMap", "data": {"a": word, "b": "same"}},
        {"kind": "Secret", "stringData": {"a": word}, "data": {"b": word}},
        {"kind": "Hook", "webhooks": [{"clientConfig": {"caBundle": word}}]},
        {"kind": "Deployment", "spec": {"template": {"metadata": {"annotations": {"sum": word}}, "c": [container]}}},
    ]


def test_a_placeholder_stands_where_a_value_may_be_any_text() -> None:
    encoded = base64.b64encode(MADE_ANEW.encode()).decode()
    found = settle_made_values(build("one"), build("two"))
    assert found[0]["data"] == {"a": MADE_ANEW, "b": "same"}
    assert found[1] == {"kind": "Secret", "stringData": {"a": MADE_ANEW}, "data": {"b": encoded}}
    assert found[2]["webhooks"] == [{"clientConfig": {"caBundle": encoded}}]
    template = found[3]["spec"]["template"]
    assert template["metadata"] == {"annotations": {"sum": MADE_ANEW}}
    assert template["c"] == [{"name": "one", "image": "a:v1", "env": [{"name": "A", "value": MADE_ANEW}]}]


def test_renders_of_different_length_stay_as_they_are() -> None:
    assert settle_made_values(build("one"), build("two")[:2]) == build("one")


def test_what_has_no_placeholder_is_listed() -> None:
    first, second = build("one"), build("two")
    assert list_varying(settle_made_values(first, second), second) == {
        ("Deployment", ""): [("spec", "template", "c", 0, "name")]
    }
    assert list_varying(first, second[:2]) == {}
