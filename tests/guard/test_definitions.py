"""CRDs that are missing: applied by the guard between its check and the end of its update, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from lightkube.types import PatchType

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.guard import definitions
from gitops_stack.live.reading import reference
from gitops_stack.manifests import Manifest

ESTABLISHED = {"status": {"conditions": [{"type": "Established", "status": "True"}]}}


def definition(plural: str) -> Manifest:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.argoproj.io"},
    }


APPLICATIONS, SETS = definition("applications"), definition("applicationsets")


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, PatchType, str | None, bool]]:
    """What was applied; everything is established at once."""
    calls: list[tuple[str, PatchType, str | None, bool]] = []

    def patch(_client: Any, found: Any, _change: Any, kind: PatchType, manager: str | None, *, force: bool) -> None:
        calls.append((found.name, kind, manager, force))

    def load(_client: Any, wanted: Iterable[Any]) -> dict[str, Any]:
        return {one.text: ESTABLISHED for one in wanted}

    monkeypatch.setattr(definitions, "patch", patch)
    monkeypatch.setattr(definitions, "load_objects", load)
    monkeypatch.setattr(definitions, "_POLL_SECONDS", 0.0)
    return calls


def test_what_is_missing_is_applied_under_argo_cd_s_manager_and_once(applied: list[Any]) -> None:
    client: Any = None
    definitions.want("a", [APPLICATIONS, SETS], [reference(SETS).text, "Secret argocd/x"])
    definitions.restore(client, "b")
    assert applied == []
    definitions.restore(client, "a")
    definitions.restore(client, "a")
    assert applied == [("applicationsets.argoproj.io", PatchType.APPLY, "argocd-controller", True)]


def test_what_pulumi_keeps_is_applied_under_the_manager_it_names(applied: list[Any]) -> None:
    client: Any = None
    annotations = {"pulumi.com/patchFieldManager": "gitops-stack"}
    kept = {**SETS, "metadata": {**SETS["metadata"], "annotations": annotations}}
    definitions.want("a", [kept], [reference(SETS).text])
    definitions.restore(client, "a")
    assert applied == [("applicationsets.argoproj.io", PatchType.APPLY, "gitops-stack", True)]


@pytest.mark.usefixtures("applied")
def test_a_crd_that_is_never_served_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = None
    monkeypatch.setattr(definitions, "load_objects", lambda _, wanted: {one.text: None for one in wanted})
    monkeypatch.setattr(definitions, "_SERVED_SECONDS", 0.0)
    definitions.want("a", [SETS], [reference(SETS).text])
    with pytest.raises(EnvironmentProblem, match="the API server does not serve it after 0 s"):
        definitions.restore(client, "a")
