"""Who may do what in Argo CD: its address, local accounts, and the policy of argocd-rbac-cm."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_stack.settings.types import UNIQUE, Flag, Settings, matching

Url = Annotated[
    str,
    matching(
        r"(https://[\w.-]+|http://(localhost|127\.0\.0\.1))(:\d{1,5})?(/[\w.~-]+)*",
        "https://HOST without a query and a trailing '/'; http:// is for localhost alone",
    ),
]
Group = Annotated[
    str, matching(r'[^\s"]([^\r\n"]*[^\s"])?', "the name of a group on one line, without quotes", any_script=True)
]
RoleName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][\w-]*|proj:[a-z0-9][a-z0-9-]*:[\w-]+", "admin, readonly, the name of a role, or proj:PROJECT:ROLE"
    ),
]
Scope = Annotated[str, matching(r"[\w:./-]+", "the name of a claim, such as groups or cognito:groups")]
Capability = Literal["apiKey", "login"]


class LocalAccountSettings(Settings):
    """One local account; what it may do comes from `argocd.rbac` or the policy."""

    capabilities: Annotated[tuple[Capability, ...], UNIQUE] = Field(
        ("apiKey",), min_length=1, description="apiKey: tokens for machines; login: a password for the UI and CLI."
    )
    enabled: Flag = Field(True, description="false refuses its tokens and its password, without forgetting them.")


class PolicySettings(Settings):
    """The rest of argocd-rbac-cm beside the groups of `argocd.rbac`."""

    csv: str = Field("", description="Lines of the policy: `p, role:NAME, RESOURCE, ACTION, OBJECT, allow`.")
    default: RoleName | None = Field(
        None, description="Role of everybody who signs in: readonly or one of csv; no deny takes it away."
    )
    scopes: Annotated[tuple[Scope, ...], UNIQUE] | None = Field(
        None, min_length=1, description="Claims that hold groups; default: what argocd.sso needs, else [groups]."
    )
