"""What the engine leaves out or repeats at a person's word: `--target`, `--exclude`, `--replace`, taint, the state.

A guard that is left out is not asked, and what is replaced is deleted. Neither loses anything.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab import bootstrap as road
from gitops_stack.live.kinds import resource_class
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.live.writing import delete
from tests.e2e.scenario import STACK, Scenario, wait_for
from tests.e2e.test_guard import change, refuse, uids

pytestmark = pytest.mark.e2e

GUARDS = ("--exclude", "**Guard::**")
SETTINGS = "**::gitops-stack-argocd/argocd-cm"
CLAIM = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "gitops-stack", "namespace": "kube-system"}}


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    made = Scenario.create(tmp_path_factory.mktemp("targets"), {}, "v3.5.1")
    made.bootstrap()
    yield made
    made.close()


def everything(scenario: Scenario) -> dict[str, str]:
    """Return the UIDs of what a slip would take away, CRDs and Argo CD's own Secret among it."""
    wanted = [
        ObjectReference("apiextensions.k8s.io", "CustomResourceDefinition", "", "applications.argoproj.io", "v1"),
        ObjectReference("", "Secret", "argocd", "argocd-secret", "v1"),
    ]
    found = load_objects(scenario.client, wanted)
    return {**uids(scenario), **{name: one["metadata"]["uid"] if one else "" for name, one in found.items()}}


@pytest.mark.usefixtures("settings_back")
@pytest.mark.parametrize("options", [("--target", SETTINGS), ("--target-replace", SETTINGS), GUARDS])
def test_another_namespace_is_refused_when_the_guards_are_left_out(
    scenario: Scenario, options: tuple[str, ...]
) -> None:
    before = everything(scenario)
    change(scenario, {"argocd": {"namespace": "argocd-two"}})
    for run in (scenario.report.engine.preview, scenario.report.engine.up):
        with pytest.raises(GitOpsStackError, match=r"argocd.namespace: found argocd-two.*guestbook.*docs/move.md"):
            run(*options)
    assert everything(scenario) == before


@pytest.mark.parametrize("options", [("--target", SETTINGS), GUARDS])
def test_another_stack_s_cluster_is_refused_when_the_guards_are_left_out(
    scenario: Scenario, options: tuple[str, ...]
) -> None:
    before = everything(scenario)
    scenario.merge(CLAIM, {"data": {"stack": "second"}})
    try:
        for run in (scenario.report.engine.preview, scenario.report.engine.up):
            with pytest.raises(GitOpsStackError, match="belongs to stack gitops-stack/second"):
                run(*options)
    finally:
        scenario.merge(CLAIM, {"data": {"stack": STACK}})
    assert everything(scenario) == before


def test_a_targeted_update_of_this_stack_s_own_cluster_goes_through(scenario: Scenario) -> None:
    assert scenario.report.engine.up("--target", SETTINGS).keys() == {"same"}


FORCED = [
    "app-of-apps/root",
    "app-of-apps/teardown-guard",
    "argocd/teardown-guard",
    "argocd/argocd",
    "argocd/applications.argoproj.io",
    "argocd/argocd-secret",
    "argocd/cluster-guard",
]


@pytest.mark.parametrize("option", ["--replace", "--target-replace"])
def test_what_is_replaced_by_force_is_not_lost(scenario: Scenario, option: str) -> None:
    before = everything(scenario)
    options = [word for name in FORCED for word in (option, f"**::gitops-stack-{name}")]
    assert scenario.report.engine.up(*options)["replace"] == len(FORCED)
    assert everything(scenario) == before
    assert scenario.get("v1", "ConfigMap", "gitops-stack", "kube-system") is not None
    assert scenario.report.engine.up().keys() == {"same"}


def urns(scenario: Scenario, ending: str) -> list[str]:
    listed = scenario.report.engine.backend.load_deployment(STACK)["resources"]
    return [one["urn"] for one in listed if one["urn"].endswith(ending)]


def test_a_taint_of_all_guards_is_no_destroy(scenario: Scenario) -> None:
    before = everything(scenario)
    for urn in urns(scenario, "-guard"):
        scenario.pulumi("state", "taint", urn, "--yes")
    scenario.report.engine.up()
    assert everything(scenario) == before


def test_a_record_that_is_gone_is_noticed_and_written_again(scenario: Scenario) -> None:
    before = scenario.get("v1", "ConfigMap", "gitops-stack", "kube-system")
    delete(scenario.client, ObjectReference("", "ConfigMap", "kube-system", "gitops-stack", "v1"))
    assert scenario.report.engine.preview()["update"] >= 1
    scenario.report.engine.up()
    after = scenario.get("v1", "ConfigMap", "gitops-stack", "kube-system")
    assert before is not None
    assert after is not None
    assert after["data"] == before["data"]
    assert scenario.report.engine.up().keys() == {"same"}


def test_a_refresh_before_an_update_changes_nothing(scenario: Scenario) -> None:
    before = everything(scenario)
    scenario.pulumi("refresh", "--yes")
    assert not scenario.report.engine.up().keys() & {"create", "replace", "delete"}
    assert everything(scenario) == before


@pytest.mark.parametrize("pattern", ["**::gitops-stack-app-of-apps/root", "**::gitops-stack-argocd/argocd"])
def test_a_destroy_of_one_object_is_refused_by_the_engine_since_guards_hang_on_it(
    scenario: Scenario, pattern: str
) -> None:
    before = everything(scenario)
    with pytest.raises(GitOpsStackError, match="will be destroyed but was not specified in --target list"):
        scenario.report.engine.destroy("--target", pattern, limit_seconds=60)
    assert everything(scenario) == before


def test_a_destroy_without_its_guards_deletes_nothing(scenario: Scenario) -> None:
    before = everything(scenario)
    scenario.report.engine.destroy("--exclude", "**::*/teardown-guard", limit_seconds=60)
    assert everything(scenario) == before


def test_guards_that_were_taken_out_of_the_state_come_back_with_an_update(scenario: Scenario) -> None:
    before = everything(scenario)
    (last,) = urns(scenario, "app-of-apps/teardown-guard")
    scenario.pulumi("state", "delete", last, "--yes")
    with pytest.raises(GitOpsStackError, match=r"Application argocd/\w+: carries .* nothing was deleted"):
        scenario.report.engine.destroy(limit_seconds=90)
    assert everything(scenario) == before
    assert scenario.report.engine.up()["create"] >= 1
    assert everything(scenario) == before


@pytest.mark.usefixtures("settings_back")
def test_a_component_under_another_name_takes_nothing_along(scenario: Scenario) -> None:
    refuse_words = ("gitops-stack-argocd", "alias")
    program = scenario.workspace / "__main__.py"
    text = program.read_text(encoding="utf-8")
    program.write_text(text.replace('GitOpsStack("gitops-stack"', 'GitOpsStack("renamed"'), encoding="utf-8")
    refuse(scenario, *refuse_words)


def test_a_destroy_ends_with_nothing_left(scenario: Scenario) -> None:
    scenario.report.engine.destroy(limit_seconds=road.DESTROY_LIMIT_SECONDS)
    resource = resource_class("apiextensions.k8s.io", "v1", "CustomResourceDefinition", False)
    assert not [one for one in scenario.client.list(resource) if "argoproj" in (one.metadata.name or "")]
    assert scenario.get("v1", "Namespace", "argocd") is None
    assert scenario.get("v1", "ConfigMap", "gitops-stack", "kube-system") is None
    wait_for("the workload's namespace is gone", lambda: scenario.get("v1", "Namespace", "storefront") is None)
