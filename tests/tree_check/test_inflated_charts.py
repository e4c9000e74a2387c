"""Charts that kustomizations inflate: when a render of them is kept, and until what changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.tree_check.closure import load_closure
from gitops_stack.tree_check.folder import load_folder
from gitops_stack.tree_check.inflated_charts import list_chart_files
from gitops_stack.tree_check.render import render_source, source_key
from gitops_stack.tree_check.source import Request, SourceTools
from gitops_stack.tree_check.source_copy import copy_source

FILES = {
    "app/kustomization.yaml": "resources: [../base]\n",
    "base/kustomization.yaml": "helmCharts: [{name: web, releaseName: z, valuesFile: own.yaml, valuesInline: {image: "
    "ghcr.io/acme/web:v1, docs: 'https://example.com/x'}, additionalValuesFiles: [more.yaml]}]\n",
    "base/own.yaml": "a: 1\n",
    "base/more.yaml": "b: 1\n",
    "base/charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "base/charts/web/templates/a.yaml": "kind: ConfigMap\n",
    "shared/b.yaml": "kind: ConfigMap\n",
}
HELM = SourceTools(build_options="--enable-helm", kubernetes_version="1.35.2")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an overlay on a base that inflates a chart, of which a folder is a link; a helm is on PATH."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "base/charts/web/templates/shared").symlink_to("../../../../shared")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/helm").write_text("#!/bin/sh\n")
    (tmp_path / "bin/helm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return tmp_path / "app"


def compute_key(app: Path, tools: SourceTools = HELM, **options: object) -> str:
    request = Request(app, {"kustomize": options} if options else {}, "web", tools=tools)
    return source_key(request, load_closure(app))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a template": lambda root: (root / "base/charts/web/templates/a.yaml").write_text("kind: Secret\n"),
    "a new template": lambda root: (root / "base/charts/web/templates/c.yaml").write_text("kind: Secret\n"),
    "a file behind a link": lambda root: (root / "shared/b.yaml").write_text("kind: Secret\n"),
    "a new file behind a link": lambda root: (root / "shared/c.yaml").write_text("kind: Secret\n"),
    "its values": lambda root: (root / "base/own.yaml").write_text("a: 2\n"),
    "values beside them": lambda root: (root / "base/more.yaml").write_text("b: 2\n"),
    "the kustomization": lambda root: (root / "base/kustomization.yaml").write_text("helmCharts: [{name: web}]\n"),
    "helm": lambda root: (root / "bin/helm").write_text("#!/bin/sh\n# a later release\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_render_is_kept_until_what_it_is_made_of_changes(change: str, app: Path) -> None:
    before = compute_key(app)
    assert compute_key(app) == before != ""
    CHANGES[change](app.parent)
    assert compute_key(app) not in (before, "")


def test_what_charts_are_told_is_part_of_the_key(app: Path) -> None:
    others = (
        compute_key(app, SourceTools("--enable-helm", kubernetes_version="1.36.0")),
        compute_key(app, kubeVersion="1.36.0"),
        compute_key(app, apiVersions=["e.com/v1"]),
    )
    assert len({compute_key(app), *others}) == 4


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("helmCharts: [{name: far, repo: 'https://charts.example.com', version: 1.2.3}]\n", True),
        ("helmCharts: [{name: far, repo: 'oci://registry.example.com/charts', version: v1.2.3}]\n", True),
        ("helmCharts: [{name: far, repo: 'https://charts.example.com', version: ^1.2.3}]\n", False),
        ("helmCharts: [{name: far, repo: 'https://charts.example.com', version: '1.2'}]\n", False),
        ("helmCharts: [{name: far, repo: 'https://charts.example.com'}]\n", False),
        (
            "helmGlobals: {configHome: /x}\nhelmCharts: [{name: far, repo: 'https://a.example', version: 1.2.3}]\n",
            False,
        ),
        ("helmCharts: [{name: web, valuesFile: 'https://example.com/values.yaml'}]\n", False),
        ("helmGlobals: {chartHome: ../base/charts}\nhelmCharts: [{name: web}]\n", True),
        ("helmcharts: [{name: web}]\n", False),
        ("helmChartInflationGenerator: [{chartName: web}]\n", False),
        ("Generators: [a.yaml]\n", False),
    ],
)
def test_what_only_a_repository_tells_is_not_kept(text: str, kept: bool, app: Path) -> None:
    (app.parent / "base/kustomization.yaml").write_text(text)
    assert bool(compute_key(app)) is kept


def test_a_chart_that_is_fetched_is_waited_for_where_it_may_come(app: Path) -> None:
    chart = "helmCharts: [{name: far, repo: 'https://charts.example.com', version: 1.2.3}]\n"
    (app.parent / "base/kustomization.yaml").write_text(chart)
    closure, before = load_closure(app), compute_key(app)
    home = app.parent / "base/charts/far-1.2.3"
    assert (closure.fetching, closure.remotes) == ((app.parent / "base", home), ("https://charts.example.com",))
    assert home in closure.links
    (home / "far").mkdir(parents=True)
    (home / "far/Chart.yaml").write_text("name: far\n")
    assert load_closure(app).fetching == ()
    assert compute_key(app) not in (before, "")


def test_a_chart_that_holds_itself_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").touch()
    (tmp_path / "charts").symlink_to(".")
    assert list_chart_files(tmp_path, tmp_path) == [tmp_path / "Chart.yaml"]


def test_nothing_outside_of_the_repository_is_a_file_of_a_chart(tmp_path: Path) -> None:
    root, chart = tmp_path / "platform", tmp_path / "platform/charts/web"
    for folder in (chart, tmp_path / "out"):
        folder.mkdir(parents=True)
    (tmp_path / "out/secret").touch()
    (root / "shared.yaml").touch()
    os.mkfifo(chart / "pipe")
    links = {
        "device": "/dev/zero",
        "far": "../../../out",
        "far-file": "../../../out/secret",
        "far-gone": "../../../out/gone",
        "shared": "../../shared.yaml",
        "gone": "../../gone.yaml",
    }
    for name, target in links.items():
        (chart / name).symlink_to(target)
    assert list_chart_files(chart, root) == [chart / "gone", chart / "shared"]
    assert list_chart_files(tmp_path / "out", root) == []


@pytest.mark.parametrize("text", ["helmCharts: [{name: web}]\n", "resources: [device, pipe]\n"])
def test_what_has_no_end_is_not_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "charts/web").mkdir(parents=True)
    for name in ("device", "charts/web/device"):
        (tmp_path / name).symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "kustomization.yaml").write_text(text)
    assert compute_key(tmp_path)


@pytest.mark.parametrize("home", ["/usr", "../out"])
def test_a_chart_home_out_of_the_repository_is_not_listed(home: str, tmp_path: Path) -> None:
    (tmp_path / "out/share").mkdir(parents=True)
    (tmp_path / "out/share/a").touch()
    app = tmp_path / "platform"
    (app / ".git").mkdir(parents=True)
    (app / "kustomization.yaml").write_text(f"helmGlobals: {{chartHome: {home}}}\nhelmCharts: [{{name: share}}]\n")
    assert load_closure(app).files == (app / "kustomization.yaml",)


@pytest.mark.parametrize(
    ("text", "home"),
    [
        ("helmGlobals: {chartHome: ../../out}\nhelmCharts: [{name: far, repo: 'https://a.example'}]\n", "out"),
        ("helmGlobals: {chartHome: /absolute}\nhelmCharts: [{name: far, repo: 'https://a.example'}]\n", "/absolute"),
        (
            "helmGlobals: {chartHome: ../linked}\nhelmCharts: [{name: far, repo: 'https://a.example'}]\n",
            "platform/linked",
        ),
        ("helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: far}]\n", "platform/charts/far"),
        ("helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: near, repo: 'https://a.example'}]\n", ""),
    ],
)
def test_a_chart_outside_of_the_repository_is_not_rendered(
    text: str, home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "platform"
    for folder in (root / ".git", root / "web", root / "charts", tmp_path / "out"):
        folder.mkdir(parents=True)
    (root / "linked").symlink_to("../out")
    (root / "charts/far").symlink_to("../../out")
    (root / "web/kustomization.yaml").write_text(text)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/kustomize").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "bin/kustomize").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    skipped = render_source(Request(root / "web", {}, tools=HELM)).skipped
    assert skipped == (f"its charts are in {tmp_path / home}, which is outside of the repository" if home else "")
    assert (tmp_path / "started").exists() is not bool(home)


def test_a_folder_without_a_clone_may_have_its_charts_anywhere_in_it(app: Path) -> None:
    (app.parent / "bin/helm").rename(app.parent / "bin/kustomize")
    (app.parent / "apps/prod").mkdir(parents=True)
    (app.parent / "apps/prod/kustomization.yaml").write_text("resources: [../../base]\n")
    tree = load_folder(app.parent, app.parent, SourceTools(build_options="--enable-helm"))
    assert not [one for one in tree.findings if "outside" in one.found]


def test_a_chart_whose_name_no_file_can_have_is_not_here(app: Path) -> None:
    (app / "kustomization.yaml").write_text(f"helmCharts: [{{name: {'x' * 300}, repo: 'https://a.example'}}]\n")
    assert load_closure(app).fetching[0] == app


@pytest.mark.parametrize(
    ("home", "linked"), [("", [".venv", "charts"]), ("charts", [".venv"]), ("web/own", [".venv", "charts"])]
)
def test_what_lies_beside_a_chart_that_is_fetched_is_linked(home: str, linked: list[str], tmp_path: Path) -> None:
    root = tmp_path / "platform"
    for name in (".venv", "web", "charts/near"):
        (root / name).mkdir(parents=True)
    with copy_source(root / "web", root, [root / "web", root / home]) as copy:
        assert sorted(one.name for one in copy.parent.iterdir() if one.is_symlink()) == linked
        (copy.parent / home / "far").mkdir(parents=True)
    assert not list(root.rglob("far"))


def test_helm_takes_no_plugins_from_a_tree(app: Path) -> None:
    text = "helmGlobals: {configHome: own}\nhelmCharts: [{name: far, repo: 'own://a.example', version: 1.0.0}]\n"
    (app.parent / "base/kustomization.yaml").write_text(text)
    said = "its helmGlobals have configHome, with which a tree starts programs; that is not done here"
    assert render_source(Request(app, {}, tools=HELM)).skipped == said


def test_a_link_out_of_the_repository_in_a_base_s_chart_is_not_followed(app: Path, tmp_path: Path) -> None:
    link = tmp_path / "base/charts/web/templates/far.yaml"
    link.symlink_to("/etc/passwd")
    render = render_source(Request(app, {}, tools=HELM))
    assert [(one.place, one.found) for one in render.failed] == [
        (str(link), "is a link out of the repository, which Argo CD refuses")
    ]


@pytest.mark.parametrize(
    ("field", "said"), [("chartHome: /absolute", "its charts are in /absolute"), ("configHome: own", "its helmGlobals")]
)
def test_a_chart_of_a_generator_is_judged_as_others(field: str, said: str, app: Path) -> None:
    plugin = f"apiVersion: builtin\nkind: HelmChartInflationGenerator\nname: far\nrepo: https://a.example\n{field}\n"
    (app / "kustomization.yaml").write_text("generators: [far.yaml]\n")
    (app / "far.yaml").write_text(plugin)
    assert render_source(Request(app, {}, tools=HELM)).skipped.startswith(said)
