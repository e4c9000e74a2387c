"""Which keys a release of Argo CD reads when it starts, and who reads them: a table made from upstream's manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated

import yaml

from gitops_stack.patterns import release_order
from gitops_stack.settings.types import matching

ParameterKey = Annotated[str, matching(r"[a-z0-9]+(\.[a-z0-9]+)+", "a key such as controller.status.processors")]
PARAMETERS, CONFIG = "argocd-cmd-params-cm", "argocd-cm"


@dataclass(frozen=True)
class Parameter:
    """One key: its ConfigMap, the components that restart for it, and the first release known to read it."""

    config_map: str
    readers: tuple[str, ...]
    since: str


@cache
def load_parameters() -> Mapping[str, Parameter]:
    """Read the shipped table: key -> what is known of it."""
    text = resources.files("gitops_stack.settings.argocd").joinpath("parameters.yaml").read_text(encoding="utf-8")
    found: dict[str, Parameter] = {}
    for release, config_maps in yaml.safe_load(text).items():
        for config_map, groups in config_maps.items():
            for group, keys in groups.items():
                readers = () if group == "mounted" else tuple(group.split())
                found.update((key, Parameter(config_map, readers, release)) for key in keys)
    return found


@cache
def list_releases() -> tuple[str, ...]:
    """List the releases of the table, oldest first."""
    return tuple(sorted({one.since for one in load_parameters().values()}, key=release_order))


def is_read(key: str, version: str) -> bool | None:
    """Tell whether ``version`` reads ``key``; ``None`` when the table cannot tell, and only the manifests can."""
    known = load_parameters().get(key)
    newest = list_releases()[-1]
    if known is None:  # a release newer than the table may have it
        return None if release_order(version) > release_order(newest) else False
    if known.since == list_releases()[0] or release_order(version) >= release_order(known.since):
        return True
    older = max((one for one in list_releases() if release_order(one) < release_order(known.since)), key=release_order)
    return False if release_order(version) <= release_order(older) else None


def find_parameter(key: str) -> Parameter:
    """Return what is known of ``key``; one that is not in the table is named after its reader, as all others are."""
    known = load_parameters().get(key)
    if known is not None:
        return known
    owners = {
        "applicationsetcontroller": "applicationset-controller", "controller": "application-controller",
        "dexserver": "dex-server", "notificationscontroller": "notifications-controller",
        "reposerver": "repo-server", "server": "server",
    }  # fmt: skip
    owner = owners.get(key.partition(".")[0])
    return Parameter(PARAMETERS, (owner,) if owner else tuple(owners.values()), "")
