"""AWS's partitions: what a region's ARNs begin with and its hosts end in; tests hold them against botocore's."""

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
_HOME_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
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


def home_region(partition: str) -> str:
    """Name a region of ``partition`` that is enabled in every account."""
    return _HOME_REGIONS[partition]


def has_common_endpoint_names(partition: str) -> bool:
    """Tell whether all its interface endpoints are called `com.amazonaws.REGION.SERVICE`.

    Elsewhere some begin with the DNS suffix turned round, such as `eu.amazonaws`, and others do not, service by service
    (aws-cdk, aws-ec2/lib/vpc-endpoint.ts, the exceptions of `InterfaceVpcEndpointAwsService`).
    """
    return _HOSTS[partition] == "amazonaws.com"
