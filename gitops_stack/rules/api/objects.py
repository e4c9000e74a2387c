"""Whole objects: names, metadata, and kinds whose data are at the top (core validation)."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator

from gitops_stack.rules.api.formats import FORMATS, find_format, is_base64, is_config_key, is_qualified_name
from gitops_stack.rules.api.parts import Part, Violation, show
from gitops_stack.rules.api.selectors import check_annotations, check_labels
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.secret_values import is_placeholder

_RBAC = "rbac.authorization.k8s.io"
_NAMES: dict[tuple[str, str], str] = {
    ("", "Namespace"): "label",
    ("", "Service"): "service-name",
    ("apps", "StatefulSet"): "label",
    ("policy", "PodDisruptionBudget"): "path-segment",
    **{(_RBAC, kind): "path-segment" for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")},
    ("apiregistration.k8s.io", "APIService"): "path-segment",
}
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_AGGREGATED = (".openshift.io", ".metrics.k8s.io")
_LONGEST_NAMES = {("batch", "CronJob"): 52, ("batch", "Job"): 63}
_STANDARD_FINALIZERS = {"foregroundDeletion", "orphan", "kubernetes"}
_LARGEST = 1024 * 1024
_SECRET_KEYS: dict[str, tuple[tuple[str, ...], bool]] = {
    "kubernetes.io/tls": (("tls.crt", "tls.key"), True),
    "kubernetes.io/dockerconfigjson": ((".dockerconfigjson",), True),
    "kubernetes.io/dockercfg": ((".dockercfg",), True),
    "kubernetes.io/ssh-auth": (("ssh-privatekey",), True),
    "kubernetes.io/basic-auth": (("username", "password"), False),
}
"""Keys a type of Secret needs, and whether it needs all of them."""
_JSON_KEYS = (".dockerconfigjson", ".dockercfg")
_LEVELS = ("privileged", "baseline", "restricted")
_MODES = ("enforce", "audit", "warn")
_SECURITY = "pod-security.kubernetes.io"


def check_metadata(
    group: str, kind: str, metadata: Part, version: str = "", *, custom: bool = False
) -> Iterator[Violation]:
    """Check name, namespace, labels, annotations, finalizers; places begin at the object.

    ``version`` is that of Kubernetes; the newest known without one. ``custom`` kinds may have finalizers of any name.
    """
    name = text(metadata.get("name"))
    rule = find_format(_NAMES.get((group, kind), "subdomain"), version)
    longest = _LONGEST_NAMES.get((group, kind), 253)
    if group.endswith(_AGGREGATED):
        pass  # these servers have rules of their own
    elif name and not rule.fits(name):
        yield "metadata.name", f"found {show(name)}", rule.needs
    elif len(name) > longest:
        yield "metadata.name", f"found {len(name)} characters", f"needs at most {longest}"
    if not FORMATS["label"].fits(metadata.get("namespace")):
        yield "metadata.namespace", f"found {show(metadata['namespace'])}", FORMATS["label"].needs
    yield from check_labels(metadata.get("labels"), "metadata.labels")
    yield from check_annotations(metadata.get("annotations"), "metadata.annotations")
    if (group, kind) != _CRD:  # Argo CD notes on every other object which Application it belongs to
        yield from _check_annotation_values(metadata.get("annotations"))
    for index, finalizer in enumerate(sequence(metadata.get("finalizers"))):
        if isinstance(finalizer, str) and not (_is_finalizer(finalizer) or (custom and is_qualified_name(finalizer))):
            yield (
                f"metadata.finalizers[{index}]",
                f"found {show(finalizer)}",
                "needs a name with a domain, such as example.com/keep",
            )


def _check_annotation_values(annotations: object) -> Iterator[Violation]:
    """Find values that stop Argo CD's SetAppInstanceAnnotation; the API server reads a null as an empty text."""
    for key, value in mapping(annotations).items():
        if not isinstance(value, str):
            place = f".{key}" if _PLAIN_KEY.fullmatch(str(key)) else f"[{json.dumps(key)}]"
            said = "found no value" if value is None else "found a value that is not text"
            needs = "needs text, or Argo CD refuses the whole source"
            yield f"metadata.annotations{place}", said, f'{needs}; write "" for none' if value is None else needs


def _is_finalizer(name: str) -> bool:
    return name in _STANDARD_FINALIZERS or ("/" in name and is_qualified_name(name)) or name.count(".") > 0


def check_config_map(part: Part) -> Iterator[Violation]:
    """Check keys, base64 and size of a ConfigMap."""
    yield from _check_keys(part, "data", "binaryData", plain=("data",))
    for key in mapping(part.get("data")):
        if key in mapping(part.get("binaryData")):
            yield f"data.{key}", "is in binaryData as well", "remove one of the two"
    yield from _check_base64(part, "binaryData", "needs base64")


def check_secret(part: Part) -> Iterator[Violation]:
    """Check keys, base64 and what the Secret's type needs. No value is ever shown."""
    yield from _check_keys(part, "data", "stringData", plain=("stringData",))
    yield from _check_base64(part, "data", "needs base64; plain text belongs into stringData")
    kind = text(part.get("type"))
    there = {*mapping(part.get("data")), *mapping(part.get("stringData"))}
    needed, every = _SECRET_KEYS.get(kind, ((), True))
    missing = [key for key in needed if key not in there]
    if missing and (every or len(missing) == len(needed)):
        yield f"data.{missing[0]}", "is missing", f"type {kind} needs it"
    for key in _JSON_KEYS:
        if key in needed and key in there and not _is_json(part, key):
            yield f"data.{key}", "is not JSON", "correct it"
    if kind == "kubernetes.io/service-account-token" and not mapping(dig(part, "metadata", "annotations")).get(
        "kubernetes.io/service-account.name"
    ):
        yield "metadata.annotations", "found no kubernetes.io/service-account.name", f"type {kind} needs it"


def _is_json(part: Part, key: str) -> bool:
    """Tell whether a value is JSON, or will be once a placeholder is replaced, in base64 or as it is."""
    plain = mapping(part.get("stringData")).get(key)
    written = plain if isinstance(plain, str) else text(mapping(part.get("data")).get(key))
    if _is_filled_in(part, written):
        return True
    try:
        read = plain if isinstance(plain, str) else b64decode(written).decode()
        if not _is_filled_in(part, read):
            json.loads(read)
    except (ValueError, RecursionError):
        return False
    return True


def _check_keys(part: Part, *places: str, plain: tuple[str, ...]) -> Iterator[Violation]:
    size = 0
    for place in places:
        for key, value in mapping(part.get(place)).items():
            written = len(text(value).encode())
            size += written if place in plain else written * 3 // 4
            if not is_config_key(str(key)):
                yield place, f"found the key {show(key)}", FORMATS["config-key"].needs
    if size > _LARGEST:
        yield places[0], f"found {size} bytes", f"needs at most {_LARGEST} bytes in all"


def _check_base64(part: Part, place: str, needs: str) -> Iterator[Violation]:
    for key, value in mapping(part.get(place)).items():
        if isinstance(value, str) and not is_base64(value) and not _is_filled_in(part, value):
            yield f"{place}.{key}", "is not base64", needs


def _is_filled_in(part: Part, value: str) -> bool:
    """Tell whether argocd-vault-plugin puts another value in the place of this one."""
    marked = any(str(key).startswith("avp.kubernetes.io/") for key in mapping(dig(part, "metadata", "annotations")))
    return is_placeholder(value) and (marked or value.startswith("<path:"))


def check_namespace(part: Part) -> Iterator[Violation]:
    """Check the labels of Pod Security admission, and finalizers."""
    labels = mapping(dig(part, "metadata", "labels"))
    for mode in _MODES:
        level, version = labels.get(f"{_SECURITY}/{mode}"), labels.get(f"{_SECURITY}/{mode}-version")
        if isinstance(level, str) and level not in _LEVELS:
            yield (
                f'metadata.labels["{_SECURITY}/{mode}"]',
                f"found {show(level)}",
                f"needs one of: {', '.join(_LEVELS)}",
            )
        if isinstance(version, str) and version != "latest" and not _is_minor(version):
            yield f'metadata.labels["{_SECURITY}/{mode}-version"]', f"found {show(version)}", "needs latest or v1.x"
    for index, finalizer in enumerate(sequence(dig(part, "spec", "finalizers"))):
        if isinstance(finalizer, str) and not _is_finalizer(finalizer):
            yield f"spec.finalizers[{index}]", f"found {show(finalizer)}", "needs kubernetes, or a name with a domain"


def _is_minor(version: str) -> bool:
    return version.startswith("v1.") and version.removeprefix("v1.").isdigit()


def check_priority_class(part: Part) -> Iterator[Violation]:
    """Check the name of a PriorityClass."""
    if text(dig(part, "metadata", "name")).startswith("system-"):
        yield "metadata.name", "found the prefix system-", "it is reserved; use another name"
