"""What of a cluster the lab has not, and how Argo CD judges health without it. Pure.

No load balancer, metrics server or operator acts in the lab: kwok's pods run nothing. Objects that only such a
controller can make healthy would keep every application that has one from ever being so. In the lab they count as
healthy when the API server has taken them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import yaml

from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import build_no_yaml
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.open_schema import open_schema

_KEPT = "resource.customizations.health.argoproj.io_Application"
_HEALTH = "resource.customizations.health."
_ALL = "resource.customizations"  # the older form, the only one with wildcards
_LUA = 'hs = {}\nhs.status = "Healthy"\nhs.message = "the lab has nothing that acts on it"\nreturn hs\n'
# Core and built-in kinds are judged by Argo CD's own rules: their controllers run.
_WITHOUT_CONTROLLER = ("Service", "autoscaling_HorizontalPodAutoscaler")
_GROUPS = "*.*/*"  # every group with a dot: custom resources, ingresses, API services


def build_lab_installation(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Build the installation as it goes into the lab: other health rules, ApplicationSets of any shape."""
    return [_build_one(manifest) for manifest in manifests]


def _build_one(manifest: Manifest) -> Manifest:
    found = manifest["kind"], manifest["metadata"]["name"]
    if found == ("CustomResourceDefinition", f"applicationsets.{ARGOCD_GROUP}"):
        return open_schema(manifest)  # none is applied, and the API server takes longer to read it than all the rest
    return _with_health(manifest) if found == ("ConfigMap", "argocd-cm") else manifest


def _with_health(config: Manifest) -> Manifest:
    made = copy.deepcopy(config)
    data: dict[str, str] = made.get("data") or {}
    # A rule of the tree for a kind of an operator would wait for that operator.
    kept = {key: value for key, value in data.items() if key == _KEPT or "." not in _group(key)}
    rules = {f"{_HEALTH}{kind}": _LUA for kind in _WITHOUT_CONTROLLER}
    try:
        written: Any = yaml.safe_load(data.get(_ALL) or "") or {}
    except yaml.YAMLError as error:
        raise GitOpsStackError(build_no_yaml(f"argocd-cm: {_ALL}", error)) from None
    older = {group: _without_health(rule) for group, rule in written.items()} if isinstance(written, dict) else {}
    everything = yaml.safe_dump({**older, _GROUPS: {"health.lua": _LUA}})
    made["data"] = {**kept, **rules, _ALL: everything}
    return made


def _group(key: str) -> str:
    return key.removeprefix(_HEALTH).rpartition("_")[0] if key.startswith(_HEALTH) else ""


def _without_health(rule: Any) -> Any:  # noqa: ANN401 - any YAML value
    if not isinstance(rule, dict):
        return rule
    return {key: value for key, value in rule.items() if key != "health.lua"}
