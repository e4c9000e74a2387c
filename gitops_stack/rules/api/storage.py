"""Claims, volumes, quotas and ranges of resources (core and storage validation)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.rules.api.formats import FORMATS, is_qualified_name
from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, repeated, show
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.quantities import is_quantity, parse_quantity

_LIMIT_TYPES = ("Container", "Pod", "PersistentVolumeClaim")
_AMOUNTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_COUNTED = {
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
}  # fmt: skip
_SINGLE = {"BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"}
_AMOUNTED = {"cpu", "memory", "ephemeral-storage", "storage"}
_HELD = {
    *_COUNTED, *(_AMOUNTED - {"storage"}), "requests.storage",
    *(f"{key}.{name}" for key in ("requests", "limits") for name in ("cpu", "memory", "ephemeral-storage")),
}  # fmt: skip
_SHORTEST_PERIOD = 10
_OPPOSED = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_OF_PODS = {"pods", "cpu", "memory", *(f"{key}.{name}" for key in ("requests", "limits") for name in ("cpu", "memory"))}


def check_amounts(amounts: object, place: str, *, negative: bool = False) -> Iterator[Violation]:
    """Check that every amount is a quantity, not below 0 unless it may be ``negative``."""
    for name, amount in mapping(amounts).items():
        if amount is not None and not FORMATS["quantity"].fits(amount) and not (negative and is_quantity(amount)):
            needs = FORMATS["count" if is_quantity(amount) else "quantity"].needs
            yield f"{place}.{name}", f"found {show(amount)}", needs


def check_requests(part: Part) -> Iterator[Violation]:
    """Check requests and limits."""
    for key in ("requests", "limits"):
        yield from check_amounts(part.get(key), key)


def check_claim(part: Part) -> Iterator[Violation]:
    """Check a PersistentVolumeClaim's spec."""
    modes = sequence(part.get("accessModes"))
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        yield "accessModes", "found ReadWriteOncePod beside others", "use it alone"
    size = dig(part, "resources", "requests", "storage")
    amount = parse_quantity(size)
    if size is None:
        yield "resources.requests.storage", "is missing", "add the size, such as 1Gi"
    elif amount is not None and amount == 0:
        yield "resources.requests.storage", f"found {show(size)}", "needs more than 0"
    source, reference = mapping(part.get("dataSource")), mapping(part.get("dataSourceRef"))
    yield from check_source(reference, "dataSourceRef")
    if source and reference and any(source.get(one) != reference.get(one) for one in ("apiGroup", "kind", "name")):
        yield "dataSourceRef", "differs from dataSource", "remove one of the two"


def check_source(source: Mapping[str, Any], place: str) -> Iterator[Violation]:
    """Check that what a claim is filled from is a claim, or of a group that is named."""
    if source.get("kind") and not source.get("apiGroup") and source["kind"] != "PersistentVolumeClaim":
        yield f"{place}.kind", f"found {show(source['kind'])}", "needs its apiGroup, or PersistentVolumeClaim"


def check_volume(part: Part) -> Iterator[Violation]:
    """Check a PersistentVolume's spec."""
    capacity = mapping(part.get("capacity"))
    yield from check_amounts(capacity, "capacity")
    if capacity and set(capacity) != {"storage"}:
        yield "capacity", f"found {', '.join(sorted(map(str, capacity)))}", "needs storage and nothing else"
    elif parse_quantity(capacity.get("storage")) == 0:
        yield "capacity.storage", "found 0", "needs more than 0"
    if is_set(part, "local") and not is_set(mapping(part.get("nodeAffinity")), "required"):
        yield "nodeAffinity", "is missing", "a local volume needs the node it is on"

    modes = sequence(part.get("accessModes"))
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        yield "accessModes", "found ReadWriteOncePod beside others", "use it alone"
    if part.get("persistentVolumeReclaimPolicy") == "Recycle" and dig(part, "hostPath", "path") == "/":
        yield "persistentVolumeReclaimPolicy", "found Recycle for a volume of /", "needs Retain or Delete"


def check_secret_of_driver(part: Part) -> Iterator[Violation]:
    """Check that a driver's Secrets are named whole; a PersistentVolume's need their namespace."""
    for key in (key for key in part if str(key).endswith("SecretRef") and part[key] is not None):
        for needed in (
            ("name",) if key == "nodePublishSecretRef" and "volumeHandle" not in part else ("name", "namespace")
        ):
            if not mapping(part[key]).get(needed):
                yield f"{key}.{needed}", "is missing", "add it"


def check_ratio(part: Part) -> Iterator[Violation]:
    """Check that a ratio can be reached between the bounds."""
    for name, ratio in mapping(part.get("maxLimitRequestRatio")).items():
        bounds = (mapping(part.get(key)).get(name) for key in ("min", "max"))
        most, (least, greatest) = parse_quantity(ratio), map(parse_quantity, bounds)
        if most and least and greatest and most > greatest / least:
            yield (
                f"maxLimitRequestRatio.{name}",
                f"found {show(ratio)}",
                f"needs at most max / min, {greatest / least:.3g}",
            )


def check_topology(part: Part) -> Iterator[Violation]:
    """Check that a zone is named once."""
    yield from repeated(((f"values[{index}]", one) for index, one in enumerate(sequence(part.get("values")))), "value")


def check_driver(part: Part) -> Iterator[Violation]:
    """Check the tokens that a driver asks for, and how often its nodes are asked what they hold."""
    seconds = part.get("nodeAllocatableUpdatePeriodSeconds")
    if isinstance(seconds, int) and seconds < _SHORTEST_PERIOD:
        needs = f"needs at least {_SHORTEST_PERIOD}"
        yield "nodeAllocatableUpdatePeriodSeconds", f"found {show(seconds)}", needs
    tokens = list(parts(part, "tokenRequests"))
    yield from repeated(((f"{place}.audience", found.get("audience")) for place, found in tokens), "audience")


def check_device_claim(part: Part) -> Iterator[Violation]:
    """Check the names of a claim's requests, and who names them."""
    requests = list(parts(part, "requests"))
    yield from repeated(((f"{place}.name", found.get("name")) for place, found in requests), "name")
    known = {text(found.get("name")) for _, found in requests}
    for place, constraint in parts(part, "constraints"):
        for index, name in enumerate(sequence(constraint.get("requests"))):
            if text(name).partition("/")[0] not in known:
                yield f"{place}.requests[{index}]", f"found {show(name)}", "needs the name of a request"


def check_quota(part: Part) -> Iterator[Violation]:
    """Check a ResourceQuota's spec."""
    hard = mapping(part.get("hard"))
    yield from check_amounts(hard, "hard")
    for name, amount in hard.items():
        if not _can_be_held(str(name)):
            yield (
                f"hard.{name}",
                "is not a resource that quotas know",
                "needs pods, requests.cpu, count/…, or a name with a domain",
            )
        value = parse_quantity(amount)
        if (name in _COUNTED or str(name).startswith("count/")) and value is not None and value % 1:
            yield f"hard.{name}", f"found {show(amount)}", "needs a whole number"
    scopes = {text(scope) for scope in sequence(part.get("scopes"))}
    if any(pair <= scopes for pair in _OPPOSED):
        yield "scopes", "found two that exclude each other", "remove one of the two"
    limited = set(map(str, hard)) - ({"pods"} if scopes & {"BestEffort"} else _OF_PODS)
    if scopes & {"BestEffort", "NotBestEffort", "Terminating", "NotTerminating"} and limited:
        yield (
            "scopes",
            f"found {', '.join(sorted(scopes))}, which cannot hold {', '.join(sorted(limited))}",
            "make it a quota of its own",
        )
    for place, found in parts(mapping(part.get("scopeSelector")), "matchExpressions"):
        if found.get("operator") in ("In", "NotIn") and not sequence(found.get("values")):
            yield f"scopeSelector.{place}.values", "is missing", f"operator {found['operator']} needs values"
        if found.get("operator") in ("Exists", "DoesNotExist") and sequence(found.get("values")):
            yield f"scopeSelector.{place}.values", "found values", f"operator {found['operator']} takes none"
        if found.get("scopeName") in _SINGLE and found.get("operator") != "Exists":
            yield f"scopeSelector.{place}.operator", f"found {show(found.get('operator'))}", "needs Exists"


def _can_be_held(name: str) -> bool:
    inner = name.removeprefix("requests.")
    return name in _HELD or name.startswith(("count/", "hugepages-", "requests.hugepages-")) or (
        "/" in inner and is_qualified_name(inner)
    )  # fmt: skip


def check_limit_range(part: Part) -> Iterator[Violation]:
    """Check a LimitRange's spec."""
    yield from repeated(((f"{place}.type", found.get("type")) for place, found in parts(part, "limits")), "type")
    for place, found in parts(part, "limits"):
        yield from ((f"{place}.{key}", said, needs) for key, said, needs in _check_limits(found))


def _check_limits(part: Part) -> Iterator[Violation]:
    kind = text(part.get("type"))
    if kind and kind not in _LIMIT_TYPES and ("/" not in kind or not is_qualified_name(kind)):
        yield "type", f"found {show(kind)}", f"needs one of: {', '.join(_LIMIT_TYPES)}"
    needs = "needs cpu, memory, storage, or a name with a domain"
    for key in _AMOUNTS:
        yield from check_amounts(part.get(key), key, negative=True)
        for name in map(str, mapping(part.get(key))):
            if "/" not in name and name not in _AMOUNTED and not name.startswith("hugepages-"):
                yield f"{key}.{name}", "is not a resource that ranges know", needs
    yield from _check_type(part, kind)
    yield from _check_order(part)


def _check_type(part: Part, kind: str) -> Iterator[Violation]:
    if kind == "Pod":
        for key in ("default", "defaultRequest"):
            if mapping(part.get(key)):
                yield key, "found it in a range of type Pod", "remove it"
    if kind == "PersistentVolumeClaim" and not any("storage" in mapping(part.get(key)) for key in ("min", "max")):
        yield "max.storage", "is missing, and min.storage", "add one of the two"
    for name, ratio in mapping(part.get("maxLimitRequestRatio")).items():
        value = parse_quantity(ratio)
        if value is not None and value < 1:
            yield f"maxLimitRequestRatio.{name}", f"found {show(ratio)}", "needs no less than 1"


def _check_order(part: Mapping[str, Any]) -> Iterator[Violation]:
    for low, high in (("min", "max"), ("min", "defaultRequest"), ("min", "default"), ("defaultRequest", "default"),
                      ("defaultRequest", "max"), ("default", "max")):  # fmt: skip
        for name, least in mapping(part.get(low)).items():
            small, great = parse_quantity(least), parse_quantity(mapping(part.get(high)).get(name))
            if small is not None and great is not None and small > great:
                yield (
                    f"{low}.{name}",
                    f"found {show(least)}, above {high} {show(part[high][name])}",
                    "put them in order",
                )
