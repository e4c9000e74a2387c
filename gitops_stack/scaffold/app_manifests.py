"""Build the first manifests of an application: base and overlays, or a chart and its values. Pure.

They are a team's own from the moment they are written, so nothing here is ever written over them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.manifests import Manifest

WORKLOADS = "gitops/workloads"
APP_KINDS = ("Service", "apps/Deployment", "policy/PodDisruptionBudget")
# Upstream's own test image: answers /healthz, runs as any user, and is mirrored wherever Kubernetes is.
SAMPLE_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.53"
_CHART_VERSION = "0.1.0"
_NAME = "app.kubernetes.io/name"
_REPLICAS = 2
_RESOURCES = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}


@dataclass(frozen=True)
class AppSource:
    """What runs: image as REPOSITORY:TAG or REPOSITORY@DIGEST, its HTTP port, the path that says it is well."""

    image: str = SAMPLE_IMAGE
    port: int = 8080
    health_path: str = "/healthz"

    @property
    def arguments(self) -> list[str]:
        """The container's arguments: none but for the sample image, which has to be told to be a server."""
        return ["netexec", f"--http-port={self.port}"] if self.image == SAMPLE_IMAGE else []

    @property
    def image_parts(self) -> tuple[str, str, str]:
        """The image as (repository, tag, digest); tag or digest is empty."""
        repository, _, digest = self.image.partition("@")
        if digest:
            return repository, "", digest
        repository, _, tag = self.image.rpartition(":")
        return repository, tag, ""


def workload_path(name: str, stack: str) -> str:
    """Return the folder Argo CD syncs for workload ``name`` in ``stack``."""
    return f"{WORKLOADS}/{name}/overlays/{stack}"


def build_app_files(name: str, source: AppSource, stacks: Iterable[str]) -> dict[str, str]:
    """Build base and one kustomize overlay per stack: path in the repository -> text."""
    return _base_files(f"{WORKLOADS}/{name}/base", name, source) | build_overlays(
        [build_image_entry(name, source)], name, stacks
    )


def build_folder_files(folder: str, name: str, source: AppSource) -> dict[str, str]:
    """Build one folder that is an application by itself: the base, with the image pinned in it."""
    return _base_files(folder, name, source, images=[build_image_entry(name, source)])


def _base_files(folder: str, name: str, source: AppSource, **kustomization: object) -> dict[str, str]:
    base = {
        "deployment": build_deployment(name, source),
        "service": build_service(name),
        "disruption-budget": build_disruption_budget(name),
        "kustomization": {
            **_kustomization(["deployment.yaml", "service.yaml", "disruption-budget.yaml"]),
            **kustomization,
        },
    }
    return {f"{folder}/{file}.yaml": render_document(document) for file, document in base.items()}


def build_overlays(images: list[Any], name: str, stacks: Iterable[str]) -> dict[str, str]:
    """Build the overlays alone; their ``images`` say what each stack runs, none that the base says it."""
    overlay = _kustomization(["../../base"]) | ({"images": images} if images else {})
    return {f"{workload_path(name, stack)}/kustomization.yaml": render_document(overlay) for stack in stacks}


def build_chart_files(name: str, source: AppSource, stacks: Iterable[str]) -> dict[str, str]:
    """Build a chart and, per stack, a chart that only depends on it and holds the stack's values; `delivery.yaml`.

    Argo CD takes a folder with a Chart.yaml for a chart and builds its dependencies, so that a stack's values need
    nothing in the stack file but the folder.
    """
    files = build_chart(f"{WORKLOADS}/{name}/chart", name, source, image=("", "", ""))
    # The stacks' values are those of a dependency, so they stand below its name.
    keys = {part: f"{name}.image.{part}" for part in ("repository", "tag", "digest")}
    delivery = {"images": {name: {"values": "overlays/{stack}/values.yaml", **keys}}}
    files[f"{WORKLOADS}/{name}/delivery.yaml"] = render_document(delivery)
    return files | build_chart_overlays(name, source, stacks)


def build_chart(folder: str, name: str, source: AppSource, image: tuple[str, str, str]) -> dict[str, str]:
    """Build a chart in ``folder``; ``image`` is (repository, tag, digest) of what it runs unless its user says so."""
    templates = resources.files("gitops_stack.scaffold").joinpath("helm_chart/templates")
    files = {f"{folder}/templates/{file.name}": file.read_text(encoding="utf-8") for file in templates.iterdir()}
    files[f"{folder}/Chart.yaml"] = render_document(_chart(name))
    values: dict[str, Any] = {
        "replicas": _REPLICAS,
        "image": dict(zip(("repository", "tag", "digest"), image, strict=True)),
        "args": source.arguments,
        "port": source.port,
        "healthPath": source.health_path,
        "resources": _RESOURCES,
    }
    files[f"{folder}/values.yaml"] = render_document(values)
    return files


def build_chart_overlays(name: str, source: AppSource, stacks: Iterable[str]) -> dict[str, str]:
    """Build the charts of the stacks alone; each says which image its stack runs."""
    repository, tag, digest = source.image_parts
    image = {"repository": repository, "tag": tag, "digest": digest}
    dependency = {"name": name, "version": _CHART_VERSION, "repository": "file://../../chart"}
    files = {}
    for stack in stacks:
        folder = workload_path(name, stack)
        files[f"{folder}/Chart.yaml"] = render_document({**_chart(f"{name}-{stack}"), "dependencies": [dependency]})
        files[f"{folder}/values.yaml"] = render_document({name: {"image": image}})
    return files


def build_deployment(name: str, source: AppSource) -> Manifest:
    """Build the Deployment; its image is the application's name, which the overlays' `images` replace."""
    probe = {"httpGet": {"path": source.health_path, "port": "http"}}
    container: dict[str, Any] = {"name": name, "image": name}
    if source.arguments:
        container["args"] = source.arguments
    container |= {
        "ports": [{"name": "http", "containerPort": source.port}],
        "readinessProbe": probe,
        "livenessProbe": {**probe, "initialDelaySeconds": 10},
        "resources": _RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    spec = {
        "replicas": _REPLICAS,
        "selector": {"matchLabels": {_NAME: name}},
        "template": {"metadata": {"labels": {_NAME: name}}, "spec": pod},
    }
    return _manifest("apps/v1", "Deployment", name, spec)


def build_service(name: str) -> Manifest:
    """Build the Service: port 80 to the container's port `http`."""
    spec = {"selector": {_NAME: name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    return _manifest("v1", "Service", name, spec)


def build_disruption_budget(name: str) -> Manifest:
    """Build the PodDisruptionBudget: a node that is drained takes one pod at a time."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {_NAME: name}}}
    return _manifest("policy/v1", "PodDisruptionBudget", name, spec)


def _manifest(api_version: str, kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "labels": {_NAME: name}},
        "spec": spec,
    }


def _kustomization(entries: list[str]) -> dict[str, Any]:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": entries}


def build_image_entry(name: str, source: AppSource) -> dict[str, str]:
    """Build the entry of a kustomization's `images` that turns the image ``name`` into that of ``source``."""
    repository, tag, digest = source.image_parts
    return {"name": name, "newName": repository} | ({"digest": digest} if digest else {"newTag": tag})


def _chart(name: str) -> dict[str, Any]:
    return {"apiVersion": "v2", "name": name, "version": _CHART_VERSION}
