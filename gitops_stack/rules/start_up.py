"""Judge how far an Application has come on its way to Synced and Healthy at one revision. Pure."""

from __future__ import annotations

from typing import Any, Literal

from gitops_stack.conventions import REFRESH
from gitops_stack.manifests import Manifest
from gitops_stack.patterns import same_repository
from gitops_stack.rules.application_spec import Source, read_application_spec
from gitops_stack.rules.application_status import read_application
from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.finding import RenderedObject

Stage = Literal["well", "failing", "waiting"]
_FATAL = ("ComparisonError", "InvalidSpecError", "UnknownError")
_BRANCH = "refs/heads/"
_SECOND_RETRY = 2
_FOR_GOOD = "is not permitted in project"  # no retry changes that


def is_followed(source: Source, repo_url: str, revision: str) -> bool:
    """Tell whether a source is what the stack follows: branch ``revision`` of the repository ``repo_url``."""
    wanted = text(source.options.get("targetRevision"))
    here = same_repository(source.repo_url, repo_url) and not source.chart
    return here and (wanted in ("", "HEAD") or wanted.removeprefix(_BRANCH) == revision.removeprefix(_BRANCH))


def read_sources(application: Manifest) -> tuple[Source, ...]:
    """Read the sources of an Application as it is in the cluster."""
    found = RenderedObject(application, text(mapping(application.get("metadata")).get("namespace")), "", "")
    return read_application_spec(found).sources


def is_automated(application: Manifest) -> bool:
    """Tell whether an Application syncs by itself."""
    automated = mapping(mapping(application["spec"].get("syncPolicy"))).get("automated")
    return automated is not None and mapping(automated).get("enabled") is not False


def is_syncing(application: Manifest) -> bool:
    """Tell whether a sync is asked for or under way."""
    return bool(application.get("operation")) or _operation(application).get("phase") in ("Running", "Terminating")


def has_failed(application: Manifest) -> bool:
    """Tell whether the last sync failed; Argo CD does not try that revision again by itself."""
    return _operation(application).get("phase") in ("Failed", "Error")


def has_synced(application: Manifest) -> bool:
    """Tell whether a sync was ever begun, which may have made something."""
    return bool(_operation(application))


def judge_start(application: Manifest, repo_url: str, revision: str, commit: str) -> Stage:
    """Judge a live Application whose followed sources (see :func:`is_followed`) shall be at ``commit``.

    What fails may still be on its way to something else: it counts only when it stays so.
    """
    metadata = application["metadata"]
    if metadata.get("deletionTimestamp") or REFRESH in (metadata.get("annotations") or {}):
        return "waiting"
    status: dict[str, Any] = application.get("status") or {}
    if any(found["type"] in _FATAL for found in status.get("conditions") or ()):
        return "failing"
    if is_syncing(application):
        return "failing" if _is_hopeless(_operation(application)) else "waiting"
    return _judge_rest(application, repo_url, revision, commit)


def _judge_rest(application: Manifest, repo_url: str, revision: str, commit: str) -> Stage:
    """Judge an Application that does nothing at the moment."""
    sync: dict[str, Any] = (application.get("status") or {}).get("sync") or {}
    last: dict[str, Any] = _operation(application).get("syncResult") or {}
    sources = [
        is_followed(source, repo_url, revision) or is_followed(source, repo_url, commit)
        for source in read_sources(application)
    ]
    if not _are_at(sources, sync, commit):
        return "waiting"
    tried = _are_at(sources, last, commit)
    if has_failed(application) and (tried or not last):
        return "failing"
    found = read_application(application)
    if found.well:
        return "well"
    if found.sync == "OutOfSync":  # after a sync: something was not pruned, or differs again at once
        return "failing" if tried and last else "waiting"
    return "failing" if found.health in ("Degraded", "Suspended", "Missing") else "waiting"


def _operation(application: Manifest) -> dict[str, Any]:
    status: dict[str, Any] = application.get("status") or {}
    return status.get("operationState") or {}


def _is_hopeless(operation: dict[str, Any]) -> bool:
    """Tell whether a sync that is retried has failed twice, or will fail for good."""
    retries = operation.get("retryCount") or 0
    results = (operation.get("syncResult") or {}).get("resources") or ()
    refused = any(_FOR_GOOD in (found.get("message") or "") for found in results)
    return retries >= _SECOND_RETRY or (retries > 0 and (refused or _FOR_GOOD in (operation.get("message") or "")))


def _are_at(followed: list[bool], found: dict[str, Any], commit: str) -> bool:
    """Tell whether all followed sources were at ``commit`` in what a comparison or a sync reports."""
    revisions = found.get("revisions") or [found.get("revision")]
    return len(revisions) >= len(followed) and all(
        revision == commit for follows, revision in zip(followed, revisions, strict=False) if follows
    )
