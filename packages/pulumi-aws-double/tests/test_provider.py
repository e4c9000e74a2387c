"""The provider's own rules: configuration, what it does not know, secrets, and its face to the engine."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from driver import ACCOUNT, REGION, Driver, build_trust, unique
from pulumi_aws_double.errors import DoubleError, EnvironmentProblem
from pulumi_aws_double.executables import write_executables
from pulumi_aws_double.provider import AwsDouble
from pulumi_aws_double.values import UNKNOWN, Plain, build_values, load_values

BUCKET = "aws:s3/bucket:Bucket"


@pytest.mark.usefixtures("account")
def test_an_account_the_stack_does_not_allow_is_refused() -> None:
    assert Driver(allowedAccountIds=json.dumps([ACCOUNT])).provider
    with pytest.raises(DoubleError) as refused:
        Driver(allowedAccountIds='["210987654321"]')
    assert str(refused.value) == f"AWS account ID not allowed: {ACCOUNT}; allowed: 210987654321"
    with pytest.raises(DoubleError, match="it is forbidden"):
        Driver(forbiddenAccountIds=json.dumps([ACCOUNT]))


@pytest.mark.usefixtures("account")
def test_an_endpoint_that_is_not_on_loopback_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://ec2.eu-west-1.amazonaws.com")
    with pytest.raises(EnvironmentProblem, match="is not on loopback; the AWS double talks to its own moto only"):
        Driver(allowedAccountIds=json.dumps([ACCOUNT]))


def test_a_region_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DoubleError, match="aws:region: not set"):
        asyncio.run(AwsDouble().configure(protocol.ConfigureRequest({}, {}, True, True)))


def test_an_unknown_setting_is_a_failure_that_names_it() -> None:
    request = protocol.CheckRequest("urn", {}, build_values({"region": REGION, "color": "blue"}), b"")
    failures = asyncio.run(AwsDouble().check_config(request)).failures or []
    assert [(failure.property, failure.reason) for failure in failures] == [
        ("color", "pulumi:providers:aws: the AWS double does not know the setting 'color'")
    ]


def test_unknown_types_properties_functions_and_arguments_are_named(aws: Driver) -> None:
    with pytest.raises(DoubleError, match=f"{BUCKET}: the AWS double does not know this resource type"):
        aws.check(BUCKET, "b", {})
    _, failures = aws.check("aws:ec2/vpc:Vpc", "v", {"cidrBlock": "10.0.0.0/16", "colour": "blue"})
    assert failures == ["aws:ec2/vpc:Vpc: the AWS double does not know the property 'colour'"]
    _, failures = aws.check("aws:ec2/subnet:Subnet", "s", {})
    assert failures == ["aws:ec2/subnet:Subnet: the property 'vpcId' is required"]
    with pytest.raises(DoubleError, match="aws:ec2/getAmi:getAmi: the AWS double does not know this function"):
        aws.invoke("aws:ec2/getAmi:getAmi", {})
    with pytest.raises(DoubleError, match="aws:ec2/getVpc:getVpc: the AWS double does not know the argument 'x'"):
        aws.invoke("aws:ec2/getVpc:getVpc", {"x": 1})


@pytest.mark.parametrize(
    ("token", "inputs", "reason"),
    [
        ("aws:iam/role:Role", {"assumeRolePolicy": "{"}, "contains an invalid JSON policy"),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 31}, "expected retention_in_days to be one of"),
        ("aws:kms/alias:Alias", {"name": "x", "targetKeyId": "k"}, "name must begin with 'alias/'"),
        ("aws:ec2/natGateway:NatGateway", {}, "subnet_id is required when availability_mode is zonal"),
        ("aws:ec2/natGateway:NatGateway", {"availabilityMode": "regional"}, "vpc_id is required when"),
        ("aws:ec2/route:Route", {"routeTableId": "r", "destinationCidrBlock": "0.0.0.0/0"}, "one of gatewayId"),
        ("aws:secretsmanager/secretVersion:SecretVersion", {"secretId": "s"}, "one of secret_binary, secret_string"),
        ("aws:eks/accessEntry:AccessEntry", {"clusterName": "c", "principalArn": "p", "type": "X"}, "expected type"),
        (
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
            {"url": "http://x", "clientIdLists": ["a"]},
            'with schema of: "https"',
        ),
        (
            "aws:ecr/repository:Repository",
            {"imageTagMutabilityExclusionFilters": [{"filter": "a", "filterType": "WILDCARD"}]},
            "needs a mutability that ends in _WITH_EXCLUSION",
        ),
    ],
)
def test_what_upstream_refuses_before_aws_is_a_failure_of_check(
    token: str, inputs: Plain, reason: str, aws: Driver
) -> None:
    _, failures = aws.check(token, "x", inputs)
    assert len(failures) == 1
    assert reason in failures[0]


def test_a_logical_name_without_room_for_digits_is_refused(aws: Driver) -> None:
    with pytest.raises(DoubleError, match=r"^name: 'r{60}-' plus 7 random digits is longer than 64 characters"):
        aws.check("aws:iam/role:Role", "r" * 60, {"assumeRolePolicy": build_trust("ec2.amazonaws.com")})


def test_a_preview_keeps_what_is_known_and_says_what_is_not(aws: Driver) -> None:
    found = aws.preview("aws:ec2/subnet:Subnet", "s", {"vpcId": UNKNOWN, "cidrBlock": "10.0.0.0/24"})
    assert found["cidrBlock"].value == "10.0.0.0/24"
    assert found["vpcId"].value == rpc.UNKNOWN
    assert found["availabilityZone"].value == rpc.UNKNOWN
    config = {"subnetIds": ["subnet-1"]}
    cluster = aws.preview("aws:eks/cluster:Cluster", "c", {"roleArn": "r", "vpcConfig": config})["vpcConfig"].value
    assert isinstance(cluster, Mapping)
    assert cluster["clusterSecurityGroupId"].value == rpc.UNKNOWN


def test_secrets_stay_secret(aws: Driver) -> None:
    secret = aws.create("aws:secretsmanager/secret:Secret", unique("token"), {"recoveryWindowInDays": 0})
    token = "aws:secretsmanager/secretVersion:SecretVersion"
    urn = f"urn:pulumi:dev::p::{token}::v"
    properties = build_values({"secretId": secret.identity, "secretString": "hunter2"})
    made = asyncio.run(aws.provider.create(protocol.CreateRequest(urn, properties, 0, preview=False)))
    assert {name for name, value in made.properties.items() if value.is_secret} == {"secretString"}

    urn = "urn:pulumi:dev::p::aws:iam/role:Role::r"
    trust = PropertyValue(build_trust("ec2.amazonaws.com"), is_secret=True)
    properties = {"name": PropertyValue(unique("secret")), "assumeRolePolicy": trust}
    role = asyncio.run(aws.provider.create(protocol.CreateRequest(urn, properties, 0, preview=False)))
    assert role.properties["assumeRolePolicy"].is_secret
    read = protocol.ReadRequest(urn, role.resource_id or "", role.properties, properties)
    refreshed = asyncio.run(aws.provider.read(read))
    assert refreshed.properties["assumeRolePolicy"].is_secret
    assert refreshed.inputs["assumeRolePolicy"].is_secret

    request = protocol.InvokeRequest(
        "aws:secretsmanager/getSecretVersion:getSecretVersion", build_values({"secretId": secret.identity})
    )
    answer = asyncio.run(aws.provider.invoke(request)).return_value or {}
    assert answer["secretString"] == PropertyValue("hunter2", is_secret=True)


def test_a_resource_may_be_in_another_region(aws: Driver) -> None:
    away = aws.create("aws:ecr/repository:Repository", unique("away"), {"region": "us-east-1"})
    assert away["arn"].split(":")[3] == "us-east-1"
    home = aws.create("aws:ecr/repository:Repository", away["name"], {"name": away["name"]})
    assert home["region"] == REGION
    assert aws.diff(home, {"name": away["name"], "region": "us-east-1"}).replaces == ["region"]


def test_deleting_what_is_gone_is_no_error(aws: Driver) -> None:
    role = aws.make_role("ec2.amazonaws.com")
    aws.delete(role)
    aws.delete(role)
    assert aws.read(role)[0] == ""


def _call(stub: Any, method: str, request: Any) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        getattr(stub, method)(request)
    return str(refused.value.details())


@pytest.mark.usefixtures("account")
def test_the_plugin_serves_the_engine_and_refuses_in_one_sentence(tmp_path: Path) -> None:
    plugin = write_executables(tmp_path) / "pulumi-resource-aws"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([str(plugin), "127.0.0.1:1"], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            arguments = PropertyValue.marshal_map(build_values({"region": REGION}))
            assert stub.Configure(provider_pb2.ConfigureRequest(args=arguments)).supportsPreview
            urn = "urn:pulumi:dev::p::aws:iam/role:Role::r"
            inputs = {"name": unique("role"), "assumeRolePolicy": '{"Version": "2012-10-17", "Statement": []}'}
            request = provider_pb2.CreateRequest(urn=urn, properties=PropertyValue.marshal_map(build_values(inputs)))
            assert _call(stub, "Create", request) == (
                "operation error IAM: CreateRole, api error MalformedPolicyDocument: Syntax errors in policy."
            )
            unknown = provider_pb2.CheckRequest(urn=f"urn:pulumi:dev::p::{BUCKET}::b")
            assert _call(stub, "Check", unknown) == f"{BUCKET}: the AWS double does not know this resource type"
            inputs["assumeRolePolicy"] = build_trust("ec2.amazonaws.com")
            old = PropertyValue.marshal_map(build_values({**inputs, "path": "/acme/"}))
            new = PropertyValue.marshal_map(build_values(inputs))
            compared = provider_pb2.DiffRequest(urn=urn, id="r", olds=old, old_inputs=new, news=new)
            assert stub.Diff(compared).changes == provider_pb2.DiffResponse.DIFF_NONE, "inputs of then, not the state"
            schema = json.loads(stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
            assert "aws:ec2/vpc:Vpc" in schema["resources"]
    finally:
        process.terminate()
        process.communicate()


def test_values_survive_the_way_to_the_engine_and_back() -> None:
    plain = {"a": 1, "b": 1.5, "c": True, "d": ["x", {"e": UNKNOWN}], "f": {"g": "h"}}
    assert load_values(build_values(plain)) == plain
