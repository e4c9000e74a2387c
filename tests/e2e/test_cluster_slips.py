"""docs/changes.md, "Slips in the cluster": what they take away, what our commands say, and the way back.

Argo CD's namespace is deleted here while its controllers run; in drill namespace-deleted they end first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.live.writing import delete
from tests.e2e.scenario import STACK, Scenario, wait_for
from tests.e2e.test_targets import everything

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

DEFINITION = ObjectReference("apiextensions.k8s.io", "CustomResourceDefinition", "", "applications.argoproj.io", "v1")
HOME, TEAM = (ObjectReference("", "Namespace", "", name, "v1") for name in ("argocd", "storefront"))
ROOT, GUESTBOOK = (
    ObjectReference("argoproj.io", "Application", "argocd", name, "v1alpha1") for name in ("root", "guestbook")
)
PROJECT = ObjectReference("argoproj.io", "AppProject", "argocd", "storefront", "v1alpha1")
WORKLOAD = "apps/Deployment storefront/guestbook"
APPLICATIONS = {ROOT.text, TEAM.text, WORKLOAD}


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    made = Scenario.create(tmp_path_factory.mktemp("cluster"), {}, "v3.5.1")
    made.bootstrap()
    yield made
    made.close()


def test_a_second_update_at_the_same_time_is_refused_and_the_first_one_ends(scenario: Scenario) -> None:
    engine, before = scenario.report.engine, everything(scenario)
    results: list[dict[str, int]] = []
    first = threading.Thread(target=lambda: results.append(engine.up("--refresh")))
    first.start()
    try:
        wait_for(
            "the lock is taken", lambda: list((engine.backend.folder / ".pulumi/locks").rglob("*.json")), every=0.05
        )
        with pytest.raises(EnvironmentProblem, match=r"process \d+ on .* is changing this stack since .*; wait for it"):
            engine.up()
        with pytest.raises(GitOpsStackError, match=r"the stack is currently locked by 1 lock\(s\)\. Either wait"):
            engine.run("up", "--yes", "--skip-preview", "--stack", STACK, limit_seconds=60)
    finally:
        first.join()
    assert [made.keys() for made in results] == [{"same"}]
    assert everything(scenario) == before


def uid(scenario: Scenario, wanted: ObjectReference) -> str:
    found = load_objects(scenario.client, [wanted])[wanted.text]
    return str(found["metadata"]["uid"]) if found else ""


BEING_DELETED = "is being deleted, since .*docs/recover.md"


def is_going(scenario: Scenario, wanted: ObjectReference) -> bool:
    found = load_objects(scenario.client, [wanted])[wanted.text]
    return bool(found and found["metadata"].get("deletionTimestamp"))


def slip(scenario: Scenario, wanted: ObjectReference) -> set[str]:
    """Delete an object as kubectl does, bring all back as docs/changes.md says, and return what was made anew."""
    before, was = everything(scenario), uid(scenario, wanted)
    delete(scenario.client, wanted)
    wait_for(f"{wanted.text} is gone", lambda: uid(scenario, wanted) != was)
    wait_for("root is there or gone", lambda: not is_going(scenario, ROOT))
    if uid(scenario, ROOT) != before[ROOT.text]:
        said = scenario.cli("status", "--stack", STACK, check=False)
        assert (said.returncode, "Traceback" in said.stderr) == (1, False), said.stdout + said.stderr
        assert scenario.report.engine.preview()["replace"] >= 1
        scenario.report.engine.up()
        scenario.start_controllers()
    else:
        scenario.notify("root", "projects")
    wait_for("what was deleted is back", lambda: uid(scenario, wanted) not in ("", was))
    scenario.wait_until_well()
    assert scenario.wait_until_handed_over().complete
    assert scenario.report.engine.up().keys() == {"same"}
    after = everything(scenario)
    assert all(after.values())
    return {name for name in after if after[name] != before[name]}


@pytest.mark.parametrize(
    ("deleted", "anew"),
    [
        (PROJECT, set()),
        (GUESTBOOK, {WORKLOAD}),
        (TEAM, {TEAM.text, WORKLOAD}),
        (ROOT, APPLICATIONS),
    ],
)
def test_what_a_deletion_takes_along_is_made_anew(scenario: Scenario, deleted: ObjectReference, anew: set[str]) -> None:
    assert slip(scenario, deleted) == anew


def let_go(scenario: Scenario, wanted: ObjectReference) -> set[str]:
    """Delete what every Application hangs on, let them go as docs/recover.md says, and return what was made anew."""
    before, was = everything(scenario), uid(scenario, wanted)
    delete(scenario.client, wanted)
    wait_for("it is being deleted", lambda: is_going(scenario, wanted) or not uid(scenario, wanted))
    if wanted == HOME:
        for run in (scenario.report.engine.preview, scenario.report.engine.up):
            with pytest.raises(GitOpsStackError, match=f"({HOME.text}|{ROOT.text}): {BEING_DELETED}"):
                run()  # either of the two guards is quicker to say what it looks after
    assert scenario.cli("status", "--stack", STACK, check=False).returncode == 1
    scenario.cli("detach", "--stack", STACK, "--yes")
    if wanted == HOME:
        scenario.lab.stop_argocd()
    wait_for("it is gone", lambda: uid(scenario, wanted) != was)
    scenario.report.engine.up()
    scenario.start_controllers()
    scenario.wait_until_well()
    assert scenario.wait_until_handed_over().complete
    after = everything(scenario)
    assert all(after.values())
    return {name for name in after if after[name] != before[name]}


def test_the_crd_of_applications_is_let_go_and_made_again(scenario: Scenario) -> None:
    assert let_go(scenario, DEFINITION) >= {DEFINITION.text, ROOT.text}


def test_argo_cd_s_namespace_is_let_go_and_made_again(scenario: Scenario) -> None:
    """Its AppProjects go before the Applications, which nobody can finish then."""
    assert let_go(scenario, HOME) >= {HOME.text, ROOT.text}
