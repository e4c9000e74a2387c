"""Drive the AWS double as the engine does: inputs are checked, then made; every read is compared with the last."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import PropertyValue

from pulumi_aws_double.provider import AwsDouble
from pulumi_aws_double.serving import InputDiffRequest
from pulumi_aws_double.values import Plain, build_values, load_values

ACCOUNT = "111122223333"
REGION = "eu-west-1"
DEFAULT_TAGS = {"gitops-stack:stack": "dev"}
_shared: dict[str, Any] = {}
_numbers = itertools.count(1)


def unique(word: str) -> str:
    """Return a name no other test uses: the account is one for the whole session."""
    return f"{word}-{next(_numbers)}"


def build_trust(service: str) -> str:
    """Return a trust policy for an AWS service."""
    statement = {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": [service]}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Made:
    """A resource of a test."""

    def __init__(self, token: str, name: str, identity: str, inputs: Plain, state: Plain) -> None:
        self.token, self.name, self.identity, self.inputs, self.state = token, name, identity, inputs, state

    def __getitem__(self, key: str) -> Any:
        return self.state[key]


class Driver:
    """One configured provider and what was made with it."""

    def __init__(self, **settings: Any) -> None:
        self.provider = AwsDouble()
        tags = json.dumps({"tags": DEFAULT_TAGS})
        values = build_values({"region": REGION, "defaultTags": tags, **settings})
        asyncio.run(self.provider.configure(protocol.ConfigureRequest({}, values, True, True)))
        self.made: list[Made] = []

    def check(self, token: str, name: str, inputs: Plain, old: Plain | None = None) -> tuple[Plain, list[str]]:
        request = protocol.CheckRequest(_urn(token, name), build_values(old or {}), build_values(inputs), name.encode())
        answer = asyncio.run(self.provider.check(request))
        return load_values(answer.inputs or {}), [failure.reason for failure in answer.failures or []]

    def preview(self, token: str, name: str, inputs: Plain) -> dict[str, PropertyValue]:
        checked, failures = self.check(token, name, inputs)
        assert failures == []
        request = protocol.CreateRequest(_urn(token, name), build_values(checked), 0, preview=True)
        answer = asyncio.run(self.provider.create(request))
        assert not answer.resource_id
        return answer.properties

    def create(self, token: str, name: str, inputs: Plain) -> Made:
        checked, failures = self.check(token, name, inputs)
        assert failures == []
        request = protocol.CreateRequest(_urn(token, name), build_values(checked), 0, preview=False)
        answer = asyncio.run(self.provider.create(request))
        made = Made(token, name, answer.resource_id or "", checked, load_values(answer.properties))
        self.made.append(made)
        return made

    def read(self, made: Made, *, inputs: Plain | None = None) -> tuple[str, Plain, Plain]:
        known = build_values(made.inputs if inputs is None else inputs)
        state = build_values(made.state if inputs is None else {})
        request = protocol.ReadRequest(_urn(made.token, made.name), made.identity, state, known)
        answer = asyncio.run(self.provider.read(request))
        return answer.resource_id or "", load_values(answer.properties), load_values(answer.inputs)

    def diff(self, made: Made, inputs: Plain) -> protocol.DiffResponse:
        checked, failures = self.check(made.token, made.name, inputs, made.inputs)
        assert failures == []
        request = InputDiffRequest(
            _urn(made.token, made.name), made.identity, build_values(made.state), build_values(checked), []
        )
        request.old_inputs = build_values(made.inputs)
        return asyncio.run(self.provider.diff(request))

    def update(self, made: Made, inputs: Plain, *, preview: bool = False) -> Plain:
        checked, failures = self.check(made.token, made.name, inputs, made.inputs)
        assert failures == []
        request = protocol.UpdateRequest(
            _urn(made.token, made.name), made.identity, build_values(made.state), build_values(checked), 0, [], preview
        )
        state = load_values(asyncio.run(self.provider.update(request)).properties)
        if not preview:
            made.inputs, made.state = checked, state
        return state

    def delete(self, made: Made) -> None:
        request = protocol.DeleteRequest(_urn(made.token, made.name), made.identity, build_values(made.state), 0)
        asyncio.run(self.provider.delete(request))

    def invoke(self, token: str, arguments: Plain) -> Plain:
        answer = asyncio.run(self.provider.invoke(protocol.InvokeRequest(token, build_values(arguments))))
        return load_values(answer.return_value or {})

    def make_network(self, *, zones: str = "abc", **settings: Any) -> tuple[Made, list[Made]]:
        """Make a VPC with one subnet in each of ``zones``."""
        vpc = self.create("aws:ec2/vpc:Vpc", unique("vpc"), {"cidrBlock": "10.0.0.0/16", **settings})
        subnets = [
            self.create(
                "aws:ec2/subnet:Subnet",
                unique("subnet"),
                {
                    "vpcId": vpc.identity,
                    "cidrBlock": f"10.0.{number}.0/24",
                    "availabilityZone": f"{REGION}{zone}",
                },
            )
            for number, zone in enumerate(zones)
        ]
        return vpc, subnets

    def share_network(self) -> tuple[Made, list[Made]]:
        """Return a network of three zones that every test uses and none deletes."""
        if "network" not in _shared:
            _shared["network"] = self.make_network()
        made: tuple[Made, list[Made]] = _shared["network"]
        return made

    def share_role(self, service: str) -> str:
        """Return the ARN of a role of ``service`` that every test uses and none deletes."""
        if service not in _shared:
            _shared[service] = self.make_role(service)["arn"]
        return str(_shared[service])

    def share_cluster(self) -> Made:
        """Return a cluster without anything in it, which no test changes."""
        if "cluster" not in _shared:
            _shared["cluster"] = self.make_cluster()
        made: Made = _shared["cluster"]
        return made

    def make_role(self, service: str) -> Made:
        return self.create("aws:iam/role:Role", unique("role"), {"assumeRolePolicy": build_trust(service)})

    def name_role(self, arn: str) -> str:
        """Make the role of that ARN, unless some test has; returns the ARN."""
        if arn not in _shared:
            inputs = {"name": arn.rpartition("/")[2], "assumeRolePolicy": build_trust("ec2.amazonaws.com")}
            _shared[arn] = self.create("aws:iam/role:Role", unique("role"), inputs)
        return arn

    def make_cluster(self, **settings: Any) -> Made:
        """Make a cluster in three zones that authenticates by access entries."""
        _, subnets = self.share_network()
        inputs = {
            "name": unique("cluster"),
            "roleArn": self.share_role("eks.amazonaws.com"),
            "accessConfig": {"authenticationMode": "API"},
            "version": "1.34",
            "vpcConfig": {"subnetIds": [subnet.identity for subnet in subnets]},
        }
        return self.create("aws:eks/cluster:Cluster", "main", {**inputs, **settings})


def _urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::gitops-stack::{token}::{name}"
