"""What the library's health rules say, as Argo CD itself runs them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.tools import build_tools
from gitops_stack.manifests.argocd.health import build_health_keys
from gitops_stack.versions import ARGOCD_HOST_PROCESSES
from tests.e2e.scenario import say
from tests.stacks import COMMIT, minimal

pytestmark = pytest.mark.e2e

INSTALLING = {"NamesAccepted": "True", "Established": "False"}
DEFINITIONS: list[tuple[str, dict[str, Any], str]] = [
    ("just made", {}, "Progressing"),
    ("names accepted", INSTALLING, "Progressing"),
    ("established", {"NamesAccepted": "True", "Established": "True"}, "Healthy"),
    ("name taken", {"NamesAccepted": "False", "Established": "False"}, "Degraded"),
    ("name taken by a later one", {"NamesAccepted": "False", "Established": "True"}, "Degraded"),
    ("bad schema", {"NonStructuralSchema": "True", "NamesAccepted": "True", "Established": "True"}, "Degraded"),
    ("in deletion", {"NamesAccepted": "True", "Established": "True", "Terminating": "True"}, "Progressing"),
]
AUTOMATED: dict[str, Any] = {"syncPolicy": {"automated": {}}}
APPLICATIONS: list[tuple[str, dict[str, Any], str | None, str]] = [
    ("just made", AUTOMATED, None, "Progressing"),
    ("well", AUTOMATED, "Healthy", "Healthy"),
    ("degraded", AUTOMATED, "Degraded", "Degraded"),
    ("missing", AUTOMATED, "Missing", "Missing"),
    ("missing, by hand", {}, "Missing", "Healthy"),
    ("missing, switched off", {"syncPolicy": {"automated": {"enabled": False}}}, "Missing", "Healthy"),
    ("degraded, by hand", {}, "Degraded", "Degraded"),
]


def judge(folder: Path, found: dict[str, Any], keys: dict[str, str]) -> str:
    """Return the health that Argo CD's own binary gives an object under the keys of argocd-cm."""
    metadata = {"name": "argocd-cm", "namespace": "argocd", "labels": {"app.kubernetes.io/part-of": "argocd"}}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": keys}
    for name, document in (("argocd-cm.yaml", config), ("object.yaml", found)):
        (folder / name).write_text(render_document(document))
    command = [str(build_tools(say).bin / "argocd"), "admin", "settings", "resource-overrides", "health"]
    done = subprocess.run(
        [*command, str(folder / "object.yaml"), "--argocd-cm-path", str(folder / "argocd-cm.yaml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[0].removeprefix("STATUS: ")


def build_keys() -> dict[str, str]:
    argocd = minimal(argocd={"version": ARGOCD_HOST_PROCESSES, "commit": COMMIT}).argocd
    return dict(build_health_keys(argocd))


def build_definition(conditions: dict[str, str]) -> dict[str, Any]:
    listed = [{"type": key, "status": value, "message": f"{key} it is"} for key, value in conditions.items()]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "status": {"conditions": listed or None},
    }


@pytest.mark.parametrize(("conditions", "health"), [case[1:] for case in DEFINITIONS], ids=[c[0] for c in DEFINITIONS])
def test_a_definition_is_degraded_only_by_what_stays(conditions: dict[str, str], health: str, tmp_path: Path) -> None:
    assert judge(tmp_path, build_definition(conditions), build_keys()) == health


def test_argo_cd_s_own_rule_of_that_release_does_not_wait(tmp_path: Path) -> None:
    """So the rule is needed; when this fails, the release of the lab has learned it and the rule may go."""
    assert judge(tmp_path, build_definition(INSTALLING), {}) == "Degraded"


@pytest.mark.parametrize(
    ("spec", "state", "health"), [case[1:] for case in APPLICATIONS], ids=[case[0] for case in APPLICATIONS]
)
def test_an_application_is_what_it_says_but_for_one_that_a_person_syncs_first(
    spec: dict[str, Any], state: str | None, health: str, tmp_path: Path
) -> None:
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", "namespace": "argocd"},
        "spec": spec,
        **({"status": {"health": {"status": state}}} if state else {}),
    }
    assert judge(tmp_path, application, build_keys()) == health
