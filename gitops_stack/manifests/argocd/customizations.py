"""Customizations and exclusions as keys of argocd-cm."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import yaml

from gitops_stack.settings import ArgoCDSettings
from gitops_stack.settings.argocd.customizations import IgnoredDifferencesSettings

_PREFIX = "resource.customizations"


@cache
def load_release_exclusions() -> list[dict[str, Any]]:
    """Read what the releases exclude by themselves."""
    found: list[dict[str, Any]] = _load("exclusions.yaml")
    return found


@cache
def load_release_updates() -> dict[str, dict[str, list[str]]]:
    """Read which updates the releases ignore by themselves, by kind."""
    found: dict[str, dict[str, list[str]]] = _load("updates.yaml")
    return found


def _load(name: str) -> Any:  # noqa: ANN401 - what YAML holds
    text = resources.files("gitops_stack.manifests.argocd").joinpath(name).read_text(encoding="utf-8")
    return yaml.safe_load(text)


def build_customization_keys(argocd: ArgoCDSettings) -> Iterator[tuple[str, str]]:
    """Yield the keys of argocd-cm (docs/operator-manual/argocd-cm.yaml)."""
    for kind, one in sorted(argocd.resource_customizations.items()):
        name = kind.replace("/", "_")
        if one.health:
            yield f"{_PREFIX}.health.{name}", one.health
        if one.ignore_differences:
            yield f"{_PREFIX}.ignoreDifferences.{name}", _ignored(one.ignore_differences)
        if one.ignore_resource_updates:
            ignored = one.ignore_resource_updates.model_dump(by_alias=True, mode="json")
            release = load_release_updates().get(kind, {})
            joined = {key: list(dict.fromkeys([*release.get(key, ()), *ignored[key]])) for key in ignored}
            yield f"{_PREFIX}.ignoreResourceUpdates.{name}", _yaml(_without_empty(joined))
    if argocd.resource_exclusions:
        own = [_without_empty(one.model_dump(by_alias=True, mode="json")) for one in argocd.resource_exclusions]
        yield "resource.exclusions", _yaml([*load_release_exclusions(), *own])


def _ignored(one: IgnoredDifferencesSettings) -> str:
    return _yaml(_without_empty(one.model_dump(by_alias=True, mode="json")))


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value}


def _yaml(value: object) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
    return text
