"""Roles and their bindings (rbac validation)."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.rules.api.formats import FORMATS
from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, show
from gitops_stack.rules.fields import dig, mapping, sequence

_GROUP = "rbac.authorization.k8s.io"


def _check_rules(part: Part, *, namespaced: bool) -> Iterator[Violation]:
    for place, rule in parts(part, "rules"):
        urls = sequence(rule.get("nonResourceURLs"))
        if urls and namespaced:
            yield f"{place}.nonResourceURLs", "found some in a Role", "put them in a ClusterRole"
        elif urls and any(sequence(rule.get(key)) for key in ("apiGroups", "resources", "resourceNames")):
            yield f"{place}.nonResourceURLs", "found them beside resources", "give each a rule of its own"
        elif not urls:
            for key in ("apiGroups", "resources"):
                if not sequence(rule.get(key)):
                    needs = 'add it; the core group is ""' if key == "apiGroups" else "add it"
                    yield f"{place}.{key}", "is missing", needs


def check_role(part: Part) -> Iterator[Violation]:
    """Check a Role."""
    yield from _check_rules(part, namespaced=True)


def check_cluster_role(part: Part) -> Iterator[Violation]:
    """Check a ClusterRole."""
    yield from _check_rules(part, namespaced=False)
    if is_set(part, "aggregationRule") and not sequence(dig(part, "aggregationRule", "clusterRoleSelectors")):
        yield "aggregationRule.clusterRoleSelectors", "is missing", "add at least one"


def check_role_binding(part: Part) -> Iterator[Violation]:
    """Check that a RoleBinding names its role."""
    if not mapping(part.get("roleRef")):
        yield "roleRef", "is missing", "add kind and name of a role"


def check_cluster_role_binding(part: Part) -> Iterator[Violation]:
    """Check a ClusterRoleBinding."""
    yield from check_role_binding(part)
    if dig(part, "roleRef", "kind") == "Role":
        yield "roleRef.kind", "found Role", "needs ClusterRole"
    for place, subject in parts(part, "subjects"):
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            yield f"{place}.namespace", "is missing", "add the service account's namespace"


def check_subject(part: Part) -> Iterator[Violation]:
    """Check one subject."""
    account, group = part.get("kind") == "ServiceAccount", part.get("apiGroup")
    if account and not FORMATS["subdomain"].fits(part.get("name")):
        yield "name", f"found {show(part['name'])}", FORMATS["subdomain"].needs
    if group and group != ("" if account else _GROUP):
        needs = "a ServiceAccount takes none; remove it" if account else f"needs {_GROUP}"
        yield "apiGroup", f"found {show(group)}", needs
