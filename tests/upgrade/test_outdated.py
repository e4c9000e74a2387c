"""`gitops-stack outdated`: what has a newer version, who says so, and what is not asked without being told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gitops_stack.cli.main import app
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.upgrade import outdated
from gitops_stack.upgrade.chart_index import find_newest, load_index, order_version
from gitops_stack.upgrade.outdated import Pin, find_pins
from tests.add_ons import ADD_ONS, with_add_ons
from tests.loopback import serving

INDEX = "entries: {podinfo: [{version: 6.9.0}, {version: 6.10.0}, {version: 7.0.0-rc.1}, {version: latest}]}"


@contextmanager
def repository(pages: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Serve pages by path; yields the URL and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = pages.get(self.path, "").encode()
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}", asked


def write_application(project: Path, url: str, version: str = "6.9.0", name: str = "podinfo", kind: str = "") -> None:
    source = {"repoURL": url, "chart": "podinfo", "targetRevision": version}
    spec: dict[str, Any] = {"template": {"spec": {"sources": [source]}}} if kind else {"source": source}
    made = {"apiVersion": "argoproj.io/v1alpha1", "kind": kind or "Application", "metadata": {"name": name}}
    (project / f"gitops/prd/apps/{name}.yaml").write_text(json.dumps({**made, "spec": spec}))


def run(project: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["outdated", "-s", "prd", "-C", str(project), *options], env={"COLUMNS": "240"})


def pins(project: Path, add_ons: dict[str, Any] | None = None, **changes: Any) -> dict[str, Pin]:
    return {pin.place: pin for pin in find_pins(project, with_add_ons(project, add_ons or {}, **changes))}


def test_add_ons_at_the_library_s_versions_are_the_newest_it_knows(project: Path) -> None:
    found = pins(project, {name: {} for name in ADD_ONS})
    charts = [pin for pin in found.values() if pin.kind == "chart"]
    assert len(charts) == len(ADD_ONS)
    assert {pin.status for pin in charts} == {"newest"}
    assert all("github.com/" in pin.source and "read 2026-" in pin.source for pin in charts)


def test_an_older_version_of_an_add_on_is_found_without_asking(project: Path) -> None:
    pin = pins(project, {"cert-manager": {"version": "v1.20.9"}})["addOnApplications.cert-manager"]
    assert (pin.pinned, pin.newest, pin.status) == ("v1.20.9", "v1.21.1", "newer")


def test_a_generated_add_on_is_named_once(project: Path) -> None:
    settings = with_add_ons(project, {"metrics-server": {}, "karpenter": {}})
    write_tree(settings, project / settings.tree_path)
    found = [pin.place for pin in find_pins(project, settings) if pin.kind == "chart"]
    assert found == ["addOnApplications.karpenter", "addOnApplications.metrics-server"]


def test_eks_and_kubernetes_are_judged_by_dated_tables(project: Path) -> None:
    found = pins(project)
    kubernetes = found["cluster.version"]
    assert (kubernetes.pinned, kubernetes.newest, kubernetes.status) == ("1.35", "1.36", "newer")
    assert kubernetes.source == "table of EKS's versions as of 2026-07-08"
    assert kubernetes.note == "standard support ends 2027-03-27, extended 2028-03-27"
    driver = found["cluster.addons.aws-ebs-csi-driver"]
    assert (driver.newest, driver.status, driver.source) == ("v1.66.0-eksbuild.1", "newer", "table as of 2026-10-02")
    assert found["cluster.addons.vpc-cni"].status == "newest"


@pytest.mark.parametrize(
    ("pinned", "newest"),
    [
        ("v3.5.1", [("v3.5.1", "newest")]),
        ("v3.4.2", [("v3.4.7", "newer"), ("v3.5.1", "newer")]),
        ("v3.4.7", [("v3.4.7", "newest"), ("v3.5.1", "newer")]),
        ("v3.6.0", [("v3.5.1", "newest")]),
        ("v2.13.1", [("v3.5.1", "newer")]),
    ],
)
def test_of_argo_cd_the_own_minor_and_the_newest_are_named(
    pinned: str, newest: list[tuple[str, str]], project: Path
) -> None:
    settings = with_add_ons(project, {})
    argocd = settings.argocd.model_copy(update={"version": pinned})
    found = [pin for pin in find_pins(project, settings.model_copy(update={"argocd": argocd})) if pin.kind == "argocd"]
    assert [(pin.newest, pin.status) for pin in found] == newest


def test_a_release_that_is_known_to_be_bad_is_not_named(project: Path) -> None:
    settings = with_add_ons(project, {})
    argocd = settings.argocd.model_copy(update={"version": "v3.2.11"})
    found = list(find_pins(project, settings.model_copy(update={"argocd": argocd})))
    assert "v3.2.12" in outdated._load_releases()["releases"]
    assert [pin.newest for pin in found if pin.kind == "argocd"] == ["v3.5.1"]


def test_repositories_are_asked_with_the_flag_alone_and_once_each(project: Path) -> None:
    with repository({"/index.yaml": INDEX}) as (url, asked):
        write_application(project, url)
        write_application(project, url, "6.10.0", "other", "ApplicationSet")
        quiet = run(project)
        assert (asked, quiet.exit_code) == ([], 1)
        assert "not asked: --ask-repositories" in quiet.stdout
        answered = run(project, "--ask-repositories", "--output", "json")
    assert asked == ["/index.yaml"]
    found = {pin["place"]: pin for pin in json.loads(answered.stdout)["prd"]}
    assert answered.exit_code == 1
    assert found["Application podinfo"] == {
        "kind": "chart", "place": "Application podinfo", "pinned": "6.9.0", "newest": "6.10.0", "status": "newer",
        "source": url, "note": "",
    }  # fmt: skip
    assert found["ApplicationSet other"]["status"] == "newest"


def test_charts_in_the_repository_of_oci_and_outside_of_apps_are_listed(project: Path) -> None:
    with repository({"/index.yaml": INDEX}) as (url, _):
        entry = {"name": "podinfo", "version": "6.9.0", "repository": url, "package": f"sha256:{'a' * 64}"}
        (project / "charts").mkdir()
        (project / "charts/charts.lock.yaml").write_text(json.dumps({"charts": [{**entry, "files": entry["package"]}]}))
        own = "https://github.com/acme/platform.git"
        sources = [
            {"repoURL": own, "targetRevision": "main", "path": "charts/podinfo/6.9.0"},
            {"repoURL": own, "targetRevision": "main", "path": "charts/ours/1.0.0"},
            {"repoURL": "oci://registry.example.com/team/web", "targetRevision": "1.2.3", "path": "."},
        ]
        made = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "deep"}}
        folder = project / "gitops/prd/argocd/more"
        folder.mkdir(parents=True)
        (folder / "deep.yaml").write_text(json.dumps({**made, "spec": {"sources": sources}}))
        write_application(project, url, "{{.version}}", "set", "ApplicationSet")
        answered = run(project, "--ask-repositories", "--output", "json")
    charts = [pin for pin in json.loads(answered.stdout)["prd"] if pin["kind"] == "chart"]
    shown = [(pin["place"], pin["pinned"], pin["newest"], pin["source"], pin["note"]) for pin in charts]
    assert shown == [
        ("ApplicationSet set", "{{.version}}", None, url, "a template of the set fills it in"),
        ("Application deep", "6.9.0", "6.10.0", url, ""),
        ("Application deep", "1.2.3", None, "oci://registry.example.com/team", "a registry of OCI charts has no index"),
    ]


def test_charts_that_folders_pull_are_listed_with_the_file_that_pins_them(project: Path) -> None:
    overlay, base, chart = (project / f"gitops/workloads/{name}" for name in ("monitored", "monitored-base", "wrapper"))
    for folder in (overlay, base, chart):
        folder.mkdir(parents=True)
    with repository({"/index.yaml": INDEX}) as (url, _):
        (overlay / "kustomization.yaml").write_text("resources: [../monitored-base]\n")
        charts = [{"name": "podinfo", "repo": url, "version": "6.9.0"}, {"name": "kept"}]
        (base / "kustomization.yaml").write_text(json.dumps({"helmCharts": charts}))
        pulled = [{"name": "podinfo", "repository": url, "version": "~6.9"},
                  {"name": "beside", "repository": "file://../beside", "version": "1.0.0"},
                  {"name": "web", "repository": "oci://registry.example.com/team", "version": "1.x"}]  # fmt: skip
        (chart / "Chart.yaml").write_text(json.dumps({"name": "wrapper", "version": "0.1.0", "dependencies": pulled}))
        locked = [{"name": "web", "repository": pulled[2]["repository"], "version": "1.2.3"}]
        (chart / "Chart.lock").write_text(json.dumps({"dependencies": locked}))
        sources = [{"repoURL": "https://github.com/acme/platform.git", "path": f"gitops/workloads/{name}"}
                   for name in ("monitored", "wrapper", "monitored")]  # fmt: skip
        made = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "both"}}
        (project / "gitops/prd/apps/both.yaml").write_text(json.dumps({**made, "spec": {"sources": sources}}))
        answered = run(project, "--ask-repositories", "--output", "json")
    charts = [pin for pin in json.loads(answered.stdout)["prd"] if pin["kind"] == "chart"]
    assert [(pin["place"], pin["pinned"], pin["newest"], pin["note"]) for pin in charts] == [
        ("gitops/workloads/monitored-base/kustomization.yaml podinfo", "6.9.0", "6.10.0", ""),
        ("gitops/workloads/wrapper/Chart.yaml podinfo", "~6.9", None,
         "a range: the newest in it is taken; pin one version"),
        ("gitops/workloads/wrapper/Chart.yaml web", "1.2.3", None, "a registry of OCI charts has no index"),
    ]  # fmt: skip


def test_a_chart_yaml_that_cannot_be_read_is_said(project: Path) -> None:
    folder = project / "gitops/workloads/torn"
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text("dependencies: [\n")
    source = {"repoURL": "https://github.com/acme/platform.git", "path": "gitops/workloads/torn"}
    made = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "torn"}}
    (project / "gitops/prd/apps/torn.yaml").write_text(json.dumps({**made, "spec": {"source": source}}))
    assert "torn/Chart.yaml: is not YAML" in "".join(run(project).stderr.split("\n"))


def test_a_file_that_cannot_be_read_is_said_and_all_else_is_listed(project: Path) -> None:
    write_application(project, "https://charts.example.com")
    (project / "gitops/prd/apps/torn.yaml").write_text("kind: Application\nspec: [\n")
    found = run(project)
    assert "Application podinfo" in found.stdout
    assert "warning: not read: gitops/prd/apps/torn.yaml: is not YAML: " in found.stderr


@pytest.mark.parametrize("version", ["6.9.0", "6.x"])
@pytest.mark.parametrize("page", [{}, {"/index.yaml": INDEX}, {"/index.yaml": "a: ["}], ids=["silent", "index", "torn"])
def test_a_password_in_a_repository_s_url_is_never_printed(page: dict[str, str], version: str, project: Path) -> None:
    with repository(page) as (url, _):
        write_application(project, url.replace("http://", "http://user:hunter2@"), version)
        options: tuple[list[str], ...] = (
            [],
            ["--ask-repositories"],
            ["--output", "json"],
            ["--ask-repositories", "--output", "json"],
        )
        found = [run(project, *one) for one in options]
    write_application(project, "https://user:hunter2@[")
    found.append(run(project, "--ask-repositories"))
    assert all("Application podinfo" in one.stdout for one in found)
    assert not any("hunter2" in f"{one.stdout}{one.stderr}{one.exception}" for one in found)


def test_a_repository_that_does_not_answer_is_said_and_all_else_is_judged(project: Path) -> None:
    with repository({}) as (url, asked):
        write_application(project, url)
        write_application(project, url, name="other")
        found = run(project, "--ask-repositories")
    assert asked == ["/index.yaml"]
    assert found.stderr.count(f"error: {url}/index.yaml: was answered with 404; check the repository's URL") == 1
    assert "cluster.version" in found.stdout


def test_it_leaves_with_2_when_nothing_is_newer_and_a_repository_is_silent(project: Path) -> None:
    file = project / "gitops/local/apps/podinfo.yaml"
    with repository({}) as (url, _):
        write_application(project, url)
        (project / "gitops/prd/apps/podinfo.yaml").rename(file)
        options = ["outdated", "-s", "local", "-C", str(project)]
        assert CliRunner().invoke(app, options).exit_code == 0
        assert CliRunner().invoke(app, [*options, "--ask-repositories"]).exit_code == 2


def test_a_range_a_registry_and_an_unknown_chart_are_said(project: Path) -> None:
    with repository({"/index.yaml": "entries: {}"}) as (url, _):
        write_application(project, url, "6.x", "range")
        write_application(project, "registry.example.com/charts", "6.9.0", "registry")
        write_application(project, url, "6.9.0", "unknown")
        found = json.loads(run(project, "--ask-repositories", "--output", "json").stdout)["prd"]
    assert {pin["place"]: pin["note"] for pin in found if pin["kind"] == "chart"} == {
        "Application range": "a range: the newest in it is taken; pin one version",
        "Application registry": "a registry of OCI charts has no index",
        "Application unknown": "has no chart podinfo there",
    }


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("a: [", "is not YAML; is a proxy in between?"),
        ("<html></html>", "has no entries; it is not a chart repository's index"),
        (f"a: {'[' * 5000}", "is not YAML; is a proxy in between?"),
        ("entries: {? [a] : 1}", "is not YAML; is a proxy in between?"),
        ("- a", "has no entries; it is not a chart repository's index"),
    ],
)
def test_an_index_that_is_none_ends_in_a_sentence(page: str, said: str) -> None:
    with repository({"/charts/index.yaml": page}) as (url, _), pytest.raises(EnvironmentProblem) as refused:
        load_index(f"{url}/charts/")
    assert str(refused.value) == f"{url}/charts/index.yaml: {said}"


def test_an_index_is_read_as_texts_whatever_yaml_makes_of_them() -> None:
    written = "created: 2024-13-45, appVersion: 2023-02-30, digest: 0x_, size: 0b, time: 2024-01-01T99:00:00Z"
    page = f"entries: {{web: [{{version: 1.10, {written}}}, {{version: 1.2.3}}, null, 5], other: 5}}"
    with repository({"/index.yaml": page}) as (url, _):
        assert load_index(url) == {"web": ("1.10", "1.2.3", "", ""), "other": ()}


def test_a_server_that_is_not_there_ends_in_a_sentence() -> None:
    with repository({}) as (url, _):
        pass
    with pytest.raises(EnvironmentProblem, match=r"index\.yaml: does not answer: .*; check the network and run again"):
        load_index(url)


def test_versions_are_ordered_by_number_and_pre_releases_are_left_out() -> None:
    assert find_newest(["1.9.0", "1.10.0", "2.0.0-rc1", "v1.9.9", "nightly"]) == "1.10.0"
    assert find_newest(["1.0.0-alpha"]) is None
    assert order_version("2.0.0-rc1") < order_version("2.0.0") < order_version("2.0.1")


def test_a_folder_without_stacks_ends_in_a_sentence(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["outdated", "-C", str(tmp_path)])
    assert isinstance(found.exception, EnvironmentProblem)
    assert str(found.exception) == f"outdated: no Pulumi.<stack>.yaml in {tmp_path}; give --project"
