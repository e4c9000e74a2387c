"""Who reaches the API server of a cluster: as EKS's endpoints and the control plane's security groups say."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest

from driver import REGION, Driver, Made
from pulumi_aws_double import endpoint_gate
from pulumi_aws_double.endpoint_gate import is_place, is_reachable
from pulumi_aws_double.session import AwsSession

PUBLIC = {"endpointPublicAccess": True, "publicAccessCidrs": ["203.0.113.0/24"], "endpointPrivateAccess": False}
PRIVATE = {"endpointPublicAccess": False, "endpointPrivateAccess": True}


def answers(cluster: Made, place: str) -> bool:
    """Tell whether this cluster answers at ``place``; the account of the tests has others."""
    network = AwsSession(REGION).store.list("eks_clusters")[f"{REGION}/{cluster.identity}"]["vpcConfig"]
    return endpoint_gate._answers(AwsSession(REGION), network, place)


def make(aws: Driver, **access: object) -> Made:
    _, subnets = aws.share_network()
    return aws.make_cluster(vpcConfig={"subnetIds": [subnet.identity for subnet in subnets], **access})


def test_a_public_endpoint_answers_the_networks_that_are_listed(aws: Driver) -> None:
    cluster = make(aws, **PUBLIC)
    assert answers(cluster, "203.0.113.7")
    assert is_reachable(AwsSession(REGION), "203.0.113.7")
    assert not answers(cluster, "198.51.100.9")
    assert not answers(cluster, "vpc"), "inside, there is no private endpoint"


def test_a_private_endpoint_answers_inside_and_only_whom_a_rule_lets_in(aws: Driver) -> None:
    cluster = make(aws, **PRIVATE)
    group = cluster["vpcConfig"]["clusterSecurityGroupId"]
    assert not answers(cluster, "vpc"), "the control plane's group admits nobody"
    rule = {"securityGroupId": group, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
    other = {**rule, "cidrIpv4": "10.99.0.0/16"}
    aws.create("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "other", other)
    assert not answers(cluster, "vpc")
    assert answers(cluster, "10.99.0.7"), "a network that is connected"
    made = aws.create(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "vpc", {**rule, "cidrIpv4": "10.0.0.0/8"}
    )
    assert answers(cluster, "vpc")
    assert not answers(cluster, "203.0.113.7"), "nobody outside, whatever the rules say"
    aws.delete(made)
    assert not answers(cluster, "vpc")


@pytest.mark.parametrize("place", ["203.0.113.7", "2001:db8::7", "vpc"])
def test_a_place_is_an_address_or_inside_of_the_vpc(place: str) -> None:
    assert is_place(place)


@pytest.mark.parametrize("place", ["office", "203.0.113.0/24"])
def test_anything_else_is_no_place(place: str) -> None:
    assert not is_place(place)


@pytest.mark.parametrize("is_open", [True, False])
def test_the_gate_forwards_or_gives_no_answer(is_open: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_gate, "is_reachable", lambda _aws, place: is_open and place == "vpc")

    async def end(writer: asyncio.StreamWriter) -> None:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read(5)).upper())
        await writer.drain()
        await end(writer)

    async def run() -> bytes:
        behind = await asyncio.start_server(echo, "127.0.0.1", 0)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        gate = endpoint_gate._Gate(AwsSession(REGION), "vpc", behind.sockets[0].getsockname()[1])
        serving = asyncio.create_task(gate.serve(port))
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except ConnectionRefusedError:  # it has not begun to listen
                await asyncio.sleep(0)
        try:
            writer.write(b"hello")
            await writer.drain()
            return await reader.read(5)
        except ConnectionResetError:
            return b""
        finally:
            await end(writer)
            serving.cancel()
            behind.close()
            await asyncio.gather(serving, return_exceptions=True)

    assert asyncio.run(run()) == (b"HELLO" if is_open else b"")
