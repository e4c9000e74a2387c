"""Write objects into the lab's cluster by server-side apply, CRDs first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from httpx2 import HTTPError, HTTPStatusError
from lightkube import Client
from lightkube.types import PatchType

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.lab.probes import wait_until
from gitops_stack.live.kinds import served_class
from gitops_stack.live.reading import load_objects, reference
from gitops_stack.live.writing import Conflict, Gone, patch
from gitops_stack.manifests import Manifest

FIELD_MANAGER = "gitops-stack-try"
_PARALLEL = 8
_DEFINITION = "CustomResourceDefinition"


def apply_objects(client: Client, manifests: Iterable[Manifest], *, seconds: float = 30) -> None:
    """Apply objects: namespaces, then CRDs until they are served, then all others.

    Raises :class:`GitOpsStackError` with every object the API server refuses, :class:`EnvironmentProblem` when a CRD
    is not served within ``seconds``.
    """
    wanted = list(manifests)
    namespaces = [one for one in wanted if one["kind"] == "Namespace"]
    definitions = [one for one in wanted if one["kind"] == _DEFINITION]
    _apply_all(client, namespaces)
    _create_all(client, definitions)
    references = [reference(one) for one in definitions]
    if not wait_until(lambda: all(map(_is_established, load_objects(client, references).values())), seconds=seconds):
        raise EnvironmentProblem(
            Problem(f"does not serve Argo CD's CRDs after {seconds:.0f} s", "see its log", "kube-apiserver")
        )
    _apply_all(client, [one for one in wanted if one["kind"] not in ("Namespace", _DEFINITION)])


def _is_established(manifest: Manifest | None) -> bool:
    conditions = ((manifest or {}).get("status") or {}).get("conditions") or ()
    return any((found["type"], found["status"]) == ("Established", "True") for found in conditions)


def _apply_all(client: Client, manifests: Sequence[Manifest]) -> None:
    with ThreadPoolExecutor(_PARALLEL) as pool:
        GitOpsStackError.raise_for(said for said in pool.map(lambda one: _apply(client, one), manifests) if said)


def _create_all(client: Client, manifests: Sequence[Manifest]) -> None:
    """Create objects, and apply those that are there: the server takes seconds to merge a CRD into none."""
    there = load_objects(client, [reference(one) for one in manifests])
    for manifest in manifests:
        found = reference(manifest)
        if there[found.text] is None:
            resource = served_class(client, found)
            with contextlib.suppress(HTTPStatusError, HTTPError):  # what it says to that, it says again below
                client.create(resource.from_dict(manifest), field_manager=FIELD_MANAGER)
                there[found.text] = manifest
                continue
        _apply_all(client, [manifest])


def _apply(client: Client, manifest: Manifest) -> str:
    try:
        patch(client, reference(manifest), manifest, PatchType.APPLY, FIELD_MANAGER, force=True)
    except Conflict:
        return f"{reference(manifest).text}: changed while it was applied; run it again"
    except GitOpsStackError as error:
        if isinstance(error, EnvironmentProblem):
            raise
        return str(error)
    except Gone:
        return f"{reference(manifest).text}: its kind or namespace is not in the cluster; add its CRD or Namespace"
    return ""
