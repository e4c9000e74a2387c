"""The AWS account a stack is made in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.settings.types import AccountId, ManagedPolicyArn, SettingError, Settings, following, matching

TagKey = Annotated[
    str,
    matching(
        r"(?i:(?!aws:)(?!gitops-stack:))[\w .:/=+@-]{1,128}",
        "a tag key of 1 to 128 characters that does not begin with aws: or gitops-stack:",
        any_script=True,
    ),
]
TagValue = Annotated[
    str, matching(r"[\w .:/=+@-]{0,256}", "a tag value: at most 256 letters, digits and _ .:/=+@-", any_script=True)
]


def _check_base_path(value: str) -> str | None:
    if value.startswith(f"/{PULUMI_PROJECT}/"):
        return "needs another path: there are the roles of `account init`, which no stack may reach"
    return None


# IAM takes 512 characters; EKS no ARN of a role over 255, of which a name takes 64 and what is before the path 31.
RolePath = Annotated[
    str,
    matching(r"(?=.{1,150}\Z)/([\w+=,.@-]+/)*", "a path of IAM, such as /platform/, of 150 characters at most"),
    following(_check_base_path),
]


# A resource takes 50 (AWS tagging reference); four are the library's. A volume gets the most beside them, eight of the
# EBS CSI driver (aws-ebs-csi-driver#180, with a cluster's id); a node has five of EKS, for its group and cluster.
MOST_TAGS = 38
MOST_TAGS_OF_ALL = 50
OWN_TAGS = 4


class AccountSettings(Settings):
    """Which account the stack belongs to; no other one is ever touched."""

    id: AccountId = Field(description="Its 12 digits, quoted; credentials of another account are refused.")
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict,
        max_length=MOST_TAGS,
        description="Added to every AWS resource's tags.",
    )
    permissions_boundary_arn: ManagedPolicyArn | None = Field(
        None, description="IAM policy that bounds every role the stack makes; `account init` makes one."
    )
    role_path: RolePath | None = Field(
        None, description="IAM path of every role the stack makes, such as /platform/; roles that are there stay."
    )

    @model_validator(mode="after")
    def _one_case(self) -> AccountSettings:
        folded: dict[str, str] = {}
        for key in self.tags:
            if (other := folded.setdefault(key.casefold(), key)) != key:
                needs = f"needs a key that is not {other} in other letters: IAM knows no case in them"
                raise SettingError(f"tags.{key}", self.tags[key], needs)
        return self
