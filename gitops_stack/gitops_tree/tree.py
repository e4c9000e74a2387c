"""Build the generated files of a stack's GitOps tree: settings in, path -> text out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.pull_through import ImageCache, build_image_overrides
from gitops_stack.conventions import ARGOCD_IMAGES, GENERATED_HEADER, GENERATED_PATCH_PREFIX
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.manifests.add_ons import build_add_ons
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.applications import (
    build_cluster_application,
    build_projects_application,
    build_self_management_application,
    build_workload_application,
)
from gitops_stack.manifests.argocd.surroundings import build_surroundings
from gitops_stack.manifests.namespaces import build_project_namespaces
from gitops_stack.manifests.patches import Patch, build_patches
from gitops_stack.settings import ArgoCDSettings, StackSettings
from gitops_stack.settings.registered_clusters import cluster_application

KUSTOMIZATION = "argocd/kustomization.yaml"
PATCHES = "argocd/patches"
LOCK = "argocd/lock.yaml"
CLUSTERS = "clusters"  # a folder for each of them
_FOLDERS = ("argocd", PATCHES, "apps", "projects")
FETCH_TIMEOUT_SECONDS = 120  # kustomize's own 27 s is too short for this base on slow links (kustomize#3742)


def list_folders(root: Path) -> list[str]:
    """List the folders under ``root`` that hold generated files, whether they are there or not."""
    clusters = sorted(found.name for found in (root / CLUSTERS).glob("*") if found.is_dir())
    return [*_FOLDERS, *(f"{CLUSTERS}/{name}" for name in clusters)]


def build_tree(settings: StackSettings, authored_patches: Iterable[str] = ()) -> dict[str, str]:
    """Build every generated file but the lock.

    ``authored_patches`` are the file names people put beside the generated ones in `argocd/patches`. Returns path
    relative to the tree -> text; the first line of each text says that it is generated.
    """
    patches = build_patches(settings.argocd)
    documents: dict[str, Any] = {
        KUSTOMIZATION: build_kustomization(settings.argocd, patches, authored_patches, build_images(settings)),
        **{f"{PATCHES}/{patch_file(patch)}": patch.body for patch in patches},
        **{f"projects/{project['metadata']['name']}.yaml": project for project in build_app_projects(settings)},
        **{f"apps/namespace-{ns['metadata']['name']}.yaml": ns for ns in build_project_namespaces(settings)},
        **{
            f"{CLUSTERS}/{cluster}/namespace-{ns['metadata']['name']}.yaml": ns
            for cluster in settings.spokes()
            for ns in build_project_namespaces(settings, cluster)
        },
        **{
            f"apps/{cluster_application(cluster)}.yaml": build_cluster_application(settings, cluster)
            for cluster in settings.spokes()
        },
        "apps/argocd.yaml": build_self_management_application(settings),
        "apps/projects.yaml": build_projects_application(settings),
        **{f"apps/{name}.yaml": found for name, found in build_surroundings(settings).items()},
        **{f"apps/{name}.yaml": found for name, found in build_add_ons(settings).items()},
        **{f"apps/{name}.yaml": build_workload_application(settings, name) for name in settings.workloads},
    }
    return {path: f"{GENERATED_HEADER}\n{render_document(document)}" for path, document in documents.items()}


def build_images(settings: StackSettings) -> list[dict[str, str]]:
    """Build the `images:` that move Argo CD's own to the stack's pull-through caches; none without caches."""
    if settings.registry is None or settings.account is None or settings.region is None:
        return []
    host = AccountRegion(settings.account.id, settings.region).registry_host
    caches = ImageCache(host, frozenset(settings.registry.pull_through_cache), settings.stack)
    return build_image_overrides(ARGOCD_IMAGES, caches)


def build_kustomization(
    argocd: ArgoCDSettings,
    patches: Iterable[Patch],
    authored_patches: Iterable[str],
    images: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """Build the kustomization of an installation: the remote base pinned by commit, then patches.

    ``patches`` come in their order, then the authored ones by name: of two on one field the last wins, a person's.
    """
    entries: list[dict[str, Any]] = [
        {"path": f"patches/{patch_file(patch)}"} | ({"target": patch.target} if patch.target else {})
        for patch in patches
    ]
    entries += [{"path": f"patches/{name}"} for name in sorted(authored_patches)]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": argocd.namespace,
        "resources": [build_remote_base(argocd)],
        "patches": entries,
        **({"images": list(images)} if images else {}),
    }


def build_remote_base(argocd: ArgoCDSettings) -> str:
    """Build the remote base's URL.

    `git::` before an https mirror keeps kustomize from trying a plain GET first, which has no timeout
    (kustomize api/internal/target/kusttarget.go); github.com is written without a scheme for the same reason.
    """
    source = argocd.source
    if source.startswith("https://github.com/"):
        source = source.removeprefix("https://")
    elif source.startswith("https://"):
        source = f"git::{source}"
    folder = "ha/cluster-install" if argocd.high_availability else "cluster-install"
    return f"{source}//manifests/{folder}?ref={argocd.commit}&timeout={FETCH_TIMEOUT_SECONDS}s"


def patch_file(patch: Patch) -> str:
    """Name the file of a generated patch; its prefix puts it before what people wrote."""
    return f"{GENERATED_PATCH_PREFIX}{patch.name}.yaml"
