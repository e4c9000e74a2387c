"""What deletes more than was meant: finalizers, pruning, Secrets that others keep."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.conventions import (
    ENVIRONMENT_LABEL,
    PULUMI_OWNED_SECRETS,
    RESOURCES_FINALIZER,
    ROOT_APPLICATION,
    SYNC_OPTIONS,
)
from gitops_stack.rules.application_spec import ApplicationSpec, find_option, is_stop, sync_options
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.held_data import describe_held, find_deletion_stop, find_pruning_stop, is_replaced_by_force
from gitops_stack.rules.secret_values import list_secret_keys

_PRUNABLE = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "prunable-crd",
    ("", "Namespace"): "prunable-namespace",
    ("", "PersistentVolumeClaim"): "prunable-volume-claim",
}
_GOES_ALONG = ("prunable-namespace", "prunable-volume-claim")  # a CRD stays when its Application is deleted


def check_finalizer(application: ApplicationSpec) -> Iterator[Finding]:
    """Check that workloads delete in cascade, and the library's own Applications never do."""
    if application.of_library and application.cascades:
        yield application.object.finding(
            "metadata.finalizers",
            f"found {RESOURCES_FINALIZER} on {application.name}",
            "remove it: deleting this Application must leave what it synced",
            rule="library-finalizer",
        )
    elif not application.of_library and not application.cascades:
        yield application.object.finding(
            "metadata.finalizers",
            f"found no {RESOURCES_FINALIZER}",
            "add it, or what the application made stays when it is removed",
            rule="workload-without-finalizer",
        )


def check_pruning(application: ApplicationSpec, found: RenderedObject) -> Iterator[Finding]:
    """Check what holds more than Git has: that neither leaving Git nor its Application's deletion takes it away."""
    rule = _PRUNABLE.get((found.group, found.kind))
    if rule is None or (rule == "prunable-namespace" and ENVIRONMENT_LABEL in found.labels):
        return  # such a namespace goes with its environment, on purpose
    lacking = {}
    if application.prunes and not find_pruning_stop(application, found):
        lacking["Prune=false"] = "prunes by itself"
    if rule in _GOES_ALONG and _is_deleted_by_git(application) and not find_deletion_stop(application, found):
        lacking["Delete=false"] = "takes it along when it is deleted"
    if lacking:
        yield found.finding(
            "metadata.annotations",
            f"found no {' and no '.join(lacking)}, and application {application.name} {' and '.join(lacking.values())}",
            f"add the annotation {SYNC_OPTIONS}: {','.join(lacking)}",
            rule=rule,
        )


def _is_deleted_by_git(application: ApplicationSpec) -> bool:
    """Tell whether a commit can delete an Application and what it made; root goes with `pulumi destroy` alone."""
    kept = is_stop(find_option("Prune", sync_options(application.object)))
    is_root = application.of_stack and application.name == ROOT_APPLICATION
    return application.cascades and not (kept or is_root or application.of_library)


def check_replacement(application: ApplicationSpec, found: RenderedObject) -> Iterator[Finding]:
    """Check that no sync deletes what holds data to make it anew."""
    held = describe_held(found)
    if held and is_replaced_by_force(found, replaces=application.replaces):
        yield found.finding(
            "metadata.annotations",
            f"found Force=true with Replace=true: every sync deletes it and makes it anew, {held}",
            f"remove one of the two from {SYNC_OPTIONS}",
            rule="replaced-by-force",
        )


def check_secret(
    application: ApplicationSpec | None, found: RenderedObject, argocd_namespace: str
) -> Iterator[Finding]:
    """Check that no Secret's values, and no Secret that Pulumi keeps, come from Git.

    Without a stack ``argocd_namespace`` is empty: Pulumi keeps nothing there.
    """
    if (found.group, found.kind) != ("", "Secret"):
        return
    if argocd_namespace and found.namespace == argocd_namespace and found.name.name in PULUMI_OWNED_SECRETS:
        yield found.finding(
            "metadata.name", f"found {found.name.name}", "remove it: Pulumi keeps it", rule="pulumi-owned-secret"
        )
    if application is not None and application.of_library:
        return
    for place, keys in list_secret_keys(found):
        yield found.finding(
            place,
            f"found values of {', '.join(keys)}",
            "keep them in a secret store and let an operator write the Secret",
            rule="secret-in-git",
        )
