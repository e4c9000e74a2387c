"""What is registered and missing in the cluster: noticed without a refresh, and made again where nobody else would.

Pulumi compares inputs with its state and never looks at the cluster. Argo CD heals what it syncs while it runs; root,
what Pulumi keeps, and Argo CD itself would stay missing behind "unchanged".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lightkube import Client

from gitops_stack import conventions
from gitops_stack.guard.followed import reference_to_itself
from gitops_stack.guard.registered import Registered
from gitops_stack.live.reading import load_objects
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig
from gitops_stack.rules.start_up import is_automated

_CONTROLLER = "application-controller"
_TAKE_ALONG = ("Namespace", "CustomResourceDefinition", "Application")


@dataclass(frozen=True)
class Present:
    """What of the registered objects lives, by name, and the Application by which Argo CD heals what it syncs.

    ``itself`` is empty where Argo CD heals nothing: it is not there, its controller is not, or it may not by itself.
    """

    registered: Sequence[Registered]
    living: Mapping[str, Manifest]
    itself: Mapping[str, Any] = field(default_factory=dict)

    @property
    def healing(self) -> bool:
        """Tell whether Argo CD restores what it syncs."""
        return bool(self.itself)

    @property
    def missing(self) -> list[Registered]:
        """The registered objects that are not in the cluster."""
        return [one for one in self.registered if one.name not in self.living]


def load_present(client: Client, registered: Sequence[Registered], namespace: str) -> Present:
    """Read every registered object, and whether Argo CD's own application and its controller are there."""
    application = reference_to_itself(namespace)
    found = load_objects(client, [one.reference for one in registered], metadata_only=True)
    living = {name: one for name, one in found.items() if one is not None}
    controllers = [one for one in registered if one.reference.name.endswith(_CONTROLLER) and _runs_pods(one)]
    itself = load_objects(client, [application])[application.text]
    if itself is None or not _heals(itself) or not all(one.name in living for one in controllers):
        return Present(registered, living)
    return Present(registered, living, itself)


def check_remade(present: Present, restored: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each kept object that was to be created again and that somebody else has created since.

    An update that failed in between has counted it as missing; the next one would replace what lives now.
    """
    for one in present.registered:
        living = present.living.get(one.name)
        if one.handed_over or living is None or one.name not in restored:
            continue
        managers = {entry.get("manager") for entry in living["metadata"].get("managedFields") or ()}
        if conventions.PULUMI_PROJECT not in managers:
            yield (
                f"{one.name}: was missing at an update that failed, and somebody else has created it since; the update "
                "would delete it to create it again; delete it if nothing hangs on it, and run it again"
            )


def check_deletions(present: Present) -> Iterator[str]:
    """Yield a sentence for each object on its way out that takes others along: what is made now goes with it."""
    for one in present.registered:
        metadata = (present.living.get(one.name) or {}).get("metadata") or {}
        if one.reference.kind in _TAKE_ALONG and metadata.get("deletionTimestamp"):
            yield (
                f"{one.name}: is being deleted, since {metadata['deletionTimestamp']}; what is made now goes with it; "
                "wait until it is gone, then run again; if it hangs, docs/recover.md says how to let it go and keep "
                "the workloads"
            )


def choose_restored(missing: Iterable[Registered], *, healing: bool) -> list[str]:
    """Return the names of what has to be created anew: all of it, or with a healing Argo CD what it does not sync."""
    return [one.name for one in missing if not (healing and one.handed_over)]


def count_restored(before: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return the counters that make the engine replace ``names``: one more than ``before`` for each of them."""
    return {**before, **{name: str(int(before.get(name, "0")) + 1) for name in names}}


def _heals(application: Manifest) -> bool:
    """Tell whether an Application is synced again when an object is missing (controller/appcontroller.go autoSync)."""
    return is_automated(application) and bool(dig(application, "spec", "syncPolicy", "automated", "selfHeal"))


def _runs_pods(one: Registered) -> bool:
    return one.reference.kind in ("StatefulSet", "Deployment")
