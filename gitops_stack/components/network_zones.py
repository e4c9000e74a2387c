"""The zones of a network: as named, or the first so many of the region."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from gitops_stack import conventions


def find_zones(
    named: Sequence[pulumi.Input[str]] | None, count: int, parent: pulumi.Resource
) -> list[pulumi.Output[str]]:
    """Return the ``named`` zones, or the first ``count`` by name that every account has and EKS can use."""
    if named:
        return [pulumi.Output.from_input(zone) for zone in named]
    found = aws.get_availability_zones_output(
        state="available",
        filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],  # no local or wavelength zones
        exclude_zone_ids=list(conventions.ZONES_WITHOUT_EKS),
        opts=pulumi.InvokeOptions(parent=parent),
    )
    zones: pulumi.Output[list[str]] = found.names.apply(lambda names: _first(names, count))
    return [zones[place] for place in range(count)]


def _first(names: Sequence[str], count: int) -> list[str]:
    if len(names) < count:
        raise pulumi.RunError(
            f"Network: found {len(names)} zones for EKS in the region ({', '.join(sorted(names))}); needs {count}"
        )
    return sorted(names)[:count]
