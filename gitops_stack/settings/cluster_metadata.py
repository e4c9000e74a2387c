"""The metadata contract: what a cluster Secret tells ApplicationSets about its cluster, by one dataclass.

Keys have no prefix, so that a template reads them plainly: `{{metadata.annotations.vpcId}}`, or
`{{.metadata.annotations.vpcId}}` with `goTemplate: true`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import ConfigDict, Field, WithJsonSchema
from pydantic.dataclasses import dataclass

from gitops_stack.settings.types import LabelValue, matching

LABELS = ("stack", "region")  # what selectors pick by; all else are annotations, which have no limit on characters
_REGION, _ACCOUNT, _VPC = r"^[a-z]{2,4}(-[a-z]{1,12}){1,3}-\d$", r"^\d{12}$", r"^vpc-"
_ARN = r"^arn:aws[-a-z]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:.+$"
Region = Annotated[
    str, matching(_REGION, "an AWS region such as eu-central-1"), WithJsonSchema({"pattern": _REGION, "type": "string"})
]
AccountId = Annotated[
    str, matching(_ACCOUNT, "the 12 digits of an AWS account"), WithJsonSchema({"pattern": _ACCOUNT, "type": "string"})
]
VpcId = Annotated[
    str, matching(rf"{_VPC}.*", "the id of a VPC: vpc-…"), WithJsonSchema({"pattern": _VPC, "type": "string"})
]
Arn = Annotated[
    str, matching(_ARN, "an ARN: arn:aws:iam::ACCOUNT:role/NAME"), WithJsonSchema({"pattern": _ARN, "type": "string"})
]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ClusterMetadata:
    """What ApplicationSets may read. A field that is None does not belong to this kind of stack and is not written."""

    stack: LabelValue = Field(description="Name of the stack; a label.")
    region: Region | None = Field(default=None, description="AWS region; a label.")
    accountId: AccountId | None = Field(default=None, description="AWS account.")  # noqa: N815 - the key
    clusterName: str | None = Field(default=None, description="Name of the EKS cluster.")  # noqa: N815
    vpcId: VpcId | None = Field(default=None, description="VPC of the EKS cluster.")  # noqa: N815
    ecrHost: str | None = Field(default=None, description="Host of the container registry.")  # noqa: N815
    argocdRoleArn: Arn | None = Field(default=None, description="Hub role of Argo CD.")  # noqa: N815
    externalSecretsRoleArn: Arn | None = Field(default=None, description="Role of external-secrets.")  # noqa: N815
    loadBalancerControllerRoleArn: Arn | None = Field(  # noqa: N815
        default=None, description="Role of the AWS load balancer controller."
    )
    externalDnsRoleArn: Arn | None = Field(default=None, description="Role of external-dns.")  # noqa: N815
    karpenterInstanceProfile: str | None = Field(  # noqa: N815
        default=None, description="Instance profile of Karpenter's machines."
    )
    karpenterQueue: str | None = Field(default=None, description="Queue that tells Karpenter of interruptions.")  # noqa: N815

    def labels(self) -> dict[str, str]:
        """Return the labels of the cluster Secret that carry the contract."""
        return {key: value for key, value in self._written() if key in LABELS}

    def annotations(self) -> dict[str, str]:
        """Return the annotations of the cluster Secret that carry the contract."""
        return {key: value for key, value in self._written() if key not in LABELS}

    def written(self) -> dict[str, str]:
        """Return all keys that have a value."""
        return dict(self._written())

    def _written(self) -> Iterator[tuple[str, str]]:
        yield from ((key, value) for key, value in vars(self).items() if value is not None)
