"""Pods and containers: what excludes or needs what, names used twice, mounts, resources (core/v1 validation)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from gitops_stack.rules.api.formats import is_qualified_name
from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, repeated, show, whole
from gitops_stack.rules.api.pod_volumes import check_divisor, is_entry
from gitops_stack.rules.api.selectors import check_annotations, check_labels
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.quantities import parse_quantity

_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_FIELD_PATHS = {
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
}  # fmt: skip
_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_MOST_NAMESERVERS = 3
_PAGES = "hugepages-"


def check_pod(part: Part) -> Iterator[Violation]:
    """Check a pod's spec as a whole."""
    yield from check_labels(part.get("nodeSelector"), "nodeSelector")
    everything = list(chain.from_iterable(parts(part, key) for key in _CONTAINERS))
    yield from repeated(((f"{place}.name", found.get("name")) for place, found in everything), "name")
    yield from repeated(((f"{place}.name", found.get("name")) for place, found in parts(part, "volumes")), "name")
    for place, found in parts(part, "tolerations"):
        yield from ((f"{place}.{key}", said, needs) for key, said, needs in _check_toleration(found))
    for place, found in parts(part, "topologySpreadConstraints"):
        if is_set(found, "minDomains") and found.get("whenUnsatisfiable") != "DoNotSchedule":
            yield f"{place}.minDomains", "found it without whenUnsatisfiable DoNotSchedule", "remove one of the two"
    yield from _check_network(part)
    kernel = parts(mapping(part.get("securityContext")), "sysctls")
    yield from repeated(((f"securityContext.{place}.name", found.get("name")) for place, found in kernel), "name")
    yield from _check_claims(part, everything)
    yield from _check_initial(part)
    yield from _check_host_ports(part)


def _check_network(part: Part) -> Iterator[Violation]:
    servers = sequence(dig(part, "dnsConfig", "nameservers"))
    if part.get("dnsPolicy") == "None" and not servers:
        yield "dnsConfig.nameservers", "is missing", "dnsPolicy None needs at least one"
    if len(servers) > _MOST_NAMESERVERS:
        yield "dnsConfig.nameservers", "found more than 3", "needs at most 3"
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if part.get("hostUsers") is False and part.get(key) is True:
            yield key, "found true beside hostUsers false", "remove one of the two"
    if part.get("shareProcessNamespace") is True and part.get("hostPID") is True:
        yield "shareProcessNamespace", "found true beside hostPID", "remove one of the two"


def _check_claims(part: Part, containers: Iterable[tuple[str, Part]]) -> Iterator[Violation]:
    known = {text(found.get("name")) for _, found in parts(part, "resourceClaims")}
    for place, found in containers:
        for inner, claim in parts(mapping(found.get("resources")), "claims"):
            if (name := text(claim.get("name"))) and name not in known:
                said = f"found {show(name)}, which is not in the pod's resourceClaims"
                yield f"{place}.resources.{inner}.name", said, "correct it, or add the claim"


def _check_initial(part: Part) -> Iterator[Violation]:
    for place, found in parts(part, "initContainers"):
        if found.get("restartPolicy") != "Always":
            handlers = mapping(found.get("lifecycle"))
            lifecycle = () if handlers.keys() == {"stopSignal"} else ("lifecycle",)
            for key in ("livenessProbe", "readinessProbe", "startupProbe", *lifecycle):
                if is_set(found, key):
                    yield f"{place}.{key}", "found it in an init container", "needs restartPolicy: Always, or to go"


def _check_host_ports(part: Part) -> Iterator[Violation]:
    taken: list[tuple[str, str]] = []
    for place, found in parts(part, "containers"):
        for inner, port in parts(found, "ports"):
            number = whole(port.get("hostPort"))
            if number and part.get("hostNetwork") is True and number != port.get("containerPort"):
                yield f"{place}.{inner}.hostPort", f"found {number}", "needs the containerPort under hostNetwork"
            if number:
                taken.append(
                    (f"{place}.{inner}.hostPort", f"{number}/{port.get('protocol') or 'TCP'}{port.get('hostIP') or ''}")
                )
    yield from repeated(taken, "port of the host")


def _check_toleration(part: Part) -> Iterator[Violation]:
    if part.get("operator") == "Exists" and part.get("value"):
        yield "value", f"found {show(part['value'])}", "operator Exists takes no value; remove it"
    if not part.get("key") and part.get("operator") != "Exists":
        yield "operator", "found no key", "an empty key needs operator Exists"
    if part.get("operator") not in (None, "", "Equal", "Exists"):
        yield "operator", f"found {show(part['operator'])}", "needs Equal or Exists"
    if is_set(part, "tolerationSeconds") and part.get("effect") != "NoExecute":
        yield "effect", f"found {show(part.get('effect'))} with tolerationSeconds", "needs NoExecute"


def check_container(part: Part) -> Iterator[Violation]:
    """Check one container."""
    yield from repeated(((f"{place}.name", port.get("name")) for place, port in parts(part, "ports")), "name")
    yield from _check_resources(mapping(part.get("resources")))
    for probe in ("livenessProbe", "startupProbe"):
        if whole(dig(part, probe, "successThreshold")) > 1:
            yield f"{probe}.successThreshold", "found more than 1", "needs 1"
    if is_set(mapping(part.get("readinessProbe")), "terminationGracePeriodSeconds"):
        yield "readinessProbe.terminationGracePeriodSeconds", "found it in a readiness probe", "remove it"
    security = mapping(part.get("securityContext"))
    privileged = security.get("privileged") is True
    # The API server compares this one spelling; runtimes take SYS_ADMIN for the same.
    added = "CAP_SYS_ADMIN" in sequence(dig(security, "capabilities", "add"))
    if security.get("allowPrivilegeEscalation") is False and (privileged or added):
        cause = "privileged" if privileged else "CAP_SYS_ADMIN"
        yield "securityContext.allowPrivilegeEscalation", f"found false beside {cause}", "remove one of the two"
    yield from _check_mounts(part, privileged=privileged)


def _check_mounts(part: Part, *, privileged: bool) -> Iterator[Violation]:
    for place, mount in parts(part, "volumeMounts"):
        if mount.get("subPath") and mount.get("subPathExpr"):
            yield f"{place}.subPathExpr", "found it beside subPath", "remove one of the two"
        if mount.get("recursiveReadOnly") in ("Enabled", "IfPossible"):
            if mount.get("readOnly") is not True:
                yield f"{place}.recursiveReadOnly", "found it without readOnly", "add readOnly: true"
            elif mount.get("mountPropagation") not in (None, "None"):
                yield f"{place}.recursiveReadOnly", "found it beside mountPropagation", "remove one of the two"
        if mount.get("mountPropagation") == "Bidirectional" and not privileged:
            yield f"{place}.mountPropagation", "found Bidirectional", "needs a privileged container"


def _check_resources(part: Part) -> Iterator[Violation]:
    requests, limits = mapping(part.get("requests")), mapping(part.get("limits"))
    for key, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            yield from _check_resource(f"resources.{key}.{name}", str(name), amount)
    for name, amount in requests.items():
        least, most = parse_quantity(amount), parse_quantity(limits.get(name) or 0) if name in limits else None
        if least is None or (most is None and name in limits):
            continue
        if most is None:
            if "/" in str(name):
                yield f"resources.limits.{name}", "is missing", "needs the same as its request"
        elif least > most:
            yield (
                f"resources.requests.{name}",
                f"found {show(amount)}, above the limit {show(limits[name])}",
                "needs at most the limit",
            )
        elif least < most and "/" in str(name):
            yield f"resources.requests.{name}", f"found {show(amount)}", f"needs the limit, {show(limits[name])}"
    yield from _check_pages(requests, limits)
    names = {str(name) for name in (*requests, *limits)}
    if any(name.startswith("hugepages-") for name in names) and not {"cpu", "memory"} & names:
        yield "resources", "found hugepages alone", "add cpu or memory"


def _check_pages(requests: Part, limits: Part) -> Iterator[Violation]:
    for name in (str(name) for name in (*requests, *limits) if str(name).startswith(_PAGES)):
        size, least = parse_quantity(name.removeprefix(_PAGES)), parse_quantity(requests.get(name, limits.get(name)))
        most = parse_quantity(limits.get(name))
        if most is None:
            yield f"resources.limits.{name}", "is missing", "needs the same as its request"
        elif least != most:
            yield (
                f"resources.requests.{name}",
                f"found {show(requests[name])}",
                f"needs the limit, {show(limits[name])}",
            )
        elif size and most % size:
            yield (
                f"resources.limits.{name}",
                f"found {show(limits[name])}",
                f"needs a multiple of {name.removeprefix(_PAGES)}",
            )


def _check_resource(place: str, name: str, amount: object) -> Iterator[Violation]:
    if "/" not in name and name not in _RESOURCES and not name.startswith("hugepages-"):
        yield place, "is not a resource of containers", "needs cpu, memory, ephemeral-storage, or a name with a domain"
    elif not is_qualified_name(name):
        yield place, "is not the name of a resource", "needs a name such as example.com/gpu"
    value = parse_quantity(amount)
    if "/" in name and value is not None and value % 1:
        yield place, f"found {show(amount)}", "needs a whole number"


def check_variable(part: Part) -> Iterator[Violation]:
    """Check one environment variable."""
    if part.get("value") and is_set(part, "valueFrom"):
        yield "valueFrom", "found it beside value", "remove one of the two"
    path = text(dig(part, "valueFrom", "fieldRef", "fieldPath"))
    if dig(part, "valueFrom", "fieldRef", "apiVersion") not in (None, "", "v1"):
        yield "valueFrom.fieldRef.apiVersion", "is not v1", "remove it"
    if path and path not in _FIELD_PATHS and not is_entry(path):
        yield "valueFrom.fieldRef.fieldPath", f"found {show(path)}", f"needs one of: {', '.join(sorted(_FIELD_PATHS))}"
    yield from check_divisor(mapping(part.get("valueFrom")), "valueFrom")


def check_seccomp(part: Part) -> Iterator[Violation]:
    """Check that a profile is named where, and only where, it is local."""
    if (part.get("type") == "Localhost") != bool(part.get("localhostProfile")) and part.get("type"):
        yield "localhostProfile", "does not fit the type", "type Localhost needs it, the others take none"


def check_template(part: Part) -> Iterator[Violation]:
    """Check labels and annotations of pods."""
    yield from check_labels(dig(part, "metadata", "labels"), "metadata.labels")
    yield from check_annotations(dig(part, "metadata", "annotations"), "metadata.annotations")


def check_ephemeral(part: Part) -> Iterator[Violation]:
    """Check that no container is there that only a running pod gets."""
    if sequence(dig(part, "spec", "ephemeralContainers")):
        yield "spec.ephemeralContainers", "found some", "remove them; kubectl debug adds them to a running pod"


def check_pod_images(part: Part) -> Iterator[Violation]:
    """Check what the API server says of the images of a Pod, and not of a template."""
    for key in _CONTAINERS:
        for place, found in parts(mapping(part.get("spec")), key):
            image = text(found.get("image"))
            if image != image.strip():
                yield f"spec.{place}.image", f"found {show(image)}", "remove the spaces around it"


def check_sleep(part: Part) -> Iterator[Violation]:
    """Check that a container's sleep ends before the pod is killed."""
    grace = whole(part.get("terminationGracePeriodSeconds"), 30)
    for place, found in parts(part, "containers"):
        for hook in ("preStop", "postStart"):
            seconds = whole(dig(found, "lifecycle", hook, "sleep", "seconds"), 0)
            if is_set(mapping(dig(found, "lifecycle", hook)), "sleep") and not 0 <= seconds <= grace:
                yield f"{place}.lifecycle.{hook}.sleep.seconds", f"found {seconds}", f"needs 0 to {grace}"
