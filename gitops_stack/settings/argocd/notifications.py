"""Who hears of what Argo CD does: services, triggers, templates and subscriptions (argocd-notifications-cm).

Tokens are keys of argocd-notifications-secret, the only Secret that the notifications controller reads; Pulumi makes it
and never writes its keys.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from gitops_stack.settings.argocd.sign_in import Mail, Text
from gitops_stack.settings.types import UNIQUE, DnsLabel, Settings, matching

Url = Annotated[
    str,
    matching(r"https://\S+|http://(localhost|127\.0\.0\.1|[\w-]+\.[\w-]+\.svc)(:\d{1,5})?(/\S*)?", "an https:// URL"),
]
# notifications-engine pkg/api/config.go replaces `[$][\\w-]+`: a reference ends at the first dot.
SecretKey = Annotated[str, matching(r"[\w-]+", "a key of argocd-notifications-secret: letters, digits, '_' and '-'")]
TriggerName = Annotated[str, matching(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "a name such as on-deployed")]
Digits = Annotated[str, matching(r"\d+", "digits, in quotes")]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
LIBRARY_TRIGGERS = ("on-deployed", "on-sync-failed", "on-health-degraded")
LIBRARY_TEMPLATES = ("app-deployed", "app-sync-failed", "app-health-degraded")


class SlackSettings(Settings):
    """A Slack app."""

    token_key: SecretKey = Field("slack-token", description="Key of argocd-notifications-secret with the bot's token.")


class TeamsSettings(Settings):
    """Workflows of Microsoft Teams; Office 365 connectors ended on 2026-03-31."""

    channels: dict[Text, SecretKey] = Field(
        min_length=1, description="Channel -> key of argocd-notifications-secret with the workflow's URL."
    )


class WebhookSettings(Settings):
    """Any HTTP receiver; it gets JSON by POST."""

    url: Url = Field(description="Where to post.")
    headers: dict[Text, str] = Field(
        default_factory=dict, description="Headers; `$KEY` stands for a key of argocd-notifications-secret."
    )


class GithubStatusSettings(Settings):
    """A GitHub App that sets the status of commits."""

    app_id: Digits = Field(description="Id of the App.")
    installation_id: Digits = Field(description="Id of its installation.")
    private_key_key: SecretKey = Field(
        "github-privateKey", description="Key of argocd-notifications-secret with the App's private key."
    )


class EmailSettings(Settings):
    """A mail server."""

    host: Text = Field(description="The server.")
    port: Port = Field(587, description="Its port.")
    sender: Mail = Field(description="The address it sends from.")
    username_key: SecretKey | None = Field(None, description="Key of argocd-notifications-secret with the user.")
    password_key: SecretKey | None = Field(None, description="Key of argocd-notifications-secret with the password.")

    @model_validator(mode="after")
    def _both_or_none(self) -> EmailSettings:
        if (self.username_key is None) != (self.password_key is None):
            raise ValueError("needs usernameKey and passwordKey together")
        return self


class NotificationServicesSettings(Settings):
    """Where notifications go; at most one of each kind, and any number of webhooks."""

    slack: SlackSettings | None = Field(None, description="Slack.")
    teams: TeamsSettings | None = Field(None, description="Microsoft Teams, by workflows.")
    github: GithubStatusSettings | None = Field(None, description="Statuses of commits on GitHub.")
    email: EmailSettings | None = Field(None, description="E-mail.")
    webhooks: dict[DnsLabel, WebhookSettings] = Field(default_factory=dict, description="Receivers by name.")

    def names(self) -> list[str]:
        """List the services by the name a subscription uses."""
        own = [name for name in ("slack", "teams", "github", "email") if getattr(self, name) is not None]
        return [*own, *self.webhooks]


class TriggerSettings(Settings):
    """When a notification is sent."""

    when: str = Field(min_length=1, description="An expression over `app`.")
    send: Annotated[tuple[TriggerName, ...], UNIQUE] = Field(min_length=1, description="Templates.")
    once_per: str | None = Field(None, min_length=1, description="Sent once for each value of this expression.")


class SubscriptionSettings(Settings):
    """Who of a project hears of what."""

    service: DnsLabel = Field(description="slack, teams, github, email, or the name of a webhook.")
    triggers: Annotated[tuple[TriggerName, ...], UNIQUE] = Field(
        ("on-deployed", "on-sync-failed"), min_length=1, description="What is sent."
    )
    recipients: Annotated[tuple[Text, ...], UNIQUE] = Field(
        (), description="Channels or addresses; none for a webhook or for github."
    )


class NotificationSettings(Settings):
    """Notifications; none without a subscription."""

    services: NotificationServicesSettings = Field(
        default_factory=lambda: NotificationServicesSettings.model_validate({}), description="Where they go."
    )
    triggers: dict[TriggerName, TriggerSettings] = Field(
        default_factory=dict,
        description=f"Own triggers, beside {', '.join(LIBRARY_TRIGGERS)}; one of that name replaces the library's.",
    )
    templates: dict[TriggerName, dict[str, Any]] = Field(
        default_factory=dict, description="Own templates as Argo CD has them, beside the library's."
    )
    subscriptions: dict[DnsLabel, tuple[SubscriptionSettings, ...]] = Field(
        default_factory=dict, description="Project -> who hears of its applications; `platform` is Argo CD's own."
    )
