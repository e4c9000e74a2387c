"""CRDs that are missing are made again by the guard, and never by a replacement, which deletes before it creates.

With a CRD go all of its objects. Between the look that found it missing and the replacement somebody else may have made
it again: Argo CD after an update that failed. An apply takes nothing away from what lives.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from lightkube import Client
from lightkube.types import PatchType

from gitops_stack import conventions
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.live.reading import load_objects, reference
from gitops_stack.live.writing import patch
from gitops_stack.manifests import Manifest

_SERVED_SECONDS = 60.0
_POLL_SECONDS = 0.2
# From a guard's check to its create or update: one process runs both, and inputs that are kept would be a change.
_WANTED: dict[str, Sequence[Manifest]] = {}


def want(component: str, definitions: Iterable[Manifest], missing: Iterable[str]) -> None:
    """Note which of ``definitions`` the next :func:`restore` of ``component`` makes: those named in ``missing``."""
    names = set(missing)
    _WANTED[component] = [one for one in definitions if reference(one).text in names]


def restore(client: Client, component: str) -> None:
    """Make the CRDs that are wanted, and wait until the API server has taken them up.

    Their field manager is Argo CD's, unless they name the one that Pulumi keeps them under.

    Raises :class:`EnvironmentProblem` when it does not.
    """
    wanted = _WANTED.pop(component, ())
    for definition in wanted:
        annotations = definition["metadata"].get("annotations") or {}
        manager = annotations.get(conventions.PATCH_FIELD_MANAGER, conventions.ARGOCD_FIELD_MANAGER)
        patch(client, reference(definition), definition, PatchType.APPLY, manager, force=True)
    deadline = time.monotonic() + _SERVED_SECONDS
    references = [reference(definition) for definition in wanted]
    while left := [name for name, found in load_objects(client, references).items() if not _is_established(found)]:
        if time.monotonic() > deadline:
            raise EnvironmentProblem(
                Problem(
                    f"the API server does not serve it after {_SERVED_SECONDS:.0f} s",
                    "look at its conditions, then run the same command again",
                    f"{left[0]}",
                )
            )
        time.sleep(_POLL_SECONDS)


def _is_established(found: Mapping[str, object] | None) -> bool:
    status = (found or {}).get("status")
    conditions = status.get("conditions") or () if isinstance(status, Mapping) else ()
    return any(one.get("type") == "Established" and one.get("status") == "True" for one in conditions)
