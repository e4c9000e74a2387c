"""What the engine leaves out or repeats at a person's word: `--target`, `--exclude`, `--replace`, taint, the state.

A guard that is left out is not asked, and what is replaced is deleted. Neither loses anything.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.live_state import ObjectReference, load_objects
from tests.e2e.scenario import STACK, Scenario
from tests.e2e.test_guard import change, uids

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


@pytest.fixture
def settings_back(scenario: Scenario) -> Iterator[None]:
    """Put the stack file and the tree back after a test that changes them."""
    yield
    for command in (("checkout", "--quiet", "."), ("clean", "--quiet", "-fd")):
        scenario.report.workspace.git(*command)


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
