"""Notifications as keys of argocd-notifications-cm, and subscriptions as annotations of AppProjects.

Our triggers differ from upstream's catalogue in `oncePer`: a source of several, or one that failed, has its revision
elsewhere, and without one a notification is sent once for ever or at every change.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from gitops_stack.settings import ArgoCDSettings, NotificationServicesSettings, TriggerSettings

_SUBSCRIBE = "notifications.argoproj.io/subscribe"
_RESULT = "app.status?.operationState?.syncResult"
_ONCE = f"{_RESULT}?.revisions ?? {_RESULT}?.revision ?? app.status?.operationState?.startedAt"
_PHASE = "app.status?.operationState?.phase"
_DEPLOYED = {
    "when": f"{_PHASE} in ['Succeeded'] and app.status?.health?.status == 'Healthy'",
    "send": ["app-deployed"],
    "oncePer": _ONCE,
}
_FAILED = {"when": f"{_PHASE} in ['Error', 'Failed']", "send": ["app-sync-failed"], "oncePer": _ONCE}
_DEGRADED = {
    "when": "app.status?.health?.status == 'Degraded'",
    "send": ["app-health-degraded"],
    "oncePer": "app.status?.sync?.revisions ?? app.status?.sync?.revision",
}
_TRIGGERS = {"on-deployed": _DEPLOYED, "on-sync-failed": _FAILED, "on-health-degraded": _DEGRADED}
_NAME = "{{.app.metadata.name}}"
_LINK = "{{.context.argocdUrl}}/applications/{{.app.metadata.namespace}}/{{.app.metadata.name}}"
_SYNCED = ".app.status.operationState.syncResult.revision"
# Name -> text, state, and where the revision is: an application may be degraded before it was ever synced.
_TEXTS = {
    "app-deployed": (f"{_NAME} is deployed and healthy.", "success", _SYNCED),
    "app-sync-failed": (f"The sync of {_NAME} failed: {{{{.app.status.operationState.message}}}}", "failure", _SYNCED),
    "app-health-degraded": (f"{_NAME} is degraded.", "failure", ".app.status.sync.revision"),
}


def build_notification_data(argocd: ArgoCDSettings) -> dict[str, str]:
    """Build the keys of argocd-notifications-cm; empty without a service."""
    notifications = argocd.notifications
    services = notifications.services
    if not services.names():
        return {}
    link = _LINK if argocd.url else ""  # a template would put `<no value>` before its path
    templates: dict[str, Any] = {name: _template(services, text, link) for name, text in _TEXTS.items()}
    triggers: dict[str, Any] = {name: [trigger] for name, trigger in _TRIGGERS.items()}
    triggers |= {name: [_trigger(one)] for name, one in notifications.triggers.items()}
    return {
        **({"context": _yaml({"argocdUrl": argocd.url})} if argocd.url else {}),
        **{f"service.{name}": _yaml(body) for name, body in _services(services).items()},
        **{f"template.{name}": _yaml(body) for name, body in (templates | dict(notifications.templates)).items()},
        **{f"trigger.{name}": _yaml(body) for name, body in triggers.items()},
    }


def build_subscriptions(argocd: ArgoCDSettings, project: str) -> dict[str, str]:
    """Build the annotations of an AppProject that subscribe whoever is to hear of its applications."""
    return {
        f"{_SUBSCRIBE}.{trigger}.{_engine_name(one.service)}": ";".join(one.recipients)
        for one in argocd.notifications.subscriptions.get(project, ())
        for trigger in one.triggers
    }


def _engine_name(service: str) -> str:
    return "teams-workflows" if service == "teams" else service


def _services(services: NotificationServicesSettings) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    if services.slack:
        made["slack"] = {"token": f"${services.slack.token_key}"}
    if services.teams:
        made["teams-workflows"] = {"recipientUrls": {name: f"${key}" for name, key in services.teams.channels.items()}}
    if services.github:
        github = services.github
        made["github"] = {
            "appID": github.app_id, "installationID": github.installation_id, "privateKey": f"${github.private_key_key}"
        }  # fmt: skip
    if services.email:
        mail = services.email
        login = {"username": f"${mail.username_key}", "password": f"${mail.password_key}"} if mail.username_key else {}
        made["email"] = {"host": mail.host, "port": mail.port, "from": mail.sender, **login}
    for name, hook in services.webhooks.items():
        headers = {"Content-Type": "application/json", **hook.headers}
        listed = [{"name": key, "value": value} for key, value in headers.items()]
        made[f"webhook.{name}"] = {"url": hook.url, "headers": listed}
    return made


def _trigger(one: TriggerSettings) -> dict[str, Any]:
    return {"when": one.when, "send": list(one.send), **({"oncePer": one.once_per} if one.once_per else {})}


def _template(services: NotificationServicesSettings, text: tuple[str, str, str], link: str) -> dict[str, Any]:
    message, state, revision = text
    body: dict[str, Any] = {"message": f"{message}\n{link}\n" if link else f"{message}\n"}
    if services.email:
        body["email"] = {"subject": message}
    if services.teams:
        body["teams-workflows"] = {"title": message, "text": link or message}
    if services.github:
        body["github"] = {
            "repoURLPath": "{{.app.spec.source.repoURL}}",
            "revisionPath": f"{{{{{revision}}}}}",
            "status": {"state": state, "label": f"argo-cd/{_NAME}", **({"targetURL": link} if link else {})},
        }
    if services.webhooks:
        fields = {
            "application": "{{.app.metadata.name | toJson}}",
            "state": json.dumps(state),
            "revision": f"{{{{{revision} | toJson}}}}",
            # That the last sync went well is no message of what is degraded.
            "message": "{{.app.status.operationState.message | toJson}}"
            if revision == _SYNCED
            else json.dumps(message),
        }
        content = "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in fields.items()) + "}"
        body["webhook"] = {name: {"method": "POST", "body": content} for name in services.webhooks}
    return body


def _yaml(value: object) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
    return text
