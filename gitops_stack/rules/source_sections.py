"""Sections of an Application's source for one tool each, and which of them Argo CD drops as empty.

After v3.5.1: util/argo NormalizeSource and the IsZero of ApplicationSourceKustomize, …Helm and …Directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_stack.rules.fields import mapping

# What makes a section of a source be there at all; the rest of it is dropped with it (…Source….IsZero).
_DECIDING = {
    "kustomize": {
        "namePrefix", "nameSuffix", "version", "namespace", "images", "replicas", "commonLabels", "commonAnnotations",
        "patches", "components", "kubeVersion", "apiVersions", "ignoreMissingComponents",
    },
    "helm": {
        "version", "releaseName", "valueFiles", "parameters", "fileParameters", "values", "valuesObject",
        "passCredentials", "ignoreMissingValueFiles", "skipCrds", "skipTests", "skipSchemaValidation", "kubeVersion",
        "apiVersions", "namespace",
    },
    "directory": {"recurse", "include", "exclude", "jsonnet"},
}  # fmt: skip


def drop_empty_sections(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return a single source without the sections that Argo CD takes for empty. Of a list of sources it keeps all."""
    return {
        kind: section
        for kind, section in source.items()
        if kind not in _DECIDING or any(_counts(key, mapping(section).get(key)) for key in _DECIDING[kind])
    }


def _counts(key: str, value: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Tell whether a key is more than empty; a map counts whatever its values are, of Argo CD's own one they decide."""
    return any(mapping(value).values()) if key == "jsonnet" else bool(value)
