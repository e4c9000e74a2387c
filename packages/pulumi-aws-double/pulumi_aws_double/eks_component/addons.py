"""The component's managed add-ons kube-proxy and coredns, and what every add-on has in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_aws_double.eks_component.resources import AwsResource, invoke_aws

_ADDON = "aws:eks/addon:Addon"


def register_addon(
    resource_name: str,
    addon: str,
    options: Mapping[str, Any],
    *,
    version: pulumi.Input[str] | None,
    cluster: AwsResource,
    tags: pulumi.Input[Mapping[str, Any]] | None,
    parent: pulumi.Resource,
    configuration: pulumi.Input[Mapping[str, Any]] | None,
) -> AwsResource:
    """Register a managed add-on that outlives its resource (`preserve`) and wins over what it finds (`OVERWRITE`).

    Without ``version``, the newest one for the cluster's version, asked for on every run, as upstream does.
    """
    inputs = {
        "addonName": addon,
        "addonVersion": find_newest_version(addon, cluster, parent) if version is None else version,
        "clusterName": cluster.output("name"),
        "configurationValues": None if configuration is None else render_configuration(configuration),
        "preserve": True,
        "resolveConflictsOnCreate": options.get("resolveConflictsOnCreate", "OVERWRITE"),
        "resolveConflictsOnUpdate": options.get("resolveConflictsOnUpdate", "OVERWRITE"),
        "serviceAccountRoleArn": options.get("serviceAccountRoleArn"),
        "tags": tags,
    }
    return AwsResource(_ADDON, resource_name, inputs, pulumi.ResourceOptions(parent=parent))


def find_newest_version(addon: str, cluster: AwsResource, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Ask AWS for the newest version of ``addon``; this is what makes unpinned add-ons move by themselves."""
    arguments = {"addonName": addon, "kubernetesVersion": cluster.output("version"), "mostRecent": True}
    found = invoke_aws("aws:eks/getAddonVersion:getAddonVersion", arguments, parent)
    return found.apply(lambda answer: str(answer["version"]))


def render_configuration(values: pulumi.Input[Mapping[str, Any]]) -> pulumi.Output[str]:
    """Return the configuration as JSON with sorted keys, so that the text does not differ from run to run."""
    return pulumi.Output.from_input(values).apply(
        lambda known: json.dumps(_restore_integers(known), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    )


def wants_kube_proxy(options: Mapping[str, Any], *, auto_mode: bool) -> bool:
    """Tell whether kube-proxy is installed: as said, else always, but not beside Auto Mode's own."""
    return bool(options.get("enabled", not auto_mode))


def wants_coredns(options: Mapping[str, Any], *, auto_mode: bool, skips_node_group: bool) -> bool:
    """Tell whether coredns is installed: when asked for, else only where upstream knows nodes it could run on."""
    if options.get("enabled") is True or options.get("configurationValues") is not None:
        return True
    return (auto_mode or not skips_node_group) and bool(options.get("enabled", True))


def _restore_integers(value: object) -> object:
    """Undo what the wire does to numbers: every one of them arrives as a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _restore_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_restore_integers(item) for item in value]
    return value
