"""The rendered argocd-notifications-cm, judged as the controller reads it.

tests/e2e/test_notification_templates.py asks Argo CD's program.
"""

from __future__ import annotations

import pytest

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests.argocd.notifications import build_notification_data
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.notifications_config import check_notifications_config
from tests.manifests.test_notifications import SERVICES, settings

BROKEN = {
    ("service.slak", "token: $slack-token"): "found the service slak, which Argo CD does not have; name slack",
    ("service.webhook.a.b", "url: https://a"):
        "has more than a type and a name; name it service.TYPE.NAME, without further dots",
    ("service.webhook.a", "url: [https://a"):
        "is not YAML at line 2; correct it; kubectl and kustomize take any text there",
    ("trigger.on-x", "when: a\nsend: [app-deployed]"): "found when: a send: [app-deployed]; write a list",
    ("template.app-x", "- message: a"): "found - message: a; write a map",
    ("subscriptions", "recipients: [slack:a]"): "found recipients: [slack:a]; write a list",
    ("defaultTriggers", "on-deployed"): "found on-deployed; write a list",
}  # fmt: skip


def findings(namespace: str = "argocd", **data: str) -> list[str]:
    metadata = {"name": "argocd-notifications-cm"}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    found = check_notifications_config(RenderedObject(manifest, namespace, "cm.yaml"), "argocd", load_documents)
    return [f"{one.field}: {one.message}" for one in found]


def test_what_the_settings_write_has_no_findings() -> None:
    assert findings(**build_notification_data(settings(services=SERVICES).argocd)) == []


@pytest.mark.parametrize(("written", "said"), BROKEN.items())
def test_what_cannot_be_read_is_named(written: tuple[str, str], said: str) -> None:
    key, value = written
    assert findings(**{key: value}) == [f"data.{key}: {said}"]


def test_a_template_that_nobody_wrote_is_named() -> None:
    templates = {"template.app-deployed": "message: a", "template.app-failed": "message: b"}
    fine = {"trigger.on-x": "- {when: a, send: [app-deployed]}"}
    assert findings(**templates, **fine) == []
    wrong = {"trigger.on-x": "- {when: a, send: [app-deployed]}\n- {when: b, send: [app-fialed]}"}
    assert findings(**templates, **wrong) == [
        "data.trigger.on-x: sends app-fialed, and there is no such template; name app-failed"
    ]


def test_a_config_map_of_that_name_elsewhere_is_nobody_s_configuration() -> None:
    assert findings("shop", **{"service.slak": "a"}) == []


@pytest.mark.parametrize(
    "data",
    [
        {"service": "a: b", "template": "x", "trigger": "x", "subscriptions.x": "a: b"},
        {"template.x": "a: ="},
        {"template.x": "a: !foo b"},
        {"template.x": "a: b\n---\nc"},
    ],
)
def test_what_the_controller_passes_over_or_reads_is_said_nothing_of(data: dict[str, str]) -> None:
    assert findings(**data) == []


@pytest.mark.parametrize("value", ["message: 2024-99-99", "a: !!int x", "a: !!bool a", "[" * 2000])
def test_an_odd_value_is_a_sentence_or_nothing(value: str) -> None:
    assert all("template.x" in one for one in findings(**{"template.x": value}))
