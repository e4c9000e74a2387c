"""Keys that Argo CD's processes read when they start, and what restarts exactly their readers."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from gitops_stack.manifests.argocd.patch import Patch, workload
from gitops_stack.settings.argocd.parameters import CONFIG, PARAMETERS, find_parameter

CHECKSUM = "gitops-stack/parameters"
"""Annotation of a pod template: a checksum of the parameters its containers read at start."""


def split_parameters(parameters: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the keys of argocd-cm and those of argocd-cmd-params-cm, sorted."""
    found: dict[str, dict[str, str]] = {CONFIG: {}, PARAMETERS: {}}
    for key, value in sorted(parameters.items()):
        found[find_parameter(key).config_map][key] = value
    return found[CONFIG], found[PARAMETERS]


def build_restart_patches(parameters: Mapping[str, str], components: Collection[str]) -> Iterator[Patch]:
    """Yield a patch for each of ``components`` that reads one of ``parameters``: its pods roll when a value changes.

    Upstream reads them by `configMapKeyRef`, so a running container never sees a change (argo-helm#2221).
    """
    read: dict[str, dict[str, str]] = defaultdict(dict)
    for key, value in parameters.items():
        for reader in find_parameter(key).readers:
            read[reader][key] = value
    for reader, values in sorted((reader, values) for reader, values in read.items() if reader in components):
        text = json.dumps(values, sort_keys=True).encode()
        annotations = {CHECKSUM: hashlib.sha256(text).hexdigest()[:16]}
        kind = "StatefulSet" if reader == "application-controller" else "Deployment"
        spec = {"template": {"metadata": {"annotations": annotations}}}
        yield Patch(f"parameters-{reader}", workload(kind, f"argocd-{reader}", spec))
