"""What `image set` announces for Helm values, against the real helm: it happens and nothing else does, or refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.cli.delivery_report import build_rendered
from gitops_stack.delivery.plan import parse_assignment, parse_target, plan_image_set, plan_promotion
from gitops_stack.delivery.proof import prove
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.tools import build_tools
from gitops_stack.tree_check.workloads import load_workloads
from tests.delivery.trees import stack, write
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e

CHART = "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: v0\n"
POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {labels}}}
spec: {{containers: [{{name: web, image: "{image}"}}, {{name: proxy, image: "acme/proxy:1.0"}}]}}
"""
PLAIN = "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
APART = "{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}"
LISTED = "{{ (index .Values.servers 1).image.repository }}:{{ (index .Values.servers 1).image.tag }}"
KEYS = "repository: image.repository, tag: image.tag"
DONE = "done"
CASES: dict[str, tuple[str, str, str, str, str]] = {  # template, labels, keys, values, outcome
    "a tag": (PLAIN, "{}", KEYS, "image: {repository: acme/web, tag: v1}\n", DONE),
    "a tag in lines": (PLAIN, "{}", KEYS, "image:\n  repository: acme/web\n  tag: v1 # c\n", DONE),
    "a number": (PLAIN, "{}", KEYS, "image: {repository: acme/web, tag: 1.10}\n", DONE),
    "nothing, so that the chart says it": (PLAIN, "{}", KEYS, "image: {repository: acme/web}\n", DONE),
    "an empty tag": (PLAIN, "{}", KEYS, "image: {repository: acme/web, tag: ''}\n", DONE),
    "null": (PLAIN, "{}", KEYS, "image: {repository: acme/web, tag: ~}\n", DONE),
    "a registry apart": (APART, "{}", KEYS, "image: {registry: ghcr.io, repository: acme/web, tag: v1}\n", DONE),
    "a list": (
        LISTED, "{}", "repository: servers.1.image.repository, tag: servers.1.image.tag",
        "servers: [{image: {repository: x, tag: v1}}, {image: {repository: acme/web, tag: v1}}]\n", DONE,
    ),
    "a label that follows": (
        PLAIN, '{version: "{{ .Values.image.tag }}"}', KEYS, "image: {repository: acme/web, tag: v1}\n", DONE,
    ),
    "a key that no template reads": (
        PLAIN, "{}", "repository: img.repository, tag: img.tag",
        "image: &i {repository: acme/web, tag: v1}\nimg: {repository: acme/web, tag: v1}\n", "is not what would be",
    ),
    "a template that pins it": ("acme/web:v1", "{}", KEYS, "image: {repository: acme/web, tag: v1}\n", "is not what"),
    "a chart that takes no other tag": (
        '{{ if ne .Values.image.tag "v1" }}{{ fail "no" }}{{ end }}acme/web:v1', "{}", KEYS,
        "image: {repository: acme/web, tag: v1}\n", "would no longer render",
    ),
    "more than the image": (
        PLAIN, '{size: "{{ len .Values.image.repository }}-{{ len .Values.image.tag }}"}', KEYS,
        "image: {repository: acme/web, tag: v1}\n", "more than the image",
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
    if shutil.which("helm") is None:
        pytest.skip("the lab's tools have no helm here")


def chart(name: str) -> tuple[dict[str, str], str]:
    template, labels, keys, values, outcome = CASES[name]
    files = {
        "dev/Chart.yaml": CHART,
        "dev/values.yaml": values,
        "dev/templates/pod.yaml": POD.format(labels=labels, image=template),
        "dev/delivery.yaml": f"images: {{web: {{values: values.yaml, {keys}}}}}\n",
    }
    return files, outcome


def images(folder: Path) -> list[str]:
    done = subprocess.run(["helm", "template", "app", str(folder)], capture_output=True, text=True, check=True)
    return [one["image"] for one in yaml.safe_load(done.stdout)["spec"]["containers"]]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("wanted", ["acme/web:v2.0", "acme/web:1.10", "quay.io/other/web:v2.0"])
def test_the_render_changes_as_announced_or_the_command_refuses(name: str, wanted: str, tmp_path: Path) -> None:
    files, outcome = chart(name)
    write(tmp_path, files)
    settings = stack("dev", app="dev")

    def rendered() -> Any:
        return build_rendered(load_workloads(tmp_path, settings, ["app"], ()))

    said = DONE
    try:
        plan = plan_image_set(TreeReader(tmp_path), settings, [parse_assignment(f"app/web={wanted}")])
        before = rendered()
        for path, text in plan.texts.items():
            (tmp_path / path).write_bytes(text.encode())
        prove(tmp_path, plan, before, rendered(), {})
    except GitOpsStackError as error:
        said = str(error)
    assert (said == DONE) == (outcome == DONE), said
    assert outcome in said
    if said == DONE:
        shown = wanted if "apart" not in name or "quay" in wanted else f"docker.io/{wanted}"
        assert images(tmp_path / "dev") == [shown, "acme/proxy:1.0"]


@pytest.mark.parametrize("tag", ["1.10", "0123", "706798e8", "true"])
def test_a_number_is_not_promoted(tag: str, tmp_path: Path) -> None:
    files, _ = chart("a tag")
    write(tmp_path, {**files, "dev/values.yaml": f"image: {{repository: acme/web, tag: {tag}}}\n"})
    write(tmp_path, {path.replace("dev/", "prd/"): text for path, text in files.items()})
    with pytest.raises(GitOpsStackError, match=f"image.tag: found {tag}, which is not text to YAML"):
        plan_promotion(TreeReader(tmp_path), stack("dev", app="dev"), stack("prd", app="prd"), [parse_target("app")])
