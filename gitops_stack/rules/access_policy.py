"""Judge the rendered argocd-rbac-cm as Argo CD's server reads it.

Source: util/rbac (`PolicyCSV`, `syncUpdate`) and docs/operator-manual/rbac.md: every `policy.*.csv` is joined, a key of
another name is ignored without a word (argo-cd#6647).
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from gitops_stack.errors import shorten
from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.yaml_values import Load, read_first
from gitops_stack.settings.argocd.policy_lines import check_policy, defined_roles, read_policy

RULE = "access-policy"
_OTHER_KEYS = ("policy.default", "policy.matchMode", "scopes")


def is_policy_key(key: str) -> bool:
    """Tell whether Argo CD reads ``key`` of argocd-rbac-cm as lines of the policy."""
    return key.startswith("policy.") and key.endswith(".csv")


def check_access_policy(found: RenderedObject, argocd_namespace: str, load: Load) -> Iterator[Finding]:
    """Yield a finding per line of the policy that Argo CD refuses or that does nothing, and per key it ignores."""
    if not found.is_config_map("argocd-rbac-cm", argocd_namespace):
        return
    data = mapping(found.manifest.get("data"))
    roles = {role for key in data if is_policy_key(key) for role in defined_roles(read_policy(text(data[key]))[0])}
    for key, value in data.items():
        if is_policy_key(key):
            for one in check_policy(text(value), roles):
                yield found.finding(f"data.{key} line {one.line}", f"{one.problem}: {one.text}", one.remedy, rule=RULE)
        elif key not in _OTHER_KEYS:
            yield found.finding(
                f"data.{key}", "is a key that Argo CD ignores", "name it policy.NAME.csv, or take it out", rule=RULE
            )
    yield from _check_reading(found, text(data.get("scopes")), text(data.get("policy.matchMode")), load)
    default = text(data.get("policy.default"))
    if default and default not in roles | {"role:admin", "role:readonly"}:
        yield found.finding("data.policy.default", f"names {default}, which no line defines", "define it", rule=RULE)


def _check_reading(found: RenderedObject, scopes: str, mode: str, load: Load) -> Iterator[Finding]:
    """Check how groups and lines are read (server/server.go `rbacPolicyLoader`, util/rbac `SetMatchMode`)."""
    if scopes and not _is_list(scopes, load):
        said = f"found {shorten(scopes, 80)}, which is not a list of names: argocd-server ends when it reads it"
        yield found.finding("data.scopes", said, "write '[groups]', with the names of claims", rule=RULE)
    if mode not in ("", "glob", "regex"):
        said = f"found {mode}, which Argo CD takes for glob"
        yield found.finding("data.policy.matchMode", said, "write glob or regex", rule=RULE)


def _is_list(scopes: str, load: Load) -> bool:
    try:
        read = read_first(scopes, load)
    except yaml.YAMLError:
        return False
    return read is None or (isinstance(read, list) and all(isinstance(one, str) for one in read))
