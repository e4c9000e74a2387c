"""Hold the parameters of a stack against the containers that were rendered: what none of them reads does nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import Problem
from gitops_stack.manifests import Manifest
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import stack_file


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
    """Yield (ConfigMap, key) for each single key that the containers of a workload read."""
    pod: dict[str, Any] = ((manifest.get("spec") or {}).get("template") or {}).get("spec") or {}
    for container in [*pod.get("containers", ()), *pod.get("initContainers", ())]:
        for variable in container.get("env") or ():
            found = (variable.get("valueFrom") or {}).get("configMapKeyRef")
            if found:
                yield found["name"], found["key"]
    for volume in pod.get("volumes") or ():
        for item in (volume.get("configMap") or {}).get("items") or ():
            yield volume["configMap"]["name"], item["key"]
