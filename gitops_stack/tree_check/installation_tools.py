"""How an installation renders and compares, read from its own ConfigMap as the tree renders it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.gitops_tree import render_cache
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.rules.fields import dig, mapping, text
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.source import SourceTools

_CUSTOMIZATIONS = "resource.customizations"
_IGNORED = f"{_CUSTOMIZATIONS}.ignoreDifferences."
_OPTIONS = re.compile(
    rb"""^[ \t]*["']?kustomize(?:\.b|B)uildOptions["']?:[ \t]+(?P<value>["']?--[^#\r\n{}]*[^#\s{}])""", re.MULTILINE
)
_VERSIONS = ("kustomize.path.", "kustomize.version.")
_SWITCHES = {"kustomize.enable": "kustomize", "helm.enable": "helm"}
"""The key `jsonnet.enable` switches nothing but jsonnet off, which is not told apart here."""


def read_tools(objects: Iterable[RenderedObject], argocd_namespace: str, known: SourceTools) -> SourceTools:
    """Read `argocd-cm` among ``objects``; what is ``known`` stays where there is none (util/settings of v3.5.1)."""
    data = _read_config(objects, argocd_namespace)
    if data is None:
        return known
    disabled = {kind for key, kind in _SWITCHES.items() if str(data.get(key, "")).strip().lower() == "false"}
    options = data.get("kustomize.buildOptions")
    versions = frozenset(key.split(".", 2)[2] for key in map(str, data) if key.startswith(_VERSIONS))
    return replace(known, build_options=str(options or ""), disabled=frozenset(disabled), versions=versions)


def _read_config(objects: Iterable[RenderedObject], argocd_namespace: str) -> Mapping[str, Any] | None:
    for found in objects:
        named = found.is_config_map("argocd-cm")
        if named and found.namespace in ("", argocd_namespace):
            return mapping(dig(found.manifest, "data"))
    return None


def read_ignored_differences(objects: Iterable[RenderedObject], argocd_namespace: str) -> list[dict[str, Any]]:
    """Read which differences all Applications ignore, as entries of ignoreDifferences.

    One older key holds a map by group/kind, which may have wildcards; a key of its own for a kind replaces the map's
    entry (util/settings of v3.5.1, GetResourceOverrides).
    """
    config = _read_config(objects, argocd_namespace) or {}
    written: dict[str, str] = {}
    for one in _load(text(config.get(_CUSTOMIZATIONS))):
        written |= {str(key): text(mapping(held).get("ignoreDifferences")) for key, held in mapping(one).items()}
    for key, held in config.items():
        if str(key).startswith(_IGNORED):
            kind = str(key).removeprefix(_IGNORED)
            written["*/*" if kind == "all" else kind.replace("_", "/")] = str(held)
    entries = []
    for key, held in written.items():
        group, _, kind = key.rpartition("/")
        entries += [{**mapping(one), "group": group, "kind": kind} for one in _load(held)]
    return entries


def _load(written: str) -> list[Any]:
    try:
        return load_documents(written)
    except (yaml.YAMLError, ValueError, RecursionError):  # Argo CD does not start with it
        return []


def find_build_options(files: Iterable[Path]) -> str | None:
    """Find what the files of a folder without a stack say of kustomize's options; None unless all say the same.

    It may be a patch of argocd-cm, values of Argo CD's chart, or the operator's ArgoCD, wherever it is written.
    """
    found: set[bytes] = set()
    for file in files:
        content = file.read_bytes() if file.suffix in (".yaml", ".yml") and file.is_file() else b""
        if b"uildOptions" in content:
            found |= {one["value"].strip(b"\"'") for one in _OPTIONS.finditer(content)}
    return found.pop().decode(errors="replace") if len(found) == 1 else None


def load_kept_tools(tree: Path, argocd_namespace: str, known: SourceTools) -> SourceTools:
    """Read how the installation of ``tree`` renders from its render, where one is kept: nothing is fetched for this."""
    key = render_cache.render_key(tree / "argocd")
    kept = render_cache.load_render(key) if key else None
    objects = (RenderedObject(manifest, argocd_namespace, "") for manifest in kept or ())
    return read_tools(objects, argocd_namespace, known)
