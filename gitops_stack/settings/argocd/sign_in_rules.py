"""Rules between the identity provider and the rest of the settings: what a provider needs and cannot do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitops_stack.patterns import release_order
from gitops_stack.settings.argocd.sign_in import (
    EntraSettings,
    GithubSettings,
    GoogleSettings,
    IdentityCenterSettings,
    SsoSettings,
)

if TYPE_CHECKING:
    from gitops_stack.settings.stack import StackSettings

_UUID = re.compile(r"([0-9a-f]{10}-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OVERAGE_SINCE = (3, 5, 0)


def check_sign_in(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    """Yield (path as typed, found, what is needed)."""
    argocd = settings.argocd
    sso = argocd.sso
    if sso is not None and sso.needs_dex and argocd.dex is False:
        yield "argocd.dex", False, f"needs true, or no setting: {sso.name} is reached through Dex"
    if not argocd.uses_dex and "dex-server" in argocd.resources:
        yield "argocd.resources.dex-server", "dex-server", "needs argocd.dex: true; Dex is left out"
    if sso is None:
        return
    place = f"argocd.sso.{sso.name}"
    if argocd.url is None:
        yield "argocd.url", None, f"needs the address that {sso.name} sends people back to"
    provider = sso.provider
    if (
        isinstance(provider, EntraSettings)
        and provider.group_overage
        and release_order(argocd.version) < _OVERAGE_SINCE
    ):
        yield f"{place}.groupOverage", True, f"needs v3.5.0 or later; argocd.version is {argocd.version}"
    if argocd.policy.scopes is not None and provider.claim not in argocd.policy.scopes:
        found = list(argocd.policy.scopes)
        yield "argocd.policy.scopes", found, f"needs {provider.claim}, where {sso.name} has the groups; or leave it out"
    for group in argocd.rbac:
        needs = None if group in argocd.accounts else _group_needs(sso, group)
        if needs:
            yield f"argocd.rbac.{group}", group, f"needs {needs}"


def _group_needs(sso: SsoSettings, group: str) -> str | None:
    provider = sso.provider
    if isinstance(provider, EntraSettings) and not _UUID.fullmatch(group):
        return "the group's object id: Entra's tokens have no names of groups"
    if isinstance(provider, IdentityCenterSettings) and not _UUID.fullmatch(group):
        return "the group's id: IAM Identity Center sends no names of groups"
    if isinstance(provider, GoogleSettings) and "@" not in group:
        return (
            "the address of a group"
            if provider.directory
            else ("the address of a person: Google has no groups over OIDC; for groups set sso.google.directory")
        )
    if isinstance(provider, GithubSettings):
        organization, _, team = group.partition(":")
        teams = provider.organizations.get(organization)
        if teams is None:
            return f"ORG:TEAM of {', '.join(provider.organizations)}"
        if not team or (teams and team not in teams):
            return f"{organization}:TEAM with a team of it{f': {chr(44).join(teams)}' if teams else ''}"
    return None
