"""The cluster of a stack: one that is there, or an EKS cluster that is made."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict, model_validator

from gitops_stack.settings.cluster_access import AccessSettings
from gitops_stack.settings.eks_addons import IN_AUTO_MODE, AddonName, AddonVersion
from gitops_stack.settings.eks_versions import check_eks_version
from gitops_stack.settings.endpoint_networks import MOST_SOURCES, check_endpoint_network, check_private_network
from gitops_stack.settings.managed_by import ManagedBySettings
from gitops_stack.settings.network import SubnetId
from gitops_stack.settings.node_images import Accelerator, ReleaseVersion, find_accelerator, find_kubernetes_version
from gitops_stack.settings.node_launch import MOST_SECURITY_GROUPS, check_user_data
from gitops_stack.settings.node_lifecycle import MOST_TAINTS, NodeUpdateSettings, TaintSettings
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
# Letters of the EC2 instance families (EC2 user guide, "Instance type naming conventions"). Not Macs: EKS has no image.
_FAMILIES = frozenset(
    "a c d dl f g gr h hpc i im inf is m p r t trn u vt x z".split()  # noqa: SIM905 - a table, read as one
)
# m7g.large, u7i-12tb.224xlarge, u-6tb1.metal
_INSTANCE_TYPE = re.compile(r"([a-z]+)-?([0-9]+)([a-z0-9-]*)\.([a-z0-9-]+)")


def _check_instance_type(value: str) -> str:
    found = _INSTANCE_TYPE.fullmatch(value)
    if found is None or found[1] not in _FAMILIES:
        raise ValueError("needs an EC2 instance type of a known family, such as m7g.large")
    return value


EksVersion = Annotated[str, following(check_eks_version)]
InstanceType = Annotated[str, AfterValidator(_check_instance_type)]
EndpointCidr = Annotated[str, following(check_endpoint_network)]
PrivateCidr = Annotated[str, following(check_private_network)]
SecurityGroupId = Annotated[str, matching(r"sg-[0-9a-f]{8,17}", "the id of a security group: sg-…")]
ClusterName = Annotated[
    str, matching(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", "a cluster name: letters, digits, '-' and '_', 100 at most")
]
# A managed node group takes no empty value, no key over 63 characters with its prefix (EKS's API model), and no key of
# these prefixes: "Label cannot contain reserved prefixes" (eksctl#4007, containers-roadmap#1451).
_RESERVED_LABELS = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")
_LABEL_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")


def _check_label_key(value: str) -> str | None:
    if any(reserved in value for reserved in _RESERVED_LABELS):
        return "needs a key outside of kubernetes.io, k8s.io and eks.amazonaws.com, which EKS keeps to itself"
    if _LABEL_KEY.fullmatch(value) is None or len(value) > 63:  # noqa: PLR2004 - said above
        return "needs a label key of at most 63 characters, its prefix included"
    return None


LabelKey = Annotated[str, following(_check_label_key)]
LabelValue = Annotated[str, matching(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", "a label value of 1 to 63 characters")]
LogType = Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]
Size = Annotated[int, Strict()]


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


class NodeGroupSettings(Settings):
    """One managed node group."""

    instance_types: Annotated[tuple[InstanceType, ...], UNIQUE] = Field(
        min_length=1, max_length=20, description="EC2 types of one architecture."
    )
    min_size: Size = Field(ge=0, le=450, description="Nodes at least.")
    max_size: Size = Field(ge=1, le=450, description="Nodes at most.")
    desired_size: Size | None = Field(None, ge=0, le=450, description="Nodes at first; default: minSize.")
    operating_system: Literal["al2023", "bottlerocket"] = Field("al2023", description="Image of the nodes.")
    capacity: Literal["onDemand", "spot"] = Field("onDemand", description="How they are bought.")
    disk_gibibytes: Size = Field(50, ge=20, le=16384, description="Encrypted gp3 volume of a node.")
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="Labels of its nodes.")
    system: Flag = Field(False, description="Tainted CriticalAddonsOnly: for cluster add-ons only.")
    taints: tuple[TaintSettings, ...] = Field((), max_length=MOST_TAINTS - 1, description="Taints of its nodes.")
    release_version: ReleaseVersion | None = Field(
        None, description="AMI release; default: EKS's newest when the group is made or its Kubernetes version moves."
    )
    update: NodeUpdateSettings = Field(
        default_factory=lambda: NodeUpdateSettings.model_validate({}), description="How nodes are exchanged."
    )
    repair: Flag = Field(False, description="EKS reboots or replaces nodes that it finds unhealthy.")
    zones: Annotated[tuple[str, ...], UNIQUE] = Field(
        (), description="Zones of its nodes, of network.availabilityZones by name; default: all."
    )
    subnet_ids: Annotated[tuple[SubnetId, ...], UNIQUE] = Field(
        (), description="Subnets of its nodes, in a VPC that is adopted; default: all private ones."
    )
    security_group_ids: Annotated[tuple[SecurityGroupId, ...], UNIQUE] = Field(
        (), max_length=MOST_SECURITY_GROUPS, description="Security groups of its nodes beside the cluster's."
    )
    user_data: str | None = Field(
        None,
        description="What its nodes do or are told at their first start: a script or a MIME archive; of Bottlerocket, "
        "its settings in TOML. Not secret.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> NodeGroupSettings:
        if not self.min_size <= self.first_size <= self.max_size:
            sizes = f"{self.min_size}, {self.first_size} and {self.max_size}"
            raise SettingError("maxSize", self.max_size, f"needs minSize <= desiredSize <= maxSize, not {sizes}")
        if self.operating_system == "al2023" and (old := [name for name in self.instance_types if name[:3] == "a1."]):
            needs = "needs another type: Amazon Linux 2023 does not run on Graviton1"
            raise SettingError("instanceTypes", old[0], needs)
        if len({is_arm(name) for name in self.instance_types}) > 1:
            found = ", ".join(self.instance_types)
            raise SettingError("instanceTypes", found, "needs types of one architecture: a node group has one image")
        if len({find_accelerator(name) for name in self.instance_types}) > 1:
            found = ", ".join(self.instance_types)
            needs = "needs types with the same accelerators, or without any: a node group has one image"
            raise SettingError("instanceTypes", found, needs)
        return self

    @model_validator(mode="after")
    def _taints_fit(self) -> NodeGroupSettings:
        marks = [(taint.key, taint.effect) for taint in self.taints]
        marks += [("CriticalAddonsOnly", "NoSchedule")] if self.system else []
        if twice := [f"{key}:{effect}" for key, effect in marks if marks.count((key, effect)) > 1]:
            needs = "needs every key and effect once, that of system: true included"
            raise SettingError("taints", twice[0], needs)
        release = self.release_version if self.operating_system == "al2023" else None
        if release is not None and find_kubernetes_version(release) is None:
            needs = "needs a release of Amazon Linux, VERSION-DATE, or operatingSystem: bottlerocket"
            raise SettingError("releaseVersion", release, needs)
        if self.user_data is not None and (wrong := check_user_data(self.user_data, self.operating_system)) is not None:
            raise SettingError("userData", *wrong)
        return self

    @property
    def takes_all_pods(self) -> bool:
        """Tell whether a pod without tolerations finds a place on its nodes."""
        return not self.system and all(taint.effect == "PreferNoSchedule" for taint in self.taints)

    @property
    def accelerator(self) -> Accelerator | None:
        """Whose drivers its image needs."""
        return find_accelerator(self.instance_types[0])

    @property
    def first_size(self) -> int:
        """The number of nodes at first."""
        return self.min_size if self.desired_size is None else self.desired_size

    @property
    def architecture(self) -> Literal["arm64", "amd64"]:
        """The architecture of its nodes, in Kubernetes' words."""
        return "arm64" if is_arm(self.instance_types[0]) else "amd64"


def is_arm(instance_type: str) -> bool:
    """Tell whether an instance type has an Arm processor: an attribute `g` after the generation, or the first, a1.

    So have GPUs of a `gb`, such as p6e-gb200: Grace is their processor.
    """
    found = _INSTANCE_TYPE.fullmatch(instance_type)
    return found is not None and (found[1] == "a" or found[3].startswith("g") or "-gb" in found[3])


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
