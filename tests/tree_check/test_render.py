"""Sources rendered as the repo-server would: what is read, what is kept, and what is passed on to programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.tree_check import render
from gitops_stack.tree_check.closure import load_closure
from gitops_stack.tree_check.parallel import render_all
from gitops_stack.tree_check.render import Request, flatten, load_program, render_source, source_key

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
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


def test_kustomize_options_of_an_application_become_an_overlay(overlay: Path, started: Path) -> None:
    options = {"namePrefix": "x-", "images": ["web=example.com/web:2", "db@sha256:1", "r.io:5/a/b"], "version": "v5"}
    assert not render_source(Request(overlay, {"kustomize": options})).failed
    text = Path(f"{started}.overlay").read_text()
    assert "namePrefix: x-" in text
    for line in ("newName: example.com/web", "newTag: '2'", "digest: sha256:1", "newName: r.io:5/a/b"):
        assert line in text
    assert "version" not in text
    assert source_key(Request(overlay, {"kustomize": options}), load_closure(overlay)) != source_key(
        Request(overlay, {}), load_closure(overlay)
    )


def test_a_chart_is_rendered_with_the_application_s_values(tmp_path: Path, started: Path) -> None:
    chart = tmp_path / "chart"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("name: web\n")
    helm = {
        "releaseName": "shop",
        "valueFiles": ["dev.yaml"],
        "valuesObject": {"a": 1},
        "parameters": [{"name": "b", "value": "c", "forceString": True}, {"name": "d", "value": "e"}],
    }
    render = render_source(Request(chart, {"helm": helm}, "web", "shop"))
    assert [document["kind"] for _, document in render.documents] == ["ConfigMap"]
    arguments = started.read_text().splitlines()
    assert arguments[:6] == ["template", "shop", str(chart), "--namespace", "shop", "--include-crds"]
    assert arguments[6] == f"--values={chart}/dev.yaml"
    assert arguments[8:] == ["--set-string=b=c", "--set=d=e"]


def test_values_files_are_looked_for_in_the_repository_alone(tmp_path: Path, started: Path) -> None:
    chart = tmp_path / "repository/charts/web"
    chart.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    (chart / "Chart.yaml").write_text("name: web\n")
    render_source(Request(chart, {"helm": {"valueFiles": ["/values/dev.yaml", "../shared.yaml"]}}))
    assert started.read_text().splitlines()[6:8] == [
        f"--values={tmp_path}/repository/values/dev.yaml", f"--values={chart}/../shared.yaml",
    ]  # fmt: skip
    started.unlink()
    render = render_source(Request(chart, {"helm": {"valueFiles": ["../../../secret.yaml"]}}))
    assert render.failed == (f"{chart}: valueFiles: found ../../../secret.yaml; needs a file of the repository",)
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
    assert (render.documents, render.failed) == (
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
        (sentence,) = render_source(Request(folder, {})).failed
        assert sentence.startswith(f"{folder}: ")
        assert "boom" in sentence
    assert not started.exists()


@pytest.mark.parametrize("printed", [b"a: [", b"a: \xff\x00", b"a: !!int x"])
def test_what_helm_prints_that_is_no_yaml_is_a_finding(printed: bytes, tmp_path: Path, started: Path) -> None:
    (tmp_path / "answer").write_bytes(printed)
    (tmp_path / "Chart.yaml").write_text("name: a\n")
    render = render_source(Request(tmp_path, {}))
    assert started.exists()
    assert render.documents == ()
    (sentence,) = render.failed
    assert sentence.startswith(f"{tmp_path}: what helm rendered: is no YAML: ")
    assert sentence.endswith("; correct it")


def test_values_of_another_source_are_not_guessed(tmp_path: Path, started: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: a\n")
    render = render_source(Request(tmp_path, {"helm": {"valueFiles": ["$values/a.yaml"]}}))
    assert render.skipped == "its Helm values come from another source"
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
