"""AWS's partitions: what a region's ARNs begin with and its hosts end in; a test holds them against botocore's."""

from __future__ import annotations

_HOSTS = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-us-gov": "amazonaws.com",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
_REGIONS = {
    "cn": "aws-cn",
    "us-gov": "aws-us-gov",
    "eusc": "aws-eusc",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "eu-isoe": "aws-iso-e",
    "us-isof": "aws-iso-f",
}


def find_partition(region: str) -> str:
    """Name the partition of ``region``: the commercial `aws`, unless the region's name says otherwise."""
    return next((partition for prefix, partition in _REGIONS.items() if region.startswith(f"{prefix}-")), "aws")


def dns_suffix(partition: str) -> str:
    """Return what the hosts of services in ``partition`` end in."""
    return _HOSTS[partition]
