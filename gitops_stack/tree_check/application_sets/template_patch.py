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
from gitops_stack.tree_check.argocd_types import find_misfit, read_keys
from gitops_stack.tree_check.schemas import load_packaged_schemas

_APPLICATION = "argoproj.io/v1alpha1/Application"
_DIRECTIVES = ("$patch", "$retainKeys", "$deleteFromPrimitiveList/", "$setElementOrder/")
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_METADATA = {  # of which a CRD says nothing
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "finalizers": {"type": "array", "items": {"type": "string"}},
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
    application_schema = load_packaged_schemas()[_APPLICATION]
    schema = {"type": "object", "properties": {**application_schema["properties"], "metadata": _METADATA}}
    if misfit := find_misfit(found, schema):
        raise RefusedError(f"its templatePatch has {misfit.found} at {misfit.place}, which takes {misfit.takes}")
    patched: Manifest = read_keys(_merge(copy.deepcopy(application), found, ()), schema)
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
