"""What can be said of live state without a cluster."""

from __future__ import annotations

import pytest

from gitops_stack.live.reading import read_applications, reference


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
