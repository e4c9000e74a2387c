"""Charts and jsonnet of a folder without a stack: rendered as its Applications say, else with their own values."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from gitops_stack.tree_check.check import check_folder
from gitops_stack.tree_check.folder import load_folder
from gitops_stack.tree_check.folder_files import list_folder
from gitops_stack.tree_check.result import CheckOptions
from tests.tree_check.clock import wait_for_the_clock

ADOPT = CheckOptions(profile="adopt")
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
# Prints a ConfigMap that tells the release and its values files; `manifests` and `error` in a chart stand for others.
HELM = """#!/bin/sh
for argument in "$@"; do
  case "$last" in --name-template) name=$argument;; esac
  case "$argument" in --values=*/values.yaml);; --values=*) values="$values ${argument##*/}";; esac
  last=$argument
done
if [ -f error ] && [ -z "$values" ]; then cat error >&2; exit 1; fi
if [ -f manifests ]; then sed "s/@values@/${values# }/" manifests; exit; fi
printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: "%s"}\\ndata: {values: "%s"}\\n' "$name" "${values# }"
"""
JSONNET = """#!/bin/sh
printf '[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made"}}]'
"""


@pytest.fixture(autouse=True)
def programs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("bin")
    for name, text in {"helm": HELM, "jsonnet": JSONNET}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(folder / "cache"))


def application(name: str, source: str) -> str:
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}}
spec:
  project: default
  source: {{repoURL: https://example.com/acme/platform.git, targetRevision: main, {source}}}
  destination: {{server: https://kubernetes.default.svc, namespace: shop}}
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def rendered(folder: Path) -> dict[str, object]:
    """Return the ConfigMaps of a folder: name -> data."""
    found = load_folder(folder, folder).objects
    return {one.name.name: one.manifest.get("data") for one in found if one.kind == "ConfigMap"}


def warnings(folder: Path) -> list[tuple[str, str, str, str]]:
    report = check_folder(folder, folder, options=ADOPT)
    return [(one.severity, one.rule, one.file, one.found) for one in report.findings if one.severity != "note"]


def test_a_chart_is_rendered_for_every_application_that_reads_it(tmp_path: Path) -> None:
    files = {
        "charts/web/Chart.yaml": CHART,
        "charts/web/prd.yaml": "",
        "charts/web/dev.yaml": "",
        "charts/other/Chart.yaml": CHART,
        "apps/dev.yaml": application("web-dev", "path: charts/web, helm: {valueFiles: [dev.yaml]}"),
        "apps/prd.yaml": application("web-prd", "path: charts/web, helm: {valueFiles: [prd.yaml], releaseName: web}"),
    }
    assert rendered(write(tmp_path, files)) == {
        "web-dev": {"values": "dev.yaml"}, "web": {"values": "prd.yaml"}, "other": {"values": ""},
    }  # fmt: skip


def test_applications_in_a_chart_are_followed_and_one_that_renders_itself_ends(tmp_path: Path) -> None:
    files = {
        "apps/Chart.yaml": CHART,
        "apps/manifests": application("apps", "path: apps") + "---\n" + application("shop", "path: charts/web"),
        "charts/web/Chart.yaml": CHART,
    }
    tree = load_folder(write(tmp_path, files), tmp_path)
    assert sorted(one.spec.name for one in tree.applications) == ["apps", "shop"]
    assert rendered(tmp_path) == {"shop": {"values": ""}}


def test_a_chart_that_another_chart_deploys_is_followed_as_that_one_says_alone(tmp_path: Path) -> None:
    """Else each of its objects is there twice: as its own values make it, and as those of the chart above do."""
    files = {
        "root/Chart.yaml": CHART,
        "root/manifests": application("team", "path: team, helm: {valueFiles: [team.yaml]}"),
        "team/Chart.yaml": CHART,
        "team/team.yaml": "",
        "team/manifests": application("web", "path: charts/web, helm: {releaseName: web@values@}"),
        "charts/web/Chart.yaml": CHART,
    }
    tree = load_folder(write(tmp_path, files), tmp_path)
    assert sorted(one.spec.name for one in tree.applications) == ["team", "web"]
    assert list(rendered(tmp_path)) == ["webteam.yaml"]


SET = """
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: all, namespace: argocd}
spec:
  generators: [{clusters: {}}]
  template:
    metadata: {name: "a-{{name}}"}
    spec:
      project: default
      source: {repoURL: https://example.com/acme/other.git, path: a}
      destination: {server: "{{server}}", namespace: a}
"""


def test_a_set_in_a_chart_that_an_application_of_it_renders_is_not_lost(tmp_path: Path) -> None:
    """It says twice that it is not expanded, once of the chart alone, and only that is to go."""
    manifests = f"{application('apps', 'path: apps')}---{SET}"
    found = warnings(write(tmp_path, {"apps/Chart.yaml": CHART, "apps/manifests": manifests}))
    assert [one[1] for one in found] == ["application-set-not-expanded"]


@pytest.mark.parametrize(
    "said",
    [
        "Error: execution error at (web/templates/a.yaml:1:2): host must be set",
        "Error: template: web/templates/a.yaml:1:14: executing: nil pointer evaluating interface {}.create",
        "Error: YAML parse error on web/templates/job.yaml: mapping values are not allowed in this context",
    ],
)
def test_a_chart_that_wants_values_is_not_rendered_and_no_error(said: str, tmp_path: Path) -> None:
    write(tmp_path, {"web/Chart.yaml": CHART, "web/error": f"{said}\n\nUse --debug flag to see more\n"})
    ((severity, rule, file, found),) = warnings(tmp_path)
    assert (severity, rule, file) == ("warning", "not-rendered", "web")
    reason = said.removeprefix("Error: ")
    assert found == f"is not rendered: its own values are not enough: {reason}; nothing of it was checked"


def test_a_chart_that_no_values_mend_is_an_error(tmp_path: Path) -> None:
    said = "Error: parse error at (web/templates/a.yaml:15): unexpected {{end}}\n"
    write(tmp_path, {"web/Chart.yaml": CHART, "web/error": said})
    assert [found[:3] for found in warnings(tmp_path)] == [("error", "render-failed", "web")]


def test_a_chart_fails_for_an_application_as_it_does_in_argo_cd(tmp_path: Path) -> None:
    said = "Error: execution error at (web/templates/a.yaml:1:2): host must be set\n"
    files = {"web/Chart.yaml": CHART, "web/error": said, "apps/web.yaml": application("web", "path: web")}
    assert [found[:3] for found in warnings(write(tmp_path, files))] == [("error", "render-failed", "web")]


def test_a_chart_that_needs_a_plugin_of_helm_is_not_rendered(tmp_path: Path) -> None:
    said = "Error: could not find protocol handler for: git+https\n"
    files = {"web/Chart.yaml": CHART, "web/error": said, "apps/web.yaml": application("web", "path: web")}
    expected = "is not rendered: helm has no plugin for git+https here; nothing of it was checked"
    assert warnings(write(tmp_path, files)) == [("warning", "not-rendered", "web", expected)]


def test_a_schema_s_refusal_is_told_with_its_reason(tmp_path: Path) -> None:
    said = "Error: values don't meet the specifications of the schema(s):\nweb:\n- at '/a': got string, want number\n"
    files = {"web/Chart.yaml": CHART, "web/error": said, "apps/web.yaml": application("web", "path: web")}
    ((*_, found),) = warnings(write(tmp_path, files))
    assert found.endswith("specifications of the schema(s): web: - at '/a': got string, want number")


SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {a: b}}\n"


@pytest.mark.parametrize(("asked", "severity"), [(".", "warning"), ("charts", "warning"), ("charts/web", "error")])
def test_an_error_in_a_chart_that_nobody_deploys_is_a_warning_unless_it_is_asked_about(
    asked: str, severity: str, tmp_path: Path
) -> None:
    write(tmp_path, {"charts/web/Chart.yaml": CHART, "charts/web/manifests": SERVICE})
    report = check_folder(tmp_path, tmp_path / asked, options=ADOPT)
    assert {(one.severity, one.rule) for one in report.findings if one.severity != "note"} == {
        (severity, "value-invalid")
    }


def test_what_an_application_of_a_chart_that_nobody_deploys_makes_is_a_warning_too(tmp_path: Path) -> None:
    files = {
        "root/Chart.yaml": CHART,
        "root/manifests": application("web", "path: charts/web, helm: {valueFiles: [values-.yaml]}"),
        "charts/web/Chart.yaml": CHART,
        "charts/web/manifests": SERVICE,
        "charts/web/error": "Error: open values-.yaml: no such file or directory\n",
    }
    assert {found[:2] for found in warnings(write(tmp_path, files))} == {("warning", "value-invalid")}


@pytest.mark.parametrize(("folder", "release"), [("web", "web"), ("1.2.3", "release-name"), ("a_b", "release-name")])
def test_a_release_is_called_so_that_its_objects_can_be(folder: str, release: str, tmp_path: Path) -> None:
    assert list(rendered(write(tmp_path, {f"charts/{folder}/Chart.yaml": CHART}))) == [release]


def test_a_library_renders_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"lib/Chart.yaml": f"{CHART}type: library\n", "lib/error": "Error: library charts are no charts\n"})
    assert warnings(tmp_path) == []


def test_what_an_application_reads_elsewhere_is_counted(tmp_path: Path) -> None:
    write(tmp_path, {"apps/web.yaml": application("web", "chart: web")})
    report = check_folder(tmp_path, tmp_path, options=ADOPT)
    assert report.unread == 1
    said = [found.found for found in report.findings if found.rule == "not-rendered"]
    assert said == ["found web of https://example.com/acme/platform.git, which is not here"]


def test_a_folder_that_is_not_here_is_a_warning_as_its_branch_may_have_it(tmp_path: Path) -> None:
    files = {"apps/a.yaml": application("a", "path: charts/web"), "apps/b.yaml": application("b", "path: charts/gone")}
    write(tmp_path, {**files, "charts/web/Chart.yaml": CHART})
    assert [found[:2] for found in warnings(tmp_path)] == [("warning", "not-rendered")]


def test_a_name_that_no_file_can_have_is_of_nothing_here(tmp_path: Path) -> None:
    long, name = "x" * 300, "y" * 253  # and the file that overrides this one's source is called even longer
    files = {"apps/a.yaml": application("a", f"path: {long}"), "apps/b.yaml": application(name, "path: charts/web")}
    write(tmp_path, {**files, "charts/web/Chart.yaml": CHART})
    said = f"found {long}, which is not a folder here; nothing of it was checked"
    assert said in {found for _, _, _, found in warnings(tmp_path)}
    assert name in rendered(tmp_path)


def test_jsonnet_is_evaluated_for_an_application_and_else_counted(tmp_path: Path) -> None:
    files = {"site/a.jsonnet": "[]", "site/b.yaml": "{}", "left/a.jsonnet": "", "left/b.jsonnet": ""}
    write(tmp_path, files | {"apps/a.yaml": application("a", "path: site")})
    assert list(rendered(tmp_path)) == ["made"]
    said = "and 1 more are not evaluated: no Application here reads this jsonnet; nothing of it was checked"
    assert warnings(tmp_path) == [("warning", "not-rendered", "left/a.jsonnet", said)]


def test_applications_of_one_name_on_two_clusters_are_no_duplicates(tmp_path: Path) -> None:
    made = application("a", "path: site, directory: {jsonnet: {extVars: [{name: cluster, value: CLUSTER}]}}")
    child = application("child", "path: elsewhere").replace("metadata: {", "metadata: {labels: {of: CLUSTER}, ")
    files = {f"{name}/a.yaml": made.replace("CLUSTER", name) for name in ("one", "two")}
    write(tmp_path, files | {"site/a.jsonnet": "", "elsewhere/a.yaml": ""})
    jsonnet = Path(os.environ["PATH"].split(os.pathsep)[0], "jsonnet")
    document = yaml.safe_load(child)
    jsonnet.write_text(
        f"#!/bin/sh\nfor last; do case $last in cluster=*) c=${{last#cluster=}};; esac; done\n"
        f"printf '%s' '[{json.dumps(document)}]' | sed s/CLUSTER/$c/\n"
    )
    found = load_folder(tmp_path, tmp_path)
    assert [one.spec.name for one in found.applications] == ["a", "a", "child", "child"]
    assert warnings(tmp_path) == []


def test_a_chart_that_a_kustomization_inflates_is_not_rendered_alone(tmp_path: Path) -> None:
    kustomization = "helmGlobals: {chartHome: own}\nhelmCharts: [{name: web}]\n"
    write(tmp_path, {"a/kustomization.yaml": kustomization, "a/own/web/Chart.yaml": CHART, "b/web/Chart.yaml": CHART})
    listed = list_folder(tmp_path, tmp_path)
    assert (listed.charts, listed.manifests) == ([tmp_path / "b/web"], [])


@pytest.fixture
def runs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Count the runs of helm, each a line in the file returned."""
    folder = tmp_path_factory.mktemp("counting")
    (folder / "helm").write_text(HELM.replace("#!/bin/sh\n", f"#!/bin/sh\necho run >> {folder}/runs\n"))
    (folder / "helm").chmod(0o755)
    (folder / "runs").touch()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return folder / "runs"


@pytest.mark.parametrize("error", ["", "Error: execution error at (web/templates/a.yaml:1:2): host must be set\n"])
def test_a_chart_s_result_is_kept_until_its_values_or_its_application_change(
    error: str, tmp_path: Path, runs: Path
) -> None:
    valued = "path: web, helm: {valueFiles: [a.yaml, may-come.yaml], ignoreMissingValueFiles: true}"
    files = {"web/Chart.yaml": CHART, "web/a.yaml": "", "apps/a.yaml": application("a", valued)}
    write(tmp_path, files | ({"lone/Chart.yaml": CHART, "lone/error": error} if error else {}))

    def count() -> int:
        wait_for_the_clock(tmp_path)
        before = len(runs.read_text().splitlines())
        check_folder(tmp_path, tmp_path, options=ADOPT)
        return len(runs.read_text().splitlines()) - before

    everything = 2 if error else 1
    assert [count(), count()] == [everything, 0]
    (tmp_path / "web/a.yaml").write_text("b: 1\n")
    assert [count(), count()] == [everything, 0]
    (tmp_path / "web/may-come.yaml").write_text("b: 1\n")
    assert [count(), count()] == [everything, 0]
    (tmp_path / "web/.helmignore").write_text("a\n")
    assert [count(), count()] == [everything, 0]


def test_a_chart_with_values_that_a_pattern_finds_is_rendered_every_time(tmp_path: Path, runs: Path) -> None:
    source = "path: web, helm: {valueFiles: ['/values/*.yaml'], ignoreMissingValueFiles: true}"
    write(tmp_path, {"web/Chart.yaml": CHART, "apps/a.yaml": application("a", source), "values/a.yaml": ""})
    for _ in range(2):
        check_folder(tmp_path, tmp_path / "apps", options=ADOPT)
    assert len(runs.read_text().splitlines()) == 2
