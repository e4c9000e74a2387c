"""How an installation renders, read from its own ConfigMap as the tree renders it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gitops_stack.gitops_tree import render_cache
from gitops_stack.policies.fields import dig, mapping
from gitops_stack.policies.finding import RenderedObject
from gitops_stack.tree_check.source import SourceTools

_SWITCHES = {"kustomize.enable": "kustomize", "helm.enable": "helm"}
"""The key `jsonnet.enable` switches nothing but jsonnet off, which is not told apart here."""


def read_tools(objects: Iterable[RenderedObject], argocd_namespace: str, known: SourceTools) -> SourceTools:
    """Read `argocd-cm` among ``objects``; what is ``known`` stays where there is none (util/settings of v3.5.1)."""
    for found in objects:
        named = (found.group, found.kind, found.name.name) == ("", "ConfigMap", "argocd-cm")
        if named and found.namespace in ("", argocd_namespace):
            data = mapping(dig(found.manifest, "data"))
            disabled = {kind for key, kind in _SWITCHES.items() if str(data.get(key, "")).strip().lower() == "false"}
            options = data.get("kustomize.buildOptions")
            return replace(known, build_options=str(options or ""), disabled=frozenset(disabled))
    return known


def load_kept_tools(tree: Path, argocd_namespace: str, known: SourceTools) -> SourceTools:
    """Read how the installation of ``tree`` renders from its render, where one is kept: nothing is fetched for this."""
    key = render_cache.render_key(tree / "argocd")
    kept = render_cache.load_render(key) if key else None
    objects = (RenderedObject(manifest, argocd_namespace, "") for manifest in kept or ())
    return read_tools(objects, argocd_namespace, known)
