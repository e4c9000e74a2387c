"""Charts from a repository and from an OCI registry on the loopback, by the real helm: pulled, locked, rendered."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gitops_stack.charts.pull import pull_chart
from gitops_stack.charts.reference import ChartReference, build_reference
from gitops_stack.charts.vendor import plan_chart, vendor_chart
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab.tools import build_tools
from gitops_stack.tree_check.render import render_source
from gitops_stack.tree_check.source import Request, SourceTools
from tests.e2e.scenario import say
from tests.loopback import serving
from tests.oci_registry import open_registry

pytestmark = pytest.mark.e2e

TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {color: {{ .Values.color }}}\n"


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"HELM_{name}_HOME", str(tmp_path / f"helm-{name.lower()}"))
    if shutil.which("helm") is None:
        pytest.skip("the lab's tools have no helm here")


def helm(*arguments: str | Path) -> str:
    done = subprocess.run(["helm", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def package(folder: Path, color: str, version: str = "1.0.0", name: str = "web") -> Path:
    """Write a chart and package it as its owner does; the time of its files is part of a package."""
    chart = folder / f"{name}-{version}-{color}"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n")
    (chart / "values.yaml").write_text(f"color: {color}\n")
    (chart / "templates/all.yaml").write_text(TEMPLATE)
    (folder / "repository").mkdir(exist_ok=True)
    helm("package", chart, "--destination", folder / "repository")
    return folder / f"repository/{name}-{version}.tgz"


class _Files(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        login = self.server.login
        if login and self.headers.get("Authorization") != f"Basic {b64encode(login.encode()).decode()}":
            self.send_error(401)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    login = ""


@contextmanager
def open_repository(folder: Path, login: str = "") -> Iterator[str]:
    """Serve a repository of charts, to ``login`` (USER:PASSWORD) alone if there is one; yields its URL."""
    server = _Server(("127.0.0.1", 0), functools.partial(_Files, directory=str(folder / "repository")))
    server.login = login
    url = f"http://127.0.0.1:{server.server_port}"
    helm("repo", "index", folder / "repository", "--url", url)
    with serving(server):
        yield url


def colors(folder: Path) -> list[str]:
    made = render_source(Request(folder, {}, "web"))
    assert made.failed == ()
    return [document["data"]["color"] for _, document in made.documents]


def test_a_chart_of_a_repository_is_vendored_and_renders_with_the_repository_down(tmp_path: Path) -> None:
    package(tmp_path, "green")
    with open_repository(tmp_path) as url:
        made = vendor_chart(tmp_path / "root", url, "web", "1.0.0")
        folder = tmp_path / "root" / made.entry.folder
        helm("pull", "web", "--repo", url, "--version", "1.0.0", "--untar", "--destination", tmp_path / "by-helm")
    theirs, ours = (
        {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}
        for top in (tmp_path / "by-helm/web", folder)
    )
    assert ours == theirs, "the files are those that helm unpacks"
    assert colors(folder) == ["green"]
    with pytest.raises(EnvironmentProblem, match=r"/web: cannot be reached: .*; check the URL and the network$"):
        plan_chart(tmp_path / "root", ChartReference(url, "web"), "1.0.0")


def test_a_version_published_again_is_refused_with_both_digests(tmp_path: Path) -> None:
    package(tmp_path, "green")
    with open_repository(tmp_path) as url:
        first = vendor_chart(tmp_path / "root", url, "web", "1.0.0").entry.package
        package(tmp_path, "blue")
        second = pull_chart(ChartReference(url, "web"), "1.0.0").digest
        with pytest.raises(GitOpsStackError) as refused:
            vendor_chart(tmp_path / "root", url, "web", "1.0.0", overwrite=True)
    assert first != second
    assert first in str(refused.value)
    assert second in str(refused.value)
    assert colors(tmp_path / "root/charts/web/1.0.0") == ["green"]


def test_what_is_not_there_is_told_from_what_cannot_be_reached(tmp_path: Path) -> None:
    package(tmp_path, "green")
    with open_repository(tmp_path) as url, open_registry() as registry:
        for reference in (
            ChartReference(url, "web"),
            ChartReference(url, "other"),
            ChartReference(f"oci://{registry}/charts", "web"),
        ):
            with pytest.raises(GitOpsStackError) as refused:
                pull_chart(reference, "9.9.9")
            assert str(refused.value) == (
                f"{reference}: has no version 9.9.9; needs a name and a version that are there"
            )
    with pytest.raises(EnvironmentProblem, match="cannot be reached: "):
        pull_chart(ChartReference(f"oci://{registry}/charts", "web"), "1.0.0")


def test_a_chart_of_an_oci_registry_has_the_digest_it_was_pushed_with(tmp_path: Path) -> None:
    archive = package(tmp_path, "green", "1.0.0-rc.1")
    with open_registry() as registry:
        helm("push", archive, f"oci://{registry}/charts", "--plain-http")
        made = vendor_chart(tmp_path / "root", f"oci://{registry}/charts", "web", "1.0.0-rc.1")
        package(tmp_path, "blue", "1.0.0-rc.1")
        helm("push", archive, f"oci://{registry}/charts", "--plain-http")
        with pytest.raises(GitOpsStackError, match="it was published again with other bytes"):
            plan_chart(tmp_path / "root", build_reference(f"oci://{registry}/charts", "web", ""), "1.0.0-rc.1")
    assert colors(tmp_path / "root" / made.entry.folder) == ["green"]


def test_a_chart_with_a_dependency_renders_without_its_repository(tmp_path: Path) -> None:
    package(tmp_path, "green", name="part")
    with open_repository(tmp_path) as url:
        chart = tmp_path / "whole"
        chart.mkdir()
        dependency = f"dependencies: [{{name: part, version: 1.0.0, repository: '{url}'}}]\n"
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: whole\nversion: 1.0.0\n{dependency}")
        helm("package", chart, "--destination", tmp_path / "repository", "--dependency-update")
        helm("repo", "index", tmp_path / "repository", "--url", url)
        made = vendor_chart(tmp_path / "root", url, "whole", "1.0.0")
    assert colors(tmp_path / "root" / made.entry.folder) == ["green"]


def test_a_repository_with_a_login_is_read_by_the_alias_that_has_it(tmp_path: Path) -> None:
    package(tmp_path, "green")
    with open_repository(tmp_path, login="ada:secret") as url:
        with pytest.raises(EnvironmentProblem, match=f"refuses access: .*`helm repo add NAME {url} --username USER "):
            vendor_chart(tmp_path / "root", url, "web", "1.0.0")
        helm("repo", "add", "ours", url, "--username", "ada", "--password", "secret")
        vendor_chart(tmp_path / "root", url, "web", "1.0.0")
    assert colors(tmp_path / "root/charts/web/1.0.0") == ["green"]


@pytest.mark.parametrize("options", [{}, {"kustomize": {"namePrefix": "a-"}}])
def test_a_chart_that_a_kustomization_fetches_is_fetched_once_and_not_into_the_tree(
    options: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    package(tmp_path, "green")
    root = tmp_path / "root"
    for name in ("app", "base"):
        (root / name).mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "app/kustomization.yaml").write_text("resources: [../base]\n")
    request = Request(root / "app", options, "web", root=root, tools=SourceTools("--enable-helm"))
    with open_repository(tmp_path) as url:
        chart = f"helmCharts: [{{name: web, repo: '{url}', version: 1.0.0, valuesInline: {{color: blue}}}}]\n"
        (root / "base/kustomization.yaml").write_text(chart)
        first = render_source(request)
    assert (first.failed, first.lacking, first.pinned) == ((), "", True)
    assert [document["data"] for _, document in first.documents] == [{"color": "blue"}]
    again = render_source(request)
    assert (again.documents, again.failed) == (first.documents, ()), "the repository is down"
    written = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert written == {"app/kustomization.yaml", "base/kustomization.yaml"}
