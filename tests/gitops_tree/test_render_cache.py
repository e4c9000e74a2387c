"""Kept renders: found by content alone, and never trusted further than that."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.render_cache import load_render, render_key, write_render
from tests.stacks import stack_render, stack_tree

FAKE = """#!/bin/sh
echo "$*" >> "{log}"
cat "{answer}"
"""
FRESH = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fresh}\n"
FRESH_OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fresh"}}


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    return Path(shutil.copytree(stack_tree("dev") / "argocd", tmp_path / "overlay"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "renders"


@pytest.fixture
def kustomize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a kustomize on PATH that always renders one ConfigMap; returns the file its calls are written to."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "answer").write_text(FRESH)
    for name in ("kustomize", "git"):
        (tmp_path / "bin" / name).write_text(FAKE.format(log=tmp_path / "calls", answer=tmp_path / "answer"))
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return tmp_path / "calls"


def test_a_kept_render_saves_kustomize(overlay: Path, cache: Path, kustomize: Path) -> None:
    assert load_manifests(overlay) == [FRESH_OBJECT]
    assert load_manifests(overlay) == [FRESH_OBJECT]
    assert kustomize.read_text() == f"build {overlay}\n"
    assert len(list(cache.glob("*.json.gz"))) == 1


def test_a_fresh_render_is_asked_for_in_spite_of_a_kept_one(overlay: Path, cache: Path, kustomize: Path) -> None:
    load_manifests(overlay)
    load_manifests(overlay, fresh=True)
    assert kustomize.read_text().count("build") == 2
    assert cache.is_dir()


def _edit_patch(overlay: Path) -> None:
    with (overlay / "patches/00-argocd-cm.yaml").open("a") as file:
        file.write("# edited\n")


def _edit_base(overlay: Path) -> None:
    file = overlay / "kustomization.yaml"
    file.write_text(file.read_text().replace("timeout=120s", "timeout=60s"))


def _add_patch(overlay: Path) -> None:
    (overlay / "patches/50-mine.yaml").write_text("a: b\n")


def _rename_patch(overlay: Path) -> None:
    (overlay / "patches/00-argocd-cm.yaml").rename(overlay / "patches/00-argocd-mc.yaml")


@pytest.mark.parametrize("change", [_edit_patch, _edit_base, _add_patch, _rename_patch])
def test_an_overlay_that_changed_has_another_key(change: Callable[[Path], None], overlay: Path) -> None:
    before = render_key(overlay)
    change(overlay)
    assert render_key(overlay) not in (before, None)
    assert before is not None


def test_the_lock_and_the_folder_do_not_change_the_key(overlay: Path) -> None:
    (overlay / "lock.yaml").unlink()
    assert render_key(overlay) == render_key(stack_tree("dev") / "argocd")


def test_a_kustomization_people_wrote_is_never_kept(tmp_path: Path, cache: Path, kustomize: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [../elsewhere]\n")
    assert render_key(tmp_path) is None
    load_manifests(tmp_path)
    load_manifests(tmp_path)
    assert kustomize.read_text().count("build") == 2
    assert not cache.exists()


WHOLE = gzip.compress(b'[{"kind": "Forged"}]')


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no gzip", id="no gzip"),
        pytest.param(WHOLE[:-9], id="cut off"),
        pytest.param(WHOLE[:12] + b"\xff\xff" + WHOLE[14:], id="damaged"),
        pytest.param(gzip.compress(b"{"), id="no JSON"),
        pytest.param(gzip.compress(b"{}"), id="no list"),
        pytest.param(gzip.compress(b"[1]"), id="no objects"),
        pytest.param(gzip.compress(b"null"), id="nothing"),
    ],
)
def test_a_damaged_file_is_rendered_again(content: bytes, overlay: Path, cache: Path, kustomize: Path) -> None:
    cache.mkdir(parents=True)
    (cache / f"{render_key(overlay)}.json.gz").write_bytes(content)
    assert load_manifests(overlay) == [FRESH_OBJECT]
    assert kustomize.read_text().count("build") == 1


def test_what_is_written_is_read_again(cache: Path) -> None:
    write_render("key", stack_render("dev"))
    assert load_render("key") == stack_render("dev")
    assert [file.name for file in cache.iterdir()] == ["key.json.gz"]


def test_twenty_renders_are_kept_the_newest(cache: Path) -> None:
    for number in range(22):
        write_render(f"{number:02}", [])
        os.utime(cache / f"{number:02}.json.gz", (number, number))
    write_render("new", [])
    assert sorted(file.name.partition(".")[0] for file in cache.iterdir()) == [
        *(f"{n:02}" for n in range(3, 22)),
        "new",
    ]


def test_a_cache_that_cannot_be_written_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "file"))
    write_render("key", [])
    assert load_render("key") is None


def test_a_tree_without_a_kept_render_needs_kustomize(
    overlay: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(GitOpsStackError, match="PATH: no git found"):
        load_manifests(overlay)
    assert not cache.exists()
