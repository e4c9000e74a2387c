"""Tell what this stack itself put into a cluster: that is not an adoption."""

from __future__ import annotations

from collections.abc import Callable

from gitops_stack import conventions
from gitops_stack.adoption.origin import annotations_of, labels_of
from gitops_stack.manifests import Manifest


def find_other_stack(home: Manifest | None, stack: str) -> str:
    """Return the name of another stack that Argo CD's namespace belongs to; none when it does not."""
    found = labels_of(home).get(conventions.STACK_LABEL, "") if home else ""
    return found if found != stack else ""


def build_test(home: Manifest | None, stack: str, namespace: str) -> Callable[[Manifest], bool]:
    """Build the test whether an object is this stack's.

    It carries the stack's label; or Argo CD's namespace does, and the object the tracking id of one of the stack's own
    applications there, which Pulumi gives what it creates (components/registration.py).
    """
    home_is_ours = bool(home) and labels_of(home).get(conventions.STACK_LABEL) == stack  # type: ignore[arg-type]

    def is_ours(manifest: Manifest) -> bool:
        if labels_of(manifest).get(conventions.STACK_LABEL) == stack:
            return True
        if not home_is_ours:
            return False
        application, _, tracked = annotations_of(manifest).get(conventions.TRACKING_ID, "").partition(":")
        if manifest["kind"] == "CustomResourceDefinition":  # Argo CD tracks every kind but this one
            return annotations_of(manifest).get(conventions.SYNC_OPTIONS) == "Prune=false"
        place = tracked.rpartition(":")[2].partition("/")[0]
        return application in conventions.RESERVED_APPLICATIONS and place == namespace

    return is_ours
