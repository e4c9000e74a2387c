"""What a subscription names has to be there: Argo CD says so in a debug log only (argo-cd#17773)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitops_stack import conventions
from gitops_stack.settings.argocd.notifications import (
    LIBRARY_TEMPLATES,
    LIBRARY_TRIGGERS,
    NotificationSettings,
    SubscriptionSettings,
)

if TYPE_CHECKING:
    from gitops_stack.settings.stack import StackSettings

_WITH_RECIPIENTS = ("slack", "teams", "email")
_TAKEN = ("slack", "teams", "teams-workflows", "github", "email")


def check_notifications(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    """Yield (path as typed, found, what is needed)."""
    yield from _check_names(settings.argocd.notifications)
    known = [conventions.PLATFORM_PROJECT, *settings.projects]
    for project, subscriptions in settings.argocd.notifications.subscriptions.items():
        path = f"argocd.notifications.subscriptions.{project}"
        if project not in known:
            yield path, project, f"needs a project of this stack: {', '.join(known)}"
        taken: set[tuple[str, str]] = set()
        for number, one in enumerate(subscriptions):
            yield from _check_subscription(settings, f"{path}.{number}", one)
            for name in one.triggers:
                if (one.service, name) in taken:
                    yield (
                        f"{path}.{number}.triggers",
                        name,
                        f"needs to be there once for {one.service}: list all recipients",
                    )
                taken.add((one.service, name))


def _check_names(notifications: NotificationSettings) -> Iterator[tuple[str, object, str]]:
    templates = {*LIBRARY_TEMPLATES, *notifications.templates}
    for name, trigger in notifications.triggers.items():
        for template in trigger.send:
            if template not in templates:
                path = f"argocd.notifications.triggers.{name}.send"
                yield path, template, f"needs a template: {', '.join(sorted(templates))}"
    for name in notifications.services.webhooks:
        if name in _TAKEN:
            yield f"argocd.notifications.services.webhooks.{name}", name, "needs another name: a service has it"


def _check_subscription(
    settings: StackSettings, path: str, one: SubscriptionSettings
) -> Iterator[tuple[str, object, str]]:
    notifications = settings.argocd.notifications
    services = notifications.services.names()
    if one.service not in services:
        known = ", ".join(services) or "set one under argocd.notifications.services"
        yield f"{path}.service", one.service, f"needs a service: {known}"
        return
    triggers = {*LIBRARY_TRIGGERS, *notifications.triggers}
    for name in one.triggers:
        if name not in triggers:
            yield f"{path}.triggers", name, f"needs a trigger: {', '.join(sorted(triggers))}"
    if one.service in _WITH_RECIPIENTS and not one.recipients:
        yield f"{path}.recipients", list(one.recipients), f"needs at least one: {one.service} has channels or addresses"
    if one.service not in _WITH_RECIPIENTS and one.recipients:
        yield f"{path}.recipients", list(one.recipients), f"needs to be left out: {one.service} has none"
    teams = notifications.services.teams
    if one.service == "teams" and teams is not None:
        for channel in one.recipients:
            if channel not in teams.channels:
                yield f"{path}.recipients", channel, f"needs a channel: {', '.join(teams.channels)}"
