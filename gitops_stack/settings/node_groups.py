"""The managed node groups of an EKS cluster."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, model_validator

from gitops_stack.settings.network import SubnetId
from gitops_stack.settings.node_images import Accelerator, ReleaseVersion, find_accelerator, find_kubernetes_version
from gitops_stack.settings.node_launch import MOST_SECURITY_GROUPS, check_user_data
from gitops_stack.settings.node_lifecycle import MOST_TAINTS, NodeUpdateSettings, TaintSettings
from gitops_stack.settings.types import UNIQUE, Flag, SettingError, Settings, following, matching

# Letters of the EC2 instance families (EC2 user guide, "Instance type naming conventions"). Not Macs: EKS has no image.
_FAMILIES = frozenset(
    "a c d dl f g gr h hpc i im inf is m p r t trn u vt x z".split()  # noqa: SIM905 - a table, read as one
)
# m7g.large, u7i-12tb.224xlarge, u-6tb1.metal
_INSTANCE_TYPE = re.compile(r"([a-z]+)-?([0-9]+)([a-z0-9-]*)\.([a-z0-9-]+)")
# A managed node group takes no empty value, no key over 63 characters with its prefix (EKS's API model), and no key of
# these prefixes: "Label cannot contain reserved prefixes" (eksctl#4007, containers-roadmap#1451).
_RESERVED_LABELS = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")
_LABEL_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")


def _check_instance_type(value: str) -> str:
    found = _INSTANCE_TYPE.fullmatch(value)
    if found is None or found[1] not in _FAMILIES:
        raise ValueError("needs an EC2 instance type of a known family, such as m7g.large")
    return value


def _check_label_key(value: str) -> str | None:
    if any(reserved in value for reserved in _RESERVED_LABELS):
        return "needs a key outside of kubernetes.io, k8s.io and eks.amazonaws.com, which EKS keeps to itself"
    if _LABEL_KEY.fullmatch(value) is None or len(value) > 63:  # noqa: PLR2004 - said above
        return "needs a label key of at most 63 characters, its prefix included"
    return None


LabelKey = Annotated[str, following(_check_label_key)]
LabelValue = Annotated[str, matching(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", "a label value of 1 to 63 characters")]
InstanceType = Annotated[str, AfterValidator(_check_instance_type)]
SecurityGroupId = Annotated[str, matching(r"sg-[0-9a-f]{8,17}", "the id of a security group: sg-…")]
Size = Annotated[int, Strict()]


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
