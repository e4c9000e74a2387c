"""Say what a deletion waits for: by name, and with the reason where the cluster gives one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lightkube import Client

from gitops_stack.errors import shorten
from gitops_stack.guard.changes import name_some
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.manifests import Manifest

_LOOKED_AT = 40  # of an application's objects
_NAMED = 3


def explain(client: Client, applications: Sequence[Manifest]) -> str:
    """Name the applications that are still there, and why, the innermost first."""
    children = applications[1:] or applications
    return "; ".join(f"{_name(one)}: {_reason(client, one)}" for one in children[:_NAMED]) + (
        f"; and {len(children) - _NAMED} more applications" if len(children) > _NAMED else ""
    )


def _name(application: Manifest) -> str:
    return f"Application {application['metadata']['namespace']}/{application['metadata']['name']}"


def _reason(client: Client, application: Manifest) -> str:
    status = application.get("status") or {}
    errors = [one.get("message", "") for one in status.get("conditions") or () if one.get("type", "").endswith("Error")]
    if errors:
        return shorten(" ".join(" ".join(errors).split()))
    listed = [_reference(one) for one in (status.get("resources") or ())[:_LOOKED_AT]]
    left = {text: found for text, found in load_objects(client, listed).items() if found is not None}
    if not left:
        return "its controller has not let it go yet"
    return f"waits for {name_some([describe(text, found) for text, found in left.items()], _NAMED)}"


def describe(text: str, found: Manifest) -> str:
    """Name an object, with the reason why it is still there where it gives one."""
    finalizers = found["metadata"].get("finalizers") or (found.get("spec") or {}).get("finalizers") or ()
    conditions = (found.get("status") or {}).get("conditions") or ()
    blocked = [
        one.get("message", "")
        for one in conditions
        if one.get("type", "").endswith("Remaining") and one.get("status") == "True"
    ]
    because = "; ".join(_plain(blocked)) or (f"finalizers {', '.join(finalizers)}" if finalizers else "")
    return f"{text} ({because})" if because else text


def _plain(messages: Iterable[str]) -> list[str]:
    return [shorten(" ".join(message.split())) for message in messages if message]


def _reference(one: dict[str, str]) -> ObjectReference:
    return ObjectReference(one.get("group", ""), one["kind"], one.get("namespace", ""), one["name"], one["version"])
