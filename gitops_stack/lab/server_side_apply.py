"""Write objects into the lab's cluster by server-side apply, CRDs first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from httpx2 import HTTPError, HTTPStatusError
from lightkube import Client
from lightkube.types import PatchType

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab.probes import wait_until
from gitops_stack.live_state import ObjectReference, load_objects, reference, resource_class
from gitops_stack.manifests import Manifest

FIELD_MANAGER = "gitops-stack-try"
_PARALLEL = 8
_NOT_FOUND = 404
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
        raise EnvironmentProblem(f"kube-apiserver: does not serve Argo CD's CRDs after {seconds:.0f} s; see its log")
    _apply_all(client, [one for one in wanted if one["kind"] not in ("Namespace", _DEFINITION)])


def merge(client: Client, found: ObjectReference, change: Manifest) -> None:
    """Merge-patch ``change`` into a live object; one that is gone is left so."""
    with contextlib.suppress(_Gone):
        _patch(client, found, change, PatchType.MERGE)


def delete(client: Client, found: ObjectReference) -> None:
    """Ask for the deletion of an object; one that is gone is none."""
    resource = resource_class(found.group, found.version, found.kind, bool(found.namespace))
    options: dict[str, Any] = {"namespace": found.namespace} if found.namespace else {}
    try:
        with reached():
            client.delete(resource, found.name, **options)
    except HTTPStatusError as error:
        if error.response.status_code != _NOT_FOUND:
            raise GitOpsStackError(f"{found.text}: cannot be deleted: {_message(error)}") from None


@contextlib.contextmanager
def reached() -> Iterator[None]:
    """Raise :class:`EnvironmentProblem` when the API server does not answer; what it says is left as it is."""
    try:
        yield
    except HTTPStatusError:
        raise
    except (OSError, HTTPError) as error:
        raise EnvironmentProblem(f"cluster: does not answer: {error}; see the log of kube-apiserver") from None


class _Gone(Exception):  # noqa: N818 - not an error to whoever asks
    pass


def _is_established(manifest: Manifest | None) -> bool:
    conditions = ((manifest or {}).get("status") or {}).get("conditions") or ()
    return any((found["type"], found["status"]) == ("Established", "True") for found in conditions)


def _apply_all(client: Client, manifests: Sequence[Manifest]) -> None:
    for manifest in manifests:  # lightkube's registry of classes is not thread-safe
        found = reference(manifest)
        resource_class(found.group, found.version, found.kind, bool(found.namespace))
    with ThreadPoolExecutor(_PARALLEL) as pool:
        GitOpsStackError.raise_for(said for said in pool.map(lambda one: _apply(client, one), manifests) if said)


def _create_all(client: Client, manifests: Sequence[Manifest]) -> None:
    """Create objects, and apply those that are there: the server takes seconds to merge a CRD into none."""
    there = load_objects(client, [reference(one) for one in manifests])
    for manifest in manifests:
        found = reference(manifest)
        if there[found.text] is None:
            resource = resource_class(found.group, found.version, found.kind, bool(found.namespace))
            with contextlib.suppress(HTTPStatusError, HTTPError):  # what it says to that, it says again below
                client.create(resource.from_dict(manifest), field_manager=FIELD_MANAGER)
                there[found.text] = manifest
                continue
        _apply_all(client, [manifest])


def _apply(client: Client, manifest: Manifest) -> str:
    try:
        _patch(client, reference(manifest), manifest, PatchType.APPLY, force=True)
    except GitOpsStackError as error:
        if isinstance(error, EnvironmentProblem):
            raise
        return str(error)
    except _Gone:
        return f"{reference(manifest).text}: its kind or namespace is not in the cluster; add its CRD or Namespace"
    return ""


def _patch(client: Client, found: ObjectReference, change: Manifest, kind: PatchType, *, force: bool = False) -> None:
    resource = resource_class(found.group, found.version, found.kind, bool(found.namespace))
    options: dict[str, Any] = {"namespace": found.namespace} if found.namespace else {}
    options |= {"patch_type": kind, "field_manager": FIELD_MANAGER, "force": force}
    try:
        with reached():
            client.patch(resource, found.name, change, **options)
    except HTTPStatusError as error:  # not only ApiError: a kind that is not there is a 404 without a body
        if error.response.status_code == _NOT_FOUND:
            raise _Gone from None
        raise GitOpsStackError(f"{found.text}: the API server refuses it: {_message(error)}; correct it") from None


def _message(error: HTTPStatusError) -> str:
    status: Any = getattr(error, "status", None)
    return " ".join(str(getattr(status, "message", None) or error).split())
