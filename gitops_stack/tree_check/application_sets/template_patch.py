"""Apply a templatePatch: a strategic merge patch of an Application (applicationset/controllers/template/patch.go)."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import yaml

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import mapping
from gitops_stack.tree_check.application_sets.errors import NotExpandableError, RefusedError

_DIRECTIVES = ("$patch", "$retainKeys", "$deleteFromPrimitiveList/", "$setElementOrder/")
_TEXTS: dict[str, Any] = {"*": str}
_SOURCE: dict[str, Any] = {
    **dict.fromkeys(("repoURL", "path", "targetRevision", "chart", "ref", "name"), str),
    "helm": {
        **dict.fromkeys(("values", "releaseName", "version", "namespace", "kubeVersion"), str),
        **dict.fromkeys(("ignoreMissingValueFiles", "passCredentials", "skipCrds", "skipTests"), bool),
        "valueFiles": [str],
        "apiVersions": [str],
        "parameters": [{"name": str, "value": str, "forceString": bool}],
        "fileParameters": [{"name": str, "path": str}],
    },
    "kustomize": {
        **dict.fromkeys(("namePrefix", "nameSuffix", "namespace", "version", "kubeVersion"), str),
        "images": [str],
        "components": [str],
        "commonLabels": _TEXTS,
        "commonAnnotations": _TEXTS,
    },
    "directory": {"recurse": bool, "include": str, "exclude": str},
    "plugin": {"name": str, "env": [{"name": str, "value": str}]},
}
# What encoding/json would refuse to put into Argo CD's Application; what is not named here is not looked at.
_APPLICATION: dict[str, Any] = {
    "metadata": {"name": str, "namespace": str, "labels": _TEXTS, "annotations": _TEXTS, "finalizers": [str]},
    "spec": {
        "project": str,
        "source": _SOURCE,
        "sources": [_SOURCE],
        "destination": dict.fromkeys(("server", "namespace", "name"), str),
        "syncPolicy": {
            "automated": dict.fromkeys(("prune", "selfHeal", "allowEmpty", "enabled"), bool),
            "syncOptions": [str],
            "managedNamespaceMetadata": {"labels": _TEXTS, "annotations": _TEXTS},
        },
        "info": [{"name": str, "value": str}],
    },
}
_SPEC = (  # without the project, which a patch does not change
    "source", "sources", "sourceHydrator", "destination", "syncPolicy", "ignoreDifferences", "info",
    "revisionHistoryLimit",
)  # fmt: skip
_MAPS_OF_ANYTHING = ("valuesObject",)


def apply_template_patch(application: Manifest, patch: str) -> Manifest:
    """Return the Application with the patch applied; the project stays as it was.

    Raises :class:`RefusedError` and :class:`NotExpandableError`.
    """
    found = _read(patch)
    _check_types(found, _APPLICATION, "")
    patched = _merge(copy.deepcopy(application), found, ())
    spec = patched.get("spec")
    if isinstance(spec, dict):
        project = mapping(application.get("spec")).get("project")
        known = {key: value for key, value in spec.items() if key in _SPEC}
        patched["spec"] = {**({"project": project} if project is not None else {}), **known}
    return patched


def _read(patch: str) -> dict[str, Any]:
    try:
        in_json = patch.strip().startswith("{")
        found = json.loads(patch) if in_json else next(iter(load_documents(patch)), None)
    except (yaml.YAMLError, ValueError):
        raise RefusedError("its templatePatch, filled in, is not valid YAML") from None
    if found is not None and not isinstance(found, dict):
        raise RefusedError("its templatePatch, filled in, is not a map")
    return found or {}


def _check_types(value: Any, kind: Any, place: str) -> None:  # noqa: ANN401 - any YAML value
    if value is None:
        return
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise RefusedError(f"its templatePatch has no map at {place}")
        for key, inner in value.items():
            wanted = kind.get(key, kind.get("*"))
            if wanted is not None:
                _check_types(inner, wanted, f"{place}.{key}".lstrip("."))
    elif isinstance(kind, list):
        if not isinstance(value, list):
            raise RefusedError(f"its templatePatch has no list at {place}")
        for index, inner in enumerate(value):
            _check_types(inner, kind[0], f"{place}[{index}]")
    elif not isinstance(value, kind):
        shown = json.dumps(value, default=str)
        raise RefusedError(
            f"its templatePatch has {shown} at {place}, which takes {'text' if kind is str else 'true or false'}"
        )


def _merge(target: dict[str, Any], patch: Mapping[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
    for key, value in patch.items():
        if str(key).startswith(_DIRECTIVES):
            raise NotExpandableError(f"its templatePatch has the directive {key}, which is not applied here")
        present = target.get(key)
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(present, dict):
            if _MAPS_OF_ANYTHING[0] in place:
                raise RefusedError(
                    f"its templatePatch changes {'.'.join((*place, key))}; Kubernetes patches no map there"
                )
            target[key] = _merge(present, value, (*place, key))
        elif isinstance(value, list) and isinstance(present, list):
            if _MAPS_OF_ANYTHING[0] in place:
                raise RefusedError(
                    f"its templatePatch changes {'.'.join((*place, key))}; Kubernetes patches no list there"
                )
            kept = [one for one in present if one not in value] if (*place, key) == ("metadata", "finalizers") else []
            target[key] = [*value, *kept]
        else:
            target[key] = _without_nulls(value)
    return target


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        for key in value:
            if str(key).startswith(_DIRECTIVES):
                raise NotExpandableError(f"its templatePatch has the directive {key}, which is not applied here")
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value
