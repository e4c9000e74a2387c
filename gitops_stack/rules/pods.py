"""Find pods and containers in the kinds that make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.rules.fields import dig, mapping, sequence
from gitops_stack.rules.finding import RenderedObject

_TEMPLATES = {
    **dict.fromkeys(
        (("apps", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")), ("spec", "template")
    ),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("argoproj.io", "Rollout"): ("spec", "template"),
}
REPLICATED = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("argoproj.io", "Rollout")})


def pod_template(found: RenderedObject) -> Mapping[str, Any] | None:
    """Return the pod template of a workload, or the Pod itself; none for other kinds and where it is missing."""
    if (found.group, found.kind) == ("", "Pod"):
        return found.manifest
    path = _TEMPLATES.get((found.group, found.kind))
    template = dig(found.manifest, *path) if path else None
    return template if isinstance(template, Mapping) else None


def pod_path(found: RenderedObject) -> str:
    """Return the place of the pod's spec in the object."""
    return ".".join((*_TEMPLATES.get((found.group, found.kind), ()), "spec"))


def pod_spec(found: RenderedObject) -> Mapping[str, Any] | None:
    """Return the pod's spec."""
    template = pod_template(found)
    return None if template is None else mapping(template.get("spec"))


def containers(found: RenderedObject, *, initial: bool = True) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield place and value of each container, those that only run at first included unless ``initial`` is false.

    An init container that restarts always is a sidecar and counts as a container.
    """
    pod = pod_spec(found) or {}
    for key in ("initContainers", "containers"):
        for index, value in enumerate(sequence(pod.get(key))):
            container = mapping(value)
            if key == "containers" or initial or container.get("restartPolicy") == "Always":
                yield f"{pod_path(found)}.{key}[{index}]", container
