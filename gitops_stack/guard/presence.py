"""What is registered and missing in the cluster: noticed without a refresh, and made again where nobody else would.

Pulumi compares inputs with its state and never looks at the cluster. Argo CD heals what it syncs while it runs; root,
what Pulumi keeps, and Argo CD itself would stay missing behind "unchanged".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lightkube import Client

from gitops_stack import conventions
from gitops_stack.guard.registered import Registered
from gitops_stack.live_state import ObjectReference, load_objects

_CONTROLLER = "application-controller"


def load_missing(client: Client, registered: Iterable[Registered], namespace: str) -> tuple[list[Registered], bool]:
    """Return which objects are missing, and whether Argo CD is there to heal what it syncs."""
    wanted = list(registered)
    application = ObjectReference(
        conventions.ARGOCD_GROUP, "Application", namespace, conventions.SELF_MANAGEMENT_APPLICATION, "v1alpha1"
    )
    found = load_objects(client, [*(one.reference for one in wanted), application])
    missing = [one for one in wanted if found[one.reference.text] is None]
    controllers = [one for one in wanted if one.reference.name.endswith(_CONTROLLER) and _runs_pods(one)]
    gone = {one.reference for one in missing}
    healing = found[application.text] is not None and all(one.reference not in gone for one in controllers)
    return missing, healing


def choose_restored(missing: Iterable[Registered], *, healing: bool) -> list[str]:
    """Return the names of what has to be created anew: all of it, or with a healing Argo CD what it does not sync."""
    return [one.name for one in missing if not (healing and one.handed_over)]


def count_restored(before: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return the counters that make the engine replace ``names``: one more than ``before`` for each of them."""
    return {**before, **{name: str(int(before.get(name, "0")) + 1) for name in names}}


def _runs_pods(one: Registered) -> bool:
    return one.reference.kind in ("StatefulSet", "Deployment")
