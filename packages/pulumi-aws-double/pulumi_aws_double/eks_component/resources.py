"""The resources of the components, registered and read back, by token and property names as the engine has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.runtime import rpc

# Upstream 4.3 asks for this plugin (its package.json), unless the program passes a provider of its own.
AWS_PLUGIN_VERSION = "7.25.0"

CLUSTER_TYPE = "eks:index:Cluster"
NODE_GROUP_TYPE = "eks:index:ManagedNodeGroup"
VPC_CNI_TYPE = "eks:index:VpcCniAddon"

# Properties the components read besides those they set. Others are in the state all the same.
_OUTPUTS: Mapping[str, Sequence[str]] = {
    "aws:ec2/securityGroup:SecurityGroup": (),
    "aws:ec2/securityGroupRule:SecurityGroupRule": ("securityGroupRuleId",),
    "aws:eks/cluster:Cluster": (
        "arn", "name", "version", "endpoint", "certificateAuthority", "vpcConfig", "identities",
    ),
    "aws:iam/role:Role": ("arn", "name"),
    CLUSTER_TYPE: ("core", "eksCluster"),
}  # fmt: skip


class AwsResource(pulumi.CustomResource):
    """One AWS resource, registered, or read back when ``opts.urn`` is set."""

    def __init__(self, token: str, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(version=AWS_PLUGIN_VERSION))
        super().__init__(token, name, {**dict.fromkeys(_OUTPUTS.get(token, ())), **inputs}, opts)

    def output(self, name: str) -> pulumi.Output[Any]:
        """Return the property ``name``, one it sets or one of those listed above."""
        output: pulumi.Output[Any] = self.__dict__[name]
        return output


class ComponentReference(pulumi.ComponentResource):
    """A component that exists, read back by its URN."""

    def __init__(self, token: str, name: str, urn: str) -> None:
        super().__init__(token, name, dict.fromkeys(_OUTPUTS.get(token, ())), pulumi.ResourceOptions(urn=urn))

    def output(self, name: str) -> pulumi.Output[Any]:
        """Return the output ``name`` the component registered."""
        output: pulumi.Output[Any] = self.__dict__[name]
        return output


class _References(rpc.ResourceModule):
    """Turn references in the arguments into resources; without it the SDK passes ids, which depend on nothing."""

    def version(self) -> None:  # of any version
        return None

    def construct(self, name: str, typ: str, urn: str) -> pulumi.Resource:
        if typ.startswith("eks:"):
            return ComponentReference(typ, name, urn)
        return AwsResource(typ, name, {}, pulumi.ResourceOptions(urn=urn))


def register_references() -> None:
    """Make this process read references of these types back; once per process, before the first Construct."""
    for token in _OUTPUTS:
        package, module, _ = token.split(":")
        rpc.register_resource_module(package, module, _References())


def build_refusal(sentence: str) -> pulumi.InputPropertiesError:
    """Return the exception the engine shows as ``sentence`` alone; it shows a traceback with any other.

    The list is empty and not left out: without one the SDK fails while it reports the failure.
    """
    return pulumi.InputPropertiesError(sentence, errors=[])


def drop_unset(properties: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return ``properties`` without those that are None: upstream's language leaves them out, this one sends nulls."""
    return {key: value for key, value in (properties or {}).items() if value is not None}


def invoke_aws(token: str, arguments: Mapping[str, Any], parent: pulumi.Resource) -> pulumi.Output[Any]:
    """Call a function of the AWS plugin with the parent's provider; ``arguments`` may be outputs."""
    return pulumi.runtime.invoke_output(
        token, dict(arguments), pulumi.InvokeOptions(parent=parent, version=AWS_PLUGIN_VERSION)
    )
