"""Network: subnets, ways out, endpoints, flow logs; and a VPC of others, looked at before it is used."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from gitops_stack.components import Network
from gitops_stack.errors import GitOpsStackError
from gitops_stack.testing import Answer, RegisteredResource
from tests.components.aws import ACCOUNT, OWN, check_common, children, document, of_kind, run

NAMES = ["eu-west-1c", "eu-west-1a", "eu-west-1b"]
BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])


def record(preview: bool = False, zones: Answer | None = None, **args: Any) -> dict[str, RegisteredResource]:
    wanted: Any = {**OWN, "cidr": "10.20.0.0/16", "availability_zone_count": 3, **args}
    answer = {"names": NAMES} if zones is None else zones
    return run(lambda opts: Network("net", wanted, opts), preview=preview, zones=answer)


BARE = [
    "DefaultSecurityGroup:net-default",
    "InternetGateway:net-internet",
    "Route:net-public-default",
    "RouteTable:net-private-1-routes",
    "RouteTable:net-private-2-routes",
    "RouteTable:net-public-routes",
    "RouteTableAssociation:net-private-1-routes",
    "RouteTableAssociation:net-private-2-routes",
    "RouteTableAssociation:net-public-1-routes",
    "RouteTableAssociation:net-public-2-routes",
    "Subnet:net-private-1",
    "Subnet:net-private-2",
    "Subnet:net-public-1",
    "Subnet:net-public-2",
    "Vpc:net",
    "VpcEndpoint:net-s3",
]


@BOTH
def test_a_bare_network_is_complete_and_nothing_more(preview: bool) -> None:
    found = record(preview, availability_zone_count=2)
    assert children(found) == BARE
    check_common(found, "net")
    assert found["Network:net"].type == "gitops-stack:index:Network"


@BOTH
def test_a_full_network_is_complete(preview: bool) -> None:
    found = record(
        preview, availability_zone_count=2, nat_gateways=1, endpoints=["ecr.api", "sts"], flow_log_retention_days=30
    )
    extra = {
        "Eip:net-nat-1-address",
        "FlowLog:net-flow-logs",
        "LogGroup:net-flow-logs",
        "NatGateway:net-nat-1",
        "Role:net-flow-logs",
        "RolePolicy:net-flow-logs-policy",
        "Route:net-private-1-default",
        "Route:net-private-2-default",
        "SecurityGroup:net-endpoints",
        "VpcEndpoint:net-ecr-api",
        "VpcEndpoint:net-sts",
    }
    assert children(found) == sorted({*BARE, *extra})
    check_common(found, "net")


def test_the_vpc_resolves_names_and_its_default_group_is_shut() -> None:
    found = record(label="acme-dev")
    assert found["Vpc:net"].inputs == {
        "cidrBlock": "10.20.0.0/16",
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
        "tags": {"Name": "acme-dev"},
    }
    shut = found["DefaultSecurityGroup:net-default"].inputs
    assert shut == {"vpcId": "net-id", "tags": {"Name": "acme-dev-default-unused"}}


def test_counted_zones_are_the_first_by_name_and_keep_their_subnets() -> None:
    asked: list[dict[str, Any]] = []

    def answer(args: dict[str, Any]) -> dict[str, Any]:
        asked.append(args)
        return {"names": NAMES}

    subnets = of_kind(record(zones=answer, availability_zone_count=2), "Subnet")
    assert asked[0]["filters"] == [{"name": "opt-in-status", "values": ["opt-in-not-required"]}]
    assert asked[0]["state"] == "available"
    assert "use1-az3" in asked[0]["excludeZoneIds"]
    assert {
        name: (one.inputs["availabilityZone"], one.inputs["cidrBlock"], one.ignore_changes)
        for name, one in subnets.items()
    } == {
        "net-private-1": ("eu-west-1a", "10.20.0.0/19", ("availabilityZone",)),
        "net-public-1": ("eu-west-1a", "10.20.32.0/24", ("availabilityZone",)),
        "net-private-2": ("eu-west-1b", "10.20.64.0/19", ("availabilityZone",)),
        "net-public-2": ("eu-west-1b", "10.20.96.0/24", ("availabilityZone",)),
    }


def test_named_zones_are_taken_in_their_order() -> None:
    found = record(zones={}, availability_zone_count=0, availability_zones=["eu-west-1c", "eu-west-1a"])
    subnets = of_kind(found, "Subnet")
    assert subnets["net-private-1"].inputs["availabilityZone"] == "eu-west-1c"
    assert subnets["net-public-2"].inputs["availabilityZone"] == "eu-west-1a"
    assert {one.ignore_changes for one in subnets.values()} == {()}


def test_subnets_carry_the_tag_of_their_load_balancers_and_give_nobody_a_public_address() -> None:
    subnets = of_kind(record(label="acme-dev"), "Subnet")
    assert subnets["net-private-3"].inputs["tags"] == {
        "Name": "acme-dev-private-3",
        "kubernetes.io/role/internal-elb": "1",
    }
    assert subnets["net-public-3"].inputs["tags"] == {"Name": "acme-dev-public-3", "kubernetes.io/role/elb": "1"}
    assert {one.inputs["mapPublicIpOnLaunch"] for one in subnets.values()} == {False}


@pytest.mark.parametrize(
    ("zones", "args", "gateways"),
    [
        (2, {}, []),
        (3, {"nat_gateways": 0}, []),
        (2, {"nat_gateways": 1}, ["net-nat-1"] * 2),
        (3, {"nat_gateways": 1}, ["net-nat-1"] * 3),
        (2, {"nat_gateways": 2}, ["net-nat-1", "net-nat-2"]),
        (3, {"nat_gateways": 3}, ["net-nat-1", "net-nat-2", "net-nat-3"]),
        (2, {"regional_nat_gateway": True}, ["net-nat"] * 2),
        (3, {"regional_nat_gateway": True}, ["net-nat"] * 3),
    ],
)
@BOTH
def test_private_subnets_leave_by_the_nat_gateway_of_their_zone(
    preview: bool, zones: int, args: dict[str, Any], gateways: list[str]
) -> None:
    found = record(preview, availability_zone_count=zones, **args)
    routes = {f"net-private-{number}-default": gateway for number, gateway in enumerate(gateways, start=1)}
    registered = {name: one for name, one in of_kind(found, "Route").items() if "private" in name}
    assert {name: set(one.depends_on) for name, one in registered.items()} == {
        name: {gateway, name.replace("-default", "-routes")} for name, gateway in routes.items()
    }
    assert set(of_kind(found, "NatGateway")) == set(gateways)
    assert len([name for name in of_kind(found, "RouteTable") if "private" in name]) == zones


def test_a_nat_gateway_comes_after_the_internet_gateway_and_goes_before_its_address() -> None:
    found = record(nat_gateways=3)
    assert found["NatGateway:net-nat-2"].inputs == {
        "subnetId": "net-public-2-id",
        "allocationId": "net-nat-2-address-id",
        "tags": {"Name": "net-nat-2"},
    }
    assert found["NatGateway:net-nat-2"].depends_on == ("net-internet", "net-nat-2-address", "net-public-2")
    assert found["Eip:net-nat-2-address"].inputs["domain"] == "vpc"
    assert found["Eip:net-nat-2-address"].depends_on == ("net-internet",)


def test_a_regional_nat_gateway_has_a_vpc_and_neither_subnet_nor_address() -> None:
    found = record(regional_nat_gateway=True)
    regional = found["NatGateway:net-nat"]
    assert regional.inputs == {"vpcId": "net-id", "availabilityMode": "regional", "tags": {"Name": "net-nat"}}
    assert regional.depends_on == ("net", "net-internet")
    assert of_kind(found, "Eip") == {}


def test_public_subnets_leave_by_the_internet_gateway() -> None:
    found = record()
    route = found["Route:net-public-default"]
    assert (route.inputs["gatewayId"], route.inputs["destinationCidrBlock"]) == ("net-internet-id", "0.0.0.0/0")
    tables = {
        one.inputs["routeTableId"] for name, one in of_kind(found, "RouteTableAssociation").items() if "pub" in name
    }
    assert tables == {"net-public-routes-id"}


def test_s3_is_reached_inside_from_every_table() -> None:
    door = record()["VpcEndpoint:net-s3"].inputs
    assert door["serviceName"] == "com.amazonaws.eu-west-1.s3"
    assert door["vpcEndpointType"] == "Gateway"
    assert door["routeTableIds"] == [
        "net-public-routes-id",
        *(f"net-private-{number}-routes-id" for number in (1, 2, 3)),
    ]


def test_interface_endpoints_let_https_in_from_the_vpc_alone() -> None:
    found = record(endpoints=["ecr.api", "eks-auth"])
    assert found["VpcEndpoint:net-ecr-api"].inputs == {
        "vpcId": "net-id",
        "serviceName": "com.amazonaws.eu-west-1.ecr.api",
        "vpcEndpointType": "Interface",
        "privateDnsEnabled": True,
        "subnetIds": [f"net-private-{number}-id" for number in (1, 2, 3)],
        "securityGroupIds": ["net-endpoints-id"],
        "tags": {"Name": "net-ecr-api"},
    }
    assert found["VpcEndpoint:net-eks-auth"].inputs["serviceName"] == "com.amazonaws.eu-west-1.eks-auth"
    group = found["SecurityGroup:net-endpoints"].inputs
    assert [(rule["fromPort"], rule["toPort"], rule["cidrBlocks"]) for rule in group["ingress"]] == [
        (443, 443, ["10.20.0.0/16"])
    ]
    assert "egress" not in group


@BOTH
def test_interface_endpoints_let_in_every_block_of_the_vpc(preview: bool) -> None:
    found = record(preview, endpoints=["ecr.api"], secondary_cidrs=["100.64.0.0/16", "10.21.0.0/24"])
    [rule] = found["SecurityGroup:net-endpoints"].inputs["ingress"]
    assert rule["cidrBlocks"] == ["10.20.0.0/16", "100.64.0.0/16", "10.21.0.0/24"]


def test_flow_logs_are_kept_for_a_while_by_a_role_that_writes_nothing_else() -> None:
    found = record(flow_log_retention_days=30)
    assert found["LogGroup:net-flow-logs"].inputs["retentionInDays"] == 30
    flow_log = found["FlowLog:net-flow-logs"]
    assert flow_log.inputs["trafficType"] == "ALL"
    assert flow_log.inputs["logDestination"] == flow_log.inputs["iamRoleArn"] == "arn:aws:mock:::net-flow-logs"
    assert "net-flow-logs-policy" in flow_log.depends_on
    writes = document(found["RolePolicy:net-flow-logs-policy"])["Statement"][1]
    assert writes["Resource"] == ["arn:aws:mock:::net-flow-logs", "arn:aws:mock:::net-flow-logs:*"]
    trust = document(found["Role:net-flow-logs"], "assumeRolePolicy")["Statement"][0]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT.id}}


def test_too_few_zones_stop_the_run() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        record(zones={"names": ["us-west-1a", "us-west-1c"]})
    assert str(refused.value) == ("Network: found 2 zones for EKS in the region (us-west-1a, us-west-1c); needs 3")


@pytest.mark.parametrize(
    ("args", "finding"),
    [
        ({"availability_zone_count": 4}, "found 4 availability zones; needs 2 or 3"),
        ({"availability_zone_count": 0, "availability_zones": ["a", "a"]}, "found 1 availability zones; needs 2 or 3"),
        ({"availability_zones": ["a", "b"]}, "needs either availability_zones or availability_zone_count"),
        ({"availability_zone_count": 0}, "needs either availability_zones or availability_zone_count"),
        ({"nat_gateways": 2}, "found 2 NAT gateways; needs 0, 1, one for each of 3 zones, or a regional one"),
        (
            {"nat_gateways": 1, "regional_nat_gateway": True},
            "found 1 NAT gateways beside a regional one; needs 0, 1, one for each of 3 zones, or a regional one",
        ),
        (
            {"vpc_id": "vpc-1"},
            "found vpc_id with cidr, availability_zone_count; an adopted VPC is not changed; leave one out",
        ),
    ],
)
def test_arguments_that_do_not_fit_together_are_refused(args: dict[str, Any], finding: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(**args)
    assert refused.value.findings == (f"Network: {finding}",)


def test_an_endpoint_that_is_no_interface_is_refused_before_anything_is_made() -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(endpoints=["kms", "s3", "dynamodb", "com.amazonaws.eu-west-1.sts"])
    assert refused.value.findings == (
        "Network: endpoints: found s3; needs to be left out: S3's gateway endpoint is always made, and costs nothing",
        "Network: endpoints: found dynamodb; needs to be left out: AWS gives it no private DNS name, so that nothing "
        "would find the endpoint",
        "Network: endpoints: found com.amazonaws.eu-west-1.sts; needs the service's own name, without com.amazonaws "
        "and the region, such as ecr.api",
    )


def test_endpoints_in_china_end_the_run_with_a_sentence() -> None:
    with pytest.raises(pulumi.RunError, match=r"^Network: endpoints: found sts in cn-north-1, whose endpoint names"):
        record(endpoints=["sts"], region="cn-north-1")


def test_a_network_needs_a_block_or_an_id() -> None:
    with pytest.raises(GitOpsStackError) as refused:
        run(lambda opts: Network("net", {"availability_zone_count": 2}, opts))
    assert refused.value.findings == (
        "Network: found neither cidr nor vpc_id; give the block of a VPC to make or one to adopt",
    )


GOOD_VPC = {"id": "vpc-1", "cidrBlock": "10.9.0.0/16", "enableDnsHostnames": True, "enableDnsSupport": True}


def subnet(args: dict[str, Any], **changes: Any) -> dict[str, Any]:
    kind, zone = args["id"].split("-")[1:]
    role = "internal-elb" if kind == "private" else "elb"
    return {
        "id": args["id"],
        "vpcId": "vpc-1",
        "availabilityZone": f"eu-west-1{zone}",
        "availableIpAddressCount": 200,
        "tags": {f"kubernetes.io/role/{role}": "1"},
        **changes,
    }


def adopt(preview: bool = False, vpc: dict[str, Any] = GOOD_VPC, ip_family: str = "ipv4", **changes: Any) -> list[Any]:
    """Adopt a VPC with two subnets of a kind, ``changes`` made to the private one in zone b; return the outputs."""
    outputs: list[Any] = []

    def component(opts: pulumi.ResourceOptions) -> None:
        network = Network(
            "net",
            {
                "vpc_id": "vpc-1",
                "private_subnet_ids": ["subnet-private-a", "subnet-private-b"],
                "public_subnet_ids": ["subnet-public-a", "subnet-public-b"],
                "ip_family": ip_family,
            },
            opts,
        )
        seen = (
            network.vpc_id,
            network.cidr_block,
            network.private_subnet_ids,
            network.public_subnet_ids,
            network.zones,
        )
        pulumi.Output.all(*seen).apply(outputs.extend)

    def answer(args: dict[str, Any]) -> dict[str, Any]:
        return subnet(args, **(changes if args["id"] == "subnet-private-b" else {}))

    assert children(run(component, preview=preview, vpc=vpc, subnet=answer)) == []
    return outputs


@BOTH
def test_an_adopted_network_makes_nothing_and_hands_on_what_it_found(preview: bool) -> None:
    assert adopt(preview) == [
        "vpc-1",
        "10.9.0.0/16",
        ["subnet-private-a", "subnet-private-b"],
        ["subnet-public-a", "subnet-public-b"],
        ["eu-west-1a", "eu-west-1b"],
    ]


@BOTH
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"availabilityZone": "eu-west-1a"}, "found subnets in 1 zones (eu-west-1a); needs at least 2 zones"),
        ({"vpcId": "vpc-2"}, "subnet-private-b belongs to vpc-2; needs a subnet of vpc-1"),
        (
            {"availableIpAddressCount": 5},
            "subnet-private-b has 5 free addresses; a subnet of an EKS cluster needs at least 6",
        ),
        (
            {"tags": {}},
            "subnet-private-b has no tag kubernetes.io/role/internal-elb=1, without which no load balancer finds it; "
            "tag the subnet",
        ),
    ],
)
def test_an_unfit_subnet_stops_the_run(preview: bool, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        adopt(preview, **changes)
    assert str(refused.value) == f"Network: private subnets: {sentence}"


def test_all_faults_of_an_adopted_network_are_told_at_once() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        adopt(vpc={**GOOD_VPC, "enableDnsHostnames": False}, tags={}, availableIpAddressCount=0)
    assert [line.split(" ")[1:3] for line in str(refused.value).splitlines()] == [
        ["vpc-1", "has"],
        ["private", "subnets:"],
        ["private", "subnets:"],
    ]


@BOTH
def test_a_network_without_ipv6_stops_a_cluster_of_ipv6(preview: bool) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        adopt(preview, ip_family="ipv6", ipv6CidrBlock="2600:1f14::/64", assignIpv6AddressOnCreation=True)
    assert [line for line in str(refused.value).splitlines() if "private" in line or "vpc-1" in line] == [
        "Network: vpc-1 has no IPv6 block; a cluster of IP family ipv6 needs one: associate it",
        "Network: private subnets: subnet-private-a has no IPv6 block; a cluster of IP family ipv6 needs one",
    ]


def test_scarce_addresses_warn_and_do_not_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, _resource: said.append(message))
    assert adopt(availableIpAddressCount=20)[0] == "vpc-1"
    assert said == [
        "Network: private subnets: subnet-private-b has 20 free addresses, few for nodes and pods; "
        "64 or more are advised"
    ]


def test_flow_logs_go_to_a_bucket_without_role_and_group() -> None:
    bucket = "arn:aws:s3:::acme-flow-logs/dev/"
    found = record(flow_log_bucket_arn=bucket)
    log = found["FlowLog:net-flow-logs"].inputs
    assert (log["logDestination"], log["logDestinationType"]) == (bucket, "s3")
    assert "iamRoleArn" not in log
    assert not [name for name in found if name.startswith(("LogGroup:", "Role:"))]


@BOTH
def test_extra_subnets_lie_in_further_blocks_and_go_out_as_the_zone_s_nodes_do(preview: bool) -> None:
    found = record(
        preview,
        availability_zone_count=2,
        secondary_cidrs=["100.64.0.0/16"],
        extra_subnets={
            "databases": {"blocks": ["100.64.0.0/24", "100.64.1.0/24"], "isolated": True, "tags": {"use": "rds"}},
            "pods": {"blocks": ["10.20.40.0/24", "10.20.104.0/24"]},
        },
    )
    extra = [
        "VpcIpv4CidrBlockAssociation:net-block-100.64.0.0/16",
        *(f"Subnet:net-{purpose}-{number}" for purpose in ("databases", "pods") for number in (1, 2)),
        *(f"RouteTableAssociation:net-pods-{number}-routes" for number in (1, 2)),
    ]
    assert children(found) == sorted([*BARE, *extra])
    database = found["Subnet:net-databases-2"]
    assert "net-block-100.64.0.0/16" in database.depends_on
    assert database.ignore_changes == ("availabilityZone",)
    assert (database.inputs["cidrBlock"], database.inputs["availabilityZone"]) == ("100.64.1.0/24", "eu-west-1b")
    assert database.inputs["tags"] == {"use": "rds", "Name": "net-databases-2"}
    assert found["RouteTableAssociation:net-pods-2-routes"].inputs["routeTableId"] == "net-private-2-routes-id"
    check_common(found, "net")


def test_extra_subnets_have_a_block_for_each_zone() -> None:
    with pytest.raises(GitOpsStackError, match=r"databases\.blocks: found 1; needs 3: one for each zone"):
        record(extra_subnets={"databases": {"blocks": ["10.20.40.0/24"]}})
