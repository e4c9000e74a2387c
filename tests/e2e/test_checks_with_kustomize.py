"""Sources rendered by the real kustomize: overlays, an Application's own options, failures, and many at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.tools import build_tools
from gitops_stack.tree_check.check import check_stack
from gitops_stack.tree_check.closure import load_closure
from gitops_stack.tree_check.parallel import render_all
from gitops_stack.tree_check.render import render_source
from gitops_stack.tree_check.source import Request, SourceTools
from tests.cases import show_finding
from tests.e2e.scenario import say
from tests.tree_check.test_trees import PROJECT, write_files

pytestmark = pytest.mark.e2e

BASE = {
    "apps/web/base/kustomization.yaml": "resources: [web.yaml]\n",
    "apps/web/base/web.yaml": [{"base": "deployment"}],
}
OVERLAY = "resources: [../../base]\nnamePrefix: dev-\nimages: [{name: registry.example.com/web, newTag: latest}]\n"


@pytest.fixture(autouse=True)
def _tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))


def names(documents: Any) -> list[str]:
    return [document["metadata"]["name"] for _, document in documents]


def test_a_finding_in_an_overlay_points_to_its_base(project: Path) -> None:
    application = {"base": "application", "spec": {"source": {"path": "apps/web/overlays/dev"}}}
    overlay = {"apps/web/overlays/dev/kustomization.yaml": OVERLAY}
    write_files(
        project,
        {"gitops/dev/projects/shop.yaml": [PROJECT], "gitops/dev/apps/web.yaml": [application], **BASE, **overlay},
    )
    report = check_stack(project, load_stack_file(project, "dev"))
    finding = next(found for found in report.findings if found.rule == "image-not-pinned")
    assert show_finding(finding).startswith("error image-not-pinned apps/Deployment shop/dev-web: ")
    assert (finding.file, finding.line) == ("apps/web/base/web.yaml", 2)


def test_an_application_s_own_options_are_applied(tmp_path: Path) -> None:
    write_files(tmp_path, BASE)
    options = {
        "namePrefix": "x-",
        "images": ["registry.example.com/web=example.org/web:9"],
        "replicas": [{"name": "web", "count": 4}],
        "commonLabels": {"team": "shop"},
    }
    render = render_source(Request(tmp_path / "apps/web/base", {"kustomize": options}))
    assert render.failed == ()
    (found,) = [document for _, document in render.documents]
    assert found["metadata"]["name"] == "x-web"
    assert found["spec"]["replicas"] == 4
    assert found["spec"]["template"]["metadata"]["labels"] == {"app": "web", "team": "shop"}
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "example.org/web:9"


def test_a_plugin_of_kustomize_reads_from_the_root_and_needs_no_option(tmp_path: Path) -> None:
    plugin = (
        "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\npath: a.yaml\ntarget: {kind: ConfigMap}\n"
    )
    files = {
        "web/kustomization.yaml": "configMapGenerator: [{name: a}]\ntransformers: [deep/plugin.yaml]\n",
        "web/deep/plugin.yaml": plugin,
        "web/deep/a.yaml": "- op: add\n  path: /data\n  value: {from: deep}\n",
        "web/a.yaml": "- op: add\n  path: /data\n  value: {from: root}\n",
    }
    write_files(tmp_path, files)
    assert tmp_path / "web/a.yaml" in load_closure(tmp_path / "web").files
    for options in (None, "--enable-alpha-plugins --enable-exec"):
        render = render_source(Request(tmp_path / "web", {}, tools=SourceTools(build_options=options)))
        assert [document["data"] for _, document in render.documents] == [{"from": "root"}]


def test_a_plugin_that_starts_a_program_is_not_rendered_whatever_the_options_say(tmp_path: Path) -> None:
    function = "apiVersion: example.com/v1\nkind: Own\nmetadata:\n  name: a\n  annotations:\n"
    function += f"    config.kubernetes.io/function: 'exec: {{path: {tmp_path}/own}}'\n"
    write_files(tmp_path, {"web/kustomization.yaml": "generators: [own.yaml]\n", "web/own.yaml": function})
    (tmp_path / "own").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "own").chmod(0o755)
    for options in ("--enable-exec --enable-alpha-plugins", "--enable-alpha-plugins=true --enable-exec=true"):
        render = render_source(Request(tmp_path / "web", {}, tools=SourceTools(build_options=options)))
        assert (render.documents, render.failed) == ((), ())
        assert "with which a tree starts programs" in render.skipped
        assert not (tmp_path / "started").exists()


def test_a_kustomization_that_does_not_build_is_one_sentence(tmp_path: Path) -> None:
    write_files(tmp_path, {"apps/web/kustomization.yaml": "resources: [missing.yaml]\n"})
    (sentence,) = map(str, render_source(Request(tmp_path / "apps/web", {})).failed)
    assert sentence.startswith(f"{tmp_path}/apps/web")
    assert "missing.yaml" in sentence


def test_many_kustomizations_are_rendered_by_processes_and_then_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = []
    for number in range(70):
        name = f"apps/web/overlays/n{number}"
        write_files(tmp_path, {**BASE, f"{name}/kustomization.yaml": OVERLAY.replace("dev-", f"n{number}-")})
        requests.append(Request(tmp_path / name, {}))
    first = render_all(requests)
    assert [names(render.documents) for render in first] == [[f"n{number}-web"] for number in range(70)]
    tools, *_ = os.environ["PATH"].split(os.pathsep)
    monkeypatch.setenv("PATH", tools)  # the same kustomize, and no git: nothing would be rendered anew
    assert render_all(requests) == first
    with (tmp_path / "apps/web/base/web.yaml").open("a", encoding="utf-8") as base:
        base.write("# changed\n")
    with pytest.raises(EnvironmentProblem, match="no git found"):
        render_source(requests[0])
