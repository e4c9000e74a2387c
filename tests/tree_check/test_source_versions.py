"""Versions a source asks for, and folders that are links: answers that need no program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.read_paths import load_read_paths
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.installation_tools import read_tools
from gitops_stack.tree_check.render import render_source
from gitops_stack.tree_check.source import Request, SourceTools
from gitops_stack.tree_check.source_type import find_kind, prepare

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}}
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    ("file", "options", "said"),
    [
        ("Chart.yaml", {"helm": {"version": "v2"}}, "found helm.version v2, which Argo CD does not have"),
        ("Chart.yaml", {"helm": {"kubeVersion": "latest"}}, "found helm.kubeVersion latest, which Argo CD cannot read"),
        ("Chart.yaml", {"helm": {"kubeVersion": "1"}}, "found helm.kubeVersion 1, which Argo CD cannot read"),
        (
            "kustomization.yaml",
            {"kustomize": {"kubeVersion": "x"}},
            "found kustomize.kubeVersion x, which Argo CD cann",
        ),
        (
            "kustomization.yaml",
            {"kustomize": {"version": "v4"}},
            "found kustomize.version v4, which argocd-cm does not",
        ),
    ],
)
def test_a_version_that_argo_cd_does_not_have(file: str, options: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / file).touch()
    config = RenderedObject({**CONFIG, "data": {"kustomize.path.v5.1": "/tools/kustomize"}}, "argocd", "cm.yaml")
    tools = read_tools([config], "argocd", SourceTools())
    with pytest.raises(GitOpsStackError) as refused:
        prepare(Request(tmp_path, options, tools=tools))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("data", "version"),
    [({"kustomize.path.v5.1": "/tools/kustomize"}, "v5.1"), ({"kustomize.version.v5.1": "/x"}, "v5.1"), (None, "any")],
)
def test_a_version_of_kustomize_that_may_be_there(data: dict[str, str] | None, version: str, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").touch()
    objects = [] if data is None else [RenderedObject({**CONFIG, "data": data}, "argocd", "cm.yaml")]
    tools = read_tools(objects, "argocd", SourceTools())
    assert find_kind(Request(tmp_path, {"kustomize": {"version": version}}, tools=tools)) == "kustomize"


@pytest.mark.parametrize(
    ("written", "told"),
    [("", "1.35"), ("v1.30.1", "1.30.1"), ("1.30", "1.30"), ("v1.30.1-eks-4bd6af0", "1.30.1"), ("1.30+", "1.30")],
)
def test_the_kubernetes_version_that_charts_are_told(written: str, told: str, tmp_path: Path) -> None:
    tools = SourceTools(kubernetes_version="1.35")
    for section in ("helm", "kustomize"):
        request = Request(tmp_path, {section: {"kubeVersion": written}}, tools=tools)
        assert request.kubernetes_version == told


def test_a_folder_that_is_a_link_holds_nothing_unless_its_tool_is_named(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/kustomization.yaml").write_text("resources: [a.yaml]\n")
    (tmp_path / "shared/a.yaml").write_text(MAP)
    (tmp_path / "app").symlink_to("shared")
    (tmp_path / "way").symlink_to(tmp_path)
    render = render_source(Request(tmp_path / "app", {}, root=tmp_path))
    assert (render.documents, render.ignored) == ((), ((str(tmp_path / "app"), "is a link to a folder"),))
    assert find_kind(Request(tmp_path / "app", {"kustomize": {"namePrefix": "x-"}}, root=tmp_path)) == "kustomize"
    for folder in (tmp_path / "way/shared", tmp_path / "shared"):
        assert find_kind(Request(folder, {}, root=tmp_path)) == "kustomize"
    assert not Request(tmp_path / "way", {}, root=tmp_path).is_link


def test_a_link_that_leads_to_itself_fails_its_source(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/a.yaml").symlink_to("a.yaml")
    (problem,) = render_source(Request(tmp_path / "app", {}, root=tmp_path)).failed
    assert (problem.found, problem.place) == ("is a link that leads to itself", str(tmp_path / "app/a.yaml"))
    assert load_read_paths(tmp_path, ["app"]) == {"app", "app/a.yaml"}


@pytest.mark.parametrize(
    ("kind", "section"),
    [("helm", {"valuesObject": {"color": None}}), ("kustomize", {"commonLabels": {"team": ""}})],
)
def test_a_section_of_empty_values_counts(kind: str, section: dict[str, Any], tmp_path: Path) -> None:
    assert find_kind(Request(tmp_path, {kind: section})) == kind
    assert find_kind(Request(tmp_path, {kind: {key: {} for key in section}})) == "directory"
