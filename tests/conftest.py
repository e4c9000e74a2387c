"""The offline world of the fast suite: kept renders, a kubeconfig, and programs that must not be started."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gitops_stack.gitops_tree.cache_folder import load_cache_folder
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.render_cache import render_key
from gitops_stack.tree_check import render
from gitops_stack.tree_check.closure import load_closure
from gitops_stack.tree_check.render import RENDERS as APPLICATION_RENDERS
from gitops_stack.tree_check.render import load_program, render_source, source_key
from gitops_stack.tree_check.source import Request
from tests.git_repository import REAL_GIT, git, repository  # noqa: F401 - fixtures of several folders
from tests.stacks import RENDERS, ROOT, STACKS, is_golden_run, stack_config, stack_settings, stack_tree

_GUARDED = ("kustomize", "kubectl", "git")
_GUARD = """#!/bin/sh
echo "$0 $*" >> "{log}"
echo "{name} was started by a test; is a render of the committed tree missing? run make golden" >&2
exit 97
"""
# What git has of this checkout is no secret: the index alone is read, and nothing is fetched.
_READING = '#!/bin/sh\ncase " $* " in *" ls-files "*) exec {git} "$@" ;; esac\n'


def pytest_sessionstart() -> None:
    """On a golden run, take over the renders that kustomize has just made."""
    if not is_golden_run():
        return
    wanted = {f"{render_key(stack_tree(stack) / 'argocd')}.json.gz" for stack in STACKS}
    RENDERS.mkdir(parents=True, exist_ok=True)
    for stale in {file.name for file in RENDERS.glob("*.json.gz")} - wanted:
        (RENDERS / stale).unlink()
    for name in wanted:
        if not (made := load_cache_folder() / "renders" / name).is_file():
            raise pytest.UsageError(f"{made}: is missing; run `make golden`, which renders the trees first")
        shutil.copyfile(made, RENDERS / name)
    _take_application_renders()


def _take_application_renders() -> None:
    folder = RENDERS / APPLICATION_RENDERS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for workload in (one for stack in STACKS for one in stack_settings(stack).workloads.values()):
        request = Request(ROOT / workload.path, {})
        render_source(request)  # kept already: `make golden` has checked the trees
        made, kept = (source_key(request, load_closure(request.folder), program) for program in (load_program(), ""))
        shutil.copyfile(
            load_cache_folder() / "renders" / APPLICATION_RENDERS / f"{made}.json.gz", folder / f"{kept}.json.gz"
        )


def pytest_configure() -> None:
    """Keep asyncio from reporting futures of failed programs, whose error their test has seen; and hooks out of git.

    It does so when they are collected, with a traceback, for which Python parses source. While a test or pytest
    parses source itself that is a SystemError (AST constructor recursion depth mismatch) in CPython 3.11.
    """
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    # Run by a hook, the tests' own git would work in the repository the hook's GIT_DIR names.
    for name in os.environ.keys() - build_caller_environment().keys():
        del os.environ[name]


@pytest.fixture(scope="session")
def offline_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a cache folder with the kept renders, a kubeconfig, and the guards in `bin`."""
    folder = tmp_path_factory.mktemp("offline")
    shutil.copytree(RENDERS, folder / "cache" / "renders")
    for kept in RENDERS.glob("*.json.gz"):
        note = folder / "cache" / "renders" / kept.name.replace(".json.gz", ".tag")
        note.touch()  # as `lock` does, which `make golden` runs
    contexts = [{"name": stack_config("local")["gitops-stack:cluster"]["context"]}]
    (folder / "kubeconfig").write_text(yaml.safe_dump({"contexts": contexts}), encoding="utf-8")
    (folder / "bin").mkdir()
    for name in _GUARDED:
        guard = folder / "bin" / name
        reading = _READING.format(git=REAL_GIT) if name == "git" else ""
        guard.write_text(reading + _GUARD.format(name=name, log=folder / "started"), encoding="utf-8")
        guard.chmod(0o755)
    _keep_for_processes(folder)
    return folder


def _keep_for_processes(folder: Path) -> None:
    """Keep the renders for the guarded kustomize too, which a process of its own finds on PATH."""
    renders = folder / "cache" / "renders" / APPLICATION_RENDERS
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder / "bin"), prepend=":")
        guarded = load_program()
    for workload in (one for stack in STACKS for one in stack_settings(stack).workloads.values()):
        request = Request(ROOT / workload.path, {})
        kept, made = (source_key(request, load_closure(request.folder), program) for program in ("", guarded))
        shutil.copyfile(renders / f"{kept}.json.gz", renders / f"{made}.json.gz")


@pytest.fixture(autouse=True)
def _offline(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.node.get_closest_marker("e2e"):
        yield
        return
    folder: Path = request.getfixturevalue("offline_folder")
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setenv("GITOPS_STACK_GIT_ENV", "none")
    monkeypatch.setenv("KUBECONFIG", str(folder / "kubeconfig"))
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")
    monkeypatch.setattr(render, "load_program", lambda: "")  # the renders at hand are those of whoever ran make golden
    for name in ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS"):
        monkeypatch.delenv(name, raising=False)
    yield
    if (started := folder / "started").exists():
        calls = started.read_text(encoding="utf-8")
        started.unlink()
        pytest.fail(f"started a program that no fast test may start: {calls}")


@pytest.fixture
def in_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the project's folder, as `pulumi up` does."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the project's stack files and trees, to be changed at will."""
    for stack in STACKS:
        shutil.copy(ROOT / f"Pulumi.{stack}.yaml", tmp_path)
    shutil.copytree(ROOT / "gitops", tmp_path / "gitops")
    return tmp_path
