"""What a destroy waits for: objects that are being deleted, their finalizers, what their owners say. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from httpx2 import HTTPError
from lightkube import Client

from gitops_stack import conventions
from gitops_stack.errors import shorten
from gitops_stack.live.kinds import resource_class
from gitops_stack.live.reading import reference
from gitops_stack.manifests import Manifest

_KINDS = (  # in the order in which a destroy deletes them
    (conventions.ARGOCD_API_VERSION, "Application", True),
    (conventions.ARGOCD_API_VERSION, "ApplicationSet", True),
    (conventions.ARGOCD_API_VERSION, "AppProject", True),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", False),
    ("v1", "Namespace", False),
)
_TELLING = ("DeletionError", "NamespaceContentRemaining", "NamespaceFinalizersRemaining", "Terminating")


def describe_deletions(client: Client) -> list[str]:
    """Return a sentence for each object that is being deleted: since when, for which finalizers, and why it takes long.

    A kind that cannot be read is left out; a cluster that does not answer gives one sentence that says so.
    """
    sentences: list[str] = []
    for api_version, kind, namespaced in _KINDS:
        try:
            found = list(_load_all(client, api_version, kind, namespaced=namespaced))
        except OSError as error:
            return [*sentences, f"cluster: does not answer: {error}"]
        except HTTPError as error:
            if getattr(error, "response", None) is None:
                return [*sentences, f"cluster: does not answer: {error}"]
            continue  # its CRD is gone
        sentences += [_describe(one) for one in found if one["metadata"].get("deletionTimestamp")]
    return sentences


def _load_all(client: Client, api_version: str, kind: str, *, namespaced: bool) -> Iterator[Manifest]:
    group, _, version = api_version.rpartition("/")
    resource = resource_class(group, version, kind, namespaced)
    options: dict[str, Any] = {"namespace": "*"} if namespaced else {}
    for found in client.list(resource, **options):
        plain: Manifest = found.to_dict()
        plain.setdefault("apiVersion", api_version)
        plain.setdefault("kind", kind)
        yield plain


def _describe(found: Manifest) -> str:
    metadata, status = found["metadata"], found.get("status") or {}
    deleted = datetime.fromisoformat(metadata["deletionTimestamp"].replace("Z", "+00:00"))
    seconds = (datetime.now(timezone.utc) - deleted).total_seconds()
    finalizers = [*(metadata.get("finalizers") or []), *((found.get("spec") or {}).get("finalizers") or [])]
    reasons = [f"waits for {', '.join(finalizers)}"] if finalizers else []
    operation = status.get("operationState") or {}
    if operation.get("phase") in ("Running", "Terminating"):
        reasons.append(f"its sync is {operation['phase']}: {operation.get('message') or 'no message'}")
    for condition in status.get("conditions") or []:
        if condition.get("type") in _TELLING and condition.get("status", "True") == "True":
            reasons.append(condition.get("message") or condition["type"])
    said = "; ".join(shorten(" ".join(reason.split())) for reason in reasons)
    return f"{reference(found).text}: is being deleted for {seconds:.0f} s{': ' if said else ''}{said}"
