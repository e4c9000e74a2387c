"""`env add`, `env list`, `env remove`: what they write, refuse and leave alone. That it lives is in tests/e2e."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.scaffold.environments import (
    list_expired,
    load_environments,
    parse_ttl,
    plan_environment,
    plan_removal,
)
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import RenderedApplication, Tree, load_tree
from gitops_stack.tree_check.source import Render, Request
from tests.cli.test_main import run
from tests.graph.trees import build_manifest

NOW = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> StackSettings:
    monkeypatch.chdir(project)
    return load_stack_file(Path(), "dev")


def rendered(
    name: str, *, namespace: str = "shop", kinds: tuple[str, ...] = ("kustomize",), **spec: Any
) -> RenderedApplication:
    manifest = build_manifest(name, **spec)
    made = RenderedObject(manifest, "argocd", "x.yaml", "root")
    metadata = {"name": name, **({"namespace": namespace} if "directory" in kinds else {})}
    content = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    return RenderedApplication(
        read_application_spec(made), [RenderedObject(content, namespace, "y.yaml", name)], kinds=set(kinds)
    )


def add(settings: StackSettings, name: str, *applications: RenderedApplication, **options: Any) -> dict[str, list[Any]]:
    """Plan and write an environment; returns path -> documents."""
    plan = plan_environment(Path(), settings, Tree(list(applications)), name, now=NOW, **options)
    plan.write(Path())
    return {path: list(yaml.safe_load_all(text)) for path, text in plan.writes.items()}


def policies(documents: dict[str, list[Any]]) -> dict[str, list[str]]:
    (project,) = documents["gitops/dev/projects/environments.yaml"]
    return {role["name"]: role["policies"] for role in project["spec"]["roles"]}


def test_an_environment_is_a_namespace_a_quota_and_a_set_of_applications(settings: StackSettings) -> None:
    made = add(settings, "pr-17", rendered("web"), rendered("cart", kinds=("helm",)), ttl="3d")
    namespace, found = made["gitops/dev/apps/environment-pr-17.yaml"]
    assert namespace["metadata"]["name"] == "env-pr-17"
    assert "argocd.argoproj.io/sync-options" not in namespace["metadata"]["annotations"]
    assert found["metadata"]["annotations"]["gitops-stack/expires"] == "2026-12-02T12:00:00Z"
    elements = found["spec"]["generators"][0]["list"]["elements"]
    assert {one["application"]: one["source"].get("path") for one in elements} == {
        "quota": "gitops/dev/environments/pr-17",
        "cart": "apps/cart",
        "web": "apps/web",
    }
    sources = {one["application"]: one["source"] for one in elements}
    assert sources["web"]["kustomize"] == {"namespace": "env-pr-17"}
    assert sources["cart"]["helm"] == {"releaseName": "cart"}
    assert [one["kind"] for one in made["gitops/dev/environments/pr-17/quota.yaml"]] == ["ResourceQuota", "LimitRange"]


def test_the_tree_expands_it_as_argo_cd_does_and_finds_nothing_wrong(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    assert run("env", "add", "ana", "--from", "local", "--owner", "developers", monkeypatch=monkeypatch) == 0
    assert "namespace env-ana and its applications then appear" in capsys.readouterr().err
    quota = project / "gitops/local/environments/ana/quota.yaml"
    assert quota.is_file()
    # No program renders in the fast suite: the sources are looked at, and not what is in them.
    monkeypatch.setattr(
        "gitops_stack.tree_check.applications.render_all", lambda requests: [_render(one) for one in requests]
    )
    tree = load_tree(Path(), load_stack_file(Path(), "local"))
    found = {one.spec.name: one.spec for one in tree.applications if one.spec.project == "environments"}
    assert set(found) == {"env-ana-guestbook", "env-ana-quota"}
    spec = found["env-ana-guestbook"]
    assert (spec.namespace, spec.cascades, spec.prunes) == ("env-ana", True, True)
    assert spec.sources[0].options["kustomize"] == {"namespace": "env-ana"}


def _render(request: Request) -> Render:
    files = sorted(request.folder.glob("*.yaml"))
    documents = [(str(file), one) for file in files for one in yaml.safe_load_all(file.read_text())]
    return Render(
        documents=tuple((file, one) for file, one in documents if one and "kind" in one and "metadata" in one)
    )


def test_each_environment_has_a_role_for_its_own_applications_alone(settings: StackSettings) -> None:
    add(settings, "a", rendered("web"), owner="team-a")
    made = add(settings, "a-b", rendered("web"))
    assert policies(made) == {
        name: [
            f"p, proj:environments:{name}, applications, {action}, environments/env-{name}-web, allow"
            for action in ("get", "update", "sync")
        ]
        for name in ("a", "a-b")
    }
    (project,) = made["gitops/dev/projects/environments.yaml"]
    assert [role.get("groups") for role in project["spec"]["roles"]] == [["team-a"], None]
    assert project["spec"]["destinations"] == [{"server": "https://kubernetes.default.svc", "namespace": "env-*"}]
    assert project["spec"]["clusterResourceWhitelist"] == []


@pytest.mark.parametrize(
    ("application", "said"),
    [
        (lambda: rendered("web", sources=[{"repoURL": "x"}, {"repoURL": "y"}]), "has several sources"),
        (lambda: rendered("web", destination={"name": "spoke"}), "is for another cluster"),
        (lambda: rendered("web", namespace=""), "makes ConfigMap web, of which a cluster has one"),
        (lambda: rendered("web", kinds=("directory",)), "names namespace shop in its manifests"),
    ],
)
def test_what_cannot_be_there_twice_is_left_out_or_refused_by_name(
    application: Callable[[], RenderedApplication], said: str, settings: StackSettings
) -> None:
    tree = Tree([application(), rendered("cart")])
    plan = plan_environment(Path(), settings, tree, "ana")
    assert plan.notes[0] == f"left out: web {said}"
    with pytest.raises(GitOpsStackError) as raised:
        plan_environment(Path(), settings, tree, "ana", chosen=["web"])
    assert str(raised.value) == f"--app: web {said}; leave it out, or write its environment by hand"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "Ana": ({}, "NAME: found 'Ana'; needs at most 40 lower case letters, digits and '-', such as pr-17"),
    "a" * 41: ({}, f"NAME: found '{'a' * 41}'; needs at most 40 lower case letters, digits and '-', such as pr-17"),
    "there": ({}, "NAME: environment there is there already; remove it first, or take another name"),
    "x": ({"chosen": ["nope"]}, "--app: found nope, which stack dev does not have; it has: web"),
    "y": ({"ttl": "3 days"}, "--ttl: found '3 days'; needs days or hours, such as 3d or 12h"),
    "z": ({"ttl": "0d"}, "--ttl: found '0d'; needs days or hours, such as 3d or 12h"),
}


def test_an_application_called_quota_does_not_take_the_quota_s_place(settings: StackSettings) -> None:
    tree = Tree([rendered("quota"), rendered("cart")])
    plan = plan_environment(Path(), settings, tree, "ana")
    assert plan.notes[0] == "left out: quota has the name of what brings an environment's quota"
    _, made = yaml.safe_load_all(plan.writes["gitops/dev/apps/environment-ana.yaml"])
    elements = {one["application"]: one["source"]["path"] for one in made["spec"]["generators"][0]["list"]["elements"]}
    assert elements == {"quota": "gitops/dev/environments/ana", "cart": "apps/cart"}
    with pytest.raises(GitOpsStackError, match=r"^--app: quota has the name of what brings an environment's quota; "):
        plan_environment(Path(), settings, tree, "ana", chosen=["quota"])


DAMAGED = {
    "generators: []": "{generators: []}",
    "no source": "{generators: [{list: {elements: [{application: web}]}}]}",
    "a source without a repository": "{generators: [{list: {elements: [{application: web, source: {}}]}}]}",
}


@pytest.mark.parametrize("spec", DAMAGED.values(), ids=DAMAGED)
def test_an_environment_that_cannot_be_read_is_named(spec: str, settings: StackSettings) -> None:
    add(settings, "ana", rendered("web"))
    file = Path("gitops/dev/apps/environment-ana.yaml")
    namespace, found = yaml.safe_load_all(file.read_text())
    file.write_text(yaml.safe_dump_all([namespace, {**found, "spec": yaml.safe_load(spec)}]))
    with pytest.raises(GitOpsStackError, match=r"^environment ana: cannot be read: .*; remove its files, then add it$"):
        load_environments(Path(), settings)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_writes_nothing(name: str, settings: StackSettings) -> None:
    add(settings, "there", rendered("web"))
    before = sorted(Path("gitops").rglob("*"))
    options, said = REFUSED[name]
    with pytest.raises(GitOpsStackError) as raised:
        add(settings, name, rendered("web"), **options)
    assert str(raised.value) == said
    assert sorted(Path("gitops").rglob("*")) == before


def test_what_is_removed_leaves_no_file_and_the_others_as_they_are(settings: StackSettings) -> None:
    before = {path: path.read_bytes() for path in Path("gitops").rglob("*") if path.is_file()}
    add(settings, "ana", rendered("web"))
    alone = {path: path.read_bytes() for path in Path("gitops").rglob("*") if path.is_file()}
    add(settings, "bo", rendered("web"), owner="bo@acme.example")
    plan = plan_removal(Path(), settings, ["bo"])
    (note,) = plan.notes
    assert "Argo CD then deletes env-bo of bo@acme.example with all that is in it" in note, "perhaps not yours"
    plan.write(Path())
    assert {path: path.read_bytes() for path in Path("gitops").rglob("*") if path.is_file()} == alone
    plan_removal(Path(), settings, ["ana"]).write(Path())
    left = {path: path.read_bytes() for path in Path("gitops").rglob("*") if path.is_file()}
    kept = left.pop(Path("gitops/dev/projects/environments.yaml"))
    assert left == before
    assert b"roles: []" in kept
    with pytest.raises(GitOpsStackError, match=r"^NAME: stack dev has no environment ana; it has: none$"):
        plan_removal(Path(), settings, ["ana"])


def test_a_time_that_is_over_is_told(settings: StackSettings) -> None:
    for name, ttl in (("hours", "12h"), ("days", "3d"), ("ever", "")):
        add(settings, name, rendered("web"), ttl=ttl)
    found = load_environments(Path(), settings)
    assert list_expired(found, NOW + parse_ttl("11h")) == []
    assert list_expired(found, NOW + parse_ttl("1d")) == ["hours"]
    assert list_expired(found, NOW + parse_ttl("9999d")) == ["days", "hours"]


@pytest.mark.usefixtures("settings")
def test_the_command_line_lists_and_removes_what_has_expired(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("env", "list", "-s", "dev", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == "no environments in stack dev\n"
    long_ago = datetime(2025, 1, 1, tzinfo=timezone.utc)
    plan_environment(Path(), settings, Tree([rendered("web")]), "old", ttl="1h", now=long_ago).write(Path())
    add(settings, "new", rendered("web"), owner="team-a")
    assert run("env", "list", "-s", "dev", "--output", "json", monkeypatch=monkeypatch) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["old"]["expired"]
    assert found["new"] == {
        "name": "new",
        "namespace": "env-new",
        "owner": "team-a",
        "applications": ["web"],
        "expires": None,
        "expired": False,
        "pullRequests": None,
    }
    assert run("env", "remove", "--expired", "-s", "dev", monkeypatch=monkeypatch) == 0
    assert "gitops/dev/apps/environment-old.yaml: removed" in capsys.readouterr().out
    assert run("env", "remove", "--expired", "-s", "dev", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().err == "no environment of stack dev has expired, nothing to do\n"
    assert run("env", "remove", "-s", "dev", monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == "error: env remove: needs names, or --expired\n"
