"""What renders a source, as the repo-server finds out: what the Application says, files beside it, then the folder.

Held against reposerver/repository GetAppSourceType and mergeSourceParameters, util/app/discovery AppType and util/argo
NormalizeSource of v3.5.1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.kustomize import KUSTOMIZATIONS
from gitops_stack.gitops_tree.yaml_text import load_yaml_file
from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.source_sections import drop_empty_sections
from gitops_stack.tree_check.argocd_types import find_misfit, read_keys
from gitops_stack.tree_check.schemas import load_packaged_schemas
from gitops_stack.tree_check.source import Request, read_numbers

_HELM = ("", "v3", "v4")  # what a source may ask for; there is one helm
KINDS = ("plugin", "helm", "kustomize", "directory")
_KEPT = ("chart", "path", "repoURL", "targetRevision", "ref", "name")  # an override may not change these


def override_files(request: Request) -> tuple[Path, ...]:
    """List the files in the source's folder that override what the Application says, the later one last."""
    names = [".argocd-source.yaml"]
    if name := request.instance or request.name:
        names.append(f".argocd-source-{name}.yaml")
    found = (request.folder / name for name in names)
    return tuple(file for file in found if os.path.isfile(file))  # noqa: PTH113 - a name may be too long for Path


def apply_overrides(request: Request) -> Request:
    """Return the request with the source as Argo CD sees it: empty sections dropped, files merged over it.

    Raises :class:`GitOpsStackError` for a file that cannot be read.
    """
    options = dict(request.options)
    if not request.several:  # of a list of sources the controller changes a copy only
        options = drop_empty_sections(options)
    for file in override_files(request):
        document = next(iter(load_yaml_file(file)), None)
        if not isinstance(document, Mapping):  # Argo CD: Invalid JSON Patch
            needs = "write the source's keys in it, or remove the file"
            raise GitOpsStackError(Problem("found no map", needs, str(file)))
        found = read_keys(document, _load_source_schema(), options)
        if misfit := find_misfit(found, _load_source_schema()):
            said = f"found {misfit.found}, where Argo CD reads {misfit.takes}"
            raise GitOpsStackError(Problem(said, "correct it", str(file), misfit.place))
        options = _merge(options, {key: found[key] for key in found if key not in _KEPT})
    return replace(request, options=options)


@cache
def _load_source_schema() -> Mapping[str, Any]:
    application: Mapping[str, Any] = load_packaged_schemas()["argoproj.io/v1alpha1/Application"]
    source: Mapping[str, Any] = application["properties"]["spec"]["properties"]["source"]
    return source


def find_kind(request: Request) -> str:
    """Tell what renders a source: plugin, helm, kustomize or directory.

    Raises :class:`GitOpsStackError` when the Application names several, or a file beside it cannot be read.
    """
    return _kind_of(apply_overrides(request))


def prepare(request: Request) -> tuple[str, Request]:
    """Return what renders a source, and the source as it is rendered. Raises as :func:`find_kind` does."""
    applied = apply_overrides(request)
    if _holds_nul(applied.options):  # which no argument of a program can
        said = "found a NUL character in the Application's source"
        raise GitOpsStackError(Problem(said, "remove it", str(request.folder)))
    kind = _kind_of(applied)
    if problems := list(_check_versions(kind, applied)):
        raise GitOpsStackError(*problems)
    return kind, applied


def _kind_of(request: Request) -> str:
    named = [kind for kind in KINDS if request.options.get(kind) is not None]
    if len(named) > 1:
        said = f"found {' and '.join(named)} in one source"
        raise GitOpsStackError(Problem(said, "leave one of them", str(request.folder)))
    kind = named[0] if named else "directory" if request.is_link else _discover(request.folder, request.tools.disabled)
    return "directory" if kind in request.tools.disabled else kind


def _discover(folder: Path, disabled: frozenset[str]) -> str:
    """Look at the folder's files in the order of their names: the last one that tells decides."""
    kind = "directory"
    names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 - names are all that is asked for
    for name in sorted(name for name in names if name.endswith("Chart.yaml") or name in KUSTOMIZATIONS):
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            continue
        found = "kustomize" if name in KUSTOMIZATIONS else "helm"
        kind = kind if found in disabled else found
    return kind


def _check_versions(kind: str, request: Request) -> Iterator[Problem]:
    """Yield a problem for every version that Argo CD cannot read or does not have.

    After util/helm NewCmd, util/settings GetKustomizeBinaryPath and reposerver/repository parseKubeVersion.
    """
    if kind not in ("helm", "kustomize"):
        return
    for section in ("helm", "kustomize"):
        written = text(mapping(request.options.get(section)).get("kubeVersion"))
        if written and read_numbers(written) is None:
            said = f"found {section}.kubeVersion {written}, which Argo CD cannot read"
            yield Problem(said, "write it as v1.35.2 or 1.35", str(request.folder))
    version, known = text(mapping(request.options.get(kind)).get("version")), request.tools.versions
    if kind == "helm" and version not in _HELM:
        yield Problem(f"found helm.version {version}, which Argo CD does not have", "remove it", str(request.folder))
    if kind == "kustomize" and version and known is not None and version not in known:
        said = f"found kustomize.version {version}, which argocd-cm does not have"
        yield Problem(said, f"add kustomize.path.{version} to it, or remove the version", str(request.folder))


def _holds_nul(value: Any) -> bool:  # noqa: ANN401 - any YAML value
    if isinstance(value, Mapping):
        return any(map(_holds_nul, (*value.keys(), *value.values())))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


def _merge(base: Any, patch: Any, *, removes: bool = False) -> Any:  # noqa: ANN401 - any YAML value
    """Merge maps, and replace all else. Null removes in Helm's values alone.

    Argo CD merges as RFC 7396 says, but reads the result over what it had: what was removed is there again.
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(base) if isinstance(base, Mapping) else {}
    for key, value in patch.items():
        if value is not None:
            merged[key] = _merge(merged.get(key), value, removes=removes or key == "valuesObject")
        elif removes:
            merged.pop(key, None)
    return merged
