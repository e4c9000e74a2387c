"""Load every object a stack's GitOps tree stands for, by where it comes from: a side of a manifest difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.kustomize import kustomization_file
from gitops_stack.gitops_tree.manifest_set import canonical_order
from gitops_stack.gitops_tree.yaml_text import load_yaml_file, render_document
from gitops_stack.manifests import Manifest
from gitops_stack.settings import StackSettings


def load_stack_manifests(settings: StackSettings, project: Path) -> dict[str, list[Manifest]]:
    """Load the objects of a stack: source -> objects in canonical order.

    Sources are `argocd` (the rendered installation), `apps`, `projects`, and `workload-<name>` for each workload whose
    folder is in this repository and holds a kustomization or plain YAML. Helm charts and other repositories are left to
    Argo CD. Raises :class:`GitOpsStackError` for what cannot be rendered or read.
    """
    root = project / settings.tree_path
    sources = {
        "argocd": load_manifests(root / "argocd"),
        "apps": _load_folder(root / "apps"),
        "projects": _load_folder(root / "projects"),
    }
    for name, workload in settings.workloads.items():
        folder = project / workload.path
        if workload.repo_url in (None, settings.gitops.repo_url) and folder.is_dir():
            rendered = kustomization_file(folder) is not None
            sources[f"workload-{name}"] = load_manifests(folder) if rendered else _load_folder(folder)
    return sources


def write_stack_manifests(sources: Mapping[str, Sequence[Manifest]], folder: Path) -> None:
    """Write one YAML stream per source into ``folder``, which is made; :func:`load_manifest_files` reads it back."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, manifests in sources.items():
        text = "---\n".join(render_document(manifest) for manifest in manifests)
        (folder / f"{source}.yaml").write_text(text, encoding="utf-8")


def _load_folder(folder: Path) -> list[Manifest]:
    found: list[Manifest] = []
    for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        documents = load_yaml_file(file)
        try:
            found += canonical_order(documents)
        except (KeyError, TypeError, AttributeError):
            raise GitOpsStackError(
                f"{file}: holds something that is no Kubernetes object; it needs apiVersion, kind and metadata.name"
            ) from None
    return canonical_order(found)
