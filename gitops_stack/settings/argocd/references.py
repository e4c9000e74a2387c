"""Rules between the settings of Argo CD, and between them and the stack's projects."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gitops_stack import conventions
from gitops_stack.settings.argocd.notification_rules import check_notifications
from gitops_stack.settings.argocd.parameters import find_parameter, is_read, load_parameters
from gitops_stack.settings.argocd.policy_lines import check_policy, defined_roles, read_policy
from gitops_stack.settings.argocd.sign_in_rules import check_sign_in

if TYPE_CHECKING:
    from gitops_stack.settings.argocd.installation import ArgoCDSettings
    from gitops_stack.settings.stack import StackSettings

Finding = tuple[str, object, str]
_BUILT_IN = ("admin", "readonly")
# These alone do half of it: the rest is `sourceNamespaces` of AppProjects, ClusterRoles for server and notifications
# (examples/k8s-rbac of argo-cd), and whoever reads Applications having to look there.
_ANY_NAMESPACE = ("application.namespaces", "applicationsetcontroller.namespaces")


def check_argocd_references(settings: StackSettings) -> Iterator[Finding]:
    """Yield (path as typed, found, what is needed) for what cannot work together in Argo CD."""
    argocd = settings.argocd
    if "redis-haproxy" in argocd.resources and not argocd.high_availability:
        yield "argocd.resources.redis-haproxy", "redis-haproxy", "needs highAvailability: only those manifests have it"
    for name, patch in argocd.patches.items():
        metadata = patch.get("metadata")
        named = metadata.get("name") if isinstance(metadata, dict) else None
        if not all(isinstance(part, str) and part for part in (patch.get("apiVersion"), patch.get("kind"), named)):
            yield f"argocd.patches.{name}", patch, "needs apiVersion, kind and metadata.name: the object it changes"
    yield from _check_access(settings)
    yield from check_sign_in(settings)
    yield from check_notifications(settings)
    yield from _check_parameters(settings)
    yield from _check_exposure(argocd)
    application = f"{conventions.ARGOCD_GROUP}/Application"
    own = argocd.resource_customizations.get(application)
    if own is not None and own.health is not None:
        path = f"argocd.resourceCustomizations.{application}.health"
        yield path, own.health, "needs to be left out: waves wait by the library's health of an Application"
    for kind, one in argocd.resource_customizations.items():
        if one.ignore_resource_updates is not None and one.ignore_resource_updates.managed_fields_managers:
            path = f"argocd.resourceCustomizations.{kind}.ignoreResourceUpdates.managedFieldsManagers"
            found = list(one.ignore_resource_updates.managed_fields_managers)
            yield path, found, "needs jsonPointers or jqPathExpressions: Argo CD compares updates by these alone"
    every = argocd.resource_customizations.get("all")
    if every is not None and every.health is not None:
        yield "argocd.resourceCustomizations.all.health", every.health, "needs a kind: health is judged by kind"


def role_subject(role: str) -> str:
    """Return what a policy calls ``role`` of the settings."""
    return role if role.startswith("proj:") else f"role:{role}"


def _check_access(settings: StackSettings) -> Iterator[Finding]:
    argocd = settings.argocd
    for one in check_policy(argocd.policy.csv):
        yield f"argocd.policy.csv line {one.line}", one.text, f"needs mending, {one.problem}: {one.remedy}"
    lines, _ = read_policy(argocd.policy.csv)
    roles = defined_roles(lines)
    own = sorted(role.removeprefix("role:") for role in roles if role.startswith("role:"))
    named = [(f"argocd.rbac.{group}", role) for group, role in argocd.rbac.items()]
    if argocd.policy.default is not None:
        named.append(("argocd.policy.default", argocd.policy.default))
        if argocd.policy.default == "admin":
            yield "argocd.policy.default", "admin", "needs another role: whoever signs in would be admin, for good"
    for path, role in named:
        if role.startswith("proj:"):
            _, project, own_role = role.split(":")
            known = settings.projects.get(project)
            if known is None or own_role not in known.roles:
                yield path, role, f"needs a role under projects.{project}.roles, or another one"
        elif role_subject(role) not in roles:
            offered = [one for one in own if one != "admin" or path != "argocd.policy.default"]
            yield path, role, f"needs one of {', '.join(offered)}, or a line `p, role:{role}, …` in argocd.policy.csv"
    if "admin" in argocd.accounts:
        yield "argocd.accounts.admin", "admin", "needs another name: argocd.adminEnabled is for this account"


def _check_parameters(settings: StackSettings) -> Iterator[Finding]:
    version = settings.argocd.version
    for key, value in settings.argocd.parameters.items():
        path = f"argocd.parameters.{key}"
        if key in _ANY_NAMESPACE and value:
            yield path, value, "needs to be left out: Applications are in Argo CD's namespace alone (docs/argocd.md)"
        elif is_read(key, version) is False:
            known = load_parameters().get(key)
            near = difflib.get_close_matches(key, load_parameters(), 1)
            remedy = f"Argo CD reads it from {known.since} on" if known else f"did you mean {near[0]}?" if near else ""
            yield path, value, f"needs a key that {version} reads{f': {remedy}' if remedy else ''}"
        elif find_parameter(key).readers == ("dex-server",) and not settings.argocd.uses_dex:
            yield path, value, "needs argocd.dex: true; only Dex reads it, and Dex is left out"


def _check_exposure(argocd: ArgoCDSettings) -> Iterator[Finding]:
    if argocd.exposure is None:
        return
    if argocd.url is None:
        yield "argocd.url", None, "needs the address at which argocd.exposure shows Argo CD"
    elif urlsplit(argocd.url).path:
        yield "argocd.url", argocd.url, "needs a host of its own, without a path: argocd.exposure leads all of it there"
    insecure = argocd.parameters.get("server.insecure")
    if argocd.exposure.gateway and insecure not in (None, "true"):
        yield "argocd.parameters.server.insecure", insecure, "needs true, or no setting: the Gateway ends TLS"
    if not argocd.exposure.gateway and insecure == "true":
        yield (
            "argocd.parameters.server.insecure",
            insecure,
            "needs false, or no setting: argocd.exposure speaks TLS to it",
        )
