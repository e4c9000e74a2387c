"""HorizontalPodAutoscalers (autoscaling validation)."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.rules.api.parts import Part, Violation, is_set, show, whole
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.quantities import parse_quantity

_SOURCES = ("resource", "pods", "object", "external", "containerResource")


_TARGETS = {
    "Resource": ("averageUtilization", "averageValue"),
    "ContainerResource": ("averageUtilization", "averageValue"),
    "Pods": ("averageValue",),
}


def check_replicas(part: Part) -> Iterator[Violation]:
    """Check the bounds of an autoscaler."""
    least, most = whole(part.get("minReplicas"), 1), whole(part.get("maxReplicas"))
    if is_set(part, "maxReplicas") and most < 1:
        yield "maxReplicas", f"found {show(part['maxReplicas'])}", "needs no less than 1"
    elif is_set(part, "maxReplicas") and most < least:
        yield "maxReplicas", f"found {most}", f"needs no less than minReplicas, {least}"


def check_target(part: Part) -> Iterator[Violation]:
    """Check bounds, and what is scaled."""
    yield from check_replicas(part)
    version = dig(part, "scaleTargetRef", "apiVersion")
    group, slash, name = text(version).partition("/")
    if not slash or not group or "/" in name:
        yield "scaleTargetRef.apiVersion", f"found {show(version or '')}", "needs the group's version, such as apps/v1"


def check_metric(part: Part) -> Iterator[Violation]:
    """Check that a metric has what its type needs."""
    kind = text(part.get("type"))
    key = kind[:1].lower() + kind[1:]
    if key not in _SOURCES:
        return
    source = mapping(part.get(key))
    if not source:
        yield key, "is missing", f"type {kind} needs it"
        return
    for other in (other for other in _SOURCES if other != key and is_set(part, other)):
        yield other, f"found it beside type {kind}", "remove it"
    if "/" in text(dig(source, "metric", "name")):
        yield f"{key}.metric.name", f"found {show(source['metric']['name'])}", "needs a name without /"
    target = mapping(source.get("target"))
    wanted = _TARGETS.get(kind, ("averageValue", "value"))
    if not any(is_set(target, one) for one in wanted):
        yield f"{key}.target", f"found no {' and no '.join(wanted)}", f"type {kind} needs one"
    if len([one for one in wanted if is_set(target, one)]) > 1:
        yield f"{key}.target", f"found {' and '.join(wanted)}", "remove one of the two"
    for one in ("averageValue", "value"):
        amount = parse_quantity(target.get(one))
        if amount is not None and amount <= 0:
            yield f"{key}.target.{one}", f"found {show(target[one])}", "needs more than 0"


def check_rules(part: Part) -> Iterator[Violation]:
    """Check how fast is scaled."""
    if is_set(part, "policies") and not sequence(part["policies"]):
        yield "policies", "found none", "add one, or remove the key"
