"""What deletes more than was meant: finalizers, pruning, Secrets that others keep."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.conventions import ENVIRONMENT_LABEL, PULUMI_OWNED_SECRETS, RESOURCES_FINALIZER, SYNC_OPTIONS
from gitops_stack.rules.application_spec import ApplicationSpec
from gitops_stack.rules.fields import text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.secret_values import list_secret_keys

_PRUNABLE = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "prunable-crd",
    ("", "Namespace"): "prunable-namespace",
    ("", "PersistentVolumeClaim"): "prunable-volume-claim",
}
_KEEPING = {"Prune=false", "Prune=confirm"}


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
    """Check one object of an Application that prunes by itself."""
    rule = _PRUNABLE.get((found.group, found.kind))
    if rule is None or not application.prunes or _KEEPING & sync_options(found):
        return
    if rule == "prunable-namespace" and ENVIRONMENT_LABEL in found.labels:
        return  # which goes with its environment, on purpose
    yield found.finding(
        "metadata.annotations",
        f"found no {SYNC_OPTIONS}: Prune=false, and application {application.name} prunes by itself",
        "add the annotation",
        rule=rule,
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


def sync_options(found: RenderedObject) -> set[str]:
    """Read the sync options of an object."""
    return {option.strip() for option in text(found.annotations.get(SYNC_OPTIONS)).split(",") if option.strip()}
