"""Let one address through a cluster's public endpoint, and take it away again: for runners whose address changes.

EKS changes endpoints one update at a time, and takes minutes for each. Whatever others have opened stays: an address is
added to what is there, and only that one is removed; the last one closes the public endpoint.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack.account.session import Account, AwsError
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError

_LIMIT_SECONDS = 1200.0
_INTERVAL_SECONDS = 10.0
_IN_USE = "ResourceInUseException"
_UNCHANGED = "already at the desired configuration"

Report = Callable[[str], None]


@dataclass(frozen=True)
class PublicAccess:
    """The public endpoint of cluster ``name``, and ``network``, this machine alone: its address as /32 or /128."""

    account: Account
    name: str
    network: str
    report: Report
    sleep: Callable[[float], None] = time.sleep

    def open(self) -> bool:
        """Let the address in; returns whether it was not let in before.

        Raises :class:`GitOpsStackError` when there is no cluster, :class:`AwsError` when EKS does not follow.
        """
        found = self._load()
        networks = _networks(found)
        if any(_covers(network, self.network) for network in networks):
            return False
        self._change([*networks, self.network])
        self.report(f"{self.name}: the public endpoint answers {self.network}")
        return True

    def close(self) -> None:
        """Take the address away, and the public endpoint with the last one. Nothing is done when it is not there."""
        networks = _networks(self._load())
        if self.network not in networks:
            return
        rest = [network for network in networks if network != self.network]
        self._change(rest)
        left = f"answers {', '.join(rest)}" if rest else "is closed"
        self.report(f"{self.name}: the public endpoint {left}")

    def _load(self) -> dict[str, Any]:
        found = self.account.find("eks", "describe_cluster", name=self.name)
        if found is None:
            raise GitOpsStackError(
                f"EKS cluster {self.name}: is not there yet, so nothing can be opened; make it with this machine's "
                "address in cluster.endpoint.publicAccessCidrs, or from inside of the VPC (docs/aws.md)"
            )
        network: dict[str, Any] = found["cluster"]["resourcesVpcConfig"]
        return network

    def _change(self, networks: Sequence[str]) -> None:
        wanted: dict[str, Any] = {"endpointPublicAccess": bool(networks)}
        if networks:
            wanted["publicAccessCidrs"] = list(networks)
        else:
            wanted["endpointPrivateAccess"] = True  # EKS refuses a cluster that nobody reaches
        update = self._patiently(
            lambda: self.account.ask("eks", "update_cluster_config", name=self.name, resourcesVpcConfig=wanted)
        )
        if update is None:
            return
        self._wait(update["update"]["id"])

    def _patiently(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """Ask again while another update runs; None when all is as it is wanted."""
        for _ in range(int(_LIMIT_SECONDS / _INTERVAL_SECONDS)):
            try:
                return ask()
            except AwsError as error:
                if _UNCHANGED in str(error):
                    return None
                if error.code != _IN_USE:
                    raise
            self.sleep(_INTERVAL_SECONDS)
        raise EnvironmentProblem(f"EKS cluster {self.name}: is busy with another update; run again when it is through")

    def _wait(self, identity: str) -> None:
        for _ in range(int(_LIMIT_SECONDS / _INTERVAL_SECONDS)):
            update = self.account.ask("eks", "describe_update", name=self.name, updateId=identity)["update"]
            if update["status"] == "Successful":
                return
            if update["status"] in ("Failed", "Cancelled"):
                said = "; ".join(str(error.get("errorMessage", "")) for error in update.get("errors") or ())
                raise EnvironmentProblem(f"EKS cluster {self.name}: the endpoint was not changed: {said}; run again")
            self.sleep(_INTERVAL_SECONDS)
        raise EnvironmentProblem(
            f"EKS cluster {self.name}: the endpoint is not changed after {_LIMIT_SECONDS:.0f} s; look at update "
            f"{identity} with `aws eks describe-update`"
        )


def build_network(address: str) -> str:
    """Return the network of one address; raises :class:`GitOpsStackError` for one that the endpoint cannot see."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        raise GitOpsStackError(f"--address: found {address}; needs the address this machine is seen under") from None
    return f"{found}/{found.max_prefixlen}"


def _networks(found: dict[str, Any]) -> list[str]:
    return list(found.get("publicAccessCidrs") or ()) if found.get("endpointPublicAccess") else []


def _covers(network: str, other: str) -> bool:
    one, two = ipaddress.ip_network(network), ipaddress.ip_network(other)
    return one.version == two.version and two.subnet_of(one)  # type: ignore[arg-type]  # of the same version
