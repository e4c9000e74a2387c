"""Living AppProjects that the stack would narrow, and the one for what lives in `default`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gitops_stack import conventions
from gitops_stack.adoption.conflicts import DOCS
from gitops_stack.adoption.living_applications import is_home, place, repositories
from gitops_stack.adoption.report import AdoptionFinding, list_names
from gitops_stack.adoption.wanted import Wanted
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig, mapping, sequence, text

ADOPTED_PROJECT = "adopted"
_LISTS = (
    "sourceRepos", "destinations", "clusterResourceWhitelist", "namespaceResourceWhitelist", "sourceNamespaces",
    "roles", "syncWindows", "orphanedResources", "signatureKeys", "destinationServiceAccounts",
)  # fmt: skip


def check_app_projects(
    app_projects: Sequence[Manifest],
    applications: Sequence[Manifest],
    wanted: Wanted,
    is_ours: Callable[[Manifest], bool],
) -> Iterator[AdoptionFinding]:
    """Yield AppProjects that the stack would narrow while Applications use them."""
    own = {one["metadata"]["name"]: one for one in wanted.app_projects}
    for found in app_projects:
        name = found["metadata"]["name"]
        if not is_home(found, wanted) or is_ours(found) or name not in own:
            continue
        users = sorted(place(one) for one in applications if _project(one) == name and not is_ours(one))
        dropped = _dropped(mapping(found.get("spec")), mapping(own[name].get("spec")))
        if name == conventions.DEFAULT_PROJECT:
            yield _judge_default(found, users)
        elif dropped:
            yield AdoptionFinding(
                "lost",
                place(found),
                f"has {list_names(dropped)}, which the settings do not"
                + (f"; used by {list_names(users)}" if users else ""),
                f"add them to projects.{name} in the stack file, or call the stack's project otherwise",
                tuple(users),
            )


def build_adopted_project(
    app_projects: Sequence[Manifest],
    applications: Sequence[Manifest],
    wanted: Wanted,
    is_ours: Callable[[Manifest], bool],
) -> Manifest | None:
    """Build the AppProject for Applications that live in a `default` which the stack would lock: what they use alone.

    ``None`` when there are no such Applications.
    """
    locked = [one for one in app_projects if is_home(one, wanted) and not is_ours(one)]
    users = [one for one in applications if _project(one) == conventions.DEFAULT_PROJECT and not is_ours(one)]
    if not users or not any(one["metadata"]["name"] == conventions.DEFAULT_PROJECT for one in locked):
        return None
    spec: dict[str, Any] = {
        "description": "What the applications of project default used when this installation was taken over.",
        "sourceRepos": sorted({url for one in users for url in repositories(one)}),
        "destinations": _unique(_destination(one) for one in users),
        "clusterResourceWhitelist": _unique(
            {"group": text(res.get("group")), "kind": text(res.get("kind"))}
            for one in users
            for res in sequence(dig(one, "status", "resources"))
            if not res.get("namespace")
        ),
    }
    elsewhere = {one["metadata"].get("namespace") for one in users} - {wanted.namespace}
    if elsewhere:
        spec["sourceNamespaces"] = sorted(filter(None, elsewhere))
    return {
        "apiVersion": conventions.ARGOCD_API_VERSION,
        "kind": "AppProject",
        "metadata": {
            "name": ADOPTED_PROJECT,
            "namespace": wanted.namespace,
            "annotations": dict(conventions.LINGERING),
        },
        "spec": spec,
    }


def _judge_default(found: Manifest, users: Sequence[str]) -> AdoptionFinding:
    if not users:
        return AdoptionFinding("note", place(found), "denies everything afterwards; no Application is in it")
    return AdoptionFinding(
        "lost",
        place(found),
        f"would deny everything, and {list_names(users)} {'is' if len(users) == 1 else 'are'} in it: no longer synced, "
        "nothing is deleted",
        f"`gitops-stack adopt --yes` writes an AppProject {ADOPTED_PROJECT} for {'it' if len(users) == 1 else 'them'}; "
        f"apply it, then set spec.project: {ADOPTED_PROJECT} in each ({DOCS})",
        tuple(users),
    )


def _dropped(living: Any, own: Any) -> list[str]:  # noqa: ANN401 - specs of AppProjects
    dropped = []
    for key in _LISTS:
        ours = sequence(own.get(key))
        entries = [one for one in sequence(living.get(key)) if one not in ours]
        if entries:
            dropped.append(f"{key}: {list_names(_words(one) for one in entries)}")
        elif living.get(key) and not isinstance(living[key], list) and living[key] != own.get(key):
            dropped.append(key)
    return dropped


def _words(entry: Any) -> str:  # noqa: ANN401 - an entry of an AppProject's list
    if isinstance(entry, dict):
        named = text(entry.get("name"))
        return named or "/".join(str(value) for key, value in entry.items() if value and key != "description")
    return str(entry)


def _destination(application: Manifest) -> dict[str, str]:
    written = mapping(dig(application, "spec", "destination"))
    place = {key: text(written.get(key)) for key in ("server", "name") if written.get(key)}
    return {**place, "namespace": text(written.get("namespace")) or "*"}


def _project(application: Manifest) -> str:
    return text(dig(application, "spec", "project")) or conventions.DEFAULT_PROJECT


def _unique(entries: Any) -> list[Any]:  # noqa: ANN401 - small maps
    made: list[Any] = []
    for one in entries:
        if one not in made:
            made.append(one)
    return sorted(made, key=str)
