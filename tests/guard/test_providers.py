"""The guards as Pulumi's plugin runs them: what is judged, what is kept, and how a refusal is said."""

from __future__ import annotations

import base64
import traceback
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import Unknown

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.guard import adoption, judgement, presence, providers, teardown
from gitops_stack.guard.cluster import Claim, Cluster
from gitops_stack.guard.providers import ClusterGuard, StackGuard, TeardownGuard
from gitops_stack.live.reading import AccessDenied

NEWS = {
    "kubeconfig": "/kubeconfig", "context": "admin", "project": "gitops-stack", "stack": "dev", "namespace": "argocd",
    "takeOver": "", "source": "", "root": "root", "releases": True, "dryRun": False, "registered": [],
}  # fmt: skip
UID, ADDRESS = "11111111-1111-1111-1111-111111111111", "https://10.0.0.1"
OLDS = {**NEWS, "cluster": UID, "address": ADDRESS, "restored": {}}
OURS = Cluster(UID, ADDRESS, Claim("gitops-stack", "dev", "argocd"))


class Connected(SimpleNamespace):
    """A connection to nothing."""

    client: Any = None
    address = ADDRESS

    def __enter__(self) -> Connected:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Cluster | EnvironmentProblem]:
    """What the cluster answers, one after the other; the last one stays."""
    listed: list[Cluster | EnvironmentProblem] = [OURS]

    def load(_connection: object) -> Cluster:
        found = listed[0] if len(listed) == 1 else listed.pop(0)
        if isinstance(found, EnvironmentProblem):
            raise found
        return found

    monkeypatch.setattr(providers, "_KEPT_ON", set())
    monkeypatch.setattr(judgement, "open_connection", lambda _: Connected())
    monkeypatch.setattr(judgement, "load_cluster", load)
    monkeypatch.setattr(adoption, "check_adoption", lambda *_: iter(()))
    monkeypatch.setattr(presence, "load_present", lambda *_: presence.Present([], {}))
    return listed


@pytest.mark.usefixtures("answers")
def test_what_was_found_is_kept_and_what_passes_is_not() -> None:
    checked = ClusterGuard().check({}, {**NEWS, "tree": "/tree", "registered": [["", "v1", "Secret", "a", "b", False]]})
    assert checked.failures == []
    assert checked.inputs["cluster"] == UID
    assert checked.inputs["address"] == ADDRESS
    assert not {"dryRun", "tree", "registered"} & checked.inputs.keys()


@pytest.mark.usefixtures("answers")
def test_the_next_update_with_the_same_settings_is_no_change() -> None:
    first = ClusterGuard().check({}, dict(NEWS)).inputs
    second = ClusterGuard().check(first, {**NEWS, "dryRun": True}).inputs
    assert ClusterGuard().diff("id", {**first, "__provider": "a"}, {**second, "__provider": "b"}).changes is False


def test_a_cluster_that_is_not_there_yet_is_not_looked_at() -> None:
    checked = ClusterGuard().check({}, {**NEWS, "kubeconfig": Unknown()})  # type: ignore[no-untyped-call]
    assert (checked.failures, checked.inputs["restored"]) == ([], {})


@pytest.mark.usefixtures("answers")
def test_a_preview_that_does_not_know_the_provider_recalls_how_it_was_reached() -> None:
    unknown = Unknown()  # type: ignore[no-untyped-call]
    checked = ClusterGuard().check(OLDS, {**NEWS, "kubeconfig": unknown, "rendersTo": unknown, "dryRun": True})
    assert (checked.inputs["kubeconfig"], checked.inputs["cluster"]) == ("/kubeconfig", UID)
    assert "rendersTo" not in checked.inputs


def test_a_provider_that_renders_to_a_folder_has_no_cluster() -> None:
    assert ClusterGuard().check({}, {**NEWS, "rendersTo": "yaml"}).failures == []


def test_a_cluster_that_does_not_answer_stops_an_update_and_not_a_preview(
    answers: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    answers[:] = [EnvironmentProblem("cluster: does not answer")]
    assert [one.reason for one in ClusterGuard().check(OLDS, dict(NEWS)).failures] == ["cluster: does not answer"]
    preview = ClusterGuard().check(OLDS, {**NEWS, "dryRun": True})
    assert (preview.failures, preview.inputs["cluster"]) == ([], UID)
    assert "not compared with the cluster: cluster: does not answer" in capsys.readouterr().err


def test_a_login_that_is_refused_fails_at_once_as_admission_was_waited_for_before(answers: list[Any]) -> None:
    answers[:] = [AccessDenied("cluster: cannot be read: 403"), OURS]
    assert [one.reason for one in ClusterGuard().check({}, dict(NEWS)).failures] == ["cluster: cannot be read: 403"]


def test_another_stack_s_cluster_is_one_failure(answers: list[Any]) -> None:
    answers[:] = [Cluster(UID, ADDRESS, Claim("gitops-stack", "prd", "argocd"))]
    (failure,) = ClusterGuard().check({}, dict(NEWS)).failures
    assert "belongs to stack gitops-stack/prd" in failure.reason


PLATFORM = ["argoproj.io", "v1alpha1", "AppProject", "argocd", "platform", True]
FOLLOWED = "https://github.com/acme/platform.git//gitops/dev/apps?ref=main"


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize(
    ("now", "counters"),
    [
        (FOLLOWED.replace("github", "gitlab"), {"argoproj.io/AppProject argocd/platform": "1"}),
        (FOLLOWED.replace("platform.git", "Platform"), {}),
        (FOLLOWED.replace("gitops/dev", "gitops/other"), {}),
        (FOLLOWED, {}),
    ],
    ids=["another repository", "another spelling", "another folder", "the same"],
)
def test_the_projects_are_written_again_when_root_moves_to_another_repository(
    now: str, counters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judgement, "load_applications", lambda *_: [])
    root = ["argoproj.io", "v1alpha1", "Application", "argocd", "root", False]
    olds = {**OLDS, "source": FOLLOWED}
    checked = ClusterGuard().check(olds, {**NEWS, "source": now, "registered": [PLATFORM, root]})
    assert (checked.failures, checked.inputs["restored"]) == ([], counters)


def test_a_stack_that_would_replace_its_cluster_is_refused() -> None:
    facts = {"provider": "eks", "clusterName": "a", "clusterRole": "a role of its own"}
    assert StackGuard().check({}, dict(facts)).failures == []
    (failure,) = StackGuard().check(facts, {**facts, "clusterName": "b"}).failures
    assert "cluster.name: found b, and this stack was made with a" in failure.reason


def test_a_stack_whose_cluster_nobody_would_reach_is_refused_and_the_reason_is_not_kept() -> None:
    facts = {"provider": "eks", "clusterName": "dev", "clusterRole": "a role of its own", "network": "10.20.0.0/16"}
    asked = {**facts, "networkFirst": "Pulumi.dev.yaml: no way in", "dryRun": False}
    checked = StackGuard().check({}, asked)
    assert [failure.reason for failure in checked.failures] == ["Pulumi.dev.yaml: no way in"]
    again = StackGuard().check(facts, asked)
    assert (again.failures, again.inputs) == ([], facts)


@pytest.mark.parametrize("guard", [StackGuard(), ClusterGuard(), TeardownGuard()])
def test_the_state_holds_a_guard_by_name_alone(guard: Any) -> None:
    kept = base64.b64decode(serialize_provider(guard))
    assert len(kept) < 100
    assert b"gitops_stack.guard.providers" in kept
    assert type(guard).__name__.encode() in kept


@pytest.fixture
def plain_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traceback, "format_exc", traceback.format_exc)
    TeardownGuard().configure(SimpleNamespace(config=None))  # type: ignore[arg-type]


@pytest.mark.usefixtures("plain_format")
@pytest.mark.parametrize(("error", "traced"), [(GitOpsStackError("a sentence"), False), (ValueError("a bug"), True)])
def test_an_expected_failure_is_its_sentence_and_a_bug_its_traceback(error: Exception, traced: bool) -> None:
    try:
        GitOpsStackError.raise_for(error.args) if isinstance(error, GitOpsStackError) else int(str(error))
    except (GitOpsStackError, ValueError):
        said = traceback.format_exc()
    assert ("Traceback" in said) == traced
    assert str(error) in said


TEARDOWN = {"project": "gitops-stack", "stack": "dev", "namespace": "argocd", "root": "root", "limitSeconds": "900"}


@pytest.fixture
def taken_down(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose root was taken down; the process has checked nothing yet."""
    found: list[str] = []
    monkeypatch.setattr(providers, "_KEPT_ON", set())
    monkeypatch.setattr(teardown.Teardown, "run", lambda self, _say: found.append(self.root))
    return found


def test_a_destroy_checks_nothing_and_takes_root_down(taken_down: list[str]) -> None:
    TeardownGuard().delete("guard", dict(TEARDOWN))
    assert taken_down == ["root"]


def test_a_guard_that_is_replaced_by_force_leaves_root(
    taken_down: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    TeardownGuard().check({}, dict(TEARDOWN))
    TeardownGuard().delete("guard", dict(TEARDOWN))
    assert taken_down == []
    assert capsys.readouterr().err == "root stays: this run keeps it, and makes its guard anew\n"
    TeardownGuard().delete("guard", {**TEARDOWN, "root": "another"})
    assert taken_down == ["another"]


@pytest.mark.usefixtures("answers")
def test_a_root_under_another_name_is_refused() -> None:
    (failure,) = ClusterGuard().check(OLDS, {**NEWS, "root": "top"}).failures
    assert failure.reason == (
        "root_application: found top, and this stack's root is root; both would sync the same applications, and each "
        "prune what the other has; name it root again"
    )


def test_a_record_that_is_gone_is_counted_so_that_the_update_writes_it(
    answers: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    answers[:] = [Cluster(UID, ADDRESS, None)]
    checked = ClusterGuard().check(OLDS, dict(NEWS))
    assert (checked.failures, checked.inputs["restored"]) == ([], {"ConfigMap kube-system/gitops-stack": "1"})
    assert ClusterGuard().diff("id", OLDS, checked.inputs).changes is True
    assert "is gone, which says whose cluster this is" in capsys.readouterr().err


@pytest.mark.parametrize(("owner", "ended"), [("dev", ["argocd"]), ("prd", [])])
def test_what_pulumi_retains_ends_with_the_stack_and_never_another_s(
    owner: str, ended: list[str], answers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers[:] = [Cluster(UID, ADDRESS, Claim("gitops-stack", owner, "argocd"))]
    found: list[str] = []
    monkeypatch.setattr(judgement, "end_remains", lambda _client, listed, _say: found.extend(
        one.reference.name for one in listed))  # fmt: skip
    monkeypatch.setattr(judgement, "release_claim", lambda *_: None)
    olds = {**OLDS, "remains": [["", "v1", "Namespace", "", "argocd", False]]}
    ClusterGuard().delete("id", olds)
    assert found == ended
    ClusterGuard().check({}, dict(NEWS))  # its replacement, in the same run
    ClusterGuard().delete("id", olds)
    assert found == ended
