from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_stack.graph.graph import Change, Graph, GraphApplication, Look, build_graph
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.applications import Tree
from gitops_stack.tree_check.difference import compare_trees
from tests.graph.trees import build_look, build_manifest, build_rendered, build_tree, with_status, without


def draw(tree: Tree, look: Look | None = None, base: Tree | None = None) -> Graph:
    change = Change("main", base, compare_trees("dev", base, tree)) if base else None
    return build_graph("dev", tree, look, change)


def find(graph: Graph, label: str) -> GraphApplication:
    return next(one for one in graph.applications if one.label == label)


def test_groups_are_parents_before_what_they_render_and_waves_in_order() -> None:
    tree = build_tree(4)
    tree.applications.append(build_rendered(build_manifest("inner", wave=-5), "shop-service-0"))
    found = [(parent, wave, [one.label for one in members]) for parent, wave, members in draw(tree).groups]
    assert found == [
        ("", 0, ["root"]),
        ("root", 0, ["shop-service-0"]),
        ("root", 10, ["payments-service-1"]),
        ("root", 20, ["search-service-2"]),
        ("shop-service-0", -5, ["inner"]),
    ]


def test_an_application_says_where_it_comes_from_and_where_it_goes() -> None:
    found = find(draw(build_tree(8)), "payments-service-6")
    assert (found.project, found.cluster, found.namespace, found.objects) == ("payments", "spoke", "payments", 1)
    (source,) = found.sources
    assert source.repository == "https://git.example.com/payments.git"
    assert (source.place, source.revision) == ("apps/payments-service-6", "main")


def test_a_password_in_a_repository_url_is_not_drawn() -> None:
    url = "https://me:hunter2@git.example.com/x.git"
    tree = Tree([build_rendered(build_manifest("web", source={"repoURL": url, "chart": "web"}))])
    assert "hunter2" not in repr(draw(tree))


def test_two_of_one_name_are_drawn_apart() -> None:
    tree = Tree([build_rendered(build_manifest("web", namespace=name)) for name in ("argocd", "team")])
    assert sorted(one.label for one in draw(tree).applications) == ["argocd/web", "team/web"]


@pytest.mark.parametrize(
    ("sync", "health", "state"),
    [("Synced", "Healthy", "well"), ("OutOfSync", "Healthy", "waiting"), ("Synced", "Degraded", "unwell")],
)
def test_the_cluster_says_how_an_application_is(sync: str, health: str, state: str) -> None:
    tree = build_tree(1)
    manifest = tree.applications[0].spec.object.manifest
    (found,) = draw(tree, build_look([with_status(manifest, sync, health, "a pod crashes")])).applications
    assert found.state == state
    assert (found.sync, found.health, found.revision) == (sync, health, "0" * 40)
    assert bool(found.reason) == (state != "well")


def test_what_is_on_one_side_alone_is_said() -> None:
    stranger = with_status(build_manifest("stranger", project="old"))
    graph = draw(build_tree(1), build_look([stranger]))
    assert {one.label: one.state for one in graph.applications} == {"root": "missing", "stranger": "stray"}
    assert find(graph, "stranger").project == "old"
    assert graph.counts() == {"missing": 1, "stray": 1}


def test_what_a_set_made_that_nobody_here_can_expand_is_no_stranger() -> None:
    manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "pr-shop"}}
    rendered = RenderedObject(manifest, "argocd", "x.yaml", "root")
    said = rendered.finding("spec.generators", "is not expanded: why", "nothing", rule="application-set-not-expanded")
    tree = replace(build_tree(1), findings=[said])
    made, stranger = build_manifest("pr-shop-17-web"), build_manifest("stranger")
    for one, owner in ((made, "pr-shop"), (stranger, "gone")):
        one["metadata"]["ownerReferences"] = [{"kind": "ApplicationSet", "name": owner}]
    graph = draw(tree, build_look([with_status(made), with_status(stranger)]))
    assert {one.label: one.state for one in graph.applications} == {
        "root": "missing",
        "pr-shop-17-web": "well",
        "stranger": "stray",
    }
    assert find(graph, "pr-shop-17-web").parent == "root"
    assert graph.notes == ("argoproj.io/ApplicationSet argocd/pr-shop: is not expanded: why; nothing",)


def test_without_a_cluster_no_state_is_guessed() -> None:
    assert {one.state for one in draw(build_tree(3)).applications} == {"unknown"}


def test_a_change_touches_what_diff_says_and_no_more() -> None:
    graph = draw(build_tree(13, color="blue"), base=build_tree(13, color="red"))
    assert {one.label: one.changes for one in graph.applications if one.touched} == {
        "shop-service-0": ("~ ConfigMap shop/shop-service-0",),
        "shop-service-10": ("~ ConfigMap shop/shop-service-10",),
    }
    assert graph.against == "main"


def test_an_application_that_the_change_removes_is_drawn_with_its_risk() -> None:
    base = build_tree(4)
    gone = find(draw(without(base, "shop-service-0"), base=base), "shop-service-0")
    assert gone.state == "removed"
    assert gone.changes == ("- ConfigMap shop/shop-service-0",)


def test_one_that_the_change_removes_and_that_still_runs_is_drawn_once() -> None:
    base = build_tree(4)
    look = build_look(with_status(one.spec.object.manifest) for one in base.applications)
    graph = draw(without(base, "shop-service-0"), look, base)
    assert [one.state for one in graph.applications if one.label == "shop-service-0"] == ["stray"]
    assert find(graph, "shop-service-0").touched


def test_applications_that_render_each_other_end() -> None:
    tree = Tree([build_rendered(build_manifest(name), other) for name, other in (("one", "two"), ("two", "one"))])
    assert [one.label for one in draw(tree).applications] == ["two", "one"]


def test_what_could_not_be_rendered_is_said_and_not_guessed() -> None:
    tree = build_tree(2)
    one = tree.applications[1]
    one.unread.add("spec.source")
    tree.findings.append(one.spec.object.finding("spec.source", "fails", "mend it", rule="render-failed"))
    graph = draw(tree)
    assert graph.notes == ("root: fails; mend it",)
    assert [found.partial for found in graph.applications] == [False, True]
