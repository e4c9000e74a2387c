"""The VPC of a stack: made, or adopted by its ids."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gitops_stack.settings.extra_subnets import MOST_SECONDARY_BLOCKS, ExtraSubnetSettings, Ipv4Block
from gitops_stack.settings.types import (
    BUCKET_NAME,
    UNIQUE,
    Days,
    DnsLabel,
    SettingError,
    Settings,
    following,
    matching,
    retention,
)

ZONE_LIMITS = (2, 3)  # EKS needs subnets in two zones; a third is as many as every region has
_SERVICE = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_GATEWAYS = frozenset({"s3", "s3-global.accesspoint", "s3express"})
# DynamoDB developer guide, "AWS PrivateLink for DynamoDB" and "... for DynamoDB Streams": no private DNS, which every
# endpoint here is made with. `doctor` asks the region about all others.
_WITHOUT_PRIVATE_DNS = frozenset({"dynamodb", "dynamodb-streams"})
_PREFIXES = (16, 20)  # AWS's largest VPC; the smallest that leaves a pod network per zone worth having
# AWS refuses or shadows these (VPC user guide, "VPC CIDR blocks"; 172.17/16 is Docker's bridge on build agents).
_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))


def _check_vpc_cidr(value: str) -> str:
    try:
        block = ipaddress.IPv4Network(value)
    except ValueError:
        raise ValueError("needs an IPv4 network without host bits, such as 10.20.0.0/16") from None
    if "/" in value and str(block) != value:
        raise ValueError(f"needs it as AWS writes it: {block}")
    smallest, largest = _PREFIXES
    if not smallest <= block.prefixlen <= largest:
        raise ValueError(f"needs a network of /{smallest} to /{largest}")
    if not any(block.subnet_of(private) for private in _PRIVATE):
        raise ValueError("needs a private network: of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10")
    return value


def _check_zones(value: Any) -> Any:  # noqa: ANN401 - whatever the operator wrote
    least, most = ZONE_LIMITS
    if isinstance(value, list | tuple) and all(isinstance(zone, str) for zone in value):
        if least <= len(value) <= most and len(set(value)) == len(value):
            return value
    elif type(value) is int and least <= value <= most:
        return value
    raise ValueError(f"needs {least} or {most}, or a list of that many different zones")


def _check_nat_gateways(value: Any) -> Any:  # noqa: ANN401 - whatever the operator wrote
    if value == "regional" or (type(value) is int and 0 <= value <= ZONE_LIMITS[1]):
        return value
    raise ValueError("needs 0, 1, one per zone, or regional")


def check_endpoint_service(value: str) -> str | None:
    """Return what the service of an interface endpoint needs to be, or ``None`` when AWS may have it in the region."""
    if value.startswith(("com.amazonaws", "cn.com.amazonaws", "aws.")):
        return "needs the service's own name, without com.amazonaws and the region, such as ecr.api"
    if value in _GATEWAYS:
        return "needs to be left out: S3's gateway endpoint is always made, and costs nothing"
    if value in _WITHOUT_PRIVATE_DNS:
        return "needs to be left out: AWS gives it no private DNS name, so that nothing would find the endpoint"
    if _SERVICE.fullmatch(value) is None:
        return "needs a service that has interface endpoints, such as ecr.api, secretsmanager or kms"
    return None


def _find_twice(values: tuple[str, ...]) -> str | None:
    return next((value for value in values if values.count(value) > 1), None)


EndpointService = Annotated[str, following(check_endpoint_service)]
VpcCidr = Annotated[str, AfterValidator(_check_vpc_cidr)]
VpcId = Annotated[str, matching(r"vpc-[0-9a-f]{8,17}", "the id of a VPC: vpc-…")]
SubnetId = Annotated[str, matching(r"subnet-[0-9a-f]{8,17}", "the id of a subnet: subnet-…")]
Zones = Annotated[int | tuple[str, ...], BeforeValidator(_check_zones)]
# A folder may follow the name; `AWSLogs` is the service's own (API reference, CreateFlowLogs).
FlowLogBucket = Annotated[
    str,
    matching(
        rf"arn:aws(-[a-z]+)*:s3:::{BUCKET_NAME}(/(?!AWSLogs(/|\Z))[\w!.*'()-]+)*/?",
        "the ARN of an S3 bucket, arn:aws:s3:::NAME or arn:aws:s3:::NAME/FOLDER/, whose folder is not AWSLogs",
    ),
]
_ONLY_MADE = {
    "availability_zones",
    "nat_gateways",
    "endpoints",
    "flow_log_retention_days",
    "flow_log_bucket_arn",
    "secondary_cidrs",
    "extra_subnets",
}
NatGateways = Annotated[int | Literal["regional"], BeforeValidator(_check_nat_gateways)]


class NetworkSettings(Settings):
    """A VPC made over two or three zones, or an existing one named by its ids."""

    cidr: VpcCidr | None = Field(None, description="Block of the VPC that is made, /16 to /20; none: one is adopted.")
    availability_zones: Zones = Field(3, description="2 or 3, or a list of zones by name.")
    nat_gateways: NatGateways = Field(
        1, description="0, 1, one per zone (the number of zones), or regional: one gateway that spans them."
    )
    endpoints: Annotated[tuple[EndpointService, ...], UNIQUE] = Field(
        (),
        description="Interface endpoints by service, such as ecr.api, kms or secretsmanager; "
        "S3's gateway endpoint is always made.",
    )
    flow_log_retention_days: Annotated[Days, retention(optional=True)] = Field(
        30, description="How long flow logs are kept; 0: none are written."
    )
    flow_log_bucket_arn: FlowLogBucket | None = Field(
        None, description="S3 bucket, or a folder in it, that takes the flow logs instead of CloudWatch."
    )
    secondary_cidrs: Annotated[tuple[Ipv4Block, ...], UNIQUE] = Field(
        (), max_length=MOST_SECONDARY_BLOCKS, description="Further blocks of the VPC that is made, /16 to /28."
    )
    extra_subnets: dict[DnsLabel, ExtraSubnetSettings] = Field(
        default_factory=dict, description="Subnets beside those of nodes and load balancers, such as databases."
    )
    vpc_id: VpcId | None = Field(None, description="An existing VPC, checked before anything is made in it.")
    private_subnet_ids: tuple[SubnetId, ...] = Field((), description="Its private subnets, in two zones at least.")
    public_subnet_ids: tuple[SubnetId, ...] = Field((), description="Its public subnets, for load balancers.")

    @model_validator(mode="after")
    def _made_or_adopted(self) -> NetworkSettings:
        if (self.cidr is None) == (self.vpc_id is None):
            raise ValueError("needs either cidr (a VPC is made) or vpcId (one is adopted)")
        if self.vpc_id is None and (self.private_subnet_ids or self.public_subnet_ids):
            raise SettingError("vpcId", None, "needs the VPC of privateSubnetIds and publicSubnetIds")
        if self.vpc_id is not None:
            if self.model_fields_set & _ONLY_MADE:
                raise ValueError(
                    "needs vpcId without availabilityZones, natGateways, endpoints, flowLogRetentionDays, "
                    "flowLogBucketArn, secondaryCidrs and extraSubnets: they belong to a VPC that is made"
                )
            if twice := _find_twice((*self.private_subnet_ids, *self.public_subnet_ids)):
                raise SettingError("privateSubnetIds", twice, "needs every subnet once, private or public")
            if len(self.private_subnet_ids) < ZONE_LIMITS[0]:
                found = ", ".join(self.private_subnet_ids) or "none"
                raise SettingError("privateSubnetIds", found, "needs at least two, in different zones")
        elif self.nat_gateways not in (0, 1, self.zone_count, "regional"):
            raise SettingError(
                "natGateways", self.nat_gateways, f"needs 0, 1, {self.zone_count} (one per zone) or regional"
            )
        if self.flow_log_bucket_arn is not None and "flow_log_retention_days" in self.model_fields_set:
            needs = "needs to be left out beside flowLogBucketArn: the bucket's lifecycle says how long"
            raise SettingError("flowLogRetentionDays", self.flow_log_retention_days, needs)
        return self

    @property
    def is_isolated(self) -> bool:
        """Whether the VPC is made without a way out; of one that is adopted nobody knows here."""
        return self.vpc_id is None and self.nat_gateways == 0

    @property
    def zone_count(self) -> int:
        """The number of zones of a VPC that is made."""
        zones = self.availability_zones
        return zones if isinstance(zones, int) else len(zones)
