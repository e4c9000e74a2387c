"""The cluster of a stack: one that is there, or an EKS cluster that is made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gitops_stack.settings.cluster_access import AccessSettings
from gitops_stack.settings.eks_addons import IN_AUTO_MODE, AddonName, AddonVersion
from gitops_stack.settings.eks_versions import check_eks_version
from gitops_stack.settings.endpoint_networks import MOST_SOURCES, check_endpoint_network, check_private_network
from gitops_stack.settings.managed_by import ManagedBySettings
from gitops_stack.settings.node_groups import NodeGroupSettings, SecurityGroupId
from gitops_stack.settings.types import (
    UNIQUE,
    Days,
    DnsLabel,
    Flag,
    KmsKeyArn,
    RoleArn,
    SettingError,
    Settings,
    following,
    matching,
    retention,
)

ADDONS = ("vpc-cni", "coredns", "kube-proxy", "eks-pod-identity-agent", "aws-ebs-csi-driver")


EksVersion = Annotated[str, following(check_eks_version)]
EndpointCidr = Annotated[str, following(check_endpoint_network)]
PrivateCidr = Annotated[str, following(check_private_network)]
ClusterName = Annotated[
    str, matching(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", "a cluster name: letters, digits, '-' and '_', 100 at most")
]
LogType = Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]


class ExistingClusterSettings(Settings):
    """A cluster that is already there: kind, k3d, minikube, the lab, or anybody's."""

    provider: Literal["existing"] = Field(description="existing: a cluster that is already there.")
    kubeconfig: str | None = Field(None, description="Path of its file; default: $KUBECONFIG, then ~/.kube/config.")
    context: str | None = Field(None, description="Context in it; default: its current context.")


class EndpointSettings(Settings):
    """How the API server is reached; public only from listed networks."""

    public_access_cidrs: tuple[EndpointCidr, ...] = Field(
        (), description="Networks the public endpoint answers; none: there is no public endpoint."
    )
    private_access: Flag = Field(True, description="Reachable from inside the VPC, by nodes and by those named below.")
    private_access_cidrs: Annotated[tuple[PrivateCidr, ...], UNIQUE] = Field(
        (),
        max_length=MOST_SOURCES,
        description="Networks the private endpoint answers beside nodes: of the VPC, or connected to it.",
    )
    private_access_security_groups: Annotated[tuple[SecurityGroupId, ...], UNIQUE] = Field(
        (), max_length=5, description="Security groups whose members it answers, such as a runner's."
    )

    @model_validator(mode="after")
    def _reachable(self) -> EndpointSettings:
        if not self.public_access_cidrs and not self.private_access:
            raise ValueError("needs publicAccessCidrs or privateAccess: nobody would reach the API server")
        for setting, found in (
            ("privateAccessCidrs", self.private_access_cidrs),
            ("privateAccessSecurityGroups", self.private_access_security_groups),
        ):
            if found and not self.private_access:
                raise SettingError(setting, found[0], "needs privateAccess, or to be left out")
        return self


class ControlPlaneLogSettings(Settings):
    """What the control plane writes to CloudWatch Logs."""

    types: Annotated[tuple[LogType, ...], UNIQUE] = Field(
        ("api", "audit", "authenticator"), description="Which logs are written."
    )
    retention_days: Annotated[Days, retention(optional=False)] = Field(90, description="How long they are kept.")


class ComputeSettings(Settings):
    """Where pods run: EKS Auto Mode, or managed node groups."""

    auto_mode: Flag = Field(False, description="EKS makes nodes as pods need them.")
    node_groups: dict[DnsLabel, NodeGroupSettings] = Field(default_factory=dict, description="Managed node groups.")
    node_role_arn: RoleArn | None = Field(
        None, description="An existing role for all nodes, with the policies they need; default: one is made."
    )
    ssm_access: Flag = Field(False, description="A shell on nodes by Session Manager, without SSH.")
    prefix_delegation: Flag = Field(False, description="Addresses in blocks of 16: more pods on a node.")
    cni_role: Literal["podIdentity", "nodes", "both"] = Field(
        "podIdentity",
        description="Who may change network interfaces: aws-node, all of a node, or, on the way, both.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> ComputeSettings:
        if self.auto_mode == bool(self.node_groups):
            raise ValueError("needs either autoMode: true or nodeGroups")
        if self.auto_mode:
            for key, found, default in (
                ("ssmAccess", self.ssm_access, False),
                ("prefixDelegation", self.prefix_delegation, False),
                ("cniRole", self.cni_role, "podIdentity"),
            ):
                if found != default:
                    raise SettingError(key, found, "needs nodeGroups: Auto Mode's nodes are AWS's own")
        if self.ssm_access and self.node_role_arn is not None:
            needs = "needs to be left out beside nodeRoleArn: attach AmazonSSMManagedInstanceCore to that role"
            raise SettingError("ssmAccess", True, needs)
        return self


class EksClusterSettings(Settings):
    """An EKS cluster made by the stack."""

    provider: Literal["eks"] = Field(description="eks: made by the stack.")
    name: ClusterName | None = Field(None, description="Its name; default: gitops-stack-<stack>.")
    version: EksVersion = Field(description='Kubernetes version, quoted: "1.35".')
    ip_family: Literal["ipv4", "ipv6"] = Field("ipv4", description="Addresses of pods and services.")
    support_type: Literal["standard", "extended"] = Field(
        "standard", description="At the end of standard support: upgraded by AWS, or extended at six times the price."
    )
    deletion_protection: Flag = Field(False, description="AWS refuses to delete the cluster; switch it off first.")
    endpoint: EndpointSettings = Field(
        default_factory=lambda: EndpointSettings.model_validate({}), description="How the API server is reached."
    )
    access: dict[DnsLabel, AccessSettings] = Field(min_length=1, description="Access entries by name.")
    managed_by: ManagedBySettings | None = Field(
        None, description="An Argo CD of another cluster that deploys to this one: a role for it, and an access entry."
    )
    logs: ControlPlaneLogSettings = Field(
        default_factory=lambda: ControlPlaneLogSettings.model_validate({}), description="Control plane logs."
    )
    secrets_key_arn: KmsKeyArn | None = Field(
        None, description="KMS key of Secrets, chosen once; default: one is made."
    )
    role_arn: RoleArn | None = Field(
        None, description="An existing role that EKS takes for the cluster, chosen once; default: one is made."
    )
    oidc_provider: Flag = Field(False, description="IAM OIDC provider, for roles by IRSA; Pod Identity needs none.")
    addons: dict[AddonName, AddonVersion] = Field(
        default_factory=dict,
        description="EKS add-on -> version, any of them. nodeGroups need vpc-cni, coredns, kube-proxy, "
        "eks-pod-identity-agent and aws-ebs-csi-driver, which Auto Mode has inside.",
    )
    addon_configuration: dict[AddonName, Annotated[dict[str, Any], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="EKS add-on -> values of its own schema (`aws eks describe-addon-configuration`).",
    )
    compute: ComputeSettings = Field(description="Where pods run.")

    @model_validator(mode="after")
    def _addons_fit(self) -> EksClusterSettings:
        missing = [name for name in ADDONS if name not in self.addons]
        if self.compute.node_groups and missing:
            needs = f"needs a version of {', '.join(missing)}: unpinned, they move by themselves"
            raise SettingError("addons", ", ".join(self.addons) or None, needs)
        if self.compute.auto_mode and (inside := [name for name in self.addons if name in IN_AUTO_MODE]):
            needs = "needs to be left out beside autoMode, whose nodes have it inside"
            raise SettingError("addons", ", ".join(inside), needs)
        return self
