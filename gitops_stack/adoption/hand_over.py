"""Give the fields of foreign managers to Argo CD. The only module here that writes to a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lightkube.types import PatchType

from gitops_stack.adoption.report import list_names
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.live.writing import Conflict, Gone, patch
from gitops_stack.manifests import Manifest
from gitops_stack.rules.managed_fields import build_hand_over, foreign_entries, not_argocds_fields, place

if TYPE_CHECKING:
    from lightkube import Client

_ATTEMPTS = 5
_PARALLEL = 8


@dataclass(frozen=True)
class HandOver:
    """One object with foreign managers: who they are, and the fields that Argo CD does not own, so that Git lacks them.

    ``fields`` is empty before Argo CD has applied the object.
    """

    name: str
    managers: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The object in one line."""
        owners = f"owned by {', '.join(self.managers)} too" if self.managers else ""
        fields = f"{list_names(self.fields)} not in Git, and removed by the next sync" if self.fields else ""
        return f"{self.name}: {'; '.join(filter(None, (owners, fields))) or 'has last-applied-configuration'}"


def find_hand_overs(client: Client, references: Sequence[ObjectReference]) -> list[HandOver]:
    """Find the objects that have fields which are not Argo CD's; one read each, nothing is written."""
    return [
        _describe(name, living)
        for name, living in load_objects(client, references).items()
        if living is not None and build_hand_over(living)
    ]


def hand_over_fields(client: Client, references: Sequence[ObjectReference]) -> list[HandOver]:
    """Make Argo CD's apply the owner of every field of each object, and drop `last-applied-configuration`.

    No value changes; the next apply under Argo CD's name, by its sync or by `pulumi up`, then removes what Git does
    not have. A list of managers that changed meanwhile is read again. Returns the objects that were changed.
    """
    found = load_objects(client, references)
    by_name = {reference.text: reference for reference in references}
    wanted = [name for name, living in found.items() if living is not None and build_hand_over(living)]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        made = pool.map(lambda name: _hand_over(client, by_name[name], found[name]), wanted)
        return [one for one in made if one is not None]


def _hand_over(client: Client, reference: ObjectReference, living: Manifest | None) -> HandOver | None:
    described = None
    for _ in range(_ATTEMPTS):
        operations = build_hand_over(living) if living is not None else []
        if not operations or living is None:
            return described
        described = _describe(reference.text, living)
        if _patch(client, reference, operations):
            return described
        living = load_objects(client, [reference])[reference.text]
    return described


def _describe(name: str, living: Manifest) -> HandOver:
    managers = sorted({f"{one['manager']} ({one['operation']})" for one in foreign_entries(living)})
    return HandOver(name, tuple(managers), tuple(place(path) for path in not_argocds_fields(living)))


def _patch(client: Client, reference: ObjectReference, operations: Sequence[dict[str, Any]]) -> bool:
    """Apply a JSON patch; tell whether it still fitted the object."""
    try:
        patch(client, reference, operations, PatchType.JSON, None)
    except (Gone, Conflict):
        return False
    return True
