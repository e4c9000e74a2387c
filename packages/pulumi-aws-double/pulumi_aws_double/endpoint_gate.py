"""The endpoint of the account's cluster: a port that answers only where EKS's endpoint would.

A program runs at a place: an address of the internet, or one inside of the VPC. The public endpoint answers the
addresses of `publicAccessCidrs`; the private one answers inside of the VPC and of networks connected with it, and only
what a rule of the control plane's security groups lets in (EKS user guide, "Cluster API server endpoint"). Anybody else
gets no connection. ``python -m pulumi_aws_double.endpoint_gate PORT TARGET REGION PLACE`` is the process; what it
forwards is encrypted from end to end.
"""

from __future__ import annotations

import asyncio
import ipaddress
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from pulumi_aws_double.resources.ec2 import find_one
from pulumi_aws_double.resources.kinds import CLUSTERS
from pulumi_aws_double.servers import LOOPBACK, PYTHON_PATH, Server
from pulumi_aws_double.session import AwsSession

NAME: Final = "eks-endpoint"
VPC: Final = "vpc"
_PORT = 443
_REMEMBERED_SECONDS = 0.5
_CHUNK = 1 << 16
_HOST_IN_VPC = 10  # of the VPC's block: a runner in its first subnet
# Addresses of documents stand for addresses of the internet (RFC 5737, 3849); Python calls them private too.
_DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")


def is_place(place: str) -> bool:
    """Tell whether ``place`` is an address, or `vpc`."""
    try:
        return place == VPC or bool(ipaddress.ip_address(place))
    except ValueError:
        return False


def build_gate(port: int, target: int, region: str, place: str, environment: Mapping[str, str]) -> Server:
    """Return the process that lets ``place`` through to ``target``, a port of loopback, as the cluster would."""
    module = ("-m", "pulumi_aws_double.endpoint_gate", str(port), str(target), region, place)
    own = {**environment, "PYTHONPATH": PYTHON_PATH}
    return Server(NAME, (sys.executable, *module), own, port)


def is_reachable(aws: AwsSession, place: str) -> bool:
    """Tell whether a cluster of the account has an endpoint that answers at ``place``."""
    return any(
        _answers(aws, cluster["vpcConfig"], place)
        for key, cluster in aws.store.list(CLUSTERS).items()
        if key.startswith(f"{aws.region}/")
    )


def _answers(aws: AwsSession, network: Mapping[str, Any], place: str) -> bool:
    address = ipaddress.ip_address(_find_address(aws, network, place))
    if not _is_inside(address):
        return bool(network.get("endpointPublicAccess")) and _is_in(address, network.get("publicAccessCidrs") or ())
    if not network.get("endpointPrivateAccess"):
        return False
    groups = [*network.get("securityGroupIds", []), network["clusterSecurityGroupId"]]
    return any(_lets_in(aws, group, address) for group in groups)


def _is_inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_private and not _is_in(address, _DOCUMENTATION)


def _find_address(aws: AwsSession, network: Mapping[str, Any], place: str) -> str:
    if place != VPC:
        return place
    vpc = find_one(aws, "DescribeVpcs", "Vpcs", VpcIds=[network["vpcId"]])
    block = ipaddress.ip_network(vpc["CidrBlock"] if vpc else "10.0.0.0/8")
    return str(block[_HOST_IN_VPC])


def _lets_in(aws: AwsSession, group: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    found = find_one(aws, "DescribeSecurityGroups", "SecurityGroups", GroupIds=[group]) or {}
    for rule in found.get("IpPermissions", ()):
        covers = rule["IpProtocol"] == "-1" or (
            rule["IpProtocol"] == "tcp" and rule["FromPort"] <= _PORT <= rule["ToPort"]
        )
        networks = [one["CidrIp"] for one in rule.get("IpRanges", ())]
        networks += [one["CidrIpv6"] for one in rule.get("Ipv6Ranges", ())]
        if covers and _is_in(address, networks):
            return True
    return False


def _is_in(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Any) -> bool:  # noqa: ANN401 - JSON
    return any(address in ipaddress.ip_network(network) for network in networks)


class _Gate:
    def __init__(self, aws: AwsSession, place: str, target: int) -> None:
        self._aws, self._place, self._target = aws, place, target
        self._known = (float("-inf"), False)

    async def serve(self, port: int) -> None:
        server = await asyncio.start_server(self._forward, LOOPBACK, port)
        async with server:
            await server.serve_forever()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await asyncio.to_thread(self._is_open):
            writer.transport.abort()
            return
        try:
            behind, before = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pipe(reader, before), _pipe(behind, writer), return_exceptions=True)

    def _is_open(self) -> bool:
        at, known = self._known
        if time.monotonic() - at > _REMEMBERED_SECONDS:
            known = is_reachable(self._aws, self._place)
            self._known = (time.monotonic(), known)
        return known


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def main(arguments: list[str]) -> None:
    """Serve until the process ends."""
    port, target, region, place = arguments
    asyncio.run(_Gate(AwsSession(region), place, int(target)).serve(int(port)))


if __name__ == "__main__":
    main(sys.argv[1:])
