"""What goes along when an object is deleted: data, or everything in a namespace. Pure."""

from __future__ import annotations

from gitops_stack.conventions import SYNC_OPTIONS
from gitops_stack.rules.dangers import sync_options
from gitops_stack.rules.fields import dig, text
from gitops_stack.rules.finding import RenderedObject

_NAMESPACE, _CLAIM, _SET = ("", "Namespace"), ("", "PersistentVolumeClaim"), ("apps", "StatefulSet")
_VOLUME = "with what is on its volume, unless the volume's reclaim policy is Retain"


def describe_held(found: RenderedObject) -> str:
    """Say what goes along with an object that is deleted; empty when nothing does that Git could not bring back."""
    kind = found.group, found.kind
    if kind == _NAMESPACE:
        return "with all that is in it"
    if kind == _CLAIM:
        return _VOLUME
    deleted = dig(found.spec, "persistentVolumeClaimRetentionPolicy", "whenDeleted") == "Delete"
    return (
        "with its claims and what is on their volumes, unless their reclaim policy is Retain"
        if kind == _SET and deleted
        else ""
    )


def outlives_application(found: RenderedObject) -> str:
    """Return the annotation by which an object stays when its Application is deleted in cascade, else empty.

    Argo CD's controller/appcontroller.go, shouldBeDeleted, which also leaves CRDs.
    """
    if "Delete=false" in sync_options(found):
        return f"{SYNC_OPTIONS} has Delete=false"
    annotations = found.manifest["metadata"].get("annotations") or {}
    kept = text(annotations.get("helm.sh/resource-policy")) == "keep"
    return "helm.sh/resource-policy is keep" if kept else ""
