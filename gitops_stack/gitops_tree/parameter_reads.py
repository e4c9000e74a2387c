"""Hold the parameters of a stack against the containers that were rendered: what none of them reads does nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import Problem
from gitops_stack.manifests import Manifest
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import stack_file

ALL = "*"


def check_parameters(settings: StackSettings, manifests: Iterable[Manifest]) -> Iterator[Problem]:
    """Yield a problem for each parameter that no container of the installation reads."""
    if not settings.argocd.parameters:
        return
    read = {key for manifest in manifests for _, key in list_parameter_reads(manifest)}
    for key in settings.argocd.parameters:
        if key not in read:
            yield Problem(
                f"no container of {settings.argocd.version} reads it",
                "take it out, or correct its name",
                stack_file(settings.stack),
                f"{PULUMI_PROJECT}:argocd.parameters.{key}",
            )


def list_parameter_reads(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield (ConfigMap, key) for each single key that the containers of a workload read; for all of one, key `*`."""
    for name, key in _list_reads(_map(_map(_map(manifest.get("spec")).get("template")).get("spec"))):
        if isinstance(name, str) and isinstance(key, str):
            yield name, key


def _list_reads(pod: dict[str, Any]) -> Iterator[tuple[object, object]]:
    for container in [*_maps(pod.get("containers")), *_maps(pod.get("initContainers"))]:
        for variable in _maps(container.get("env")):
            found = _map(_map(variable.get("valueFrom")).get("configMapKeyRef"))
            yield found.get("name"), found.get("key")
        for source in _maps(container.get("envFrom")):
            yield _map(source.get("configMapRef")).get("name"), ALL
    for volume in _maps(pod.get("volumes")):
        source = _map(volume.get("configMap"))
        yield from ((source.get("name"), item.get("key")) for item in _maps(source.get("items")))


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
