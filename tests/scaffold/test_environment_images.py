"""`env deploy`: which images it takes, and what it merges. That Argo CD takes it is in tests/e2e."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_stack.cli import environment
from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.live import argocd_server
from gitops_stack.manifests.environments import Environment
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.scaffold.environment_images import find_environment, read_overrides
from gitops_stack.tree_check.applications import Tree
from tests.cli.test_main import run
from tests.scaffold.test_environments import rendered


def run_web(image: str, *, kinds: tuple[str, ...] = ("kustomize",)) -> Tree:
    """Return a tree with the Application that an environment ana makes of web."""
    made = rendered("env-ana-web", kinds=kinds)
    pod = {"spec": {"containers": [{"name": "web", "image": image}]}}
    workload = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": pod}}
    made.objects = [RenderedObject(workload, "env-ana", "y.yaml", "env-ana-web")]
    return Tree([made])


ANA = Environment("ana", {"quota": {}, "web": {"kustomize": {"images": ["example.com/web:7"]}}})
WEB = run_web("example.com/web:1")


def test_an_image_is_read_for_what_the_application_runs() -> None:
    assert read_overrides(WEB, ANA, ["web=example.com/web:2"]) == {"web": "example.com/web:2"}
    assert ANA.images("web") == ["example.com/web:7"]


def test_an_application_that_is_given_twice_is_refused() -> None:
    with pytest.raises(GitOpsStackError) as raised:
        read_overrides(WEB, ANA, ["web=example.com/web:2", "web=example.com/web:3"])
    said = "web=example.com/web:3: web is given twice; deploy one image of an application at a time"
    assert str(raised.value) == said


OTHERS = ["base=example.com:5000/web:7", "example.com/sidecar@sha256:" + "a" * 64]


@pytest.mark.parametrize(
    ("images", "merged"),
    [
        (["example.com/web:7", *OTHERS], ["example.com/web:2", *OTHERS]),
        (["web=example.com/web:7", *OTHERS], ["web=example.com/web:2", *OTHERS]),
        (OTHERS, [*OTHERS, "example.com/web:2"]),
    ],
)
def test_images_that_git_sets_stay_beside_the_deployed_one(
    images: list[str], merged: list[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    of_git = Environment("ana", {"web": {"kustomize": {"images": images}}})
    asked: list[Any] = []
    monkeypatch.setattr(environment, "find_environment", lambda *_: of_git)
    monkeypatch.setattr(environment, "load_tree", lambda *_: WEB)
    monkeypatch.setattr(argocd_server.ArgoCDServer, "load_user", lambda _: "ana")
    monkeypatch.setattr(argocd_server.ArgoCDServer, "check_stack", lambda *_: None)
    monkeypatch.setattr(argocd_server.ArgoCDServer, "merge_application", lambda _, *given: asked.append(given))
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", "token")
    to = ("-s", "dev", "--server", "argocd.example.com")
    assert run("env", "deploy", "ana", "web=example.com/web:2", *to, monkeypatch=monkeypatch) == 0
    ((name, of_project, change),) = asked
    assert (name, of_project) == ("env-ana-web", "environments")
    assert change["spec"]["source"]["kustomize"]["images"] == merged


@pytest.mark.parametrize(
    ("tree", "written", "said"),
    [
        (WEB, "cart=x:1", "cart=x:1: environment ana has no application cart; it has: web"),
        (WEB, "quota=x:1", "quota=x:1: environment ana has no application quota; it has: web"),
        (WEB, "web=nginx:1", "web: found nginx, which it does not run; it runs: example.com/web"),
        (
            WEB,
            "web=example.com/web:latest",
            "web: found the tag latest, which moves; name a version, or the digest it stands for",
        ),
        (
            run_web("x:1", kinds=("helm",)),
            "web=x:2",
            "web: is not rendered by kustomize, so its image is set by a commit alone",
        ),
    ],
)
def test_an_image_that_cannot_be_set_is_refused(tree: Tree, written: str, said: str) -> None:
    with pytest.raises(GitOpsStackError) as raised:
        read_overrides(tree, ANA, [written])
    assert str(raised.value) == said


def test_only_an_environment_may_be_overridden(project: Path) -> None:
    settings = load_stack_file(project, "dev")
    with pytest.raises(
        GitOpsStackError, match=r"for an application outside of environments use `gitops-stack image set`$"
    ):
        find_environment(project, settings, "guestbook")
