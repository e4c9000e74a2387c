"""Every service, trigger and template of the library through Argo CD's own program, which needs no cluster for it.

A service it cannot read keeps all the others from sending, and a template that cannot be executed keeps its
notification from every service.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gitops_stack.lab.tools import build_tools
from gitops_stack.manifests.argocd.notifications import build_notification_data
from gitops_stack.settings.argocd.notifications import LIBRARY_TEMPLATES, LIBRARY_TRIGGERS
from tests.e2e.scenario import say
from tests.manifests.test_notifications import SERVICES, settings
from tests.rules.test_notifications_config import BROKEN

pytestmark = pytest.mark.e2e

NOBODY = {"clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:9"}}],
          "contexts": [{"name": "none", "context": {"cluster": "none", "namespace": "argocd"}}],
          "apiVersion": "v1", "kind": "Config", "current-context": "none"}  # fmt: skip
ONE = {"source": {"repoURL": "https://github.com/acme/web.git", "path": "web"}}
SEVERAL = {"sources": [{"repoURL": "https://github.com/acme/web.git", "path": "web"}]}
HEALTHY, DEGRADED = {"status": "Healthy"}, {"status": "Degraded"}
REVISION = "a" * 40
SYNCED = {"phase": "Succeeded", "message": "synced", "syncResult": {"revision": REVISION}}
SYNCED_SEVERAL = {"phase": "Succeeded", "message": "synced", "syncResult": {"revisions": [REVISION]}}
NEVER_BEGUN = {"phase": "Error", "message": "there are no clusters with this name", "startedAt": "2026-11-30T00:00:00Z"}
APPLICATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], set[str]]] = {
    "one source": (ONE, {"health": HEALTHY, "operationState": SYNCED}, {"on-deployed"}),
    "several sources": (SEVERAL, {"health": HEALTHY, "operationState": SYNCED_SEVERAL}, {"on-deployed"}),
    "a sync that never began": (ONE, {"health": HEALTHY, "operationState": NEVER_BEGUN}, {"on-sync-failed"}),
    "degraded before any sync": (ONE, {"health": DEGRADED, "sync": {"revision": REVISION}}, {"on-health-degraded"}),
    "not looked at": (ONE, {}, set()),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("notifications")
    (made / "kubeconfig").write_text(yaml.safe_dump(NOBODY), encoding="utf-8")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    tokens = {"slack-token": "x", "teams-platform": "https://x", "user": "a", "word": "b", "pager": "c"}
    write(made, "Secret", "argocd-notifications-secret", stringData={**tokens, "github-privateKey": key.decode()})
    data = build_notification_data(settings(services=SERVICES).argocd)
    write(made, "ConfigMap", "argocd-notifications-cm", data=data)
    return made


def write(folder: Path, kind: str, name: str, **body: Any) -> None:
    manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **body}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")


def ask(folder: Path, case: str, *words: str) -> str:
    """Run `argocd admin notifications …` on the application of ``case``; fails with what it could not do."""
    done = run(folder, case, *words)
    assert done.returncode == 0, done.stderr
    assert "failed to" not in done.stderr
    return done.stdout


def run(folder: Path, case: str, *words: str) -> subprocess.CompletedProcess[str]:
    spec, status, _ = APPLICATIONS[case]
    application = folder / f"{case.replace(' ', '-')}.yaml"
    metadata = {"name": "web", "namespace": "argocd"}
    document = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata}
    application.write_text(yaml.safe_dump({**document, "spec": spec, "status": status}), encoding="utf-8")
    files = [f"--{option}={folder / name}.yaml" for option, name in
             (("config-map", "argocd-notifications-cm"), ("secret", "argocd-notifications-secret"))]  # fmt: skip
    command = [str(build_tools(say).bin / "argocd"), "admin", "notifications", *words, str(application), *files]
    environment = {"KUBECONFIG": str(folder / "kubeconfig"), "HOME": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("case", APPLICATIONS)
def test_a_trigger_holds_for_what_it_is_about(folder: Path, case: str) -> None:
    held = {
        name for name in LIBRARY_TRIGGERS if ask(folder, case, "trigger", "run", name).splitlines()[-1].endswith("true")
    }
    assert held == APPLICATIONS[case][2]


@pytest.mark.parametrize("template", LIBRARY_TEMPLATES)
@pytest.mark.parametrize("case", APPLICATIONS)
def test_a_template_is_executed_for_every_service_whatever_the_application_lacks(
    folder: Path, case: str, template: str
) -> None:
    made = yaml.safe_load(ask(folder, case, "template", "notify", template))
    assert made["message"].splitlines()[-1] == "https://argocd.example.com/applications/argocd/web"
    assert made.keys() >= {"email", "github", "teams-workflows", "webhook"}
    body = yaml.safe_load(made["webhook"]["pager"]["body"])
    assert body["application"] == "web"
    assert body["state"] == ("success" if template == "app-deployed" else "failure")


def test_what_is_degraded_is_told_with_the_revision_it_is_compared_with(folder: Path) -> None:
    made = yaml.safe_load(ask(folder, "degraded before any sync", "template", "notify", "app-health-degraded"))
    body = yaml.safe_load(made["webhook"]["pager"]["body"])
    assert (body["revision"], body["message"]) == (REVISION, "web is degraded.")


@pytest.mark.parametrize("written", BROKEN)
def test_one_key_that_cannot_be_read_keeps_all_notifications(
    folder: Path, written: tuple[str, str], tmp_path: Path
) -> None:
    for name in ("kubeconfig", "argocd-notifications-secret.yaml"):
        shutil.copy(folder / name, tmp_path)
    key, value = written
    data = build_notification_data(settings(services=SERVICES).argocd)
    write(tmp_path, "ConfigMap", "argocd-notifications-cm", data={**data, key: value})
    assert "failed to create API" in run(tmp_path, "one source", "template", "notify", "app-deployed").stderr
