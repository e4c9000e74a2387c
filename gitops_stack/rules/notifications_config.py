"""Judge the rendered argocd-notifications-cm as the notifications controller reads it.

Source: notifications-engine pkg/api/config.go (`ParseConfig`), pkg/api/api.go (`NewAPI`) and pkg/services/services.go
(`NewService`), of Argo CD v3.2.11 and v3.5.1. One key that cannot be read keeps all notifications from being sent, with
a line in the controller's log. tests/e2e/test_notification_templates.py asks Argo CD's own program.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.errors import shorten
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.yaml_values import LIST, MAP, Load, check_shape, read_first

_RULE = "argocd-config"
_SHAPES = {"template": MAP, "service": MAP, "trigger": LIST, "subscriptions": LIST, "defaultTriggers": LIST}
_NAMED = ("template", "service", "trigger")  # the others are whole keys
_SERVICES = (
    "alertmanager", "awssqs", "email", "gcppubsub", "github", "googlechat", "grafana", "mattermost", "nats", "newrelic",
    "opsgenie", "pagerduty", "pagerdutyv2", "pushover", "rocketchat", "slack", "teams", "teams-workflows", "telegram",
    "webex", "webhook",
)  # fmt: skip


def check_notifications_config(found: RenderedObject, argocd_namespace: str, load: Load) -> Iterator[Finding]:
    """Yield a finding per key that cannot be read, and per template that a trigger sends and nobody wrote."""
    if not found.is_config_map("argocd-notifications-cm", argocd_namespace):
        return
    data = mapping(found.manifest.get("data"))
    for key, value in data.items():
        part, dot, _ = key.partition(".")
        if part not in _SHAPES or bool(dot) != (part in _NAMED):
            continue
        wrong = list(check_shape(text(value), _SHAPES[part], load))
        if part == "service":
            wrong += _check_service(key)
        elif part == "trigger" and not wrong:
            wrong += _check_trigger(text(value), data, load)
        for said, needs in wrong:
            yield found.finding(f"data.{key}", said, needs, rule=_RULE)


def _check_service(key: str) -> Iterator[tuple[str, str]]:
    kind, *names = key.split(".")[1:]
    if len(names) > 1:
        yield "has more than a type and a name", "name it service.TYPE.NAME, without further dots"
    elif kind not in _SERVICES:
        near = difflib.get_close_matches(kind, _SERVICES, 1)
        yield f"found the service {kind}, which Argo CD does not have", f"name {near[0] if near else 'one it has'}"


def _check_trigger(value: str, data: Mapping[str, Any], load: Load) -> Iterator[tuple[str, str]]:
    known = {key.removeprefix("template.") for key in data if key.startswith("template.")}
    for condition in map(mapping, sequence(read_first(value, load))):
        for template in map(str, sequence(condition.get("send"))):
            if template not in known:
                near = difflib.get_close_matches(template, known, 1)
                needs = f"name {near[0]}" if near else "write the template"
                yield f"sends {shorten(template, 60)}, and there is no such template", needs
