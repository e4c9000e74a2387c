"""Objects around Argo CD that are no part of its installation: a file each under apps/, synced last by root."""

from __future__ import annotations

import re

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.argocd.exposure import build_exposure
from gitops_stack.manifests.argocd.metrics import build_metrics
from gitops_stack.manifests.argocd.sign_in import build_external_secret
from gitops_stack.settings import StackSettings

_CLUSTER_SCOPED = {"IngressClass": "networking.k8s.io", "IngressClassParams": "eks.amazonaws.com"}
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def build_surroundings(settings: StackSettings) -> dict[str, Manifest]:
    """Build the objects by the name of their file, which a workload must leave free.

    Their kinds may come with one of the applications, so they come after all of these and are tried without a CRD.
    """
    argocd = settings.argocd
    auto_mode = settings.eks is not None and settings.eks.compute.auto_mode
    found = [*build_exposure(argocd, auto_mode=auto_mode), *build_metrics(argocd)]
    external = build_external_secret(argocd)
    return {
        f"{_CAPITAL.sub('-', one['kind']).lower()}-{one['metadata']['name']}": _placed(one, argocd.namespace)
        for one in [*found, *([external] if external else [])]
    }


def list_cluster_kinds(settings: StackSettings) -> list[dict[str, str]]:
    """List group and kind of the objects without a namespace, which root's AppProject has to permit.

    For every stack that may have some: what a project no longer permits is not pruned when its setting goes.
    """
    if settings.eks is None or not settings.eks.compute.auto_mode:
        return []
    return [{"group": group, "kind": kind} for kind, group in _CLUSTER_SCOPED.items()]


def _placed(manifest: Manifest, namespace: str) -> Manifest:
    metadata = manifest["metadata"]
    annotations = {
        conventions.SYNC_WAVE: str(conventions.WAVE_SURROUNDINGS),
        conventions.SYNC_OPTIONS: "SkipDryRunOnMissingResource=true",
        **metadata.get("annotations", {}),
    }
    where = {} if manifest["kind"] in _CLUSTER_SCOPED else {"namespace": namespace}
    return {**manifest, "metadata": {**metadata, **where, "annotations": annotations}}
