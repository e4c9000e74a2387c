"""Size and shards as parameters, replicas, environment and memory that agree with each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_stack.manifests.argocd.patch import Patch, workload
from gitops_stack.patterns import release_order
from gitops_stack.settings import ArgoCDSettings, ComponentResources
from gitops_stack.settings.argocd.parameters import is_read
from gitops_stack.settings.argocd.size import SIZES, SizeFigures

_CONTROLLER, _REPO_SERVER, _SERVER = "application-controller", "repo-server", "server"
_QPS_PARAMETERS_SINCE = (3, 4, 0)  # before it the containers read environment variables alone
_HEAP_PERCENT = 90  # GOMEMLIMIT below the limit, so that the collector works before the kernel kills


def build_size_parameters(argocd: ArgoCDSettings) -> dict[str, str]:
    """Build the parameters of a size; those of `argocd.parameters` win, and a release gets only what it reads."""
    if argocd.size is None:
        return {}
    figures = SIZES[argocd.size]
    wanted = {
        "controller.status.processors": figures.status,
        "controller.operation.processors": figures.operation,
        "controller.kubectl.parallelism.limit": figures.kubectl_at_once,
        "controller.k8s.client.qps": figures.client_qps,
        "controller.k8s.client.burst": 2 * figures.client_qps,
        "reposerver.parallelism.limit": figures.renders_at_once,
    }
    return {key: str(value) for key, value in wanted.items() if is_read(key, argocd.version) is not False}


def size_resources(argocd: ArgoCDSettings, component: str) -> ComponentResources | None:
    """Return what a size sets aside for a component; memory is requested in full, so that no neighbour takes it."""
    memory = _memory(argocd).get(component)
    if memory is None:
        return None
    quantity = f"{memory}Mi"
    cpu = "1" if component == _CONTROLLER else "250m"
    return ComponentResources.model_validate(
        {"requests": {"cpu": cpu, "memory": quantity}, "limits": {"memory": quantity}}
    )


def build_size_patches(argocd: ArgoCDSettings) -> Iterator[Patch]:
    """Yield the patches of replicas and environment: a number of replicas is written where pods are told of it too."""
    figures = SIZES[argocd.size] if argocd.size else None
    shards = argocd.shards
    environment = _heap(argocd, _CONTROLLER)
    if figures is not None and release_order(argocd.version) < _QPS_PARAMETERS_SINCE:
        environment |= {"ARGOCD_K8S_CLIENT_QPS": str(figures.client_qps)}
        environment |= {"ARGOCD_K8S_CLIENT_BURST": str(2 * figures.client_qps)}
    if shards is not None:
        environment["ARGOCD_CONTROLLER_REPLICAS"] = str(shards)
    if environment:
        spec = {} if shards is None else {"replicas": shards}
        yield _patch("StatefulSet", _CONTROLLER, spec, environment)
    if figures is not None:
        yield _patch(
            "Deployment", _REPO_SERVER, _replicas(argocd, figures.repo_server_replicas), _heap(argocd, _REPO_SERVER)
        )
        replicas = _replicas(argocd, figures.server_replicas)
        yield _patch("Deployment", _SERVER, replicas, {"ARGOCD_API_SERVER_REPLICAS": str(replicas["replicas"])})


def _replicas(argocd: ArgoCDSettings, wanted: int) -> dict[str, int]:
    return {"replicas": max(wanted, 2 if argocd.high_availability else 1)}  # upstream's HA manifests have two


def _memory(argocd: ArgoCDSettings) -> dict[str, int]:
    if argocd.size is None:
        return {}
    figures: SizeFigures = SIZES[argocd.size]
    return {_CONTROLLER: figures.controller_memory, _REPO_SERVER: figures.repo_server_memory}


def _heap(argocd: ArgoCDSettings, component: str) -> dict[str, str]:
    memory = _memory(argocd).get(component)
    if memory is None or component in argocd.resources:  # a limit of people has its own heap
        return {}
    return {"GOMEMLIMIT": f"{memory * _HEAP_PERCENT // 100}MiB"}


def _patch(kind: str, component: str, spec: dict[str, Any], environment: dict[str, str]) -> Patch:
    name = f"argocd-{component}"
    container = {"name": name, "env": [{"name": key, "value": value} for key, value in sorted(environment.items())]}
    pods = {"template": {"spec": {"containers": [container]}}} if environment else {}
    return Patch(f"size-{component}", workload(kind, name, {**spec, **pods}))
