"""Let one address through a cluster's public endpoint, and take it away again: for runners whose address changes.

EKS changes endpoints one update at a time, and takes minutes for each. Whatever others have opened stays: an address is
added to what is there, and only that one is removed; the last one closes the public endpoint.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_stack.account.session import Account, AwsError
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem

_LIMIT_SECONDS = 1200.0
_INTERVAL_SECONDS = 10.0
_IN_USE = "ResourceInUseException"
_UNCHANGED = "already at the desired configuration"

Report = Callable[[str], None]


@dataclass
class PublicAccess:
    """The public endpoint of cluster ``name``, and ``network``, this machine alone: its address as /32 or /128."""

    account: Account
    name: str
    network: str
    report: Report
    sleep: Callable[[float], None] = time.sleep
    _asked: str | None = field(default=None, init=False)  # the update that was begun; empty: EKS has not named it yet

    def load_networks(self) -> list[str]:
        """Return the networks the public endpoint answers, once no update runs; empty: there is no public endpoint.

        Raises :class:`GitOpsStackError` when there is no cluster, :class:`EnvironmentProblem` when it stays busy.
        """
        for _ in self._attempts():
            found = self.account.find("eks", "describe_cluster", name=self.name)
            if found is None:
                raise GitOpsStackError(
                    Problem(
                        "is not there yet, so nothing was opened or run",
                        f"make it with {self.network} in cluster.endpoint.publicAccessCidrs, or from inside of "
                        "the VPC (docs/aws.md)",
                        f"EKS cluster {self.name}",
                    )
                )
            if found["cluster"].get("status") != "UPDATING":  # until then the networks are those of before
                config = found["cluster"]["resourcesVpcConfig"]
                return list(config.get("publicAccessCidrs") or ()) if config.get("endpointPublicAccess") else []
        raise self._busy()

    def is_open(self) -> bool:
        """Return whether the address is let in, by itself or in a wider network. Raises as :meth:`load_networks`."""
        return any(_covers(network, self.network) for network in self.load_networks())

    def open(self) -> None:
        """Let the address in; nothing is done when it is. Raises :class:`AwsError` when EKS does not follow."""

        def add(networks: list[str]) -> list[str]:
            covered = any(_covers(network, self.network) for network in networks)
            return networks if covered else [*networks, self.network]

        if self._change(add) is not None:
            self.report(f"{self.name}: the public endpoint answers {self.network}")

    def close(self) -> bool:
        """Take the address away, and the public endpoint with the last one; returns whether it was there.

        May follow an :meth:`open` that was interrupted: what EKS was asked for is waited for first.
        """
        rest = self._change(lambda networks: [one for one in networks if not is_same_network(one, self.network)])
        if rest is None:
            return False
        left = f"answers {', '.join(rest)}" if rest else "is closed"
        self.report(f"{self.name}: the public endpoint {left}")
        return True

    def _change(self, want: Callable[[list[str]], list[str]]) -> list[str] | None:
        """Bring the networks to what ``want`` makes of them; returns them, or None when nothing was to be changed.

        Both are computed anew on every attempt, since EKS replaces the whole list and others change it meanwhile. The
        last attempt only looks: another's update that was computed before may have undone this one.
        """
        self._end_asked()
        changed = False
        for _ in self._attempts():
            networks = self.load_networks()
            wanted = want(networks)
            if wanted == networks:
                return networks if changed else None
            changed = self._update(wanted) or changed
        raise self._busy()

    def _update(self, networks: Sequence[str]) -> bool:
        """Ask for ``networks`` and wait; False while another update runs, or when EKS says that all is so."""
        wanted: dict[str, Any] = {"endpointPublicAccess": bool(networks)}
        if networks:
            wanted["publicAccessCidrs"] = list(networks)
        else:
            wanted["endpointPrivateAccess"] = True  # EKS refuses a cluster that nobody reaches
        self._asked = ""
        try:
            answer = self.account.ask("eks", "update_cluster_config", name=self.name, resourcesVpcConfig=wanted)
        except AwsError as error:
            if error.code:  # without one there was no answer, and the update may have begun
                self._asked = None
            if _UNCHANGED in error.said or error.code == _IN_USE:
                return False
            raise
        self._asked = answer["update"]["id"]
        update = self._wait(answer["update"]["id"])
        self._asked = None
        if update["status"] != "Successful":
            said = "; ".join(str(error.get("errorMessage", "")) for error in update.get("errors") or ())
            raise EnvironmentProblem(
                Problem(f"the endpoint was not changed: {said}", "run again", f"EKS cluster {self.name}")
            )
        return True

    def _end_asked(self) -> None:
        """Wait for an update that was asked for and not waited for: until it ends, the networks do not show it."""
        if self._asked:
            self._wait(self._asked)
        elif self._asked is not None:
            self.sleep(_INTERVAL_SECONDS)  # by then the cluster's status says whether an update runs
        self._asked = None

    def _wait(self, identity: str) -> dict[str, Any]:
        for _ in self._attempts():
            update: dict[str, Any] = self.account.ask("eks", "describe_update", name=self.name, updateId=identity)
            if update["update"]["status"] != "InProgress":
                found: dict[str, Any] = update["update"]
                return found
        raise EnvironmentProblem(
            Problem(
                f"the endpoint was not changed after {_LIMIT_SECONDS:.0f} s",
                f"look at update {identity} with `aws eks describe-update`",
                f"EKS cluster {self.name}",
            )
        )

    def _attempts(self) -> Iterator[None]:
        for number in range(int(_LIMIT_SECONDS / _INTERVAL_SECONDS)):
            if number:
                self.sleep(_INTERVAL_SECONDS)
            yield

    def _busy(self) -> EnvironmentProblem:
        return EnvironmentProblem(
            Problem("is busy with another update", "run again when that is done", f"EKS cluster {self.name}")
        )


def build_network(address: str) -> str:
    """Return the network of one address; raises :class:`GitOpsStackError` for one that the endpoint cannot see."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        raise GitOpsStackError(
            Problem(f"found {address}", "needs this machine's public address", "--address")
        ) from None
    return f"{found}/{found.max_prefixlen}"


def is_same_network(one: str, other: str) -> bool:
    """Return whether two networks are the same, however they are written."""
    return ipaddress.ip_network(one) == ipaddress.ip_network(other)


def _covers(network: str, other: str) -> bool:
    one, two = ipaddress.ip_network(network), ipaddress.ip_network(other)
    return one.version == two.version and two.subnet_of(one)  # type: ignore[arg-type]  # of the same version
