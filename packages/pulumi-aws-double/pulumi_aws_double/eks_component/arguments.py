"""Which arguments of the Cluster can stand together, and which the double does not reproduce.

Pure but for `Output` as a type. What upstream rejects is rejected with upstream's words; what upstream takes and the
recording does not show is refused by name, never passed over. Names are the engine's (camelCase) but in refusals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from pulumi_aws_double.eks_component.vpc_cni import VPC_CNI_OPTIONS
from pulumi_aws_double.errors import DoubleError

_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
_ACCESS_ENTRY_MODES = ("API", "API_AND_CONFIG_MAP")
_CONFIG_MAP_ONLY = ("roleMappings", "userMappings", "instanceRoles")
_FLAT_NODE_OPTIONS = (
    "nodeSubnetIds", "nodeAssociatePublicIpAddress", "instanceType", "instanceProfileName", "nodePublicKey",
    "nodeRootVolumeSize", "nodeUserData", "minSize", "maxSize", "desiredCapacity", "nodeAmiId", "gpu",
)  # fmt: skip
# These decide which resources there are, so no output can stand for them; upstream's schema says the same, but for
# those of the ConfigMap, which may only be empty here.
_PLAIN = frozenset(_CONFIG_MAP_ONLY) | {
    "accessEntries", "authenticationMode", "autoMode", "corednsAddonOptions", "createInstanceRole",
    "kubeProxyAddonOptions", "skipDefaultNodeGroup", "skipDefaultSecurityGroups", "useDefaultVpcCni", "vpcCniOptions",
}  # fmt: skip
_REPRODUCED = _PLAIN | {
    "bootstrapSelfManagedAddons", "clusterSecurityGroupTags", "clusterTags", "deletionProtection",
    "enabledClusterLogTypes", "encryptionConfigKeyArn", "endpointPrivateAccess", "endpointPublicAccess", "ipFamily",
    "kubernetesServiceIpAddressRange", "name", "nodeSecurityGroupTags", "privateSubnetIds", "providerCredentialOpts",
    "publicAccessCidrs", "publicSubnetIds", "serviceRole", "subnetIds", "tags", "upgradePolicy", "version", "vpcId",
}  # fmt: skip
_ADDON_OPTIONS = frozenset(
    {"enabled", "version", "configurationValues", "resolveConflictsOnCreate", "resolveConflictsOnUpdate"}
)
_NESTED: Mapping[str, frozenset[str]] = {
    "autoMode": frozenset({"enabled", "createNodeRole", "computeConfig"}),
    "corednsAddonOptions": _ADDON_OPTIONS,
    "kubeProxyAddonOptions": _ADDON_OPTIONS,
    "vpcCniOptions": VPC_CNI_OPTIONS,
}
_ENTRY_OPTIONS = frozenset({"principalArn", "username", "kubernetesGroups", "type", "tags", "accessPolicies"})


def check_cluster_arguments(arguments: Mapping[str, Any]) -> None:
    """Raise DoubleError for what upstream rejects, then for what the double does not reproduce."""
    given = {name: value for name, value in arguments.items() if value is not None}
    DoubleError.raise_for(
        refuse(name, "as an output or a secret; it has to be plain")
        for name in sorted(_PLAIN & given.keys())
        if isinstance(given[name], pulumi.Output)
    )
    _check_authentication(given)
    _check_combinations(given)
    DoubleError.raise_for(_find_unreproduced(given))


def refuse(name: str, condition: str = "") -> str:
    """Return the sentence for an argument the double does not reproduce, named as the program, in Python, names it.

    ``name`` may be a path, such as `accessEntries.<key>.type`; what is between the ends is the program's own.
    """
    first, *between = name.split(".")
    path = [_as_python(first), *between[:-1], *(_as_python(last) for last in between[-1:])]
    return " ".join(filter(None, (f"eks double: the argument `{'.'.join(path)}` is not reproduced here", condition)))


def _as_python(name: str) -> str:
    return re.sub("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def check_public_access(cidrs: object, public_access: object) -> None:
    """Raise DoubleError when there are ``cidrs`` for an endpoint that is not public; unset, it is public."""
    if cidrs is not None and public_access is False:
        raise DoubleError("`publicAccessCidrs` can only be set when `endpointPublicAccess` is true")


def is_auto_mode(arguments: Mapping[str, Any]) -> bool:
    """Tell whether the arguments turn EKS Auto Mode on."""
    auto_mode = arguments.get("autoMode")
    return isinstance(auto_mode, Mapping) and bool(auto_mode.get("enabled"))


def _check_authentication(given: Mapping[str, Any]) -> None:
    mode = given.get("authenticationMode")
    if mode is not None and mode not in _MODES:
        raise DoubleError(f"Invalid value for authenticationMode: {mode}. Allowed values are: {', '.join(_MODES)}.")
    if mode == "API":
        for name in _CONFIG_MAP_ONLY:
            if given.get(name, []) != []:
                raise DoubleError(
                    f"The '{name}' property does not support non-empty values "
                    "when 'authenticationMode' is set to 'API'."
                )
    if mode not in _ACCESS_ENTRY_MODES and "accessEntries" in given:
        state = f"set to '{mode}'" if mode else "not set"
        raise DoubleError(f"The 'accessEntries' property is not supported when 'authenticationMode' is {state}.")


def _check_combinations(given: Mapping[str, Any]) -> None:
    if "instanceRole" in given and "instanceRoles" in given:
        raise DoubleError("instanceRole and instanceRoles are mutually exclusive, and cannot both be set.")
    if "subnetIds" in given and ("publicSubnetIds" in given or "privateSubnetIds" in given):
        raise DoubleError(
            "subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive. "
            "Choose a single approach."
        )
    if "nodeGroupOptions" in given and any(_is_set(given, name) for name in _FLAT_NODE_OPTIONS):
        raise DoubleError(
            "Setting nodeGroupOptions, and any set of singular node group option(s) on the cluster, "
            "is mutually exclusive. Choose a single approach."
        )
    if is_auto_mode(given) and given.get("authenticationMode") not in _ACCESS_ENTRY_MODES:
        raise DoubleError(
            "Access entries are required when using EKS Auto Mode. "
            "Use the authentication mode 'API' or 'API_AND_CONFIG_MAP'."
        )
    if "provider" in (given.get("creationRoleProvider") or {}):
        raise DoubleError(
            "The `creationRoleProvider.provider` option is not supported in non-nodejs Pulumi programs. "
            "Please use the `providerCredentialOpts` option instead."
        )
    cni = given.get("vpcCniOptions")
    if isinstance(cni, Mapping) and _is_set(cni, "cniExternalSnat") and _is_set(cni, "externalSnat"):
        raise DoubleError("Please specify one of `cniExternalSnat` or `externalSnat` in your VpcCniOptions")
    check_public_access(given.get("publicAccessCidrs"), given.get("endpointPublicAccess"))


def _find_unreproduced(given: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(given):
        if name not in _REPRODUCED and _is_set(given, name):
            yield refuse(name)
    if given.get("authenticationMode") != "API":
        yield refuse("authenticationMode", "other than API; upstream writes the aws-auth ConfigMap then")
    if given.get("createInstanceRole"):
        yield refuse("createInstanceRole", "when it is true")
    # Upstream looks at the argument and not at what Auto Mode makes of it, and makes a role no node ever takes on.
    without_role = is_auto_mode(given) and given.get("createInstanceRole") is False
    if not given.get("skipDefaultNodeGroup") and not without_role:
        yield refuse("skipDefaultNodeGroup", "unless it is true: no default node group is made")
    if "vpcId" not in given:
        yield refuse("vpcId", "unless it is set: there is no default VPC")
    for name, allowed in _NESTED.items():
        yield from _find_unknown_options(name, given.get(name) or {}, allowed)
    for key, entry in (given.get("accessEntries") or {}).items():
        yield from _find_unknown_options(f"accessEntries.{key}", entry, _ENTRY_OPTIONS)


def _find_unknown_options(name: str, options: Mapping[str, Any], allowed: frozenset[str]) -> Iterator[str]:
    return (refuse(f"{name}.{key}") for key in sorted(options) if key not in allowed and _is_set(options, key))


def _is_set(options: Mapping[str, Any], name: str) -> bool:
    """Tell whether an option asks for anything: empty, zero and false do not, upstream's language sees to that."""
    value = options.get(name)
    if isinstance(value, (pulumi.Output, list, Mapping)):
        return True
    return value is not None and value is not False and value not in (0, "")
