"""Hosts that cannot be resolved: what programs say of them, and results that are kept until they can be."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.errors import Problem
from gitops_stack.tree_check import unknown_hosts
from gitops_stack.tree_check.check import check_folder
from gitops_stack.tree_check.render import render_source
from gitops_stack.tree_check.result import CheckResult
from gitops_stack.tree_check.source import Request
from gitops_stack.tree_check.unknown_hosts import are_unknown, find_unknown_host, note_unknown
from tests.tree_check.clock import wait_for_the_clock

GIT = "fatal: unable to access 'https://github.com/acme/base/': Could not resolve host: github.com"
GO = 'Get "https://charts.example.com/index.yaml": dial tcp: lookup charts.example.com on 10.0.0.1:53: no such host'
SHORT = "fatal: unable to access 'https://git:9443/acme/base.git/': Could not resolve host: git"
KUSTOMIZE = """#!/bin/sh
echo run >> {runs}
echo "Error: accumulating resources: {said}" >&2
exit 1
"""


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr(unknown_hosts, "_known", {})
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[set[str]], None]:
    """Return what lets these hosts alone be resolved."""
    known: set[str] = set()

    def ask(host: str, _port: object) -> list[object]:
        if host not in known:
            raise socket.gaierror(-2, "Name or service not known")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    return known.update


@pytest.mark.parametrize(
    ("said", "hosts"),
    [
        (GIT, ("github.com",)),
        (GO, ("charts.example.com",)),
        ("fatal: unable to access 'https://git:9443/acme/base.git/': Could not resolve host: git", ("git",)),
        (
            "fatal: unable to access 'https://me:pw@git.example.com/b/': Could not resolve host: git.example.com",
            ("git.example.com",),
        ),
        ("fatal: Could not resolve proxy: proxy.example.com", ()),
        ("fatal: repository 'https://github.com/a/b/' not found", ()),
    ],
)
def test_a_host_is_read_from_what_a_program_says(said: str, hosts: tuple[str, ...]) -> None:
    assert note_unknown(Problem(said)) == hosts


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://github.com/acme/base//deploy?ref=main", "github.com"),
        ("github.com/acme/base/deploy?ref=v1", "github.com"),
        ("git@github.com:acme/base.git", "github.com"),
        ("https://github.com/acme/other//deploy", ""),
        ("https://charts.example.com/stable", "charts.example.com"),
        ("oci://charts.example.com/x", "charts.example.com"),
        ("https://example.com/x", ""),
        ("../base", ""),
        ("https://git:9443/acme/base.git//web", "git"),
        ("ssh://git@git:2222/acme/base", "git"),
        ("git/acme/base", ""),
    ],
)
def test_of_git_a_repository_is_remembered_and_else_a_host(url: str, host: str) -> None:
    note_unknown(Problem(GIT, place="web"))
    note_unknown(Problem(GO, place="web"))
    note_unknown(Problem(SHORT, place="web"))
    expected = {"github.com": GIT, "charts.example.com": GO, "git": SHORT}
    assert find_unknown_host([url]) == ((host, expected[host]) if host else None)


def test_a_long_lived_process_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    note_unknown(Problem(GO))
    later = time.monotonic() + 61
    monkeypatch.setattr(unknown_hosts, "monotonic", lambda: later)
    assert find_unknown_host(["https://charts.example.com"]) is None


def test_one_host_that_is_known_again_is_enough(resolve: Callable[[set[str]], None]) -> None:
    assert are_unknown(["a.example.com", "b.example.com"])
    resolve({"b.example.com"})
    assert not are_unknown(["a.example.com", "b.example.com"])


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return what writes two kustomizations on one base, and a kustomize that says why it fails; gives its runs."""

    def write(said: str) -> Path:
        log = tmp_path / "bin/runs"
        log.parent.mkdir()
        log.touch()
        (tmp_path / "bin/kustomize").write_text(KUSTOMIZE.format(runs=log, said=said))
        (tmp_path / "bin/kustomize").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
        for name in ("a", "b"):
            (tmp_path / "tree" / name).mkdir(parents=True)
            text = "resources: ['https://github.com/acme/base//deploy?ref=main']\n"
            (tmp_path / "tree" / name / "kustomization.yaml").write_text(text)
        wait_for_the_clock(tmp_path)
        return log

    return write


def test_a_repository_that_cannot_be_reached_is_asked_once(failing: Callable[[str], Path], tmp_path: Path) -> None:
    log = failing(GIT)
    first, second = (render_source(Request(tmp_path / "tree" / name, {})) for name in ("a", "b"))
    assert first.skipped == second.skipped
    assert first.hosts == second.hosts == ("github.com",)
    assert second.lacking == first.lacking.replace("/a/", "/b/")
    assert log.read_text() == "run\n"


@pytest.mark.parametrize(("said", "kept"), [(GIT, True), ("lookup failed: i/o timeout", False)])
def test_a_result_is_kept_until_the_host_is_known(
    said: str, kept: bool, tmp_path: Path, failing: Callable[[str], Path], resolve: Callable[[set[str]], None]
) -> None:
    log = failing(said)

    def check() -> tuple[bool, CheckResult]:
        before = log.read_text()
        report = check_folder(tmp_path, tmp_path / "tree")
        return log.read_text() == before, report

    first, second = check(), check()
    assert first[1] == second[1]
    assert len(first[1].lacking) == (2 if kept else 0)
    resolve({"github.com"})
    unknown_hosts._known.clear()
    assert [first[0], second[0], check()[0]] == [False, kept, False]
