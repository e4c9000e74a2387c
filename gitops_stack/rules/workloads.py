"""Pods that a shared cluster can live with: requests, limits, probes, privileges, disruption budgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.pods import REPLICATED, containers, pod_path, pod_spec, pod_template
from gitops_stack.rules.references import budgets, same_namespace, selects_by_expression

_PROBED = frozenset(
    {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("argoproj.io", "Rollout")}
)
_Container = Mapping[str, Any]


def check_resources(found: RenderedObject) -> Iterator[Finding]:
    """Check requests of cpu and memory, and the limit of memory; a request may be implied by its limit.

    Those of the whole pod count for each of its containers.
    """
    of_pod = mapping(dig(pod_spec(found), "resources"))
    for place, container in containers(found):
        resources = mapping(container.get("resources"))
        limits = {**mapping(of_pod.get("limits")), **mapping(resources.get("limits"))}
        asked = {**limits, **mapping(of_pod.get("requests")), **mapping(resources.get("requests"))}
        missing = [name for name in ("cpu", "memory") if name not in asked]
        if missing:
            yield found.finding(
                f"{place}.resources.requests", f"found no {' and no '.join(missing)}", "add what it needs when idle",
                rule="requests-missing",
            )  # fmt: skip
        if "memory" not in limits:
            yield found.finding(
                f"{place}.resources.limits", "found no memory", "add the most it may use", rule="memory-limit-missing"
            )


def check_probes(found: RenderedObject) -> Iterator[Finding]:
    """Check the probes of containers that listen somewhere and run on."""
    if (found.group, found.kind) not in _PROBED:
        return
    for place, container in containers(found, initial=False):
        for probe in ("readiness", "liveness"):
            if container.get("ports") and f"{probe}Probe" not in container:
                yield found.finding(
                    f"{place}.{probe}Probe", "is missing", "add one that asks the port", rule=f"{probe}-probe-missing"
                )


def check_security(found: RenderedObject) -> Iterator[Finding]:
    """Check privileges, after Kubernetes' Pod Security Standard `restricted`."""
    pod = pod_spec(found)
    if pod is None:
        return
    yield from _check_host(found, pod)
    spared = _LINUX_ONLY if dig(pod, "os", "name") == "windows" else ()
    for place, container in containers(found):
        own = mapping(container.get("securityContext"))
        both = {**mapping(pod.get("securityContext")), **own}
        for rule, key, fits, needs in _CONTAINER_RULES:
            if key in spared:
                continue
            value = both.get(key) if key in _POD_WIDE else own.get(key)
            if rule == "run-as-non-root" and both.get("runAsUser") == 0:
                yield found.finding(
                    f"{place}.securityContext.runAsUser", "found 0, root", "use another user", rule=rule
                )
            elif not fits(value):
                shown = "is missing" if value is None else f"found {_shown(value)}"
                yield found.finding(f"{place}.securityContext.{key}", shown, needs, rule=rule)


# The API server refuses these in a Windows pod (core validation, validateWindows).
_LINUX_ONLY = ("allowPrivilegeEscalation", "capabilities", "seccompProfile", "readOnlyRootFilesystem")
_POD_WIDE = ("runAsNonRoot", "seccompProfile")
_CONTAINER_RULES: tuple[tuple[str, str, Callable[[Any], bool], str], ...] = (
    ("run-as-non-root", "runAsNonRoot", lambda value: value is True, "set it to true, here or for the pod"),
    ("privilege-escalation", "allowPrivilegeEscalation", lambda value: value is False, "set it to false"),
    ("privileged-container", "privileged", lambda value: value is not True, "remove it"),
    (
        "capabilities-not-dropped",
        "capabilities",
        lambda value: "ALL" in sequence(dig(value, "drop")),
        "add drop: [ALL]",
    ),
    (
        "seccomp-profile-missing",
        "seccompProfile",
        lambda value: dig(value, "type") in ("RuntimeDefault", "Localhost"),
        "set type: RuntimeDefault, here or for the pod",
    ),
    ("writable-root-filesystem", "readOnlyRootFilesystem", lambda value: value is True, "set it to true"),
)


def _check_host(found: RenderedObject, pod: Mapping[str, Any]) -> Iterator[Finding]:
    path = pod_path(found)
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key) is True:
            yield found.finding(f"{path}.{key}", "found true", "remove it", rule="host-access")
    for index, volume in enumerate(sequence(pod.get("volumes"))):
        if "hostPath" in mapping(volume):
            shown = text(dig(volume, "hostPath", "path"))
            yield found.finding(
                f"{path}.volumes[{index}].hostPath", f"found {shown}", "use another kind of volume", rule="host-access"
            )


def check_disruption(objects: Sequence[RenderedObject]) -> Iterator[Finding]:
    """Check one application's budgets: one for every workload with replicas, and none that blocks every drain."""
    known = budgets(objects)
    for found in objects:
        replicas = found.spec.get("replicas", 1)
        if (found.group, found.kind) not in REPLICATED or not isinstance(replicas, int) or replicas < 1:
            continue
        labels = mapping(dig(pod_template(found), "metadata", "labels"))
        covering = [
            budget
            for budget, selector in known
            if same_namespace(budget.namespace, found.namespace)
            and selector.items() <= labels.items()
            and (selector or "selector" in budget.spec)
        ]
        if replicas > 1 and not covering:
            yield found.finding(
                "spec.replicas", f"found {replicas} without a PodDisruptionBudget", "add one",
                rule="disruption-budget-missing",
            )  # fmt: skip
        for budget in covering:
            if not selects_by_expression(budget):
                yield from _check_budget(budget, replicas)


def _check_budget(budget: RenderedObject, replicas: int) -> Iterator[Finding]:
    least, most = budget.spec.get("minAvailable"), budget.spec.get("maxUnavailable")
    blocked = most in (0, "0", "0%") or least == "100%" or (isinstance(least, int) and least >= replicas)
    if blocked:
        key = "spec.minAvailable" if least is not None else "spec.maxUnavailable"
        value = least if least is not None else most
        yield budget.finding(
            key, f"found {value} of {replicas} replicas", "allow one pod to be away", rule="single-replica-budget"
        )


def check_environment(found: RenderedObject, stack: str) -> Iterator[Finding]:
    """Check that the namespace carries the stack's name as one of its words."""
    namespace = found.name.name if (found.group, found.kind) == ("", "Namespace") else found.namespace
    if namespace and stack and stack not in namespace.split("-"):
        yield found.finding(
            "metadata.namespace",
            f"found {namespace}",
            f"needs {stack} as one of its words",
            rule="environment-in-namespace",
        )


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "another value"
