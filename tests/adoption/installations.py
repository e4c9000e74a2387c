"""Living installations, made from a render as each road makes them: names, labels, selectors and field managers.

The chart's and the operator's shapes are written from their public templates; nothing here is their text.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence
from typing import Any

from gitops_stack.manifests import Manifest

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_FIXED = "ConfigMap", "Secret", "CustomResourceDefinition"  # Argo CD looks for the first two by name
_SELECTED = "Deployment", "StatefulSet"
CHART_DATA = {
    "argocd-cm": {
        "admin.enabled": "true",
        "exec.enabled": "false",
        "statusbadge.enabled": "false",
        "timeout.hard.reconciliation": "0s",
        "url": "https://argocd.example.com",
    },
    "argocd-rbac-cm": {"policy.csv": "", "policy.default": "", "policy.matchMode": "glob", "scopes": "[groups]"},
    "argocd-cmd-params-cm": {"server.insecure": "false", "controller.status.processors": "20"},
}


OPERATOR_DEFINITION: Manifest = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "argocds.argoproj.io"},
    "spec": {
        "group": "argoproj.io",
        "names": {"kind": "ArgoCD", "plural": "argocds", "singular": "argocd", "listKind": "ArgoCDList"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
OPERATOR_OBJECT: Manifest = {
    "apiVersion": "argoproj.io/v1beta1",
    "kind": "ArgoCD",
    "metadata": {"name": "argocd", "namespace": "argocd"},
}


def managed(manifests: Iterable[Manifest], manager: str, operation: str) -> list[Manifest]:
    """Return the objects as the API server shows them after ``manager`` has written them."""
    made = copy.deepcopy(list(manifests))
    for one in made:
        one["metadata"]["managedFields"] = [{"manager": manager, "operation": operation}]
    return made


def kubectl_client_side(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Return what `kubectl apply -k` leaves."""
    made = managed(manifests, "kubectl-client-side-apply", "Update")
    for one in made:
        written = json.dumps({**one, "metadata": {**one["metadata"], "managedFields": None}})
        one["metadata"]["annotations"] = {**(one["metadata"].get("annotations") or {}), LAST_APPLIED: written}
    return made


def kubectl_server_side(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Return what `kubectl apply --server-side -k` leaves."""
    return managed(manifests, "kubectl", "Apply")


def kustomize_directory(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Return what Pulumi's kustomize.Directory leaves."""
    return managed(manifests, "pulumi-kubernetes-1a2b3c4d", "Apply")


def helm(manifests: Iterable[Manifest], release: str, chart: str = "argo-cd-8.5.0") -> list[Manifest]:
    """Return what the chart makes as ``release``: its name begins the names, and stands in every selector."""
    prefix = release if "argocd" in release else f"{release}-argocd"
    made = managed(manifests, "helm", "Update")
    for one in made:
        metadata = one["metadata"]
        own = {"app.kubernetes.io/instance": release}
        metadata.setdefault("labels", {}).update(
            {**own, "helm.sh/chart": chart, "app.kubernetes.io/managed-by": "Helm"}
        )
        metadata.setdefault("annotations", {}).update(
            {
                "meta.helm.sh/release-name": release,
                "meta.helm.sh/release-namespace": metadata.get("namespace", "argocd"),
            }
        )
        if one["kind"] == "ConfigMap" and metadata["name"] in CHART_DATA:
            one["data"] = {**(one.get("data") or {}), **CHART_DATA[metadata["name"]]}
        if one["kind"] not in _FIXED:
            metadata["name"] = _renamed(metadata["name"], prefix)
        if one["kind"] in _SELECTED:
            one["spec"]["selector"]["matchLabels"].update(own)
            one["spec"]["template"]["metadata"]["labels"].update(own)
            pod = one["spec"]["template"]["spec"]
            if "serviceAccountName" in pod:
                pod["serviceAccountName"] = _renamed(pod["serviceAccountName"], prefix)
        if "serviceName" in (one.get("spec") or {}):
            one["spec"]["serviceName"] = _renamed(one["spec"]["serviceName"], prefix)
        for subject in one.get("subjects") or ():
            subject["name"] = _renamed(subject["name"], prefix)
        if "roleRef" in one:
            one["roleRef"]["name"] = _renamed(one["roleRef"]["name"], prefix)
    return made


def unmanaged(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Return the objects as they are applied: field managers are the API server's to write."""
    made = copy.deepcopy(list(manifests))
    for one in made:
        one["metadata"].pop("managedFields", None)
    return made


def operator(manifests: Iterable[Manifest], name: str = "argocd", uid: str = "1") -> list[Manifest]:
    """Return what the operator makes of an ArgoCD object: owned by it, and selected by one label."""
    made = [one for one in managed(manifests, "manager", "Update") if one["kind"] != "CustomResourceDefinition"]
    for one in made:
        one["metadata"].setdefault("labels", {})["app.kubernetes.io/managed-by"] = name
        if "namespace" in one["metadata"]:
            one["metadata"]["ownerReferences"] = [
                {"apiVersion": "argoproj.io/v1beta1", "kind": "ArgoCD", "name": name, "uid": uid}
            ]
        if one["kind"] in _SELECTED:
            own = {"app.kubernetes.io/name": one["metadata"]["name"]}
            one["spec"]["selector"] = {"matchLabels": own}
            one["spec"]["template"]["metadata"]["labels"] = own
    return made


def application(
    name: str, *, namespace: str = "argocd", project: str = "default", path: str = "apps", **metadata: Any
) -> Manifest:
    """Return a living Application of another repository."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {
            "project": project,
            "source": {"repoURL": "https://example.com/team.git", "path": path, "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "team"},
        },
    }


def default_project(manager: str = "argocd-server") -> Manifest:
    """Return AppProject `default` as argocd-server makes it."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {
            "name": "default",
            "namespace": "argocd",
            "managedFields": [{"manager": manager, "operation": "Update"}],
        },
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }


def changed(manifests: Sequence[Manifest], kind: str, name: str, **change: Any) -> list[Manifest]:
    """Return the objects with ``change`` laid over one of them."""
    made = copy.deepcopy(list(manifests))
    found = next(one for one in made if (one["kind"], one["metadata"]["name"]) == (kind, name))
    for key, value in change.items():
        found[key] = {**(found.get(key) or {}), **value}
    return made


def _renamed(name: str, prefix: str) -> str:
    return f"{prefix}{name.removeprefix('argocd')}" if name.startswith("argocd") else name
