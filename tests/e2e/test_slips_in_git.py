"""docs/changes.md, "Slips in Git": what Argo CD makes of every slip that gets as far as the branch.

Each slip has a workload, a project and a namespace of its own, so that one push holds most of them. What is rendered at
once comes with it; a second push renders what people forgot to, and the tree as a whole is hurt at the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.lab.volumes import provide_volumes
from gitops_stack.live.reading import Listing, load_listings
from gitops_stack.manifests import Manifest
from tests.e2e.scenario import Scenario, say, wait_for, watching
from tests.slips import (
    OF_THE_BRANCH,
    TREE,
    add_project,
    add_workload,
    build_slips,
    load_rows,
    write_application,
    write_workload,
)

pytestmark = pytest.mark.e2e

Living = dict[str, str]
"""What is in the cluster: kind and place -> UID."""
KINDS = [
    Listing("argoproj.io/v1alpha1", "Application", "argocd"),
    Listing("argoproj.io/v1alpha1", "AppProject", "argocd"),
    Listing("v1", "Namespace"),
    Listing("v1", "ConfigMap", "*"),
    Listing("v1", "PersistentVolumeClaim", "*"),
]
CLAIMS = {"X": "Prune=true", "X-unpruned": "Prune=false", "X-undeleted": "Delete=false"}


@dataclass(frozen=True)
class Outcome:
    """What happens to the objects of one slip, whose name is X; of all that is not named the UIDs stay."""

    gone: str = ""
    made: str = ""
    anew: str = ""
    """What is deleted and made again, unless the other Application is quicker."""
    condition: str = ""
    """What Argo CD reports of the Application; empty: that it is synced."""


SETTINGS, CLAIM = "ConfigMap X/X", "PersistentVolumeClaim X/X"
UNPRUNED, UNDELETED = f"{CLAIM}-unpruned", f"{CLAIM}-undeleted"
HELD = f"{SETTINGS}, {CLAIM}, {UNPRUNED}"  # what goes with an Application
CASCADE = Outcome(gone=f"Application argocd/X, {HELD}")
MOVED = f"{HELD}, {UNDELETED}".replace(" X/", " X-two/")
OUTCOMES = {
    "A workload is taken out of the stack file": CASCADE,
    "A workload is renamed": Outcome("Application argocd/X", "Application argocd/X-base", HELD),
    "A workload's namespace changes": Outcome(f"{SETTINGS}, {CLAIM}, {UNDELETED}", f"Namespace X-two, {MOVED}"),
    "A workload's project is renamed": Outcome(),
    "A workload's folder is moved": Outcome(condition="ComparisonError"),
    "A workload's folder is deleted": Outcome(condition="ComparisonError"),
    "A workload's folder loses its manifests, and a README.md stays": Outcome(condition="SyncError"),
    "A volume claim is taken out": Outcome(f"{CLAIM}, {UNDELETED}"),
    "A volume claim is renamed": Outcome(CLAIM, "PersistentVolumeClaim X/files"),
    "An AppProject's file is deleted": Outcome(),
    "A namespace's file is deleted": Outcome(),
    "The stack file of last month is copied over today's": Outcome(),
    "An authored Application is deleted": CASCADE,
    "An authored Application is renamed": Outcome("Application argocd/X", "Application argocd/X-two", HELD),
    "An authored Application loses its finalizer": Outcome(),
    "A workload's finalizer is deleted by hand": Outcome(),
}
RENDERED = {
    "A workload's project is renamed": Outcome(made="AppProject argocd/X-two"),
    "The stack file of last month is copied over today's": CASCADE,
    "An authored Application loses its finalizer": Outcome("Application argocd/X"),
}
"""What comes of it at the next push, when everything is rendered again and that Application is deleted."""
FORCED = {
    "A workload is renamed": Outcome("Application argocd/X-base", "Application argocd/X", HELD),
    # Not the namespace that changed: what is in the other one stays if its project was first to lose it.
    "A volume claim is renamed": Outcome("PersistentVolumeClaim X/files", CLAIM),
    "An authored Application is renamed": Outcome("Application argocd/X-two", "Application argocd/X", HELD),
}
"""What an older commit lacks, when the branch is forced back to it."""
OF_THE_TREE = ("root", "projects", "argocd")
WHOLE = ("The tree's folder is renamed", "All of apps/ is deleted")
LAST = "guestbook"  # of the highest wave: before it is there, root has not made all
NAMES = {slip: f"slip-{number:02}" for number, slip in enumerate(OUTCOMES, 10)}


@dataclass
class Story:
    """What lived after each push, and what the Applications reported."""

    living: dict[str, Living] = field(default_factory=dict)
    reported: dict[str, dict[str, Manifest]] = field(default_factory=dict)

    def of(self, push: str, slip: str) -> Living:
        """Return what lived of one slip, told as of X."""
        own = NAMES[slip]
        return {key.replace(own, "X"): uid for key, uid in self.living[push].items() if own in key}


def load_living(scenario: Scenario) -> Living:
    living = {}
    for listing, found in zip(KINDS, load_listings(scenario.client, KINDS), strict=True):
        for metadata in (one["metadata"] for one in found if one["metadata"]["name"] != "kube-root-ca.crt"):
            place = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
            living[f"{listing.kind} {place}"] = "deleted" if metadata.get("deletionTimestamp") else metadata["uid"]
    return living


def conditions(application: Manifest) -> set[str]:
    return {one["type"] for one in application.get("status", {}).get("conditions", ())}


def has_settled(application: Manifest, revision: str) -> bool:
    """Tell whether Argo CD has compared an Application with ``revision`` and done all that it will do by itself."""
    status: dict[str, Any] = application.get("status") or {}
    done: dict[str, Any] = status.get("operationState") or {}
    if application.get("operation") or "argocd.argoproj.io/refresh" in application["metadata"].get("annotations", {}):
        return False
    if conditions(application) & {"ComparisonError", "SyncError"}:
        return True
    sync = status.get("sync") or {}
    if sync.get("revision") != revision or sync["comparedTo"]["destination"] != application["spec"]["destination"]:
        return False
    synced = done.get("phase") == "Succeeded" and (done.get("syncResult") or {}).get("revision") == revision
    left = [one for one in status.get("resources") or () if one.get("status") == "OutOfSync"]
    return sync["status"] == "Synced" or (synced and all(one.get("requiresPruning") for one in left))


def push(scenario: Scenario, story: Story, title: str, *names: str) -> None:
    """Push the workspace as it is, and wait until all Applications, or some, have done what they will do about it."""
    scenario.report.workspace.commit_and_push(title)
    scenario.notify(*names)
    wait(scenario, story, title, *names)


def wait(scenario: Scenario, story: Story, title: str, *names: str) -> None:
    revision, started = scenario.report.workspace.git("rev-parse", "HEAD"), time.monotonic()

    def look() -> bool:
        found = {one["metadata"]["name"]: one for one in scenario.applications()}
        living = load_living(scenario)
        acted = all(has_settled(found[name], revision) for name in names or found)
        story.living[title], story.reported[title] = living, found
        return acted and LAST in found and "deleted" not in living.values()

    with watching(lambda: provide_volumes(scenario.client), every=1):
        wait_for(f"Argo CD has acted on {title!r}", look, seconds=300, every=0.5)
    say(f"{title}: {time.monotonic() - started:.0f} s")


def write_all(project: Path, url: str) -> None:
    """Give every slip what it is about."""
    for slip, own in NAMES.items():
        add_project(own)(project)
        write_workload(project, own, {claim.replace("X", own): option for claim, option in CLAIMS.items()})
        if "authored" in slip:
            write_application(project, own, own, url)
        else:
            add_workload(own, own)(project)


def restore(scenario: Scenario, revision: str) -> None:
    """Put all files back to what they were."""
    git = scenario.report.workspace.git
    git("rm", "-r", "--force", "--quiet", ".")
    git("checkout", revision, "--", ".")


def render(scenario: Scenario) -> None:
    write_tree(scenario.settings, scenario.workspace / TREE)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    made = Scenario.create(tmp_path_factory.mktemp("slips"), {}, "v3.5.1")
    write_all(made.project, made.report.workspace.repository.as_uri())
    try:
        made.prepare()
        made.report.resync_seconds = 600  # each push is told of
        made.report.engine.up()
        made.start_controllers()
    except BaseException:
        made.lab.down(say)
        raise
    yield made
    made.close()


@pytest.fixture(scope="module")
def story(scenario: Scenario) -> Story:
    told, workspace, git = Story(), scenario.workspace, scenario.report.workspace.git
    wait(scenario, told, "before")
    slips = {slip: build_slips(own, own, own)[slip] for slip, own in NAMES.items()}
    for renders in (True, False):
        for slip in slips.values():
            if slip.renders is renders:
                slip.make(workspace)
        if renders:
            render(scenario)
    push(scenario, told, "slipped")
    (workspace / TREE / f"apps/{NAMES['An authored Application loses its finalizer']}.yaml").unlink()
    render(scenario)
    push(scenario, told, "rendered")
    for whole in WHOLE:
        build_slips()[whole].make(workspace)
        push(scenario, told, whole, *OF_THE_TREE)
        restore(scenario, "HEAD~1")
    branch, bare = scenario.settings.gitops.revision, scenario.report.workspace.repository
    forced, deleted = OF_THE_BRANCH
    git("reset", "--hard", "--quiet", ":/Seed")
    git("push", "--force", "--quiet", "origin", f"HEAD:{branch}")
    scenario.notify()
    wait(scenario, told, forced)
    git("branch", "-m", branch, "renamed", cwd=bare)
    scenario.notify(*OF_THE_TREE)
    wait(scenario, told, deleted, *OF_THE_TREE)
    git("branch", "-m", "renamed", branch, cwd=bare)
    return told


def check(before: Living, after: Living, outcome: Outcome) -> None:
    gone, made, anew = (set(filter(None, named.split(", "))) for named in (outcome.gone, outcome.made, outcome.anew))
    assert (before.keys() - after.keys(), after.keys() - before.keys()) == (gone, made)
    assert {key for key in before.keys() & after.keys() if before[key] != after[key]} <= anew


@pytest.mark.parametrize("slip", OUTCOMES)
def test_a_slip_takes_away_what_the_table_says(slip: str, story: Story) -> None:
    check(story.of("before", slip), story.of("slipped", slip), OUTCOMES[slip])
    if OUTCOMES[slip].condition:
        assert OUTCOMES[slip].condition in conditions(story.reported["slipped"][NAMES[slip]])


@pytest.mark.parametrize("slip", OUTCOMES)
def test_the_next_render_takes_away_what_the_table_says(slip: str, story: Story) -> None:
    check(story.of("slipped", slip), story.of("rendered", slip), RENDERED.get(slip, Outcome()))


def test_a_finalizer_that_left_git_is_gone_until_the_next_render(story: Story) -> None:
    own = NAMES["A workload's finalizer is deleted by hand"]
    finalizers = {
        push: bool(found[own]["metadata"].get("finalizers")) for push, found in story.reported.items() if own in found
    }
    assert (finalizers["before"], finalizers["slipped"], finalizers["rendered"]) == (True, False, True)


@pytest.mark.parametrize("slip", WHOLE)
def test_a_tree_that_is_hurt_as_a_whole_takes_nothing_away(slip: str, story: Story) -> None:
    assert "ComparisonError" in conditions(story.reported[slip]["root"])
    assert story.living[slip] == story.living["rendered"]


@pytest.mark.parametrize("slip", FORCED)
def test_a_branch_that_is_forced_back_takes_away_what_the_older_commit_lacks(slip: str, story: Story) -> None:
    check(story.of(WHOLE[-1], slip), story.of(OF_THE_BRANCH[0], slip), FORCED[slip])


def test_a_branch_that_is_gone_takes_nothing_away(story: Story) -> None:
    forced, deleted = OF_THE_BRANCH
    assert all("ComparisonError" in conditions(story.reported[deleted][name]) for name in OF_THE_TREE)
    assert story.living[deleted] == story.living[forced]


def test_all_is_well_after_the_slips_are_undone(scenario: Scenario, story: Story) -> None:
    assert story.living[OF_THE_BRANCH[0]].keys() >= story.living["before"].keys()
    scenario.notify(*OF_THE_TREE)
    with watching(lambda: provide_volumes(scenario.client), every=1):
        scenario.wait_until_well()


def test_every_row_that_reaches_argo_cd_was_run() -> None:
    marked = {slip for slip, cells in load_rows().items() if cells[3] == "yes"}
    assert marked == {*OUTCOMES, *WHOLE, *OF_THE_BRANCH}
