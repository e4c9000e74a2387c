"""What can be said of live state without a cluster."""

from __future__ import annotations

import pytest

from gitops_stack.live.reading import plural, read_applications, reference
from tests.stacks import STACKS, stack_render


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("ConfigMap", "configmaps"),
        ("Ingress", "ingresses"),
        ("NetworkPolicy", "networkpolicies"),
        ("AppProject", "appprojects"),
        ("StatefulSet", "statefulsets"),
        ("CustomResourceDefinition", "customresourcedefinitions"),
    ],
)
def test_a_kind_has_a_resource_name(kind: str, wanted: str) -> None:
    assert plural(kind) == wanted


@pytest.mark.parametrize("stack", STACKS)
def test_definitions_agree_with_the_guessed_names(stack: str) -> None:
    names = [found["spec"]["names"] for found in stack_render(stack) if found["kind"] == "CustomResourceDefinition"]
    assert {name["kind"]: name["plural"] for name in names} == {name["kind"]: plural(name["kind"]) for name in names}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("api_version", "namespace", "text"),
    [("apps/v1", "argocd", "apps/Deployment argocd/x"), ("v1", "", "Deployment x")],
)
def test_a_reference_reads_as_people_write_it(api_version: str, namespace: str, text: str) -> None:
    metadata = {"name": "x", **({"namespace": namespace} if namespace else {})}
    assert reference({"apiVersion": api_version, "kind": "Deployment", "metadata": metadata}).text == text


def test_applications_come_root_first_then_by_wave_and_name() -> None:
    waves = {"b": "0", "a": "0", "c": "first", "late": "5", "argocd": "-20", "root": None, "later": "+6"}
    found = [
        {
            "metadata": {"name": name, "annotations": {"argocd.argoproj.io/sync-wave": wave} if wave else None},
            "spec": {"project": "platform"},
        }
        for name, wave in waves.items()
    ]
    assert [status.name for status in read_applications(found, [])] == [
        "root", "argocd", "a", "b", "c", "late", "later"
    ]  # fmt: skip
