"""Killed, starved and cut off, one after the other in one lab: said at once in one sentence, and mended by a rerun."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from lightkube.resources.core_v1 import Node, Pod

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.lab import bootstrap as road
from gitops_stack.lab.engine_process import TimeIsOut
from gitops_stack.lab.orphans import ENGINE_MARKER, load_marked_pids
from gitops_stack.live.reading import ObjectReference, load_objects, reference
from gitops_stack.live.writing import delete
from soak.victims import Victims
from tests.e2e.scenario import STACK, Scenario, say, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.soak]  # kills, full disks and standing servers: minutes each

RELEASE = "v3.5.1"
SOON = 45.0
"""Seconds in which a run has to notice that it has no chance, and to end; a quiet machine needs five."""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    made = Scenario.create(tmp_path_factory.mktemp("faults"), {}, RELEASE)
    made.prepare()
    yield made
    made.close()


@contextmanager
def once(condition: Callable[[], object], act: Callable[[], object]) -> Iterator[None]:
    """Do ``act`` in a thread as soon as ``condition`` holds, while the block runs."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            wait_for("the moment to act", condition, every=0.02)
            act()
        except BaseException as failure:  # handed on to the test
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    assert failures == []


def victims(scenario: Scenario) -> Victims:
    return Victims(scenario.lab, os.getpid())


def kill(scenario: Scenario, name: str, number: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    def act() -> None:
        pid = victims(scenario).find(name)
        assert pid is not None, f"{name} runs"
        os.kill(pid, number)

    return act


def created(scenario: Scenario, count: int) -> Callable[[], bool]:
    """Tell whether the run that begins now has created ``count`` objects."""
    log = scenario.report.engine.log
    before = log.read_text(encoding="utf-8").count(" created (") if log.exists() else 0
    return lambda: log.exists() and log.read_text(encoding="utf-8").count(" created (") >= before + count


def is_running(scenario: Scenario) -> bool:
    return any(victims(scenario).find_engines())


def pending(scenario: Scenario) -> list[str]:
    return [urn for _, urn in scenario.report.engine.backend.find_pending(STACK)]


def plugins(scenario: Scenario) -> list[int]:
    mark = f"{ENGINE_MARKER}=1".encode()
    pids = load_marked_pids(scenario.lab.state.directory)
    return [pid for pid in pids if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")]


def kill_up(scenario: Scenario) -> list[str]:
    """Kill the engine in the middle of `up`; returns what it left pending."""
    with (
        once(created(scenario, 20), kill(scenario, "engine")),
        pytest.raises(GitOpsStackError, match="pulumi up: was killed by SIGKILL; run the same command again"),
    ):
        scenario.report.engine.up()
    assert plugins(scenario) == []
    assert list(scenario.lab.state.temporary.glob("engine-*")) == []
    left = pending(scenario)
    assert left, "killed between two creates: nothing was under way"
    return left


def test_creates_that_a_killed_engine_left_pending_are_taken_into_the_state(scenario: Scenario) -> None:
    left = kill_up(scenario)
    before = {name: found["metadata"]["uid"] for name, found in scenario.installed().items() if found}
    recovered = road.recover_pending(scenario.report, None, say)
    assert sorted(found.urn for found in recovered) == sorted(left)
    assert {found.outcome for found in recovered} <= {"imported", "cleared"}
    assert scenario.bootstrap().certificate.complete
    assert pending(scenario) == []
    after = {name: found["metadata"]["uid"] for name, found in scenario.installed().items() if found}
    assert before.items() <= after.items()
    scenario.pulumi("preview", "--refresh", "--expect-no-changes")


def test_a_supervisor_that_dies_is_noticed_at_once(scenario: Scenario) -> None:
    started = time.monotonic()
    with (
        once(lambda: is_running(scenario), kill(scenario, "supervisor")),
        pytest.raises(EnvironmentProblem, match="the lab's supervisor has ended"),
    ):
        scenario.report.engine.up("--refresh")
    assert time.monotonic() - started < SOON
    assert scenario.bootstrap().certificate.complete


def test_a_full_disk_is_said_and_what_it_tore_is_mended(scenario: Scenario) -> None:
    backend = scenario.report.engine.backend
    kept = backend.folder.with_name("pulumi-kept")
    backend.folder.rename(kept)
    backend.folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(backend.folder)], check=False)
    if done.returncode:
        kept.rename(backend.folder)
        pytest.skip("this user cannot mount a small disk")
    try:
        shutil.copytree(kept, backend.folder, dirs_exist_ok=True)
        filler = backend.folder / "filler"

        def fill() -> None:
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(1 << 20)) == 1 << 20:  # less, or an error, when the disk is full
                    pass

        started = time.monotonic()
        with (
            once(lambda: is_running(scenario), fill),
            pytest.raises(EnvironmentProblem, match="the disk is full; make room"),
        ):
            scenario.report.engine.up("--refresh")
        assert time.monotonic() - started < SOON
        with pytest.raises(EnvironmentProblem, match=r"pulumi: has 0 MiB free, and a run needs 32"):
            scenario.report.engine.up()
        filler.unlink()
        (state,) = (backend.folder / ".pulumi/stacks").rglob(f"{STACK}.json")
        for file in (state, state.with_name(f"{state.name}.bak")):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        assert scenario.bootstrap().certificate.complete
        scenario.pulumi("preview", "--refresh", "--expect-no-changes")
        shutil.rmtree(kept)
        shutil.copytree(backend.folder, kept)
    finally:
        subprocess.run(["umount", "--lazy", str(backend.folder)], check=True)
        backend.folder.rmdir()
        kept.rename(backend.folder)


@pytest.mark.parametrize("seconds", [10, 40])
def test_an_api_server_that_stands_still_for_a_while_is_waited_for(scenario: Scenario, seconds: int) -> None:
    def pause() -> None:
        kill(scenario, "kube-apiserver", signal.SIGSTOP)()
        time.sleep(seconds)
        kill(scenario, "kube-apiserver", signal.SIGCONT)()

    said: list[str] = []
    with once(lambda: is_running(scenario), pause):
        try:
            scenario.bootstrap()
        except GitOpsStackError as error:  # its clients may give up before
            said += error.findings
    assert all("\n" not in sentence for sentence in said)
    assert not said or seconds == 40, said
    assert scenario.bootstrap().certificate.complete


def test_half_of_the_nodes_may_go(scenario: Scenario) -> None:
    before = {name: one["metadata"]["uid"] for name, one in scenario.installed().items() if one}
    nodes = sorted(
        found.metadata.name for found in scenario.client.list(Node) if found.metadata and found.metadata.name
    )
    for name in nodes[: len(nodes) // 2]:
        scenario.client.delete(Node, name)
    assert scenario.report.engine.up().keys() == {"same"}
    kept = set(nodes[len(nodes) // 2 :])

    def moved() -> bool:
        pods = list(scenario.client.list(Pod, namespace=scenario.settings.argocd.namespace))
        return bool(pods) and all(pod.spec and pod.spec.nodeName in kept for pod in pods)

    wait_for("every pod is on a node that is left", moved, seconds=180)
    assert scenario.bootstrap().certificate.complete
    after = {name: one["metadata"]["uid"] for name, one in scenario.installed().items() if one}
    assert after == before


def test_a_repository_that_cannot_be_read_takes_nothing_away(scenario: Scenario) -> None:
    repository = scenario.report.workspace.repository
    before = {found["metadata"]["name"]: found["metadata"]["uid"] for found in scenario.applications()}
    away = repository.with_name("away.git")
    repository.rename(away)
    try:
        for found in scenario.applications():
            scenario.merge(found, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}})
        wait_for("root cannot be compared", lambda: not scenario.well("root"))
        said = scenario.cli("status", "--stack", STACK, check=False)
        assert said.returncode == 1
        assert "not compared with the branch" in said.stderr
        assert scenario.report.engine.up().keys() == {"same"}
    finally:
        away.rename(repository)
    assert scenario.bootstrap().certificate.complete
    assert {found["metadata"]["name"]: found["metadata"]["uid"] for found in scenario.applications()} == before


def test_a_clone_that_lost_its_repository_keeps_what_is_in_it(scenario: Scenario) -> None:
    note = scenario.workspace / "note"
    note.write_text("mine\n", encoding="utf-8")
    shutil.rmtree(scenario.report.workspace.repository)
    assert scenario.bootstrap().certificate.complete
    assert note.read_text(encoding="utf-8") == "mine\n"
    note.unlink()


def test_a_destroy_that_takes_too_long_names_what_it_waits_for(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.lab.stop_argocd()
    monkeypatch.setattr(road, "start_controllers", lambda *_: None)
    # Controllers that end in the middle of a destroy: without them it would not begin.
    delete(scenario.client, ObjectReference("argoproj.io", "Application", "argocd", "root", "v1alpha1"))
    monkeypatch.setattr(road, "DESTROY_LIMIT_SECONDS", 30.0)
    with pytest.raises(TimeIsOut) as refused:
        road.destroy(scenario.lab, STACK, say)
    findings = refused.value.findings
    assert findings[0].startswith("pulumi destroy: did not end in 30 s; see ")
    (root,) = [finding for finding in findings if "argoproj.io/Application argocd/root" in finding]
    assert "is being deleted for" in root
    assert "waits for resources-finalizer.argocd.argoproj.io" in root


def test_a_destroy_after_a_killed_up_leaves_nothing(scenario: Scenario) -> None:
    road.destroy(scenario.lab, STACK, say)  # the rest of the last one
    tree = scenario.workspace / scenario.settings.tree_path / "argocd"
    scenario.lab.up(say)
    kill_up(scenario)
    road.destroy(scenario.lab, STACK, say)
    assert load_marked_pids(scenario.lab.state.directory) == []
    assert not scenario.report.engine.has_resources()
    scenario.lab.up(say)
    scenario.client.close()
    del scenario.client  # of an API server that has ended
    wanted = [reference(found) for found in load_manifests(tree)]
    found = load_objects(scenario.client, [one for one in wanted if not one.namespace])
    assert [name for name, one in found.items() if one] == []
    assert scenario.get("v1", "Namespace", "argocd") is None
