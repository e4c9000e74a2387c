"""What is missing, and who makes it again."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.guard import presence
from gitops_stack.guard.presence import Present, check_deletions, check_remade, choose_restored, count_restored
from gitops_stack.guard.registered import Registered
from gitops_stack.live.reading import ObjectReference

KEPT = Registered(ObjectReference("", "Secret", "argocd", "argocd-secret", "v1"), handed_over=False)
SYNCED = Registered(ObjectReference("", "ConfigMap", "argocd", "argocd-cm", "v1"), handed_over=True)


@pytest.mark.parametrize(("healing", "restored"), [(True, [KEPT.name]), (False, [KEPT.name, SYNCED.name])])
def test_a_living_argo_cd_restores_what_it_syncs_and_the_update_all_else(healing: bool, restored: list[str]) -> None:
    assert choose_restored([KEPT, SYNCED], healing=healing) == restored


def test_only_what_is_missing_gets_another_counter() -> None:
    first = count_restored({}, ["a"])
    assert first == {"a": "1"}
    assert count_restored(first, ["a", "b"]) == {"a": "2", "b": "1"}
    assert count_restored(first, []) == first


def test_a_registered_object_survives_the_engine() -> None:
    assert Registered.from_input(KEPT.to_input()) == KEPT


@pytest.mark.parametrize(
    ("manager", "counted", "refused"),
    [("gitops-stack", True, False), ("kubectl", True, True), ("kubectl", False, False)],
)
def test_what_somebody_else_made_again_is_not_replaced(manager: str, counted: bool, refused: bool) -> None:
    living = {KEPT.name: {"metadata": {"managedFields": [{"manager": manager}]}}}
    found = list(check_remade(Present([KEPT, SYNCED], living), {KEPT.name: "1"} if counted else {}))
    assert bool(found) == refused


@pytest.mark.parametrize(
    ("kind", "said"),
    [("Namespace", True), ("CustomResourceDefinition", True), ("Application", True), ("Secret", False)],
)
def test_nothing_is_made_below_what_is_being_deleted(kind: str, said: bool) -> None:
    one = Registered(ObjectReference("", kind, "", "argocd", "v1"), handed_over=False)
    living = {one.name: {"metadata": {"deletionTimestamp": "2026-11-30T11:17:31Z"}}}
    found = list(check_deletions(Present([one], living)))
    assert [sentence.partition(",")[0] for sentence in found] == ([f"{one.name}: is being deleted"] if said else [])
    assert list(check_deletions(Present([one], {one.name: {"metadata": {}}}))) == []


@pytest.mark.parametrize(
    ("automated", "heals"),
    [
        ({"selfHeal": True, "prune": True}, True),
        ({"selfHeal": True, "enabled": False}, False),
        ({"prune": True}, False),
        ({}, False),
        (None, False),
    ],
)
def test_an_argo_cd_that_may_not_sync_by_itself_heals_nothing(automated: Any, heals: bool) -> None:
    assert presence._heals({"spec": {"syncPolicy": {"automated": automated}}}) is heals
