"""Values that fit the schema and are refused all the same: quantities, ports and their names, after the API server.

After k8s.io/apimachinery (`resource.ParseQuantity`, `validation.IsValidPortNum`, `validation.IsValidPortName`). What
else the API server validates in code is left to it; docs/checks.md names the most of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.policies.fields import dig, mapping, sequence
from gitops_stack.policies.finding import Finding, RenderedObject
from gitops_stack.policies.pods import containers
from gitops_stack.policies.quantities import is_quantity

_RULE = "value-invalid"
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_QUANTITY = "needs a quantity such as 100m or 64Mi"
_NUMBER = "needs a port from 1 to 65535"
_NAME = "needs at most 15 of a-z, 0-9 and single dashes inside, a letter among them"
_Place = tuple[str, Any]


def check_values(found: RenderedObject) -> Iterator[Finding]:
    """Check quantities and ports of pods, quantities of volumes and quotas, and the ports of Services."""
    for place, value in _quantities(found):
        plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)  # the schema refuses the others
        if plain and not is_quantity(value):
            yield found.finding(place, f"found {value}", _QUANTITY, rule=_RULE)
        elif plain and str(value).startswith("-"):
            yield found.finding(place, f"found {value}", "needs no less than 0", rule=_RULE)
    for place, value in _ports(found):
        if isinstance(value, int) and not isinstance(value, bool) and not 1 <= value <= 65535:  # noqa: PLR2004 - ports
            yield found.finding(place, f"found {value}", _NUMBER, rule=_RULE)
        elif isinstance(value, str) and not _PORT_NAME.fullmatch(value):
            yield found.finding(place, f"found {value}", _NAME, rule=_RULE)


def _quantities(found: RenderedObject) -> Iterator[_Place]:
    for place, container in containers(found):
        yield from _resources(container, place)
    match found.group, found.kind:
        case "", "PersistentVolumeClaim":
            yield from _resources(found.spec, "spec")
        case "", "PersistentVolume":
            yield from _entries(found.spec.get("capacity"), "spec.capacity")
        case "", "ResourceQuota":
            yield from _entries(found.spec.get("hard"), "spec.hard")
        case "apps", "StatefulSet":
            for index, claim in enumerate(sequence(found.spec.get("volumeClaimTemplates"))):
                yield from _resources(mapping(dig(claim, "spec")), f"spec.volumeClaimTemplates[{index}].spec")


def _resources(value: Mapping[str, Any], place: str) -> Iterator[_Place]:
    for key in ("requests", "limits"):
        yield from _entries(dig(value, "resources", key), f"{place}.resources.{key}")


def _entries(value: object, place: str) -> Iterator[_Place]:
    yield from ((f"{place}.{key}", quantity) for key, quantity in mapping(value).items())


def _ports(found: RenderedObject) -> Iterator[_Place]:
    for place, container in containers(found):
        for index, port in enumerate(map(mapping, sequence(container.get("ports")))):
            yield from _set(port, f"{place}.ports[{index}]", "containerPort", "hostPort", "name")
        for probe in _PROBES:
            for how in ("httpGet", "tcpSocket", "grpc"):
                asked = mapping(dig(container, probe, how))
                yield from ((f"{place}.{probe}.{how}.port", asked[key]) for key in ("port",) if key in asked)
    if (found.group, found.kind) == ("", "Service"):
        for index, port in enumerate(map(mapping, sequence(found.spec.get("ports")))):
            yield from _set(port, f"spec.ports[{index}]", "port", "targetPort", "nodePort")


def _set(port: Mapping[str, Any], place: str, required: str, *optional: str) -> Iterator[_Place]:
    if required in port:
        yield f"{place}.{required}", port[required]
    yield from ((f"{place}.{key}", port[key]) for key in optional if port.get(key))  # 0 and "" stand for none
