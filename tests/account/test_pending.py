"""What is pending in a state, under which ids it is imported, and the state that comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.account.pending import PendingCreate, build_object_id, build_state, derive_id, load_pending

ACCOUNT = "123456789012"
URN = "urn:pulumi:dev::gitops-stack::aws:ec2/vpc:Vpc::network"


def resource(kind: str, name: str = "thing", **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:dev::gitops-stack::{kind}::{name}", "custom": True, "type": kind, **more}


def pending_create(kind: str, **inputs: Any) -> PendingCreate:
    found = resource(kind, inputs=inputs)
    return PendingCreate(found["urn"], kind, inputs, found)


def state_of(*resources: dict[str, Any], **operations: dict[str, Any]) -> dict[str, Any]:
    pending = [{"type": kind, "resource": found} for kind, found in operations.items()]
    return {"version": 3, "deployment": {"resources": list(resources), "pending_operations": pending}}


@pytest.mark.parametrize(
    "state", [{}, {"version": 3}, {"deployment": {}}, {"deployment": {"pending_operations": None}}]
)
def test_a_state_without_operations_has_nothing_pending(state: dict[str, Any]) -> None:
    assert not load_pending(state)


def test_creates_keep_the_inputs_the_provider_got() -> None:
    vpc = resource("aws:ec2/vpc:Vpc", inputs={"cidrBlock": "10.0.0.0/16"})
    (create,) = load_pending(state_of(creating=vpc)).creates
    assert (create.urn, create.type, create.inputs) == (vpc["urn"], "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})


@pytest.mark.parametrize("operation", ["updating", "deleting"])
def test_interrupted_changes_are_read_again(operation: str) -> None:
    role = resource("aws:iam/role:Role", id="platform", outputs={"arn": "arn:aws:iam::1:role/platform"})
    pending = load_pending(state_of(role, **{operation: role}))
    assert (pending.creates, pending.touched) == ((), (role["urn"],))


def test_what_a_killed_recovery_put_in_is_read_again() -> None:
    unread = resource("aws:ec2/vpc:Vpc", id="vpc-1")
    whole = resource("aws:ec2/subnet:Subnet", id="subnet-1", outputs={"arn": "arn"})
    assert load_pending(state_of(unread, whole)).touched == (unread["urn"],)


@pytest.mark.parametrize(
    ("metadata", "wanted"),
    [
        ({"namespace": "argocd", "name": "argocd-cm"}, "argocd/argocd-cm"),
        ({"name": "argocd-server"}, "argocd-server"),
        ({}, None),
    ],
)
def test_an_object_of_kubernetes_is_known_by_namespace_and_name(metadata: dict[str, str], wanted: str | None) -> None:
    create = pending_create("kubernetes:core/v1:ConfigMap", metadata=metadata)
    assert create.in_cluster
    assert build_object_id(create) == wanted


@pytest.mark.parametrize(
    "kind", ["aws:ecr/repositoryPolicy:RepositoryPolicy", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"]
)
def test_what_a_second_create_completes_is_known_as_such_and_its_note_is_cleared(kind: str) -> None:
    pending = load_pending(state_of(creating=resource(kind)))
    assert [create.completes for create in pending.creates] == [True]
    assert pending


CLUSTER = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/platform"
# Type, inputs, id: the examples of pulumi-aws 7.51 for `pulumi import`, with our names.
IMPORTS: tuple[tuple[str, dict[str, Any], str | None], ...] = (
    ("aws:eks/cluster:Cluster", {"name": "acme"}, "acme"),
    ("aws:cloudwatch/logGroup:LogGroup", {"name": "/aws/eks/acme/cluster"}, "/aws/eks/acme/cluster"),
    ("aws:ecr/repository:Repository", {"name": "guestbook"}, "guestbook"),
    ("aws:ecr/pullThroughCacheRule:PullThroughCacheRule", {"ecrRepositoryPrefix": "quay"}, "quay"),
    ("aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", {"prefix": "quay"}, "quay"),
    ("aws:eks/accessEntry:AccessEntry", {"clusterName": "acme", "principalArn": ROLE}, f"acme:{ROLE}"),
    (
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        {"clusterName": "acme", "principalArn": ROLE, "policyArn": CLUSTER},
        f"acme#{ROLE}#{CLUSTER}",
    ),
    ("aws:eks/addon:Addon", {"clusterName": "acme", "addonName": "coredns"}, "acme:coredns"),
    ("aws:eks/nodeGroup:NodeGroup", {"clusterName": "acme", "nodeGroupName": "general-1"}, "acme:general-1"),
    ("aws:kms/alias:Alias", {"name": "alias/acme"}, "alias/acme"),
    ("aws:iam/role:Role", {"name": "nodes-1a2b3c4"}, "nodes-1a2b3c4"),
    ("aws:iam/instanceProfile:InstanceProfile", {"name": "nodes"}, "nodes"),
    ("aws:iam/rolePolicy:RolePolicy", {"role": "nodes", "name": "pull"}, "nodes:pull"),
    ("aws:iam/policy:Policy", {"name": "pull"}, f"arn:aws:iam::{ACCOUNT}:policy/pull"),
    ("aws:iam/policy:Policy", {"name": "pull", "path": "/acme/"}, f"arn:aws:iam::{ACCOUNT}:policy/acme/pull"),
    (
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        {"url": "https://token.actions.githubusercontent.com"},
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    ),
    (
        "aws:ec2/route:Route",
        {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"},
        "rtb-1_0.0.0.0/0",
    ),
    (
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        {"subnetId": "subnet-1", "routeTableId": "rtb-1"},
        "subnet-1/rtb-1",
    ),
    (
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {
            "securityGroupId": "sg-1",
            "type": "ingress",
            "protocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "sourceSecurityGroupId": "sg-2",
        },
        "sg-1_ingress_tcp_443_443_sg-2",
    ),
    (
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {"securityGroupId": "sg-1", "type": "egress", "protocol": "-1", "fromPort": 0, "toPort": 0, "self": True},
        "sg-1_egress_all_0_0_self",
    ),
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, None),
    ("aws:eks/nodeGroup:NodeGroup", {"clusterName": "acme"}, None),
)


@pytest.mark.parametrize(("kind", "inputs", "identity"), IMPORTS)
def test_ids_are_those_of_an_import(kind: str, inputs: dict[str, Any], identity: str | None) -> None:
    assert derive_id(pending_create(kind, **inputs), ACCOUNT, "aws") == identity


def test_ids_are_of_the_partition() -> None:
    create = pending_create("aws:iam/policy:Policy", name="pull")
    assert derive_id(create, ACCOUNT, "aws-cn") == f"arn:aws-cn:iam::{ACCOUNT}:policy/pull"


def test_an_import_becomes_a_resource_with_its_id_and_nothing_stays_pending() -> None:
    vpc = resource("aws:ec2/vpc:Vpc", inputs={"cidrBlock": "10.0.0.0/16"}, parent="urn:parent")
    role = resource("aws:iam/role:Role", id="platform", outputs={"arn": "arn"})
    state = state_of(role, creating=vpc)
    made = build_state(state, [(create, "vpc-1") for create in load_pending(state).creates])
    assert made == {"version": 3, "deployment": {"resources": [role, {**vpc, "id": "vpc-1"}]}}
    assert state["deployment"]["pending_operations"], "the state that was read is not changed"
