"""What would hang a destroy: finalizers of what is not under root."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.guard.finalizers import Holders, find_ours, find_strangers
from gitops_stack.manifests import Manifest

FINALIZER = "resources-finalizer.argocd.argoproj.io"
TRACKING = "argocd.argoproj.io/tracking-id"


def make(
    name: str, *, kind: str = "Application", namespace: str = "argocd", finalizers: bool = True, **metadata: Any
) -> Manifest:
    given = {"name": name, "namespace": namespace, **metadata, **({"finalizers": [FINALIZER]} if finalizers else {})}
    return {"kind": kind, "metadata": given}


ROOT = {
    **make("root"),
    "status": {"resources": [{"kind": "Application", "namespace": "argocd", "name": "web"}]},
}
TRACKED = {TRACKING: "web:argoproj.io/Application:argocd/nested"}
OF_A_SET = [{"kind": "ApplicationSet", "name": "teams"}]


@pytest.mark.parametrize(
    ("found", "strange"),
    [
        pytest.param(make("web"), False, id="reported by root"),
        pytest.param(make("nested", annotations=TRACKED), False, id="marked by a child of root"),
        pytest.param(make("legacy"), True, id="not under root"),
        pytest.param(make("legacy", finalizers=False), False, id="without a finalizer"),
        pytest.param(make("legacy", deletionTimestamp="2026-01-01T00:00:00Z"), False, id="on its way out"),
        pytest.param(make("web", namespace="team"), True, id="of the same name elsewhere"),
        pytest.param(make("team", kind="AppProject"), True, id="a project"),
        pytest.param(make("team", kind="AppProject", finalizers=False), False, id="a project without a finalizer"),
        pytest.param(make("teams", kind="ApplicationSet"), True, id="a set"),
    ],
)
def test_what_is_not_under_root_and_has_a_finalizer_is_named(found: Manifest, strange: bool) -> None:
    applications = [ROOT, make("web")]
    of_kind = applications if found["kind"] == "Application" else []
    holders = Holders({"Application": applications, found["kind"]: [*of_kind, found]})
    sentences = list(find_strangers(holders, "root", "argocd"))
    assert bool(sentences) == strange
    named = f"{found['kind']} {found['metadata']['namespace']}/{found['metadata']['name']}: carries {FINALIZER}"
    assert all(named in one and "nothing was deleted" in one and "patch" in one for one in sentences)


def test_what_a_set_under_root_generates_is_ours() -> None:
    teams = make("teams", kind="ApplicationSet", annotations={TRACKING: "root:argoproj.io/ApplicationSet:argocd/teams"})
    one = make("one", ownerReferences=OF_A_SET)
    named = Holders({"Application": [ROOT, one], "ApplicationSet": [teams]}).named()
    assert find_ours(named, "root", "argocd") == {
        ("Application", "argocd", "root"), ("ApplicationSet", "argocd", "teams"), ("Application", "argocd", "one"),
    }  # fmt: skip


def test_what_is_under_an_application_that_goes_goes_with_it() -> None:
    top = {**make("top", deletionTimestamp="2026-01-01T00:00:00Z"), "status": ROOT["status"]}
    assert list(find_strangers(Holders({"Application": [top, make("web")]}), "", "argocd")) == []


def test_a_set_that_is_not_ours_is_named_once_for_all_it_generates() -> None:
    generated = [make(name, ownerReferences=OF_A_SET) for name in ("one", "two")]
    teams = make("teams", kind="ApplicationSet", finalizers=False)
    holders = Holders({"Application": [ROOT, *generated], "ApplicationSet": [teams]})
    (sentence,) = find_strangers(holders, "root", "argocd")
    assert sentence.startswith("ApplicationSet argocd/teams: generates applications with finalizers")
    assert "preserveResourcesOnDeletion" in sentence
