"""Who may administer an Argo CD beside its built-in account, from its configuration. Pure.

Source: Argo CD's docs/operator-manual/user-management and rbac.md, v3.5.1.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping

_BUILT_IN = "admin"
_ROLE = "role:admin"


def list_administrators(
    configuration: Mapping[str, str], permissions: Mapping[str, str], secret_keys: Collection[str]
) -> list[str]:
    """List who has the role admin and a way to sign in: local accounts, and groups where SSO is configured.

    ``configuration`` is argocd-cm, ``permissions`` argocd-rbac-cm, ``secret_keys`` those of argocd-secret. A group of
    which nobody is a member counts: only the identity provider knows.
    """
    has_sso = bool(configuration.get("url")) and any(configuration.get(f"{kind}.config") for kind in ("oidc", "dex"))
    found = []
    for subject in dict.fromkeys(_subjects(permissions)):
        if subject == _BUILT_IN:
            continue
        if f"accounts.{subject}" in configuration:
            found += [f"account {subject}"] if _may_sign_in(subject, configuration, secret_keys) else []
        elif has_sso and not subject.startswith(("role:", "proj:")):
            found.append(f"group {subject}")
    if has_sso and permissions.get("policy.default") == _ROLE:
        found.append("whoever signs in")
    return found


def _subjects(permissions: Mapping[str, str]) -> Iterator[str]:
    for key, text in permissions.items():
        if key == "policy.csv" or (key.startswith("policy.") and key.endswith(".csv")):
            for row in csv.reader(text.splitlines(), skipinitialspace=True):
                words = [word.strip() for word in row]
                if words[:1] == ["g"] and words[2:3] == [_ROLE]:
                    yield words[1]


def _may_sign_in(name: str, configuration: Mapping[str, str], secret_keys: Collection[str]) -> bool:
    capabilities = {word.strip() for word in configuration[f"accounts.{name}"].split(",")}
    enabled = configuration.get(f"accounts.{name}.enabled", "true").strip().lower() != "false"
    return enabled and "login" in capabilities and f"accounts.{name}.password" in secret_keys
