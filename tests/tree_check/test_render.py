"""Sources rendered as the repo-server would: what is read, what is kept, and what is passed on to programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.manifest_file import read_manifests
from gitops_stack.tree_check import render
from gitops_stack.tree_check.closure import load_closure
from gitops_stack.tree_check.directory import flatten
from gitops_stack.tree_check.installation_tools import find_build_options
from gitops_stack.tree_check.parallel import render_all
from gitops_stack.tree_check.render import load_program, render_source, source_key
from gitops_stack.tree_check.source import Request, SourceTools
from gitops_stack.tree_check.source_type import find_kind

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
JSON_MAP = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}'
FAKE = """#!/bin/sh
for argument in "$@"; do echo "$argument" >> {log}; done
if [ "$1" = build ]; then cp "$2/kustomization.yaml" {log}.overlay; fi
cat {answer}
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a kustomize, git and helm on PATH that print one ConfigMap; returns the file of their arguments."""
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "answer").write_text(MAP)
    text = FAKE.format(log=tmp_path / "arguments", answer=tmp_path / "answer")
    for name in ("kustomize", "git", "helm"):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return tmp_path / "arguments"


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """Return an overlay on a base, with a generator and a patch."""
    files = {
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": MAP,
        "base/unused.yaml": MAP,
        "overlay/kustomization.yaml": "resources: [../base]\nconfigMapGenerator: [{name: a, files: [key=data.txt]}]\n"
        "patches: [{path: patch.yaml}]\nlabels: [{pairs: {a: unused.txt}}]\n",
        "overlay/data.txt": "x",
        "overlay/patch.yaml": MAP,
        "overlay/unused.txt": "x",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "overlay"


def test_the_files_of_a_kustomization(overlay: Path) -> None:
    closure = load_closure(overlay)
    assert closure.pinned
    assert [file.relative_to(overlay.parent).as_posix() for file in closure.files] == [
        "base/kustomization.yaml",
        "base/web.yaml",
        "overlay/data.txt",
        "overlay/kustomization.yaml",
        "overlay/patch.yaml",
    ]


@pytest.mark.parametrize(
    ("resource", "pinned"),
    [
        ("https://github.com/acme/x//y?ref=main", False),
        ("github.com/acme/x//y?ref=v1", False),
        (f"github.com/acme/x//y?ref={'a' * 40}", True),
        ("git@github.com:acme/x.git", False),
        ("deploy@git.example.com:acme/x.git", False),
        ("file:///srv/x//y", False),
        ("git.example.com:8443/acme/x", False),
        ("missing.yaml", True),
    ],
)
def test_what_may_change_without_a_change_here_is_not_kept(resource: str, pinned: bool, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(f"resources: ['{resource}']\n")
    assert load_closure(tmp_path).pinned is pinned
    request = Request(tmp_path, {})
    assert bool(source_key(request, load_closure(tmp_path))) is pinned


@pytest.mark.parametrize(
    "text",
    [
        "helmCharts: [{name: a}]\n",
        "generators: [generator.yaml]\n",
        "transformers: [generator.yaml]\n",
        "validators:\n- |-\n  kind: Own\n  files: [data.txt]\n",
    ],
)
def test_what_names_files_in_its_own_way_is_not_kept(text: str, tmp_path: Path) -> None:
    (tmp_path / "generator.yaml").write_text("kind: ConfigMapGenerator\nfiles: [data.txt]\n")
    (tmp_path / "data.txt").write_text("x")
    (tmp_path / "kustomization.yaml").write_text(text)
    assert not load_closure(tmp_path).pinned


@pytest.mark.parametrize(
    "text",
    [
        "transformers: [deep/patch.yaml]\n",
        "generators:\n- |\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  files: [key=patch.json]\n",
        "validators: [deep/patch.yaml]\n",
    ],
)
def test_what_plugins_of_kustomize_itself_name_is_a_file_of_the_kustomization(text: str, tmp_path: Path) -> None:
    plugin = "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\npath: patch.json\n"
    for name, written in {"kustomization.yaml": text, "deep/patch.yaml": plugin, "patch.json": "[]"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(written)
    closure = load_closure(tmp_path)
    assert closure.pinned
    assert tmp_path / "patch.json" in closure.files  # and not deep/patch.json: kustomize 5.8 reads it from the root
    before = source_key(Request(tmp_path, {}), closure)
    (tmp_path / "patch.json").write_text("[{}]")
    assert source_key(Request(tmp_path, {}), load_closure(tmp_path)) != before != ""


@pytest.mark.parametrize("entry", ["missing.yaml", "folder", "https://example.com/transformer.yaml"])
def test_plugins_that_are_not_in_a_file_here_are_not_known(entry: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "kustomization.yaml").write_text(f"transformers: ['{entry}']\n")
    assert not load_closure(tmp_path).pinned


@pytest.mark.parametrize("link", ["app/web.yaml", "app/kustomization.yaml", "app/below"])
def test_a_link_out_of_the_folder_is_not_a_file_of_the_same_content(link: str, tmp_path: Path) -> None:
    for name in ("plain", "linked"):
        for file, text in {
            "kustomization.yaml": "resources: [web.yaml, below/b.yaml]\n",
            "web.yaml": "",
            "below/b.yaml": "",
        }.items():
            (tmp_path / name / "app" / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / "app" / file).write_text(text)
    linked = tmp_path / "linked" / link
    linked.rename(tmp_path / "linked/elsewhere")
    linked.symlink_to(tmp_path / "linked/elsewhere")
    keys = {load_closure(found).key(found) for found in (tmp_path / "plain/app", tmp_path / "linked/app")}
    assert len(keys) == 2


def test_a_base_behind_a_link_is_followed_to_where_it_leads(tmp_path: Path) -> None:
    files = {
        "overlay/kustomization.yaml": "resources: [link]\n",
        "shared/v1/kustomization.yaml": "resources: [../common]\n",
        "shared/common/kustomization.yaml": "resources: [web.yaml]\n",
        "shared/common/web.yaml": MAP,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "overlay/link").symlink_to("../shared/v1")
    closure = load_closure(tmp_path / "overlay")
    assert {file.relative_to(tmp_path).as_posix() for file in closure.files} == set(files)
    assert closure.links == (tmp_path / "overlay/link",)


def test_a_machine_without_kustomize_is_no_finding(
    overlay: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(EnvironmentProblem, match="PATH: no git found, which kustomize fetches"):
        render_source(Request(overlay, {}))


def test_another_kustomize_in_the_same_place_renders_anew(
    overlay: Path, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "load_program", load_program)
    render_source(Request(overlay, {}))
    kustomize = started.parent / "bin/kustomize"
    kustomize.write_text(f"{kustomize.read_text()}# a later release\n")
    render_source(Request(overlay, {}))
    assert started.read_text().splitlines().count("build") == 2


def test_a_render_is_kept_by_content(overlay: Path, started: Path) -> None:
    for _ in range(2):
        render = render_source(Request(overlay, {}))
        assert [document["kind"] for _, document in render.documents] == ["ConfigMap"]
    assert started.read_text().splitlines().count("build") == 1
    before = source_key(Request(overlay, {}), load_closure(overlay))
    (overlay.parent / "base/web.yaml").write_text(f"{MAP}data: {{}}\n")
    assert source_key(Request(overlay, {}), load_closure(overlay)) != before
    render_source(Request(overlay, {}))
    assert started.read_text().splitlines().count("build") == 2


@pytest.mark.parametrize("options", [{"components": ["../part"]}, {"patches": [{"path": "../part/patch.yaml"}]}])
def test_what_an_application_adds_to_a_kustomization_decides_whether_its_render_is_kept(
    options: dict[str, object], overlay: Path, started: Path
) -> None:
    request = Request(overlay, {"kustomize": {**options, "ignoreMissingComponents": True}})
    part = overlay.parent / "part"
    part.mkdir()
    awaited = {part / "kustomization.yaml"} if "components" in options else set()
    assert awaited <= {*render_source(request).files}, "what is missing decides too"
    (part / "kustomization.yaml").write_text("kind: Component\n")
    (part / "patch.yaml").write_text(MAP)
    for count, change in enumerate(("", "# changed\n", ""), start=2):
        for name in ("kustomization.yaml", "patch.yaml"):
            (part / name).write_text((part / name).read_text() + change)
        render = render_source(request)
        assert started.read_text().splitlines().count("build") == min(count, 3)
    assert {*render.files} & {part / "kustomization.yaml", part / "patch.yaml"}


def test_kustomize_options_of_an_application_are_edits_of_a_copy(overlay: Path, started: Path) -> None:
    options = {"namePrefix": "x-", "images": ["web=example.com/web:$ARGOCD_APP_NAME"], "version": "v5"}
    before = (overlay / "kustomization.yaml").read_text()
    assert not render_source(Request(overlay, {"kustomize": options}, "shop")).failed
    said = started.read_text().splitlines()
    assert said[:8] == ["edit", "set", "nameprefix", "--", "x-", "edit", "set", "image"]
    assert said[8:10] == ["web=example.com/web:shop", "build"]
    assert said[10].endswith("/source/overlay")
    assert not Path(said[10]).exists()
    assert (overlay / "kustomization.yaml").read_text() == before
    assert source_key(Request(overlay, {"kustomize": options}), load_closure(overlay)) != source_key(
        Request(overlay, {}), load_closure(overlay)
    )


def test_values_are_found_from_a_project_named_by_a_relative_path(
    tmp_path: Path, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_chart = {"web/Chart.yaml": "name: web\nversion: 1.0.0\n", "web/dev.yaml": "", "values/dev.yaml": ""}
    for name, text in write_chart.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)  # as `gitops-stack check` is started: helm itself runs in the chart's folder
    options = {"helm": {"valueFiles": ["dev.yaml", "$values/dev.yaml"]}}
    request = Request(Path("web"), options, root=Path(), refs=(("values", Path("values")),), several=True)
    assert render_source(request).failed == ()
    values = [one for one in started.read_text().splitlines() if one.startswith("--values=")]
    assert values[:2] == [f"--values={tmp_path}/web/dev.yaml", f"--values={tmp_path}/values/dev.yaml"]


def test_a_chart_is_rendered_with_the_application_s_values(tmp_path: Path, started: Path) -> None:
    chart = tmp_path / "chart"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("name: web\n")
    helm = {
        "releaseName": "shop",
        "valueFiles": ["dev.yaml"],
        "valuesObject": {"a": 1},
        "parameters": [{"name": "b", "value": "c", "forceString": True}, {"name": "d", "value": "e,f"}],
    }
    render = render_source(Request(chart, {"helm": helm}, "web", "shop"))
    assert [document["kind"] for _, document in render.documents] == ["ConfigMap"]
    arguments = started.read_text().splitlines()
    assert arguments[:6] == ["template", ".", "--name-template", "shop", "--namespace", "shop"]
    assert arguments[6:9] == ["--set-string=b=c", r"--set=d=e\,f", f"--values={chart}/dev.yaml"]
    assert arguments[9] == "--include-crds"
    assert arguments[10].startswith("--values=")


def test_values_files_are_looked_for_in_the_repository_alone(tmp_path: Path, started: Path) -> None:
    chart = tmp_path / "repository/charts/web"
    chart.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    (chart / "Chart.yaml").write_text("name: web\n")
    render_source(Request(chart, {"helm": {"valueFiles": ["/values/dev.yaml", "../shared.yaml"]}}))
    assert [one for one in started.read_text().splitlines() if one.startswith("--values=")][:2] == [
        f"--values={tmp_path}/repository/values/dev.yaml", f"--values={chart.parent}/shared.yaml",
    ]  # fmt: skip
    started.unlink()
    render = render_source(Request(chart, {"helm": {"valueFiles": ["../../../secret.yaml"]}}))
    assert tuple(map(str, render.failed)) == (
        f"{chart}: valueFiles: found ../../../secret.yaml; needs a file of the repository",
    )
    assert not started.exists()


@pytest.mark.parametrize("options", [{"directory": {"recurse": True}}, {"kustomize": {}}, {"helm": {}}])
def test_a_link_out_of_the_repository_is_not_followed(options: dict[str, Any], tmp_path: Path, started: Path) -> None:
    folder = tmp_path / "repository/web"
    folder.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    (tmp_path / "secret.yaml").write_text("a: 1\n")
    (folder / "inside.yaml").symlink_to("../other.yaml")
    assert render_source(Request(folder, options)).failed == ()
    started.unlink(missing_ok=True)
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    render = render_source(Request(folder, options))
    assert (render.documents, tuple(map(str, render.failed))) == (
        (),
        (f"{folder}/link.yaml: is a link out of the repository, which Argo CD refuses; put a copy in its place",),
    )
    assert not started.exists()


def test_a_program_that_fails_is_a_sentence(tmp_path: Path, started: Path) -> None:
    (tmp_path / "bin/helm").write_text("#!/bin/sh\necho boom >&2\nexit 1\n")
    (tmp_path / "bin/kustomize").write_text("#!/bin/sh\necho 'Error: boom' >&2\nexit 1\n")
    for name in ("Chart.yaml", "kustomization.yaml"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text("name: a\n")
        (sentence,) = map(str, render_source(Request(folder, {})).failed)
        assert sentence.startswith(f"{folder}: ")
        assert "boom" in sentence
    assert not started.exists()


UNREACHABLE = "fatal: unable to access 'https://git.example.com/x/': Could not resolve host: git.example.com"
OUTSIDE = "accumulating resources from '../a.yaml': security; file '/a.yaml' is not in or below '/b'"


def fail_with(started: Path, said: str) -> None:
    (started.parent / "said").write_text(said)
    (started.parent / "bin/kustomize").write_text(f"#!/bin/sh\ncat {started.parent / 'said'} >&2\nexit 1\n")


def test_a_remote_base_that_cannot_be_reached_is_the_machine_s_trouble(overlay: Path, started: Path) -> None:
    fail_with(started, UNREACHABLE)
    render = render_source(Request(overlay, {}))
    assert (render.failed, render.skipped) == ((), "it needs what cannot be reached or is not installed")
    assert render.lacking == (
        f"{overlay}/kustomization.yaml: the remote base cannot be reached: {UNREACHABLE}; "
        "check the network and the base's address"
    )


@pytest.mark.parametrize(
    ("said", "option"),
    [
        ("Error: must specify --enable-helm", "--enable-helm"),
        ("Error: external plugins disabled; unable to load external plugin 'Own'", "--enable-alpha-plugins"),
        (OUTSIDE, "--load-restrictor LoadRestrictionsNone"),
    ],
)
def test_what_needs_an_option_of_the_build(said: str, option: str, overlay: Path, started: Path) -> None:
    fail_with(started, said)
    unknown = render_source(Request(overlay, {}))
    assert unknown.skipped == f"it needs {option}, which nothing says; name --kustomize-build-options"
    known = render_source(Request(overlay, {}, tools=SourceTools(build_options="")))
    assert str(known.failed[0]).startswith(f"{overlay}: needs {option}; set argocd.kustomize.buildOptions")


def test_options_of_the_build_are_passed_on(overlay: Path, started: Path) -> None:
    tools = SourceTools(build_options="--enable-helm --helm-debug", kubernetes_version="1.35")
    assert render_source(Request(overlay, {}, tools=tools)).failed == ()
    assert started.read_text().splitlines()[-5:] == [
        str(overlay), "--enable-helm", "--helm-debug", "--helm-kube-version", "1.35",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "option",
    ["--enable-exec", "--enable-alpha-plugins=true", "--network", "--mount type=bind", "--helm-command=/x"],
)
def test_options_that_start_programs_of_the_tree_are_left_out(option: str, overlay: Path, started: Path) -> None:
    render = render_source(Request(overlay, {}, tools=SourceTools(build_options=f"{option} --enable-helm")))
    assert (render.skipped, render.failed) == ("", ())
    assert started.read_text().splitlines()[-2:] == [str(overlay), "--enable-helm"]


@pytest.mark.parametrize("written", ["--enable-alpha-plugins", "--enable-alpha-plugins=true"])
def test_what_needs_an_option_that_was_left_out_is_not_rendered(written: str, overlay: Path, started: Path) -> None:
    fail_with(started, "Error: external plugins disabled; unable to load external plugin 'ksops'")
    tools = SourceTools(build_options=f"--enable-exec {written}")
    said = "it needs --enable-alpha-plugins, with which a tree starts programs; that is not done here"
    assert render_source(Request(overlay, {}, tools=tools)).skipped == said


def test_an_option_that_only_some_file_names_fails_no_source(overlay: Path, started: Path) -> None:
    fail_with(started, OUTSIDE)
    render = render_source(Request(overlay, {}, tools=SourceTools(build_options="--enable-helm", guessed=True)))
    assert render.skipped.startswith("it needs --load-restrictor LoadRestrictionsNone, which nothing says")


@pytest.mark.parametrize("option", ["--helm-command=/x", "-o /x", "--output=/x"])
def test_options_that_replace_helm_or_the_output_are_refused(option: str, tmp_path: Path, started: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("helmCharts: [{name: web}]\n")
    render = render_source(Request(tmp_path, {}, tools=SourceTools(build_options=f"--enable-helm {option}")))
    assert render.skipped.startswith(f"kustomize.buildOptions has {option.partition('=')[0].split()[0]}")
    assert not started.exists()


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({"argocd-cm.yaml": "data:\n  kustomize.buildOptions: '--enable-helm'  # on\n"}, "--enable-helm"),
        ({"values.yml": 'configs:\n  cm:\n    "kustomize.buildOptions": "--enable-helm"\n'}, "--enable-helm"),
        ({"cr.yaml": "spec:\n  kustomizeBuildOptions: --enable-helm --helm-debug\n"}, "--enable-helm --helm-debug"),
        ({"crd.yaml": "kustomizeBuildOptions:\n  type: string\n", "a.md": "kustomizeBuildOptions: --x\n"}, None),
        ({"off.yaml": "  # kustomize.buildOptions: --enable-helm\n"}, None),
        ({"a.yaml": "kustomizeBuildOptions: --a\n", "b.yaml": "kustomizeBuildOptions: --b\n"}, None),
    ],
)
def test_a_folder_says_its_build_options_if_all_files_agree(
    files: dict[str, str], options: str | None, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert find_build_options(tmp_path / name for name in files) == options


def test_files_outside_of_the_repository_are_not_read_whatever_the_options_say(tmp_path: Path, started: Path) -> None:
    folder = tmp_path / "repository/web"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (folder / "kustomization.yaml").write_text("configMapGenerator: [{name: a, files: [../../secret]}]\n")
    tools = SourceTools(build_options="--load-restrictor LoadRestrictionsNone")
    render = render_source(Request(folder, {}, root=tmp_path / "repository", tools=tools))
    assert render.skipped == f"it reads {tmp_path}/secret, which is outside of the repository"
    assert not started.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import '/etc/passwd'", "imports /etc/passwd, which is outside of the repository"),
        ("importstr /* */ '../../../secret'", "imports ../../../secret, which is outside of the repository"),
        (r"importbin '\u002fetc/passwd'", "found an import that is not plain text"),
        ("local a = import 'lib.libsonnet'; a", "imports ../../../secret, which is outside of the repository"),
    ],
)
def test_jsonnet_imports_from_the_repository_alone(text: str, said: str, tmp_path: Path, started: Path) -> None:
    folder = tmp_path / "repository/web"
    folder.mkdir(parents=True)
    (folder / "a.jsonnet").write_text(text)
    (folder / "lib.libsonnet").write_text("# import 'x'\n{a: 'import', b: importstr '../../../secret'}")
    (tmp_path / "bin/jsonnet").symlink_to(tmp_path / "bin/helm")
    render = render_source(Request(folder, {}, root=tmp_path / "repository"))
    assert said in str(render.failed[0])
    assert not started.exists()


def test_jsonnet_is_imported_from_the_first_place_that_has_it(tmp_path: Path, started: Path) -> None:
    (tmp_path / "answer").write_text("[]")
    folder, library = tmp_path / "repository/web", tmp_path / "repository/lib/deep"
    for place in (folder, library):
        place.mkdir(parents=True)
    (tmp_path / "repository/top.libsonnet").write_text("{}")
    (folder / "a.jsonnet").write_text("import '../lib/deep/one.libsonnet'")
    # From the folder of the source the same words would lead out of the repository.
    (library / "one.libsonnet").write_text("import '../../top.libsonnet'")
    (tmp_path / "bin/jsonnet").symlink_to(tmp_path / "bin/helm")
    render = render_source(Request(folder, {}, root=tmp_path / "repository"))
    assert render.failed == ()
    assert tmp_path / "repository/top.libsonnet" in {file.resolve() for file in render.files}
    assert started.exists()


def test_jsonnet_gets_the_application_s_variables(tmp_path: Path, started: Path) -> None:
    (tmp_path / "answer").write_text('[{"kind": "A"}, {"kind": "B"}]')
    folder = tmp_path / "repository/web"
    folder.mkdir(parents=True)
    (folder / "a.jsonnet").write_text("[]")
    (tmp_path / "bin/jsonnet").symlink_to(tmp_path / "bin/helm")
    variables = {
        "tlas": [{"name": "a", "value": "$ARGOCD_APP_NAME"}],
        "extVars": [{"name": "b", "value": "1", "code": True}],
        "libs": ["vendor"],
    }
    request = Request(folder, {"directory": {"jsonnet": variables}}, "shop", root=tmp_path / "repository")
    assert [document["kind"] for _, document in render_source(request).documents] == ["A", "B"]
    assert started.read_text().splitlines() == [
        "-J", str(folder), "-J", f"{tmp_path}/repository/vendor", "--tla-str", "a=shop", "--ext-code", "b=1",
        str(folder / "a.jsonnet"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "options", "kind"),
    [
        (["Chart.yaml", "kustomization.yaml"], {}, "kustomize"),
        (["Chart.yaml"], {}, "helm"),
        (["kustomization.yaml", "myChart.yaml"], {}, "helm"),
        (["a.yaml"], {}, "directory"),
        (["Chart.yaml"], {"directory": {"recurse": True}}, "directory"),
        (["Chart.yaml"], {"directory": {}, "kustomize": {"images": []}}, "helm"),
        (["Chart.yaml"], {"directory": {"include": "*.yaml"}}, "directory"),
        (["kustomization.yaml"], {"helm": {"valueFiles": ["a.yaml"]}}, "helm"),
        (["kustomization.yaml"], {"plugin": {}}, "plugin"),
    ],
)
def test_what_renders_a_source(names: list[str], options: dict[str, Any], kind: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_text("a: 1\n")
    assert find_kind(Request(tmp_path, options)) == kind


def test_of_a_list_of_sources_an_empty_section_counts(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: a\n")
    assert find_kind(Request(tmp_path, {"directory": {}}, several=True)) == "directory"


def test_what_is_switched_off_is_read_as_manifests(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: a\n")
    assert find_kind(Request(tmp_path, {}, tools=SourceTools(disabled=frozenset({"helm"})))) == "directory"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$ARGOCD_APP_NAME-${ARGOCD_APP_NAMESPACE}", "web-shop"),
        ("pa$$word", "pa$word"),
        ("$unknown.", "."),
        ("$5 and ${ARGOCD_APP_PROJECT_NAME}", " and team"),
        ("$ alone, ${", "$ alone, "),
    ],
)
def test_variables_of_the_build(text: str, filled: str, tmp_path: Path) -> None:
    assert Request(tmp_path, {}, "web", "shop", project="team").substitute(text) == filled


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        (MAP.encode("utf-8-sig"), ["ConfigMap"]),
        (MAP.encode("utf-16"), ["ConfigMap"]),
        (b"\n# nothing\n", []),
        (f"---\n---\n{MAP}---\n".encode(), ["ConfigMap"]),
        (f"\n{JSON_MAP}\n{JSON_MAP}\n".encode(), ["ConfigMap", "ConfigMap"]),
        (f"{JSON_MAP}{JSON_MAP}".encode(), ["ConfigMap", "ConfigMap"]),
        (f"{JSON_MAP}\n---\n{MAP}".encode(), ["ConfigMap", "ConfigMap"]),
        (b"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n", ["ConfigMap"]),
    ],
)
def test_the_documents_of_a_file(content: bytes, kinds: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    assert [document["kind"] for document in read_manifests((tmp_path / "a.yaml").read_bytes(), "a.yaml")] == kinds


def test_a_kustomization_in_another_encoding_is_left_to_kustomize(tmp_path: Path, started: Path) -> None:
    (tmp_path / "kustomization.yaml").write_bytes(b"resources: [a\xfe.yaml]\n")
    assert len(render_source(Request(tmp_path, {})).documents) == 1
    assert started.exists()


def test_a_character_that_no_program_takes_is_a_sentence(tmp_path: Path, started: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    render = render_source(Request(tmp_path, {"kustomize": {"images": ["a\0b:v1"]}}))
    assert tuple(map(str, render.failed)) == (
        f"{tmp_path}: found a NUL character in the Application's source; remove it",
    )
    assert not started.exists()


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text(MAP)

    def refuse(file: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    render = render_source(Request(tmp_path, {}))
    assert tuple(map(str, render.failed)) == (
        f"{tmp_path}/a.yaml: cannot be read: Permission denied; check its permissions",
    )


@pytest.mark.parametrize("printed", [b"a: [", b"a: \xff\x00", b"a: !!int x"])
def test_what_helm_prints_that_is_no_yaml_is_a_finding(printed: bytes, tmp_path: Path, started: Path) -> None:
    (tmp_path / "answer").write_bytes(printed)
    (tmp_path / "Chart.yaml").write_text("name: a\n")
    render = render_source(Request(tmp_path, {}))
    assert started.exists()
    assert render.documents == ()
    (sentence,) = map(str, render.failed)
    assert sentence.startswith(f"{tmp_path}: what helm rendered: is not YAML: ")
    assert sentence.endswith("; correct it")


def test_values_of_another_source_are_not_guessed(tmp_path: Path, started: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: a\n")
    options = {"helm": {"valueFiles": ["$values/a.yaml"]}}
    render = render_source(Request(tmp_path, options, several=True))
    assert render.skipped == "its Helm values come from source $values, which is not here"
    assert not started.exists()


def test_equal_sources_are_rendered_once_and_the_order_is_kept(overlay: Path, started: Path) -> None:
    plain = overlay.parent / "plain"
    plain.mkdir()
    (plain / "a.yaml").write_text(f"{MAP}---\n{MAP}")
    requests = [Request(overlay, {}), Request(plain, {}), Request(overlay, {})]
    assert [len(render.documents) for render in render_all(requests)] == [1, 2, 1]
    assert started.read_text().splitlines().count("build") == 1


def test_many_sources_are_rendered_by_processes(tmp_path: Path) -> None:
    requests = []
    for number in range(70):
        folder = tmp_path / f"{number:02}"
        folder.mkdir()
        (folder / "a.yaml").write_text(MAP.replace("name: a", f"name: a{number}"))
        requests.append(Request(folder, {}))
    names = [document["metadata"]["name"] for render in render_all(requests) for _, document in render.documents]
    assert names == [f"a{number}" for number in range(70)]


def test_lists_are_taken_apart() -> None:
    documents = [("f", {"kind": "ConfigMapList", "items": [1, 2]}), ("g", {"kind": "List"}), ("h", 3)]
    assert list(flatten(documents)) == [("f", 1), ("f", 2), ("g", {"kind": "List"}), ("h", 3)]


NEEDS_CHARTS = """#!/bin/sh
if [ "$1" = template ] && [ ! -e charts/made ]; then
  echo 'Error: found in Chart.yaml, but missing in charts/' >&2; exit 1
fi
[ "$1" = dependency ] && mkdir -p charts/made
[ "$1" = template ] && cat ANSWER
exit 0
"""


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(
    ("dependency", "lock", "kept"),
    [
        ("{name: lib, version: 1.2.3, repository: 'https://charts.example.com'}", "", True),
        ("{name: lib, version: 1.2.3, repository: 'oci://charts.example.com/a'}", "", True),
        ("{name: lib, version: ^1.2, repository: 'https://charts.example.com'}", "", False),
        ("{name: lib, version: ^1.2, repository: 'https://charts.example.com'}", "{name: lib, version: 1.2.9}", True),
        ("{name: lib, version: '>=0', repository: 'file://../lib'}", "", True),
        ("{name: lib, version: 1.x, repository: 'oci://charts.example.com/a'}", "", False),
    ],
)
def test_a_chart_whose_dependencies_are_fixed_is_kept(dependency: str, lock: str, kept: bool, tmp_path: Path) -> None:
    (tmp_path / "bin/helm").write_text(NEEDS_CHARTS.replace("ANSWER", str(tmp_path / "answer")))
    chart, library = tmp_path / "repository/web", tmp_path / "repository/lib"
    chart.mkdir(parents=True)
    library.mkdir()
    (tmp_path / "repository/.git").mkdir()
    (library / "Chart.yaml").write_text("name: lib\n")
    (chart / "Chart.yaml").write_text(f"name: web\ndependencies: [{dependency}]\n")
    if lock:
        (chart / "Chart.lock").write_text(f"dependencies: [{lock}]\n")
    render = render_source(Request(chart, {}))
    assert render.failed == ()
    assert render.documents
    assert render.pinned == kept
    assert (library / "Chart.yaml" in render.files) == ("file://" in dependency)


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("repository", ["'@acme'", "'alias:acme'"])
def test_a_repository_by_a_name_of_argo_cd_is_not_asked_for(repository: str, tmp_path: Path) -> None:
    (tmp_path / "bin/helm").write_text(NEEDS_CHARTS.replace("ANSWER", str(tmp_path / "answer")))
    chart = tmp_path / "repository/web"
    chart.mkdir(parents=True)
    (chart / "Chart.yaml").write_text(
        f"name: web\ndependencies: [{{name: lib, version: 1.0.0, repository: {repository}}}]\n"
    )
    render = render_source(Request(chart, {}, root=tmp_path / "repository"))
    assert render.skipped == f"only Argo CD's settings know its repository {repository.strip(chr(39))}"
    assert (render.failed, render.pinned) == ((), True)
