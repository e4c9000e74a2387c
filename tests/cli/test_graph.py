"""`gitops-stack graph` on the command line: what it draws, refuses and writes. Its pictures are in tests/graph."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_stack.cli import graph
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.manifests import Manifest
from gitops_stack.tree_check.working_tree import WorkingTree
from tests.cli.test_main import run
from tests.graph.trees import build_manifest, with_status


@pytest.fixture
def living(monkeypatch: pytest.MonkeyPatch) -> list[Manifest]:
    """Have the cluster answer with these Applications."""
    found: list[Manifest] = [
        with_status(build_manifest("root", project="platform")),
        with_status(build_manifest("guestbook", project="storefront"), health="Degraded", message="a pod crashes"),
    ]

    @contextmanager
    def opened(*_: object, **__: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(graph, "open_cluster", opened)
    monkeypatch.setattr(graph, "load_applications", lambda *_: found)
    monkeypatch.setattr(graph, "load_app_projects", lambda *_: [])
    return found


def read_page(text: str) -> dict[str, dict[str, str]]:
    (data,) = re.findall(r'id="data">(.*?)</script>', text)
    return {one["label"]: one for one in json.loads(data)["applications"]}


@pytest.mark.usefixtures("in_project")
def test_a_stack_is_drawn_as_text_without_a_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("graph", "--stack", "dev", monkeypatch=monkeypatch) == 0
    drawn = capsys.readouterr().out
    assert drawn.startswith("flowchart LR\n")
    assert [name for name in ("root", "projects", "argocd", "guestbook") if f'["{name}<br>' in drawn] == [
        "root", "projects", "argocd", "guestbook"
    ]  # fmt: skip


@pytest.mark.usefixtures("in_project", "living")
def test_the_state_of_each_application_is_the_clusters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("graph", "-s", "dev", "--output", "html", "--live", monkeypatch=monkeypatch) == 0
    found = read_page(capsys.readouterr().out)
    assert {label: one["state"] for label, one in found.items()} == {
        "root": "well",
        "projects": "missing",
        "argocd": "missing",
        "guestbook": "unwell",
    }
    assert found["guestbook"]["reason"] == "a pod crashes"


@pytest.mark.usefixtures("living")
def test_a_bootstrap_draws_the_page_of_its_stack(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "graph.html"
    graph.write_live_page(project, "dev", file, tmp_path / "kubeconfig")
    assert read_page(file.read_text())["guestbook"]["state"] == "unwell"


def test_what_the_working_tree_changes_is_marked(
    repository: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    app = repository / "gitops/dev/apps/guestbook.yaml"
    app.unlink()
    assert run("graph", "-s", "dev", "--output", "html", "--against", "base", monkeypatch=monkeypatch) == 0
    found = read_page(capsys.readouterr().out)
    assert found["guestbook"]["state"] == "removed"
    assert "- apps/Deployment storefront/guestbook" in found["guestbook"]["changes"]
    assert not found["argocd"]["changes"]
    assert git(repository, "worktree", "list").count("\n") == 0


REFUSED = {
    "--watch": "error: --watch: needs a file to write again; name one with --write\n",
    "--context=x": "error: graph: --kubeconfig, --context and --role-arn are for --live; add it, or leave them out\n",
    "--against=nowhere": "error: --against: nowhere is not a revision here; fetch it, or correct its name\n",
    "--write=/no/x": "error: --write: /no/x: cannot be written: No such file or directory; name another file\n",
}


@pytest.mark.parametrize("option", REFUSED)
def test_wrong_usage_is_one_sentence(
    option: str, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    assert run("graph", "-s", "dev", option, monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err.endswith(REFUSED[option])


def test_a_watched_tree_is_drawn_again_and_trouble_is_said_once(
    project: Path, living: list[Manifest], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    app, file = project / "gitops/dev/apps/guestbook.yaml", project / "graph.html"
    written = app.read_text(encoding="utf-8")

    def steps() -> Iterator[bool]:
        app.unlink()
        yield True
        assert "guestbook" not in [name for name, one in read_page(file.read_text()).items() if one["state"] != "stray"]
        for _ in range(2):
            monkeypatch.setattr(graph, "load_applications", fail)
            yield False
        monkeypatch.setattr(graph, "load_applications", lambda *_: living)
        app.write_text(written, encoding="utf-8")
        yield True
        assert read_page(file.read_text())["guestbook"]["state"] == "unwell"

    def fail(*_: object) -> None:
        raise EnvironmentProblem("cluster: does not answer")

    walked = steps()

    def wait(*_: object) -> bool:
        found = next(walked, None)
        if found is None:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(WorkingTree, "wait_for_change", wait)
    options = ("--output", "html", "--live", "--watch", "--write", file)
    assert run("graph", "-s", "dev", *options, monkeypatch=monkeypatch) == 130
    assert capsys.readouterr().err.count("not drawn: cluster: does not answer") == 1
    assert '"reloadSeconds": 5' in file.read_text()
