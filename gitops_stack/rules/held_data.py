"""What goes along when an object is deleted: data, or everything in a namespace. Pure."""

from __future__ import annotations

from gitops_stack.conventions import SYNC_OPTIONS
from gitops_stack.rules.application_spec import ApplicationSpec, find_option, is_stop, sync_options
from gitops_stack.rules.fields import dig, text
from gitops_stack.rules.finding import RenderedObject

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
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


def is_replaced_by_force(found: RenderedObject, *, replaces: bool) -> bool:
    """Tell whether each sync deletes an object and makes it anew; ``replaces``: its Application replaces objects.

    gitops-engine's pkg/sync/sync_context.go, applyObject: a CRD or Namespace is updated instead.
    """
    options = sync_options(found)
    asked = "Force=true" in options and (replaces or "Replace=true" in options)
    return asked and (found.group, found.kind) not in (_CRD, _NAMESPACE)


def find_pruning_stop(spec: ApplicationSpec, found: RenderedObject) -> str:
    """Return what keeps an object that leaves Git from being pruned, or pruned unasked; empty when nothing does.

    The object's own option, else the Application's: gitops-engine's pkg/sync/sync_context.go, isPruningDisabled.
    """
    return _find_stop("Prune", spec, found)


def find_deletion_stop(spec: ApplicationSpec, found: RenderedObject) -> str:
    """Return what keeps an object from going with its Application, or going unasked; empty when nothing does.

    Argo CD's controller/appcontroller.go, shouldBeDeleted and finalizeApplicationDeletion. CRDs always stay.
    """
    kept = text(found.annotations.get("helm.sh/resource-policy")) == "keep"
    return _find_stop("Delete", spec, found) or ("helm.sh/resource-policy is keep" if kept else "")


def _find_stop(word: str, spec: ApplicationSpec, found: RenderedObject) -> str:
    for place, options in ((SYNC_OPTIONS, sync_options(found)), (f"application {spec.name}", spec.sync_options)):
        if stated := find_option(word, options):
            return f"{place} has {stated}" if is_stop(stated) else ""
    return ""
