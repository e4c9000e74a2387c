"""A VPC for a cluster: made with subnets, ways out and flow logs, or adopted after a check."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import ec2
from typing_extensions import NotRequired

from gitops_stack.aws_plan.adopted_network import PRIVATE_ROLE_TAG, PUBLIC_ROLE_TAG
from gitops_stack.components.aws_account import AccountArgs, find_account
from gitops_stack.components.network_adoption import find_adopted_network
from gitops_stack.components.network_endpoints import register_endpoints
from gitops_stack.components.network_extras import ExtraSubnetArgs, register_extra_subnets
from gitops_stack.components.network_flow_logs import register_flow_logs
from gitops_stack.components.network_routes import EVERYWHERE, NatPlan, register_private_routes
from gitops_stack.components.network_zones import find_zones
from gitops_stack.components.roles import RoleOptions
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings.network import check_endpoint_service
from gitops_stack.settings.subnet_plan import plan_subnets


class NetworkArgs(AccountArgs):
    """A VPC to make, from ``cidr`` on, or one to adopt, by ``vpc_id`` and subnet ids."""

    cidr: NotRequired[str]
    """Block of the VPC that is made, /16 to /20."""
    availability_zones: NotRequired[Sequence[pulumi.Input[str]]]
    """Two or three zones by name; or their number, below."""
    availability_zone_count: NotRequired[int]
    """2 or 3: the first zones by name that every account has and EKS can use."""
    nat_gateways: NotRequired[int]
    """0, 1 or the number of zones; default 0."""
    regional_nat_gateway: NotRequired[bool]
    """One NAT gateway that spans the zones by itself, instead of `nat_gateways`."""
    endpoints: NotRequired[Sequence[str]]
    """Interface endpoints by service, such as ecr.api, sts or kms. S3's gateway endpoint is always made."""
    flow_log_retention_days: NotRequired[int]
    """Days of CloudWatch Logs for which flow logs are kept; 0, the default: none are written."""
    flow_log_bucket_arn: NotRequired[pulumi.Input[str] | None]
    """S3 bucket, or a folder in it, that takes the flow logs instead of CloudWatch; its policy has to allow it."""
    private_subnet_tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of private subnets that are made, such as the one Karpenter finds them by."""
    secondary_cidrs: NotRequired[Sequence[str]]
    """Further blocks of a VPC that is made."""
    extra_subnets: NotRequired[Mapping[str, ExtraSubnetArgs]]
    """Subnets beside those of nodes and load balancers, by their purpose."""
    label: NotRequired[str]
    """What `Name` tags begin with; default: the component's name."""
    vpc_id: NotRequired[pulumi.Input[str]]
    """A VPC to adopt; it is checked before its ids are handed on."""
    private_subnet_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Its private subnets, in two zones at least."""
    public_subnet_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Its public subnets, for load balancers."""
    ip_family: NotRequired[str]
    """Of the cluster that is to live in an adopted VPC: `ipv4`, the default, or `ipv6`, which needs IPv6 blocks."""


class Network(pulumi.ComponentResource):
    """A VPC with private subnets for nodes and pods, and public ones for load balancers.

    What lives in the subnets needs their routes too, up to its own end: pass the component in `depends_on`. The ids
    carry no wait for the routes, because a preview that adds one would then call all ids unknown.
    Raises ``GitOpsStackError`` for arguments that do not fit together; an adopted VPC that is unfit stops the run.
    """

    vpc_id: pulumi.Output[str]
    """The VPC."""
    cidr_block: pulumi.Output[str]
    """Its block."""
    zones: Sequence[pulumi.Output[str]]
    """Of the private subnets, in their order."""
    private_subnet_ids: Sequence[pulumi.Output[str]]
    """Private subnets, one in each zone."""
    public_subnet_ids: Sequence[pulumi.Output[str]]
    """Public subnets, one in each zone."""
    extra_subnet_ids: Mapping[str, Sequence[pulumi.Output[str]]]
    """Of `extra_subnets`, by their purpose, one in each zone."""
    nat_addresses: Sequence[pulumi.Output[str]]
    """Public addresses the cluster is seen under; none of a regional NAT gateway, which changes them by itself."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:Network", name, {}, opts)
        self._name, self._label = name, args.get("label", name)
        _check_args(args)
        if "vpc_id" in args:
            self._adopt(args, args["vpc_id"])
        else:
            self._make(args, args["cidr"])
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "cidrBlock": self.cidr_block,
                "privateSubnetIds": self.private_subnet_ids,
                "publicSubnetIds": self.public_subnet_ids,
                "extraSubnetIds": self.extra_subnet_ids,
            }
        )

    def _adopt(self, args: NetworkArgs, vpc_id: pulumi.Input[str]) -> None:
        private, public = args.get("private_subnet_ids", []), args.get("public_subnet_ids", [])
        adopted = find_adopted_network(vpc_id, private, public, self, ipv6=args.get("ip_family") == "ipv6")
        self.vpc_id, self.cidr_block, self.zones = adopted.vpc_id, adopted.cidr_block, adopted.zones
        self.private_subnet_ids, self.public_subnet_ids = adopted.private_subnet_ids, adopted.public_subnet_ids
        self.nat_addresses, self.extra_subnet_ids = (), {}

    def _make(self, args: NetworkArgs, cidr: str) -> None:
        account = find_account(args, self)
        vpc = ec2.Vpc(
            self._name,
            cidr_block=cidr,
            enable_dns_hostnames=True,  # both are asked for by the cluster's private endpoint
            enable_dns_support=True,
            tags=self._tags(""),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.vpc_id, self.cidr_block = vpc.id, vpc.cidr_block
        # Whatever is put into a VPC without a security group lands in this one: it lets nothing in or out.
        ec2.DefaultSecurityGroup(
            f"{self._name}-default",
            vpc_id=vpc.id,
            tags=self._tags("default-unused"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        private, public = self._register_subnets(args, cidr)
        internet_gateway = ec2.InternetGateway(
            f"{self._name}-internet",
            vpc_id=vpc.id,
            tags=self._tags("internet"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        public_table = self._register_public_routes(internet_gateway, public)
        plan = NatPlan(args.get("nat_gateways", 0), regional=args.get("regional_nat_gateway", False))
        routes = register_private_routes(self._name, self._label, plan, vpc, private, public, internet_gateway, self)
        self.nat_addresses = routes.nat_addresses
        self.extra_subnet_ids = register_extra_subnets(
            self._name,
            self._label,
            vpc.id,
            self.zones,
            args.get("secondary_cidrs", ()),
            args.get("extra_subnets", {}),
            routes.tables,
            self,
            ignore_changes=_kept_places(args),
        )
        register_endpoints(
            self._name,
            self._label,
            account,
            args.get("endpoints", []),
            vpc,
            private,
            [public_table, *routes.tables],
            self,
            secondary_cidrs=args.get("secondary_cidrs", ()),
        )
        days, bucket = args.get("flow_log_retention_days", 0), args.get("flow_log_bucket_arn")
        if days or bucket is not None:
            tags, options = self._tags("flow-logs"), RoleOptions.of(args)
            register_flow_logs(self._name, account, vpc, days, tags, self, options, bucket)

    def _register_subnets(self, args: NetworkArgs, cidr: str) -> tuple[list[Any], list[Any]]:
        named = args.get("availability_zones")
        self.zones = find_zones(named, args.get("availability_zone_count", 0), self)
        ignore_changes = _kept_places(args)
        subnets: dict[str, list[Any]] = {"private": [], "public": []}
        for number, (zone, blocks) in enumerate(
            zip(self.zones, plan_subnets(cidr, len(self.zones)), strict=True), start=1
        ):
            for kind, block, role_tag in (
                ("private", blocks.private, PRIVATE_ROLE_TAG),
                ("public", blocks.public, PUBLIC_ROLE_TAG),
            ):
                subnet = ec2.Subnet(
                    f"{self._name}-{kind}-{number}",
                    vpc_id=self.vpc_id,
                    availability_zone=zone,
                    cidr_block=block,
                    map_public_ip_on_launch=False,
                    tags={
                        **self._tags(f"{kind}-{number}"),
                        role_tag: "1",
                        **(args.get("private_subnet_tags", {}) if kind == "private" else {}),
                    },
                    opts=pulumi.ResourceOptions(parent=self, ignore_changes=ignore_changes),
                )
                subnets[kind].append(subnet)
        self.private_subnet_ids = [subnet.id for subnet in subnets["private"]]
        self.public_subnet_ids = [subnet.id for subnet in subnets["public"]]
        return subnets["private"], subnets["public"]

    def _register_public_routes(self, internet_gateway: Any, public: Sequence[Any]) -> Any:  # noqa: ANN401 - SDK types
        options = pulumi.ResourceOptions(parent=self)
        own = f"{self._name}-public-routes"
        table = ec2.RouteTable(own, vpc_id=self.vpc_id, tags=self._tags("public-routes"), opts=options)
        ec2.Route(
            f"{self._name}-public-default",
            route_table_id=table.id,
            destination_cidr_block=EVERYWHERE,
            gateway_id=internet_gateway.id,
            opts=options,
        )
        for number, subnet in enumerate(public, start=1):
            ec2.RouteTableAssociation(
                f"{self._name}-public-{number}-routes", subnet_id=subnet.id, route_table_id=table.id, opts=options
            )
        return table

    def _tags(self, suffix: str) -> dict[str, str]:
        return {"Name": "-".join(part for part in (self._label, suffix) if part)}


def _kept_places(args: NetworkArgs) -> list[str] | None:
    # A count takes the first zones of a sorted list. One that AWS opens must not move the subnets, once made.
    return None if args.get("availability_zones") else ["availabilityZone"]


_MADE_ALONE = (
    "cidr",
    "availability_zones",
    "availability_zone_count",
    "nat_gateways",
    "regional_nat_gateway",
    "endpoints",
    "flow_log_retention_days",
    "flow_log_bucket_arn",
    "private_subnet_tags",
    "secondary_cidrs",
    "extra_subnets",
)


def _check_args(args: Mapping[str, Any]) -> None:
    if "vpc_id" in args:
        if superfluous := [key for key in _MADE_ALONE if args.get(key)]:
            raise GitOpsStackError(
                Problem(
                    f"found vpc_id with {', '.join(superfluous)}; an adopted VPC is not changed",
                    "leave one out",
                    "Network",
                )
            )
        return
    if "cidr" not in args:
        raise GitOpsStackError(
            Problem("found neither cidr nor vpc_id", "give the block of a VPC to make or one to adopt", "Network")
        )
    named, count = args.get("availability_zones"), args.get("availability_zone_count", 0)
    if bool(named) == bool(count):
        raise GitOpsStackError(Problem("needs either availability_zones or availability_zone_count", place="Network"))
    zones = len(set(named)) if named else count
    if zones not in {2, 3}:
        raise GitOpsStackError(Problem(f"found {zones} availability zones", "needs 2 or 3", "Network"))
    GitOpsStackError.raise_for(
        f"Network: endpoints: found {service}; {needs}"
        for service in args.get("endpoints", ())
        if (needs := check_endpoint_service(service)) is not None
    )
    for purpose, extra in (args.get("extra_subnets") or {}).items():
        if (blocks := len(extra["blocks"])) != zones:
            place = f"Network: extra_subnets.{purpose}.blocks"
            raise GitOpsStackError(Problem(f"found {blocks}", f"needs {zones}: one for each zone", place))
    nat_gateways, regional = args.get("nat_gateways", 0), args.get("regional_nat_gateway", False)
    if nat_gateways not in {0, 1, zones} or (regional and nat_gateways):
        found = f"{nat_gateways} NAT gateways{' beside a regional one' if regional else ''}"
        raise GitOpsStackError(
            Problem(f"found {found}", f"needs 0, 1, one for each of {zones} zones, or a regional one", "Network")
        )
