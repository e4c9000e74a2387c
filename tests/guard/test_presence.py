"""What is missing, and who makes it again."""

from __future__ import annotations

import pytest

from gitops_stack.guard.presence import choose_restored, count_restored
from gitops_stack.guard.registered import Registered
from gitops_stack.live_state import ObjectReference

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
