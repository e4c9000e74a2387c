"""Which applications a change concerns, and what names may be given."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.tree_check.applications import RenderedApplication, Tree
from gitops_stack.tree_check.selection import (
    Selection,
    find_blocking,
    select_all,
    select_changed,
    select_named,
)
from tests.cases import build_object
from tests.tree_check.test_risks import build_tree

SETTINGS: dict[str, Any] = {"base": "configmap"}
RED = {**SETTINGS, "data": {"color": "red"}}


def build(**applications: list[dict[str, Any]]) -> Tree:
    """Build a tree with the library's own applications, which render nothing unless they are given."""
    return build_tree(True, **{"root": [], "projects": [], "argocd": [], **applications})


def with_spec(tree: Tree, name: str, **changes: Any) -> Tree:
    """Return the tree with another spec of one Application."""
    changed = copy.copy(tree)
    changed.applications = [_with_spec(one, changes) if one.spec.name == name else one for one in tree.applications]
    return changed


def _with_spec(one: RenderedApplication, changes: dict[str, Any]) -> RenderedApplication:
    manifest = copy.deepcopy(one.spec.object.manifest)
    manifest["spec"] |= changes
    found = RenderedObject(manifest, "argocd", "apps.yaml")
    return RenderedApplication(read_application_spec(found), one.objects)


def names(selection: Selection) -> list[str]:
    return [one.spec.name for one in selection.applications]


def test_nothing_is_chosen_of_an_unchanged_tree() -> None:
    tree = build(web=[SETTINGS], shop=[])
    assert select_changed("dev", tree, tree) == Selection(())


def test_an_application_whose_render_differs_is_chosen() -> None:
    found = select_changed("dev", build(web=[SETTINGS], shop=[]), build(web=[RED], shop=[]))
    assert (names(found), found.own, found.gone) == (["web"], (), ())


def test_an_application_that_is_new_is_chosen_even_when_it_renders_nothing() -> None:
    assert names(select_changed("dev", build(), build(web=[]))) == ["web"]


def test_an_application_whose_own_manifest_differs_is_chosen() -> None:
    tree = build(web=[SETTINGS], shop=[])
    other = with_spec(tree, "web", destination={"server": "https://kubernetes.default.svc", "namespace": "other"})
    assert names(select_changed("dev", tree, other)) == ["web"]


def test_the_applications_of_a_changed_project_are_chosen() -> None:
    project = build_object({"base": "project"})
    user = {"project": project["metadata"]["name"]}
    wider = {**project, "spec": {**project["spec"], "sourceRepos": ["https://example.com/other.git"]}}
    before = with_spec(build(web=[], shop=[], projects=[project]), "web", **user)
    before = with_spec(before, "shop", project="another")
    after = with_spec(build(web=[], shop=[], projects=[wider]), "web", **user)
    after = with_spec(after, "shop", project="another")
    found = select_changed("dev", before, after)
    assert (names(found), found.own) == (["web"], ("projects",))


def test_what_is_gone_and_the_installation_are_named_and_not_chosen() -> None:
    found = select_changed("dev", build(web=[SETTINGS]), build(argocd=[SETTINGS]))
    assert (names(found), found.own, found.gone) == ([], ("argocd",), ("web",))


def test_all_are_all_but_the_library_s_own() -> None:
    assert names(select_all(build(web=[], shop=[]))) == ["shop", "web"]


def test_named_applications_come_once_and_in_the_order_of_their_names() -> None:
    assert names(select_named(build(web=[], shop=[]), ["web", "shop", "web"])) == ["web", "shop"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["cart"], "APP: found cart, which is not an application of this tree; known are: shop, web"),
        (["cart", "web", "tea"], "APP: found cart, tea, which are no applications of this tree; known are: shop, web"),
        (
            ["root", "argocd"],
            "APP: found root, argocd, which are no applications of teams but the library's own; known are: shop, web",
        ),
    ],
)
def test_a_name_that_is_none_is_refused_with_those_there_are(given: list[str], said: str) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        select_named(build(web=[], shop=[]), given)
    assert refused.value.findings == (said,)


def test_only_what_is_chosen_and_the_library_s_own_has_to_render() -> None:
    tree = build(web=[], shop=[])
    found = {
        name: Finding("render-failed", "error", f"{name}.yaml", None, "", "found x", "y", name)
        for name in ("web", "shop", "root")
    }
    note = Finding("not-rendered", "note", "web.yaml", None, "", "found x", "", "web")
    tree.findings = [*found.values(), note]
    assert find_blocking(tree, select_named(tree, ["web"]).applications) == [found["web"], found["root"]]
