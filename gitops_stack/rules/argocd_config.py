"""Judge the rendered argocd-cm where Argo CD reads a value as YAML, or a key by its parts.

Source, the same in v3.2.11 and v3.5.1: util/settings/settings.go (`appendResourceOverridesFromSplitKeys`,
`convertToOverrideKey`, `GetResourcesFilter`, `GetResourceCompareOptions`, `oidcConfig`). One wrong customization keeps
all of them from being read. tests/e2e/test_argocd_config.py asks Argo CD's own program.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import yaml

from gitops_stack.errors import shorten
from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.finding import Finding, RenderedObject

_RULE = "argocd-config"
_MAP, _LIST, _TEXT, _FLAG = "a map", "a list", "text", "true or false"
_SHAPES = {
    "dex.config": _MAP,
    "oidc.config": _MAP,
    "resource.compareoptions": _MAP,
    "resource.customizations": _MAP,
    "resource.exclusions": _LIST,
    "resource.inclusions": _LIST,
}
_CUSTOMIZATIONS = "resource.customizations."
_KINDS = {
    "actions": _TEXT,
    "health": _TEXT,
    "ignoreDifferences": _MAP,
    "ignoreResourceUpdates": _MAP,
    "knownTypeFields": _LIST,
    "useOpenLibs": _FLAG,
}
_FLAGS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")  # Go's strconv.ParseBool


def check_argocd_config(found: RenderedObject, argocd_namespace: str) -> Iterator[Finding]:
    """Yield a finding per key of argocd-cm that Argo CD cannot read."""
    name = found.name
    if (name.group, name.kind, name.name) != ("", "ConfigMap", "argocd-cm") or name.namespace != argocd_namespace:
        return
    for key, value in mapping(found.manifest.get("data")).items():
        if key.startswith(_CUSTOMIZATIONS):
            wrong = _check_customization(key, text(value))
        elif key in _SHAPES:
            wrong = _check_shape(text(value), _SHAPES[key])
        else:
            continue
        for said, needs in wrong:
            yield found.finding(f"data.{key}", said, needs, rule=_RULE)


def _check_customization(key: str, value: str) -> Iterator[tuple[str, str]]:
    kind, dot, target = key.removeprefix(_CUSTOMIZATIONS).partition(".")
    shown = f"{_CUSTOMIZATIONS}{kind if kind in _KINDS else 'health'}.GROUP_KIND"
    if not dot:
        yield "is a key that Argo CD ignores", f"name it {shown}"
    elif target.count("_") > 1 or not target:
        yield f"found {target or 'no kind'}, which is not GROUP_KIND", f"name it {shown}"
    elif kind not in _KINDS:
        near = difflib.get_close_matches(kind, _KINDS, 1)
        yield f"found {kind}, which Argo CD does not support", f"name {near[0] if near else ' or '.join(_KINDS)}"
    else:
        yield from _check_shape(value, _KINDS[kind])


def _check_shape(value: str, shape: str) -> Iterator[tuple[str, str]]:
    if shape == _TEXT:
        return
    if shape == _FLAG:
        fits = value in _FLAGS
    else:
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" at line {mark.line + 1}" if mark else ""
            yield f"is not YAML{where}", "correct it; kubectl and kustomize take any text there"
            return
        fits = read is None or isinstance(read, dict if shape == _MAP else list)
    if not fits:
        yield f"found {shorten(' '.join(value.split()), 60)}", f"write {shape}"
