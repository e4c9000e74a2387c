"""The component's vpc-cni add-on: options become environment variables of the CNI's DaemonSet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from pulumi_aws_double.eks_component.addons import register_addon
from pulumi_aws_double.eks_component.resources import VPC_CNI_TYPE, AwsResource

# Option to variable, and the value when the option is not set (None: no variable). A later line wins over an earlier
# one for the same variable, as upstream's does; so `customNetworkConfig`, accepted, changes nothing there or here.
_VARIABLES: tuple[tuple[str, str, str | None], ...] = (
    ("nodePortSupport", "AWS_VPC_CNI_NODE_PORT_SUPPORT", None),
    ("warmEniTarget", "WARM_ENI_TARGET", "1"),
    ("warmIpTarget", "WARM_IP_TARGET", None),
    ("warmPrefixTarget", "WARM_PREFIX_TARGET", None),
    ("enablePrefixDelegation", "ENABLE_PREFIX_DELEGATION", None),
    ("logLevel", "AWS_VPC_K8S_CNI_LOGLEVEL", "DEBUG"),
    ("logFile", "AWS_VPC_K8S_CNI_LOG_FILE", "/host/var/log/aws-routed-eni/ipamd.log"),
    ("vethPrefix", "AWS_VPC_K8S_CNI_VETHPREFIX", "eni"),
    ("eniMtu", "AWS_VPC_ENI_MTU", "9001"),
    ("eniConfigLabelDef", "ENI_CONFIG_LABEL_DEF", None),
    ("pluginLogLevel", "AWS_VPC_K8S_PLUGIN_LOG_LEVEL", "DEBUG"),
    ("pluginLogFile", "AWS_VPC_K8S_PLUGIN_LOG_FILE", "/var/log/aws-routed-eni/plugin.log"),
    ("enablePodEni", "ENABLE_POD_ENI", "false"),
    ("cniConfigureRpfilter", "AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER", None),
    ("cniCustomNetworkCfg", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"),
    ("cniExternalSnat", "AWS_VPC_K8S_CNI_EXTERNALSNAT", "false"),
    ("externalSnat", "AWS_VPC_K8S_CNI_EXTERNALSNAT", None),
)
_ZERO_COUNTS = frozenset({"warmEniTarget"})  # elsewhere 0 and false are as good as not set
_INIT_VARIABLES: tuple[tuple[str, str, str | None], ...] = (
    ("disableTcpEarlyDemux", "DISABLE_TCP_EARLY_DEMUX", "false"),
)
# Without securityContextPrivileged: upstream patches the DaemonSet for it, through Kubernetes.
VPC_CNI_OPTIONS = frozenset(
    {option for option, _, _ in (*_VARIABLES, *_INIT_VARIABLES)}
    | {"customNetworkConfig", "addonVersion", "enableNetworkPolicy", "configurationValues", "serviceAccountRoleArn"}
    | {"resolveConflictsOnCreate", "resolveConflictsOnUpdate"}
)


class VpcCniAddon(pulumi.ComponentResource):
    """The add-on vpc-cni with upstream's defaults, log level DEBUG among them."""

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        *,
        cluster: AwsResource,
        tags: pulumi.Input[Mapping[str, Any]] | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(VPC_CNI_TYPE, name, {}, opts)
        configuration = pulumi.Output.from_input(dict(options)).apply(build_configuration)
        self.addon = register_addon(
            name,
            "vpc-cni",
            options,
            version=options.get("addonVersion"),
            cluster=cluster,
            tags=tags,
            parent=self,
            configuration=configuration,
        )
        self.register_outputs({"addon": self.addon})


def build_configuration(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the add-on's configuration values: those given as such, and beneath them what the options ask for."""
    given = dict(options.get("configurationValues") or {})
    network_policy = options.get("enableNetworkPolicy")
    if network_policy is not None:
        given.setdefault("enableNetworkPolicy", _as_text(network_policy))
    init = given.get("init")
    init = init if isinstance(init, Mapping) else {}
    return {
        **given,
        "env": {**_build_environment(_VARIABLES, options), **_as_mapping(given.get("env"))},
        "init": {**init, "env": {**_build_environment(_INIT_VARIABLES, options), **_as_mapping(init.get("env"))}},
    }


def _build_environment(variables: Sequence[tuple[str, str, str | None]], options: Mapping[str, Any]) -> dict[str, str]:
    environment: dict[str, str] = {}
    for option, variable, default in variables:
        value = options.get(option)
        if value or (option in _ZERO_COUNTS and value is not None):
            environment[variable] = _as_text(value)
        elif default is not None:
            environment[variable] = default
    return environment


def _as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
