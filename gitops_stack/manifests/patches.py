"""The patches every installation gets: generated from settings, written as `argocd/patches/00-*.yaml`.

Composes what the modules of ``argocd`` make, one per family of settings, into one patch per ConfigMap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.argocd.access import build_account_keys, build_rbac_data
from gitops_stack.manifests.argocd.customizations import build_customization_keys
from gitops_stack.manifests.argocd.exposure import build_exposure_parameters, build_exposure_patches
from gitops_stack.manifests.argocd.health import build_health_keys
from gitops_stack.manifests.argocd.notifications import build_notification_data
from gitops_stack.manifests.argocd.parameters import build_restart_patches, split_parameters
from gitops_stack.manifests.argocd.patch import Patch, config_map_patch, workload
from gitops_stack.manifests.argocd.sign_in import build_dex_patches, build_federation_patches, build_sign_in_keys
from gitops_stack.manifests.argocd.size import build_size_parameters, build_size_patches, size_resources
from gitops_stack.settings import ArgoCDSettings, ComponentResources

__all__ = ["Patch", "build_library_patches", "build_patches", "generated_patch_names"]


_SMALL = ComponentResources.model_validate(
    {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}
)


def _resources(cpu: str, memory: str, limit: str) -> ComponentResources:
    return ComponentResources.model_validate({"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}})


@dataclass(frozen=True)
class _Workload:
    kind: str
    container: str
    defaults: ComponentResources
    sidecars: tuple[str, ...] = ()
    init: tuple[str, ...] = ()


# Upstream sets no resources on any container, so a ResourceQuota or Karpenter cannot place them. Component -> object
# name, workload; figures are requests of an idle installation with room, limits of memory only.
_COMMON = {
    "application-controller": _Workload(
        "StatefulSet", "argocd-application-controller", _resources("250m", "512Mi", "2Gi")
    ),
    "applicationset-controller": _Workload(
        "Deployment", "argocd-applicationset-controller", _resources("50m", "128Mi", "512Mi")
    ),
    "dex-server": _Workload("Deployment", "dex", _resources("10m", "64Mi", "256Mi"), init=("copyutil",)),
    "notifications-controller": _Workload(
        "Deployment", "argocd-notifications-controller", _resources("50m", "128Mi", "256Mi")
    ),
    "repo-server": _Workload(
        "Deployment", "argocd-repo-server", _resources("100m", "256Mi", "1Gi"), init=("copyutil",)
    ),
    "server": _Workload("Deployment", "argocd-server", _resources("50m", "128Mi", "512Mi")),
}
_STANDARD_REDIS = {
    "redis": (
        "argocd-redis",
        _Workload("Deployment", "redis", _resources("50m", "64Mi", "256Mi"), init=("secret-init",)),
    )
}
_HA_REDIS = {
    "redis": (
        "argocd-redis-ha-server",
        _Workload(
            "StatefulSet",
            "redis",
            _resources("50m", "64Mi", "512Mi"),
            sidecars=("sentinel", "split-brain-fix"),
            init=("config-init",),
        ),
    ),
    "redis-haproxy": (
        "argocd-redis-ha-haproxy",
        _Workload("Deployment", "haproxy", _resources("50m", "64Mi", "256Mi"), init=("secret-init", "config-init")),
    ),
}


def build_patches(argocd: ArgoCDSettings) -> list[Patch]:
    """Build all generated patches of an installation in the order they apply: the library's, then the settings' own."""
    own = [Patch(name, body) for name, body in sorted(argocd.patches.items())]
    return [*build_library_patches(argocd), *own]


def build_library_patches(argocd: ArgoCDSettings) -> list[Patch]:
    """Build what the library makes of the settings, sorted by name; `argocd.patches` is left out."""
    every_parameter = {**build_size_parameters(argocd), **build_exposure_parameters(argocd), **argocd.parameters}
    config, parameters = split_parameters(every_parameter)
    notifications = build_notification_data(argocd)
    patches = [
        _custom_resource_definitions(),
        _cluster_role_bindings(argocd.namespace),
        config_map_patch("argocd-cm", {**_argocd_cm(argocd), **config}),
        config_map_patch("argocd-rbac-cm", build_rbac_data(argocd)),
        *([config_map_patch("argocd-cmd-params-cm", parameters)] if parameters else []),
        *([config_map_patch("argocd-notifications-cm", notifications)] if notifications else []),
        *build_restart_patches(every_parameter, list_components(argocd)),
        *build_size_patches(argocd),
        *build_exposure_patches(argocd),
        *build_dex_patches(argocd),
        *build_federation_patches(argocd),
        *(_removed_secret(name) for name in conventions.PULUMI_OWNED_SECRETS),
        *_resource_patches(argocd),
    ]
    if argocd.high_availability:
        patches.append(_haproxy_rollout())
    return sorted(patches, key=lambda patch: f"{patch.name}.yaml")  # in the order of their files


def generated_patch_names(argocd: ArgoCDSettings) -> set[str]:
    """Return the names the library itself takes, which `argocd.patches` must leave free."""
    return {patch.name for patch in build_library_patches(argocd)}


def _custom_resource_definitions() -> Patch:
    # CRDs are prunable: one wrong path with prune on would delete every Application of the cluster.
    metadata = {"name": "any", "annotations": {conventions.SYNC_OPTIONS: "Prune=false"}}
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata}
    return Patch("custom-resource-definitions", body, {"kind": "CustomResourceDefinition"})


def _cluster_role_bindings(namespace: str) -> Patch:
    # kustomize's `namespace:` does not reach these subjects (argo-cd#9482).
    operation = {"op": "replace", "path": "/subjects/0/namespace", "value": namespace}
    return Patch("cluster-role-bindings", [operation], {"kind": "ClusterRoleBinding"})


def _argocd_cm(argocd: ArgoCDSettings) -> dict[str, str]:
    options = argocd.kustomize.build_options
    return {
        **dict(build_account_keys(argocd)),
        "admin.enabled": str(argocd.admin_enabled).lower(),
        **({"kustomize.buildOptions": options} if options else {}),
        **dict(build_health_keys(argocd)),
        **({"url": argocd.url} if argocd.url else {}),
        **build_sign_in_keys(argocd),
        **dict(build_customization_keys(argocd)),
    }


def _removed_secret(name: str) -> Patch:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "$patch": "delete"}
    return Patch(f"without-{name}", body)


def _haproxy_rollout() -> Patch:
    # Hard anti-affinity and the default surge of one need a fourth node; trading one replica needs three.
    rollout = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    body = workload("Deployment", "argocd-redis-ha-haproxy", {"strategy": rollout})
    return Patch("haproxy-rollout", body)


def list_components(argocd: ArgoCDSettings) -> list[str]:
    """List the components of Argo CD itself that the settings leave in the installation."""
    return [component for component in _COMMON if component != "dex-server" or argocd.uses_dex]


def _resource_patches(argocd: ArgoCDSettings) -> list[Patch]:
    redis = _HA_REDIS if argocd.high_availability else _STANDARD_REDIS
    own = {component: (f"argocd-{component}", _COMMON[component]) for component in list_components(argocd)}
    workloads = own | redis
    return [
        Patch(f"resources-{component}", _resource_patch(name, found, chosen_resources(argocd, component)))
        for component, (name, found) in workloads.items()
    ]


def chosen_resources(argocd: ArgoCDSettings, component: str) -> ComponentResources | None:
    """Return what people, else the size, set aside for a component; ``None`` for the library's own figures."""
    own: ComponentResources | None = argocd.resources.get(component)  # type: ignore[call-overload]
    return own or size_resources(argocd, component)


def _resource_patch(name: str, found: _Workload, override: ComponentResources | None) -> Manifest:
    main = override or found.defaults
    containers = [_container(found.container, main), *(_container(sidecar, _SMALL) for sidecar in found.sidecars)]
    pod: dict[str, Any] = {"containers": containers}
    if found.init:
        pod["initContainers"] = [_container(init, _SMALL) for init in found.init]
    return workload(found.kind, name, {"template": {"spec": pod}})


def _container(name: str, resources: ComponentResources) -> dict[str, Any]:
    return {"name": name, "resources": resources.model_dump(by_alias=True)}
