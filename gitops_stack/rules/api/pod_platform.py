"""What a pod's operating system, host namespaces and placement permit (core/v1 validation, ValidatePodSpec)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, show
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.quantities import parse_quantity

_CONTAINERS = ("initContainers", "containers")
_POD_OF_LINUX = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser",
    "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy",
)  # fmt: skip
_CONTAINER_OF_LINUX = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)  # fmt: skip
_OF_PODS = ("cpu", "memory")
_SHARED = ("hostPID", "hostIPC", "hostUsers", "shareProcessNamespace")
_NODE_FIELDS = ("In", "NotIn")
_HOST_KERNEL = (("hostNetwork", ("net.",)), ("hostIPC", ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")))
_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_PROFILES = ("runtime/default", "unconfined", "localhost/")


def check_platform(part: Part) -> Iterator[Violation]:
    """Check a pod's spec against the system it is for and what it shares with its host."""
    containers = list(chain.from_iterable(parts(part, key) for key in _CONTAINERS))
    yield from _check_system(part, containers)
    security = mapping(part.get("securityContext"))
    for place, kernel in parts(security, "sysctls"):
        for key, beginnings in _HOST_KERNEL:
            if part.get(key) is True and text(kernel.get("name")).replace("/", ".").startswith(beginnings):
                yield f"securityContext.{place}.name", f"found {show(kernel['name'])}", f"remove it, or {key}"
    for place, found in containers:
        if dig(found, "securityContext", "procMount") == "Unmasked" and part.get("hostUsers") is not False:
            yield f"{place}.securityContext.procMount", "found Unmasked", "needs hostUsers: false"
        if sequence(found.get("restartPolicyRules")) and not found.get("restartPolicy"):
            yield f"{place}.restartPolicy", "is missing", "restartPolicyRules need it"
    yield from _check_amounts(mapping(part.get("resources")), [found for _, found in parts(part, "containers")])
    hosted = [security, *(mapping(found.get("securityContext")) for _, found in containers)]
    if part.get("hostNetwork") is not True and any(dig(one, "windowsOptions", "hostProcess") is True for one in hosted):
        yield "hostNetwork", "is not true", "hostProcess needs it"


def _check_system(part: Part, containers: list[tuple[str, Part]]) -> Iterator[Violation]:
    name = dig(part, "os", "name")
    places = [("", _POD_OF_LINUX, part), *((f"{place}.", _CONTAINER_OF_LINUX, found) for place, found in containers)]
    for place, keys, found in places:
        security = mapping(found.get("securityContext"))
        if name == "linux" and is_set(security, "windowsOptions"):
            yield f"{place}securityContext.windowsOptions", "found it in a pod for linux", "remove it"
        if name == "windows":
            wrong = [key for key in keys if is_set(security, key)]
            yield from (
                (f"{place}securityContext.{key}", "found it in a pod for windows", "remove it") for key in wrong
            )
    if name == "windows":
        yield from ((key, "found it in a pod for windows", "remove it") for key in _SHARED if is_set(part, key))


def _check_amounts(amounts: Part, containers: list[Part]) -> Iterator[Violation]:
    for key in ("requests", "limits"):
        for name in map(str, mapping(amounts.get(key))):
            if name not in _OF_PODS and not name.startswith("hugepages-"):
                yield f"resources.{key}.{name}", "is not a resource of pods", "needs cpu or memory"
    for name, amount in mapping(amounts.get("requests")).items():
        asked = [parse_quantity(mapping(dig(found, "resources", "requests")).get(name, 0)) or 0 for found in containers]
        most = parse_quantity(amount)
        if most is not None and sum(asked) > most:
            yield f"resources.requests.{name}", f"found {show(amount)}", "needs at least what its containers request"


def check_label_keys(part: Part) -> Iterator[Violation]:
    """Check the label keys that a spread or an affinity adds to its selector."""
    keys = {key: sequence(part.get(key)) for key in ("matchLabelKeys", "mismatchLabelKeys")}
    for key, found in keys.items():
        if found and not is_set(part, "labelSelector"):
            yield key, "found it without labelSelector", "add the selector, or remove it"
    if both := sorted(set(map(str, keys["matchLabelKeys"])) & set(map(str, keys["mismatchLabelKeys"]))):
        yield "matchLabelKeys", f"found {both[0]}, which is in mismatchLabelKeys as well", "remove one of the two"


def check_node_fields(part: Part) -> Iterator[Violation]:
    """Check the fields a node is selected by."""
    for place, found in parts(part, "matchFields"):
        if found.get("key") != "metadata.name":
            yield f"{place}.key", f"found {show(found.get('key'))}", "needs metadata.name"
        if found.get("operator") not in _NODE_FIELDS:
            yield f"{place}.operator", f"found {show(found.get('operator'))}", "needs In or NotIn"
        elif len(sequence(found.get("values"))) > 1:
            yield f"{place}.values", "found several", "needs one"


def check_armor(part: Part) -> Iterator[Violation]:
    """Check the older annotations that name AppArmor's profiles."""
    containers = chain.from_iterable(parts(mapping(part.get("spec")), key) for key in _CONTAINERS)
    known = {text(found.get("name")) for _, found in containers}
    for key, value in mapping(dig(part, "metadata", "annotations")).items():
        if str(key).startswith(_ARMOR):
            place, name = f'metadata.annotations["{key}"]', str(key).removeprefix(_ARMOR)
            if name not in known:
                yield place, f"found no container {show(name)}", "correct the name, or remove the annotation"
            elif isinstance(value, str) and value and not value.startswith(_PROFILES):
                yield place, f"found {show(value)}", "needs runtime/default, unconfined or localhost/NAME"
