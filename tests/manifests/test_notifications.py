"""Notifications as Argo CD's controller reads them; tests/e2e/test_sso.py has it send some."""

from __future__ import annotations

from typing import Any

import yaml

from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.argocd.notifications import build_notification_data
from gitops_stack.settings import StackSettings
from gitops_stack.settings.argocd.notifications import LIBRARY_TEMPLATES, LIBRARY_TRIGGERS
from tests.stacks import COMMIT, minimal

SERVICES: dict[str, Any] = {
    "slack": {},
    "teams": {"channels": {"platform": "teams-platform"}},
    "github": {"appId": "1", "installationId": "2"},
    "email": {"host": "mail.example.com", "sender": "a@example.com", "usernameKey": "user", "passwordKey": "word"},
    "webhooks": {"pager": {"url": "https://pager.example.com", "headers": {"Authorization": "Bearer $pager"}}},
}


def settings(**notifications: Any) -> StackSettings:
    argocd = {"version": "v3.5.1", "commit": COMMIT, "url": "https://argocd.example.com"}
    return minimal(argocd={**argocd, "notifications": notifications}, projects={"shop": {"namespaces": ["shop"]}})


def data(**notifications: Any) -> dict[str, Any]:
    made = build_notification_data(settings(**notifications).argocd)
    return {key: yaml.safe_load(text) for key, text in made.items()}


def test_without_a_service_nothing_is_written() -> None:
    assert data() == {}


def test_a_template_links_to_an_application_only_where_argo_cd_s_address_is_known() -> None:
    linked = data(services=SERVICES)
    assert linked["template.app-deployed"]["github"]["status"]["targetURL"].startswith("{{.context.argocdUrl}}/")
    argocd = settings(services=SERVICES).argocd.model_copy(update={"url": None})
    alone = build_notification_data(argocd)
    assert "context" not in alone
    assert [key for key, text in alone.items() if "argocdUrl" in text] == []
    assert yaml.safe_load(alone["template.app-deployed"])["teams-workflows"]["text"]


def test_each_service_names_keys_of_the_controller_s_secret() -> None:
    made = data(services=SERVICES)
    assert {key: body for key, body in made.items() if key.startswith("service.")} == {
        "service.slack": {"token": "$slack-token"},
        "service.teams-workflows": {"recipientUrls": {"platform": "$teams-platform"}},
        "service.github": {"appID": "1", "installationID": "2", "privateKey": "$github-privateKey"},
        "service.email": {
            "host": "mail.example.com",
            "port": 587,
            "from": "a@example.com",
            "username": "$user",
            "password": "$word",
        },
        "service.webhook.pager": {
            "url": "https://pager.example.com",
            "headers": [
                {"name": "Content-Type", "value": "application/json"},
                {"name": "Authorization", "value": "Bearer $pager"},
            ],
        },
    }
    assert made["context"] == {"argocdUrl": "https://argocd.example.com"}


def test_the_library_s_names_are_what_it_writes() -> None:
    made = data(services=SERVICES)
    assert {key for key in made if key.startswith("trigger.")} == {f"trigger.{name}" for name in LIBRARY_TRIGGERS}
    assert {key for key in made if key.startswith("template.")} == {f"template.{name}" for name in LIBRARY_TEMPLATES}
    assert all({"message", "email", "teams-workflows", "github", "webhook"} == made[key].keys() for key in made
               if key.startswith("template."))  # fmt: skip


def test_own_triggers_and_templates_stand_beside_the_library_s_or_replace_them() -> None:
    trigger = {"when": "true", "send": ["mine"], "oncePer": "app.metadata.uid"}
    own = {"triggers": {"on-mine": trigger, "on-deployed": trigger}, "templates": {"mine": {"message": "hello"}}}
    made = data(services={"slack": {}}, **own)
    assert made["trigger.on-mine"] == made["trigger.on-deployed"] == [trigger]
    assert made["template.mine"] == {"message": "hello"}
    assert "trigger.on-sync-failed" in made


def test_a_project_s_subscriptions_are_annotations_of_it_alone() -> None:
    stack = settings(
        services=SERVICES,
        subscriptions={
            "shop": [
                {"service": "teams", "recipients": ["platform"]},
                {"service": "slack", "triggers": ["on-deployed"], "recipients": ["a", "b"]},
                {"service": "pager", "triggers": ["on-health-degraded"]},
            ]
        },
    )
    found = {
        project["metadata"]["name"]: {
            key.removeprefix("notifications.argoproj.io/"): value
            for key, value in project["metadata"]["annotations"].items()
            if key.startswith("notifications.argoproj.io/")
        }
        for project in build_app_projects(stack)
    }
    assert found == {
        "platform": {},
        "default": {},
        "shop": {
            "subscribe.on-deployed.teams-workflows": "platform",
            "subscribe.on-sync-failed.teams-workflows": "platform",
            "subscribe.on-deployed.slack": "a;b",
            "subscribe.on-health-degraded.pager": "",
        },
    }
