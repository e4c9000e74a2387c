"""The component `eks:index:Cluster`: the control plane with its roles, groups, access entries and add-ons.

Children in upstream's order.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from pulumi_aws_double.eks_component import kubeconfig, security_groups
from pulumi_aws_double.eks_component.access import register_access_entries
from pulumi_aws_double.eks_component.addons import register_addon, wants_coredns, wants_kube_proxy
from pulumi_aws_double.eks_component.arguments import is_auto_mode
from pulumi_aws_double.eks_component.control_plane import register_control_plane
from pulumi_aws_double.eks_component.resources import CLUSTER_TYPE, AwsResource, drop_unset, invoke_aws
from pulumi_aws_double.eks_component.roles import register_auto_node_role, register_cluster_role
from pulumi_aws_double.eks_component.vpc_cni import VpcCniAddon

# What the lab builds; upstream asks for 4.19.0. The engine takes the one on PATH for either and stores this one.
KUBERNETES_PLUGIN_VERSION = "4.25.0"


class Cluster(pulumi.ComponentResource):
    """The component; ``outputs`` is what Construct returns.

    ``arguments`` are the engine's (camelCase) and have passed `arguments.check_cluster_arguments`.
    """

    def __init__(self, name: str, arguments: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(CLUSTER_TYPE, name, {}, opts)
        self._label = name
        self._arguments = arguments
        self._auto_mode = is_auto_mode(arguments)
        self._tags = arguments.get("tags")
        self._skips_groups = bool(arguments.get("skipDefaultSecurityGroups", self._auto_mode))
        self._subnet_ids = _choose_subnets(arguments)
        self._credentials = _choose_credentials(arguments)
        self._register_children()
        self.outputs = self._build_outputs()
        self.register_outputs(self.outputs)

    def _register_children(self) -> None:
        partition = invoke_aws("aws:index/getPartition:getPartition", {}, self).apply(lambda found: found["partition"])
        self._given_role: pulumi.Input[AwsResource] | None = self._arguments.get("serviceRole")
        self._role = (
            register_cluster_role(
                self._label, auto_mode=self._auto_mode, partition=partition, tags=self._tags, parent=self
            )
            if self._given_role is None
            else None
        )
        self._cluster_group = None if self._skips_groups else self._register_cluster_group()
        makes_node_role = self._auto_mode and self._arguments["autoMode"].get("createNodeRole") is not False
        self._node_role = (
            register_auto_node_role(self._label, partition=partition, tags=self._tags, parent=self)
            if makes_node_role
            else None
        )
        self._cluster = register_control_plane(
            self._label,
            self._arguments,
            subnet_ids=self._subnet_ids,
            role=self._role,
            role_arn=self._find_role_arn(),
            node_role=self._node_role,
            group=self._cluster_group,
            parent=self,
        )
        self._register_kube_proxy()
        self._kubernetes = pulumi.ProviderResource(
            "kubernetes",
            f"{self._label}-eks-k8s",
            {"kubeconfig": self._build_kubeconfig(with_profile=True).apply(kubeconfig.render_kubeconfig)},
            pulumi.ResourceOptions(parent=self, version=KUBERNETES_PLUGIN_VERSION),
        )
        self._access = register_access_entries(
            self._label, self._arguments.get("accessEntries") or {}, self._cluster, self
        )
        self._vpc_cni = self._register_vpc_cni()
        self._register_coredns()
        self._node_group, self._ingress_rule = self._register_node_group()

    def _find_role_arn(self) -> pulumi.Output[Any]:
        if self._role is not None:
            return self._role.role.output("arn")
        given: pulumi.Output[Any] = pulumi.Output.from_input(self._given_role)
        return given.apply(lambda role: role.output("arn"))

    def _register_cluster_group(self) -> AwsResource:
        tags = _merge_tags(self._arguments.get("clusterSecurityGroupTags"), self._tags)
        return security_groups.register_cluster_group(self._label, self._arguments["vpcId"], tags, self)

    def _register_node_group(self) -> tuple[AwsResource | None, AwsResource | None]:
        if self._cluster_group is None:
            return None, None
        owned = self._cluster.output("name").apply(lambda name: {f"kubernetes.io/cluster/{name}": "owned"})
        tags = _merge_tags(owned, self._arguments.get("nodeSecurityGroupTags"), self._tags)
        return security_groups.register_node_group(
            self._label, self._arguments["vpcId"], tags, self._cluster_group, self
        )

    def _register_kube_proxy(self) -> None:
        options = drop_unset(self._arguments.get("kubeProxyAddonOptions"))
        if wants_kube_proxy(options, auto_mode=self._auto_mode):
            self._register_addon("kube-proxy", options)

    def _register_coredns(self) -> None:
        options = drop_unset(self._arguments.get("corednsAddonOptions"))
        skips = bool(self._arguments.get("skipDefaultNodeGroup"))
        if wants_coredns(options, auto_mode=self._auto_mode, skips_node_group=skips):
            self._register_addon("coredns", options)

    def _register_addon(self, addon: str, options: Mapping[str, Any]) -> None:
        register_addon(
            f"{self._label}-{addon}",
            addon,
            options,
            version=options.get("version"),
            cluster=self._cluster,
            tags=self._tags,
            parent=self,
            configuration=options.get("configurationValues"),
        )

    def _register_vpc_cni(self) -> VpcCniAddon | None:
        if self._arguments.get("useDefaultVpcCni", self._auto_mode):
            return None
        opts = pulumi.ResourceOptions(parent=self, depends_on=self._access, providers=[self._kubernetes])
        options = drop_unset(self._arguments.get("vpcCniOptions"))
        return VpcCniAddon(f"{self._label}-vpc-cni", options, cluster=self._cluster, tags=self._tags, opts=opts)

    def _build_kubeconfig(self, *, with_profile: bool) -> pulumi.Output[dict[str, Any]]:
        return kubeconfig.build_cluster_kubeconfig(self._cluster, self._credentials, with_profile=with_profile)

    def _build_outputs(self) -> dict[str, Any]:
        shared = self._build_kubeconfig(with_profile=False)
        own_group = self._cluster.output("vpcConfig").apply(lambda found: (found or {}).get("clusterSecurityGroupId"))
        issuer = self._cluster.output("identities").apply(_find_issuer)
        return {
            "kubeconfig": shared,
            "kubeconfigJson": shared.apply(kubeconfig.render_kubeconfig),
            "clusterSecurityGroup": self._cluster_group,
            "instanceRoles": [],
            "nodeSecurityGroup": self._node_group,
            "eksClusterIngressRule": self._ingress_rule,
            "eksCluster": self._cluster,
            "core": self._build_core(shared),
            # The group EKS makes itself stands in for those the component was told not to make.
            "clusterSecurityGroupId": self._cluster_group.id if self._cluster_group else own_group,
            "nodeSecurityGroupId": self._node_group.id if self._node_group else own_group,
            "clusterIngressRuleId": self._ingress_rule.output("securityGroupRuleId") if self._ingress_rule else "",
            "defaultNodeGroupAsgName": "",
            "fargateProfileId": "",
            "fargateProfileStatus": "",
            "oidcProviderArn": "",
            "oidcProviderUrl": issuer,
            "oidcIssuer": issuer.apply(lambda url: url.replace("https://", "", 1)),
            "autoModeNodeRoleName": self._node_role.role.output("name") if self._node_role else "",
        }

    def _build_core(self, shared: pulumi.Output[dict[str, Any]]) -> dict[str, Any]:
        given = self._arguments
        core = {
            "accessEntries": list((given.get("accessEntries") or {}).values()),
            "autoModeNodeRoleName": self._node_role.role.output("name") if self._node_role else "",
            "cluster": self._cluster,
            "clusterIamRole": self._role.role if self._role else self._given_role,
            "clusterSecurityGroup": self._cluster_group,
            "endpoint": self._cluster.output("endpoint"),
            "encryptionConfig": _read_encryption(given.get("encryptionConfigKeyArn")),
            "instanceRoles": [],
            "kubeconfig": shared,
            "nodeGroupOptions": drop_unset(
                {
                    "version": given.get("version"),
                    "nodeSecurityGroup": self._node_group,
                    "clusterIngressRule": self._ingress_rule,
                }
            ),
            "nodeSecurityGroupTags": given.get("nodeSecurityGroupTags"),
            "privateSubnetIds": given.get("privateSubnetIds"),
            "provider": self._kubernetes,
            "publicSubnetIds": given.get("publicSubnetIds"),
            "storageClasses": {},
            "subnetIds": self._subnet_ids,
            "tags": given.get("tags"),
            "vpcCni": self._vpc_cni,
            "vpcId": given.get("vpcId"),
        }
        return drop_unset(core)


def _choose_subnets(arguments: Mapping[str, Any]) -> pulumi.Input[Any]:
    if arguments.get("subnetIds") is not None:
        return arguments["subnetIds"]
    public, private = arguments.get("publicSubnetIds"), arguments.get("privateSubnetIds")
    return pulumi.Output.all(public, private).apply(lambda both: [*(both[0] or []), *(both[1] or [])])


def _choose_credentials(arguments: Mapping[str, Any]) -> pulumi.Input[Any] | None:
    """Return the kubeconfig's credentials: those given, else a profile of the environment or of the stack."""
    given: pulumi.Input[Any] | None = arguments.get("providerCredentialOpts")
    if given is not None:
        return given
    profile = os.environ.get("AWS_PROFILE") or pulumi.Config("aws").get("profile")
    return {"profileName": profile} if profile else None


def _merge_tags(*tags: pulumi.Input[Mapping[str, Any]] | None) -> pulumi.Output[dict[str, Any]]:
    """Merge, the later over the earlier."""
    return pulumi.Output.all(*tags).apply(lambda known: {key: each[key] for each in known if each for key in each})


def _read_encryption(key_arn: pulumi.Input[str] | None) -> dict[str, Any] | None:
    return None if key_arn is None else {"provider": {"keyArn": key_arn}, "resources": ["secrets"]}


def _find_issuer(identities: Sequence[Mapping[str, Any]] | None) -> str:
    oidcs = (identities or [{}])[0].get("oidcs") or [{}]
    return str(oidcs[0].get("issuer") or "")
