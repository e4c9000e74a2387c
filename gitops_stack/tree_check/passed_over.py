"""Why a file of a folder without a stack is not a manifest: patches, tests, templates, files of other tools."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.rules.fields import dig, mapping, sequence
from gitops_stack.tree_check.api_types import find_groups, known_versions, list_groups

# Groups that only programs on a machine read: test runners, cluster makers, configuration files with a kind.
_LOCAL_GROUPS = (
    "kuttl.dev", "kudo.dev", "chainsaw.kyverno.io", "cli.kyverno.io", "kind.x-k8s.io", "k3d.io", "eksctl.io",
    "kubeadm.k8s.io", "kubelet.config.k8s.io", "kubeproxy.config.k8s.io", "kubescheduler.config.k8s.io",
    "apiserver.config.k8s.io", "apiserver.k8s.io", "audit.k8s.io", "controller-runtime.sigs.k8s.io", "builtin",
    "kustomize.config.k8s.io", "krew.googlecontainertools.github.com", "backstage.io", "ctlptl.dev", "skaffold",
    "devspace", "compose", "cdk8s", "kpt.dev", "config.kubernetes.io", "helmfile", "updatecli", "blueprints",
    "argocd-image-updater", "client.authentication.k8s.io", "lvh", "ko.build", "tilt", "testing.kyverno.io",
)  # fmt: skip
_API_VERSION = re.compile(r"(?:^|[{,]\s*)[\"']?apiVersion[\"']?:\s*[\"']?([^\s\"'#,]+)", re.MULTILINE)
KIND = re.compile(r"(?:^|[{,]\s*)[\"']?kind[\"']?:\s*[\"']?([^\s\"'#,]+)", re.MULTILINE)
_OWN_FIELD = re.compile(r"^[\"']?(apiVersion|kind)[\"']?:", re.MULTILINE)
_LOCAL = re.compile(r"config\.kubernetes\.io/local-config:\s*[\"']?true|\bimage:\s*[\"']?ko://")  # `ko apply` builds it
_ASSERTION = re.compile(r"(\d+[-_])?(chainsaw-)?(assert|assertion|error)s?([-_.].*)?\.ya?ml")
PATCH = re.compile(r"(^|[-_.])(json-?)?patch(es)?([-_.]|$)")
_ENCRYPTED = re.compile(r"^sops:\s|^  \"sops\":\s*\{", re.MULTILINE)
TEMPLATE = re.compile(r"\{\{|\{%|<%|^\s*<[A-Z][A-Z0-9_]*>\s*$", re.MULTILINE)
_NAMED_LATER = re.compile(
    r"^metadata:(?:.*\n(?:[ \t].*\n)*?[ \t]+|.*\b)name(?:space)?:.*(?:<[A-Za-z][\w.-]*>|\$\{\{)", re.MULTILINE
)
_WORKLOADS = frozenset({"DaemonSet", "Deployment", "StatefulSet"})
_SELECTOR = re.compile(r"^  selector:", re.MULTILINE)
_ENTRIES = re.compile(r"^entries:", re.MULTILINE)
_KUBECONFIG = ("v1", "Config")
_LIVE = ('"uid":', '"resourceVersion":', '"creationTimestamp":')  # what `kubectl get --output json` prints
OF_TESTS = "they belong to tests"
ARE_TEMPLATES = "they are templates"
_METADATA = re.compile(r"(?:^|[{,]\s*)[\"']?metadata[\"']?:", re.MULTILINE)


def find_reason(file: Path) -> str:
    """Say why a file is not a manifest for a cluster; "" for one that is, or that Argo CD would fail at."""
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""
    versions, kinds = _API_VERSION.findall(text), KIND.findall(text)
    if not (versions or kinds) or not (_has_kind(text) if file.suffix == ".json" else _has_fields(text)):
        return ARE_TEMPLATES if TEMPLATE.search(text) else "they are not manifests"
    version = versions[0] if versions else ""
    kubeconfig = (version, *kinds[:1]) == _KUBECONFIG and "clusters" in text
    if _ENCRYPTED.search(text):
        return "SOPS has encrypted them"
    if (
        _is_local(version.partition("/")[0])
        or _LOCAL.search(text)
        or (file.name == "index.yaml" and _ENTRIES.search(text))  # of a repository of charts
        or kubeconfig
        or _is_settings(version, kinds, text)
    ):
        return "they are files of other tools"
    if _ASSERTION.fullmatch(file.name):
        return OF_TESTS
    return _find_reason_of_object(file, text)


def _find_reason_of_object(file: Path, text: str) -> str:
    if file.suffix == ".json" and all(word in text for word in _LIVE):
        return "they were read from a cluster"
    # A value may be filled in by a plugin of Argo CD, a name is so by whoever lays out the repository.
    templated = _NAMED_LATER.search(text) or (TEMPLATE.search(text) and not is_readable(file, text))
    if templated:
        return ARE_TEMPLATES
    return "they are patches" if {*KIND.findall(text)} <= _WORKLOADS and _is_partial(file, text) else ""


def _is_partial(file: Path, text: str) -> bool:
    """Tell whether workloads lack so much that they can only change others, as `kubectl patch` takes them."""
    if _SELECTOR.search(text):  # without reading a whole one twice
        return False
    try:
        documents = load_documents(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    patch = PATCH.search(file.stem.lower()) is not None
    specs = [mapping(mapping(document).get("spec")) for document in documents]
    pods = [sequence(dig(spec, "template", "spec", "containers")) for spec in specs]
    partial = [pod and (patch or not all(mapping(one).get("image") for one in pod)) for pod in pods]
    return bool(specs) and all(part and "selector" not in spec for part, spec in zip(partial, specs, strict=True))


def _is_local(group: str) -> bool:
    local = group in _LOCAL_GROUPS or any("." in one and group.endswith(f".{one}") for one in _LOCAL_GROUPS)
    return local and group not in list_groups()  # which has flowcontrol.apiserver.k8s.io


def _is_settings(version: str, kinds: Sequence[str], text: str) -> bool:
    """Tell whether a file has a version and a kind as manifests do, and is of a program's own.

    It has no metadata, which every object needs, or no version, or one without a group, as v1 alone is one. Of groups
    and kinds that a cluster surely has, such a file is a manifest with a mistake in it.
    """
    group, slash, _ = version.partition("/")
    if not slash and version != "v1":
        unknown = not any(find_groups(known_versions()[-1], kind) for kind in kinds)
        return unknown or not (version or _METADATA.search(text))
    served = version == "v1" or "." not in group or group.endswith(".k8s.io") or group == ARGOCD_GROUP
    return not served and not _METADATA.search(text)


def _has_kind(text: str) -> bool:
    """Tell whether JSON is an object with a kind; one that cannot be read may be meant as one.

    There is a program called kind, so a file of versions may have such a key as well.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return '"apiVersion"' in text
    return isinstance(document, dict) and isinstance(document.get("kind"), str)


def _has_fields(text: str) -> bool:
    """Tell whether YAML has the fields of an object itself, and not in a text or list in it, as Ansible's tasks do."""
    if _OWN_FIELD.search(text):
        return True
    try:
        documents = load_documents(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return True
    return any({"apiVersion", "kind"} & mapping(document).keys() for document in documents)


def is_readable(file: Path, text: str) -> bool:
    """Tell whether a file is JSON or YAML, by its name."""
    try:
        if file.suffix == ".json":
            json.loads(text)
        else:
            load_documents(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    return True
