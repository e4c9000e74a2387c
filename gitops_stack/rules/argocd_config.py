"""Judge the rendered argocd-cm where Argo CD reads a value as YAML, or a key by its parts.

Source, the same in v3.2.11 and v3.5.1: util/settings/settings.go (`appendResourceOverridesFromSplitKeys`,
`convertToOverrideKey`, `GetResourcesFilter`, `GetResourceCompareOptions`, `oidcConfig`). One wrong customization keeps
all of them from being read. tests/e2e/test_argocd_config.py asks Argo CD's own program.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.yaml_values import FLAG, LIST, MAP, TEXT, Load, check_shape

_RULE = "argocd-config"
_SHAPES = {
    "dex.config": MAP,
    "oidc.config": MAP,
    "resource.compareoptions": MAP,
    "resource.customizations": MAP,
    "resource.exclusions": LIST,
    "resource.inclusions": LIST,
}
_CUSTOMIZATIONS = "resource.customizations."
_KINDS = {
    "actions": TEXT,
    "health": TEXT,
    "ignoreDifferences": MAP,
    "ignoreResourceUpdates": MAP,
    "knownTypeFields": LIST,
    "useOpenLibs": FLAG,
}


def check_argocd_config(found: RenderedObject, argocd_namespace: str, load: Load) -> Iterator[Finding]:
    """Yield a finding per key of argocd-cm that Argo CD cannot read."""
    if not found.is_config_map("argocd-cm", argocd_namespace):
        return
    for key, value in mapping(found.manifest.get("data")).items():
        if key.startswith(_CUSTOMIZATIONS):
            wrong = _check_customization(key, text(value), load)
        elif key in _SHAPES:
            wrong = check_shape(text(value), _SHAPES[key], load)
        else:
            continue
        for said, needs in wrong:
            yield found.finding(f"data.{key}", said, needs, rule=_RULE)


def _check_customization(key: str, value: str, load: Load) -> Iterator[tuple[str, str]]:
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
        yield from check_shape(value, _KINDS[kind], load)
