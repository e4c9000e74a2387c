"""`env follow`: what it writes, what Argo CD makes of that, and what is refused. That it lives is in tests/e2e."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.pull_requests import PullRequests
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.scaffold.environments import plan_environment
from gitops_stack.scaffold.pull_requests import load_pull_requests, plan_pull_requests, plan_pull_requests_removal
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.application_sets.expansion import expand_application_set
from gitops_stack.tree_check.application_sets.repository import Repository
from gitops_stack.tree_check.applications import RenderedApplication, Tree
from gitops_stack.tree_check.schemas import SchemaSet
from gitops_stack.tree_check.source_roots import SourceRoots
from tests.cli.test_main import run
from tests.scaffold.test_environments import rendered

SHA = "0123456789abcdef0123456789abcdef01234567"
SHOP = "https://github.com/Acme/shop.git"


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> StackSettings:
    monkeypatch.chdir(project)
    return load_stack_file(Path(), "dev")


def of(url: str, name: str = "web", **options: Any) -> RenderedApplication:
    """Build an application that is read from ``url``; it runs image `registry.example.com/NAME:1`."""
    source = {"repoURL": url, "path": f"apps/{name}", "targetRevision": "main", **options}
    one = rendered(name, source=source)
    pod = {"containers": [{"name": "main", "image": f"registry.example.com/{name}:1"}]}
    metadata = {"name": name, "namespace": "shop"}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    one.objects.append(RenderedObject({**deployment, "spec": {"template": {"spec": pod}}}, "shop", "d.yaml", name))
    return one


def wanted(**changes: Any) -> PullRequests:
    asked: dict[str, Any] = {
        "name": "shop",
        "forge": "github",
        "repository": "acme/shop",
        "labels": ("preview",),
        "token_secret": "forge-token",
    }
    return PullRequests(**{**asked, **changes})


def follow(settings: StackSettings, *applications: RenderedApplication, **changes: Any) -> dict[str, list[Manifest]]:
    """Plan and write what is followed; returns path -> documents."""
    options = {key: changes.pop(key) for key in ("chosen", "images") if key in changes}
    plan = plan_pull_requests(Path(), settings, Tree(list(applications)), wanted(**changes), **options)
    plan.write(Path())
    return {path: list(yaml.safe_load_all(text)) for path, text in plan.writes.items()}


def application_set(documents: dict[str, list[Manifest]]) -> Manifest:
    return documents["gitops/dev/apps/pull-requests-shop.yaml"][0]


def expand(found: Manifest, *numbers: int) -> dict[str, Manifest]:
    """Expand a set as Argo CD does once its forge has answered with pull requests of these numbers."""
    answered = {"list": {"elements": [{"number": str(number), "head_sha": SHA} for number in numbers]}}
    made = copy.deepcopy(found)
    first, second = made["spec"]["generators"]
    made["spec"]["generators"] = [
        {"list": {**answered["list"], "template": first["pullRequest"]["template"]}},
        {"matrix": {"generators": [answered, second["matrix"]["generators"][1]]}},
    ]
    expansion = expand_application_set(made, Repository(SourceRoots.at_hand(Path(), [])))
    assert not expansion.left_out
    return {one["metadata"]["name"]: one for one in expansion.applications}


def test_each_pull_request_gets_a_namespace_and_its_own_commit(settings: StackSettings) -> None:
    made = follow(settings, of(SHOP), of("https://github.com/acme/bank.git", "bank"))
    found = expand(application_set(made), 17, 4)
    assert set(found) == {
        "pr-shop-17", "pr-shop-17-web", "pr-shop-17-bank", "pr-shop-4", "pr-shop-4-web", "pr-shop-4-bank",
    }  # fmt: skip
    assert {one["spec"]["destination"]["namespace"] for one in found.values()} == {"pr-shop-17", "pr-shop-4"}
    revisions = {name: one["spec"]["source"]["targetRevision"] for name, one in found.items()}
    assert revisions["pr-shop-17-web"] == SHA, "read at the pull request's commit"
    assert revisions["pr-shop-17-bank"] == "main", "another repository knows nothing of it"
    assert revisions["pr-shop-17"] == settings.gitops.revision, "the namespace is the stack's"
    assert {one["spec"]["source"]["kustomize"]["namespace"] for one in found.values()} == {"pr-shop-17", "pr-shop-4"}
    assert all(one["metadata"]["finalizers"] for one in found.values()), "all goes with the pull request"


def test_what_a_pull_request_holds_reaches_its_own_namespaces_alone(settings: StackSettings) -> None:
    made = follow(settings, of(SHOP), of("https://github.com/acme/bank.git", "bank"))
    projects = {one["spec"]["project"] for name, one in expand(application_set(made), 17).items() if "-17-" in name}
    assert projects == {"pull-requests-shop"}
    (project,) = made["gitops/dev/projects/pull-requests-shop.yaml"]
    spec = project["spec"]
    assert spec["destinations"] == [{"server": "https://kubernetes.default.svc", "namespace": "pr-shop-*"}]
    assert spec["clusterResourceWhitelist"] == []
    assert spec["sourceRepos"] == [SHOP, "https://github.com/acme/bank.git"]
    assert not {"ResourceQuota", "LimitRange"} & {one["kind"] for one in spec["namespaceResourceWhitelist"]}


def test_namespaces_and_quotas_come_from_the_stack_by_a_project_of_their_own(settings: StackSettings) -> None:
    made = follow(settings, of(SHOP))
    (project,) = made["gitops/dev/projects/pull-request-namespaces.yaml"]
    assert project["spec"]["sourceRepos"] == [settings.gitops.repo_url]
    assert project["spec"]["clusterResourceWhitelist"] == [{"group": "", "kind": "Namespace"}]
    assert expand(application_set(made), 1)["pr-shop-1"]["spec"]["project"] == "pull-request-namespaces"
    folder = "gitops/dev/pull-requests/shop"
    assert made[f"{folder}/kustomization.yaml"][0]["resources"] == ["namespace.yaml", "quota.yaml"]
    assert [one["kind"] for one in made[f"{folder}/quota.yaml"]] == ["ResourceQuota", "LimitRange"]


def test_an_image_is_tagged_with_the_commit(settings: StackSettings) -> None:
    url = "https://github.com/acme/manifests.git"
    web = of(url, kustomize={"images": ["registry.example.com/web:1", "registry.example.com/other:2"]})
    made = follow(settings, web, images=["web=registry.example.com/web"])
    source = expand(application_set(made), 17)["pr-shop-17-web"]["spec"]["source"]
    assert source["kustomize"]["images"] == [f"registry.example.com/web:{SHA}", "registry.example.com/other:2"]
    assert source["targetRevision"] == "main"


def test_braces_of_a_source_stay_as_they_are(settings: StackSettings) -> None:
    written = {"commonAnnotations": {"text": "{{ .Values.x }} and {{`y`}}: # 'z' \"w\"\nnext"}}
    made = follow(settings, of(SHOP, kustomize=written))
    source = expand(application_set(made), 17)["pr-shop-17-web"]["spec"]["source"]
    assert source["kustomize"]["commonAnnotations"] == written["commonAnnotations"]


ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "github": (
        {"labels": ("preview", "safe")},
        {
            "owner": "acme",
            "repo": "shop",
            "tokenRef": {"secretName": "forge-token", "key": "token"},
            "labels": ["preview", "safe"],
        },
    ),
    "gitlab": (
        {"repository": "acme/teams/shop", "api": "https://gitlab.example.com", "requeue_seconds": 60},
        {
            "project": "acme/teams/shop",
            "api": "https://gitlab.example.com",
            "tokenRef": {"secretName": "forge-token", "key": "token"},
            "labels": ["preview"],
            "pullRequestState": "opened",
        },
    ),
}


@pytest.mark.parametrize("forge", ASKED)
def test_the_forge_is_asked_for_open_and_labelled_ones_and_argo_cd_s_schema_takes_it(
    forge: str, settings: StackSettings
) -> None:
    changes, asked = ASKED[forge]
    url = f"https://git.example.com/{changes.get('repository', 'acme/shop')}.git"
    made = follow(settings, of(url), forge=forge, **changes)
    first, second = application_set(made)["spec"]["generators"]
    generators = first["pullRequest"], second["matrix"]["generators"][0]["pullRequest"]
    for generator in generators:
        assert generator[forge] == asked
        assert generator["requeueAfterSeconds"] == changes.get("requeue_seconds", 300)
    kinds = [RenderedObject(one, "argocd", "x.yaml") for documents in made.values() for one in documents]
    known = [one for one in kinds if one.kind != "Kustomization"]
    assert len(known) == 6
    assert [str(one) for one in SchemaSet("1.35").check(known)] == []


def test_the_schema_knows_the_generator(settings: StackSettings) -> None:
    found = copy.deepcopy(application_set(follow(settings, of(SHOP))))
    found["spec"]["generators"][1]["matrix"]["generators"][0]["pullRequest"]["github"]["labels"] = "preview"
    (finding,) = SchemaSet("1.35").check([RenderedObject(found, "argocd", "x.yaml")])
    assert "labels" in str(finding)


LEFT_OUT = "is read from the pull requests' repository and no kustomization, so it could name any namespace"


def test_what_could_name_any_namespace_is_left_out_or_refused(settings: StackSettings) -> None:
    chart = rendered("cart", kinds=("helm",), source={"repoURL": SHOP, "path": "chart"})
    plan = plan_pull_requests(Path(), settings, Tree([chart, of(SHOP)]), wanted())
    assert plan.notes[0] == f"left out: cart {LEFT_OUT}"
    with pytest.raises(GitOpsStackError) as raised:
        plan_pull_requests(Path(), settings, Tree([chart, of(SHOP)]), wanted(), chosen=["cart", "web"])
    assert str(raised.value) == f"--app: cart {LEFT_OUT}; leave it out"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no label": (
        {"labels": ()},
        "--label: is missing; without one, anybody who opens a pull request could run anything in the cluster",
    ),
    "two labels in one": ({"labels": ("a,b",)}, "--label: found 'a,b'; needs a label, without commas and braces"),
    "an empty label": ({"labels": (" ",)}, "--label: found ' '; needs a label, without commas and braces"),
    "a name": (
        {"name": "Shop"},
        "NAME: found 'Shop'; needs at most 40 lower case letters, digits and '-', such as pr-17",
    ),
    "a name that is there": ({"name": "there"}, "NAME: there is there already; remove it first, or take another name"),
    "a name inside another's": (
        {"name": "there-too"},
        "NAME: the namespaces of there-too and there could not be told apart; take another name",
    ),
    "an environment's name": ({"name": "ana"}, "NAME: ana is an environment; take another name"),
    "a URL": ({"repository": SHOP}, f"--repository: found '{SHOP}'; needs OWNER/NAME"),
    "three parts": ({"repository": "a/b/c"}, "--repository: found 'a/b/c'; needs OWNER/NAME"),
    "one part": ({"repository": "a", "forge": "gitlab"}, "--repository: found 'a'; needs GROUP/PROJECT"),
    "plain HTTP": (
        {"api": "http://git.example.com"},
        "--api: found http://git.example.com; needs https://, as the token goes there",
    ),
    "a Secret": ({"token_secret": "A B"}, "--token-secret: found 'A B'; needs the name of a Secret"),
    "nothing of it": (
        {"repository": "acme/docs"},
        "--repository: no application is read from acme/docs, so nothing would be the pull request's; name the image "
        "its pipeline pushes, tagged with the commit: --image APP=REPOSITORY",
    ),
    "an image of nobody": (
        {"images": ["nope=registry.example.com/web"]},
        "--image: found nope=registry.example.com/web; needs APP=REPOSITORY with one of: web",
    ),
    "an image it does not run": (
        {"images": ["web=registry.example.com/cart"]},
        "--image: web: found registry.example.com/cart, which it does not run; it runs: registry.example.com/web",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_writes_nothing(case: str, settings: StackSettings) -> None:
    follow(settings, of(SHOP), name="there")
    plan_environment(Path(), settings, Tree([rendered("web")]), "ana").write(Path())
    before = sorted(Path("gitops").rglob("*"))
    changes, said = REFUSED[case]
    with pytest.raises(GitOpsStackError) as raised:
        follow(settings, of(SHOP), **changes)
    assert str(raised.value) == said
    assert sorted(Path("gitops").rglob("*")) == before


@pytest.mark.parametrize(
    ("projects", "said"),
    [
        (
            {"pull-requests-shop": {"namespaces": ["shop"]}},
            "NAME: pull-requests-shop is a project of the stack file; take another name",
        ),
        (
            {"team": {"namespaces": ["pr-*"]}},
            "NAME: project team of the stack file has namespace pr-*, and pr-shop-1 with it",
        ),
    ],
)
def test_a_team_s_project_and_namespaces_stay_its_own(
    projects: dict[str, Any], said: str, settings: StackSettings
) -> None:
    document = settings.model_dump(by_alias=True, exclude_unset=True)
    changed = StackSettings.model_validate({**document, "projects": projects, "workloads": {}})
    with pytest.raises(GitOpsStackError) as raised:
        follow(changed, of(SHOP))
    assert str(raised.value) == said


def test_an_environment_of_the_same_name_is_refused(settings: StackSettings) -> None:
    follow(settings, of(SHOP))
    with pytest.raises(GitOpsStackError, match=r"^NAME: shop follows pull requests; take another name$"):
        plan_environment(Path(), settings, Tree([rendered("web")]), "shop")


def files() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path("gitops").rglob("*") if path.is_file()}


def test_what_is_removed_leaves_its_projects_and_nothing_else(settings: StackSettings) -> None:
    before = files()
    follow(settings, of(SHOP))
    (found,) = load_pull_requests(Path(), settings)
    assert (found.name, found.forge, found.repository, found.labels) == ("shop", "github", "acme/shop", ("preview",))
    plan_pull_requests_removal(Path(), settings, ["shop"]).write(Path())
    left = files()
    projects = [Path(f"gitops/dev/projects/{name}.yaml") for name in ("pull-requests-shop", "pull-request-namespaces")]
    for path in projects:
        assert b"Prune=false" in left.pop(path), "an application whose project is gone could not be deleted"
    assert left == before
    assert load_pull_requests(Path(), settings) == []


DAMAGED: dict[str, Callable[[Manifest], object]] = {
    "no generators": lambda spec: spec.update(generators=[]),
    "another generator": lambda spec: spec["generators"][0].pop("pullRequest"),
    "no list": lambda spec: spec["generators"][1]["matrix"]["generators"].pop(),
    "no YAML": lambda spec: spec["generators"][1]["matrix"]["generators"][1]["list"].update(elementsYaml="{"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_cannot_be_read_is_named(case: str, settings: StackSettings) -> None:
    made = application_set(follow(settings, of(SHOP)))
    DAMAGED[case](made["spec"])
    Path("gitops/dev/apps/pull-requests-shop.yaml").write_text(yaml.safe_dump(made))
    with pytest.raises(
        GitOpsStackError, match=r"^pull requests shop: cannot be read: .*; remove its files, then add it$"
    ):
        load_pull_requests(Path(), settings)


def test_the_command_line_lists_and_removes_both_kinds(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    follow(settings, of(SHOP))
    plan_environment(Path(), settings, Tree([rendered("web")]), "ana").write(Path())
    assert run("env", "list", "-s", "dev", "--output", "json", monkeypatch=monkeypatch) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["ana"]["pullRequests"] is None
    assert found["shop"]["namespace"] == "pr-shop-*"
    assert found["shop"]["pullRequests"] == {"forge": "github", "repository": "acme/shop", "labels": ["preview"]}
    assert run("env", "list", "-s", "dev", monkeypatch=monkeypatch) == 0
    assert "each with its pull request of acme/shop labelled preview" in " ".join(capsys.readouterr().out.split())
    assert run("env", "remove", "ana", "shop", "-s", "dev", monkeypatch=monkeypatch) == 0
    assert not list(Path("gitops/dev/apps").glob("*shop*"))
    assert not list(Path("gitops/dev/apps").glob("*ana*"))
    assert run("env", "remove", "shop", "-s", "dev", monkeypatch=monkeypatch) == 1
