"""Subscriptions against the controller's configuration."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.argocd.notifications import build_notification_data
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.subscriptions import check_subscriptions
from tests.manifests.test_notifications import SERVICES, settings

CONFIG = {"service.slack": "", "service.webhook.pager": "", "trigger.on-deployed": ""}


def findings(annotation: str, config: dict[str, str], kind: str = "Application") -> list[str]:
    subscriber: Manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": "a", "annotations": {f"notifications.argoproj.io/{annotation}": "ops"}},
    }
    found = [RenderedObject(config_map(config), "argocd", "cm.yaml"), RenderedObject(subscriber, "argocd", "a.yaml")]
    return [one.message for one in check_subscriptions(found, "argocd")]


def config_map(data: dict[str, Any]) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-notifications-cm"}, "data": data}


@pytest.mark.parametrize(
    "annotation",
    ["subscribe.on-deployed.slack", "subscribe.on-deployed.pager", "subscribe.slack", "unsubscribe.on-x.y", "other"],
)
def test_what_is_there_may_be_subscribed_to(annotation: str) -> None:
    assert findings(annotation, CONFIG) == findings(annotation, CONFIG, "AppProject") == []


@pytest.mark.parametrize(
    ("annotation", "config", "expected"),
    [
        (
            "subscribe.on-deploy.slack",
            CONFIG,
            ["names the trigger on-deploy, which Argo CD does not have; name on-deployed"],
        ),
        (
            "subscribe.on-deployed.teams",
            CONFIG,
            ["names the service teams, which Argo CD does not have; name pager, slack"],
        ),
        (
            "subscribe.on-deployed.slack",
            {},
            [
                "names the service slack, which Argo CD does not have; "
                "name one in argocd.notifications, which has no service",
                "names the trigger on-deployed, which Argo CD does not have; "
                "name one in argocd.notifications, which has no trigger",
            ],
        ),
    ],
    ids=["trigger", "service", "nothing is there"],
)
def test_what_is_not_there_is_named(annotation: str, config: dict[str, str], expected: list[str]) -> None:
    assert findings(annotation, config) == findings(annotation, config, "AppProject") == expected


def test_what_the_settings_subscribe_to_is_there() -> None:
    subscriptions = [{"service": name, "recipients": ["platform"]} for name in ("slack", "teams", "email")]
    subscriptions += [{"service": "pager"}, {"service": "github"}]
    stack = settings(services=SERVICES, subscriptions={"shop": subscriptions})
    objects = [config_map(build_notification_data(stack.argocd)), *build_app_projects(stack)]
    rendered = [RenderedObject(one, "argocd", "a.yaml") for one in objects]
    assert list(check_subscriptions(rendered, "argocd")) == []
    assert any("subscribe" in key for one in rendered for key in one.annotations)
