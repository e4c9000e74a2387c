"""Kinds as the API server serves them: the resource a kind is read and written by, and lightkube's class of it."""

from __future__ import annotations

from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from httpx2 import HTTPError
from lightkube import Client
from lightkube.core.exceptions import ConfigError
from lightkube.generic_resource import GenericGlobalResource, GenericNamespacedResource, create_api_info

from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.gitops_tree.object_reference import ObjectReference

# Groups whose resources `plural` names, as tests/live/test_kinds.py holds against their own lists.
_REGULAR = frozenset(
    {
        "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
        "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io",
    }
)  # fmt: skip
_OF_ARGOCD = frozenset({"AppProject", "Application", "ApplicationSet"})  # not of its group: EventBus is `eventbus`
_discovered: WeakKeyDictionary[Client, dict[str, dict[str, str]]] = WeakKeyDictionary()


def plural(kind: str) -> str:
    """Guess a kind's resource name by Kubernetes' own rule (apimachinery meta.UnsafeGuessKindToResource)."""
    lower = kind.lower()
    if lower.endswith("s"):
        return lower if lower == "endpoints" else f"{lower}es"
    # Upstream guesses "gatewaies" too, and API groups name themselves gateways (gateway.networking.k8s.io).
    return f"{lower[:-1]}ies" if lower.endswith("y") and lower[-2] not in "aeiou" else f"{lower}s"


@cache
def resource_class(group: str, version: str, kind: str, namespaced: bool, name: str = "") -> Any:  # noqa: ANN401 - a class made at run time
    """Make lightkube's class of a kind, whose resource is ``name``, or else the guessed one.

    It is not put into lightkube's registry, which is one for all threads and takes each kind once.
    """
    base = GenericNamespacedResource if namespaced else GenericGlobalResource
    return type(kind, (base,), {"_api_info": create_api_info(group, version, kind, name or plural(kind))})


def served_class(client: Client, found: ObjectReference) -> Any:  # noqa: ANN401 - as above
    """Make lightkube's class of an object's kind, with the resource name that the API server has for it.

    A CRD names its resource as it likes: the AWS Load Balancer Controller's IngressClassParams is `ingressclassparams`.
    One that the server does not have, or a server that does not answer, is left to who asks for the object.
    """
    name = ""
    known = found.group in _REGULAR or (found.group == ARGOCD_GROUP and found.kind in _OF_ARGOCD)
    if "." in found.group and not known:
        name = _load_names(client, f"{found.group}/{found.version}", found.kind)
    return resource_class(found.group, found.version, found.kind, bool(found.namespace), name)


def _load_names(client: Client, api_version: str, kind: str) -> str:
    known = _discovered.setdefault(client, {})
    if kind not in known.get(api_version, {}):  # asked again for a kind whose CRD may have come since
        known[api_version] = _discover(client, api_version)
    return known[api_version].get(kind, "")


def _discover(client: Client, api_version: str) -> dict[str, str]:
    try:
        answer = client._client._client.get(f"/apis/{api_version}")  # lightkube has no method for discovery
        listed = answer.json().get("resources") or () if answer.is_success else ()
    except (OSError, HTTPError, ConfigError, ValueError):
        return {}
    return {one["kind"]: one["name"] for one in listed if "/" not in one["name"]}
