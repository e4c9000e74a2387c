"""Stop a sync that stands in the way of a deletion."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from lightkube import Client
from lightkube.types import PatchType

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import shorten
from gitops_stack.live.reading import reference
from gitops_stack.live.writing import Conflict, Gone, patch
from gitops_stack.manifests import Manifest


def stop_operation(client: Client, application: Manifest, say: Callable[[str], None]) -> None:
    """Take the operation off an application that is being deleted, and say whose and why; do nothing without one.

    A sync that retries is served before the deletion, for as long as it retries; nothing starts another one on an
    application with a deletion timestamp.
    """
    if not application.get("operation"):
        return
    metadata = application["metadata"]
    with contextlib.suppress(Gone, Conflict):
        patch(client, reference(application), [{"op": "remove", "path": "/operation"}], PatchType.JSON, PULUMI_PROJECT)
        said = ((application.get("status") or {}).get("operationState") or {}).get("message") or "no message"
        say(
            f"Application {metadata['namespace']}/{metadata['name']}: stopped its sync, which kept the deletion "
            f"waiting: {shorten(' '.join(said.split()))}"
        )
