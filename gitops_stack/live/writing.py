"""Change single objects of a running cluster; what the API server refuses is a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from httpx2 import HTTPError, HTTPStatusError
from lightkube import Client
from lightkube.types import CascadeType, PatchType

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.live.kinds import served_class
from gitops_stack.live.reading import ObjectReference, reference
from gitops_stack.manifests import Manifest

_NOT_FOUND, _CONFLICT, _INVALID = 404, 409, 422


class Gone(Exception):  # noqa: N818 - not an error to whoever asks
    """The object, its kind or its namespace is not in the cluster."""


class Conflict(Exception):  # noqa: N818 - as above
    """The object is there already, or is not what it was when it was read."""


def merge(client: Client, found: ObjectReference, change: Manifest, field_manager: str) -> None:
    """Merge-patch ``change`` into a live object; do nothing if it does not exist."""
    with contextlib.suppress(Gone):
        patch(client, found, change, PatchType.MERGE, field_manager)


def delete(client: Client, found: ObjectReference, cascade: CascadeType | None = None) -> None:
    """Ask for the deletion of an object, with ``cascade`` for its dependents; do nothing if it does not exist."""
    options: dict[str, Any] = {"namespace": found.namespace} if found.namespace else {}
    options |= {"cascade": cascade} if cascade else {}
    with contextlib.suppress(Gone), _answered(found, "cannot be deleted"):
        client.delete(served_class(client, found), found.name, **options)


def create(client: Client, manifest: Manifest, field_manager: str) -> None:
    """Create an object. Raises :class:`Conflict` when one of its name is there."""
    found = reference(manifest)
    with _answered(found, "the API server refuses it"):
        client.create(served_class(client, found).from_dict(manifest), field_manager=field_manager)


def replace(client: Client, manifest: Manifest, field_manager: str) -> None:
    """Replace an object, at the resourceVersion it names. Raises :class:`Conflict` when it has changed since."""
    found = reference(manifest)
    with _answered(found, "the API server refuses it"):
        client.replace(served_class(client, found).from_dict(manifest), field_manager=field_manager)


def patch(
    client: Client,
    found: ObjectReference,
    change: Manifest | Sequence[Mapping[str, Any]],
    kind: PatchType,
    field_manager: str | None,
    *,
    force: bool = False,
) -> None:
    """Patch a live object; a list is a JSON patch.

    Raises :class:`Gone` when it does not exist, :class:`Conflict` when a test of a JSON patch does not hold, and
    :class:`GitOpsStackError` with the API server's own words when it refuses.
    """
    options: dict[str, Any] = {"namespace": found.namespace} if found.namespace else {}
    with _answered(found, "the API server refuses it", tested=kind is PatchType.JSON):
        client.patch(
            served_class(client, found),
            found.name,
            change,
            patch_type=kind,
            field_manager=field_manager,
            force=force,
            **options,
        )


@contextlib.contextmanager
def reached() -> Iterator[None]:
    """Raise :class:`EnvironmentProblem` when the API server does not answer; what it says is left as it is."""
    try:
        yield
    except HTTPStatusError:
        raise
    except (OSError, HTTPError) as error:
        raise EnvironmentProblem(Problem(f"does not answer: {error}", "is it running?", "cluster")) from None


@contextlib.contextmanager
def _answered(found: ObjectReference, refused: str, *, tested: bool = False) -> Iterator[None]:
    try:
        with reached():
            yield
    except HTTPStatusError as error:  # not only ApiError: a kind that is not there is a 404 without a body
        code = error.response.status_code
        if code == _NOT_FOUND:
            raise Gone from None
        if code == _CONFLICT or (tested and code == _INVALID):
            raise Conflict from None
        raise GitOpsStackError(Problem(f"{_message(error)}", "correct it", found.text, refused)) from None


def _message(error: HTTPStatusError) -> str:
    status: Any = getattr(error, "status", None)
    return " ".join(str(getattr(status, "message", None) or error).split())
