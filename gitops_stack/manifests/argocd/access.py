"""Accounts and roles as keys of argocd-cm and argocd-rbac-cm."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.manifests.argocd.sign_in import default_scopes
from gitops_stack.settings import ArgoCDSettings
from gitops_stack.settings.argocd.references import role_subject


def build_account_keys(argocd: ArgoCDSettings) -> Iterator[tuple[str, str]]:
    """Yield the keys of argocd-cm that make local accounts (docs/operator-manual/user-management)."""
    for name, account in sorted(argocd.accounts.items()):
        yield f"accounts.{name}", ", ".join(account.capabilities)
        if not account.enabled:
            yield f"accounts.{name}.enabled", "false"


def build_rbac_data(argocd: ArgoCDSettings) -> dict[str, str]:
    """Build the keys of argocd-rbac-cm: the lines of the policy, then who has which role."""
    own = f"{argocd.policy.csv.strip()}\n" if argocd.policy.csv.strip() else ""
    groups = "".join(f"g, {quote_group(group)}, {role_subject(role)}\n" for group, role in sorted(argocd.rbac.items()))
    # policy.default is a floor that no deny removes, so it stays empty unless somebody says otherwise.
    data = {
        "policy.csv": own + groups,
        "policy.default": role_subject(argocd.policy.default) if argocd.policy.default else "",
    }
    scopes = argocd.policy.scopes or default_scopes(argocd)
    if scopes:
        data["scopes"] = f"[{', '.join(map(_quoted_scope, scopes))}]"
    return data


def quote_group(group: str) -> str:
    """Return a group as a field of a policy: CSV, so one with a comma, as LDAP's have, is quoted."""
    return f'"{group}"' if "," in group else group


def _quoted_scope(scope: str) -> str:
    return f"'{scope}'" if ":" in scope else scope
