"""The AWS account a stack is made in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gitops_stack.settings.types import AccountId, SettingError, Settings, matching

TagKey = Annotated[
    str,
    matching(
        r"(?i:(?!aws:)(?!gitops-stack:))[\w .:/=+@-]{1,128}",
        "a tag key of 1 to 128 characters that does not begin with aws: or gitops-stack:",
        any_script=True,
    ),
]
PolicyArn = Annotated[
    str,
    matching(
        r"arn:aws(-[a-z]+)*:iam::(\d{12}|aws):policy/([\x21-\x7e]+/)?[\w+=,.@-]{1,128}",
        "the ARN of an IAM policy: arn:aws:iam::ACCOUNT:policy/NAME",
    ),
]
TagValue = Annotated[
    str, matching(r"[\w .:/=+@-]{0,256}", "a tag value: at most 256 letters, digits and _ .:/=+@-", any_script=True)
]


# A resource takes 50 (AWS tagging reference); four are the library's, one is a name, one an add-on's.
MOST_TAGS = 44


class AccountSettings(Settings):
    """Which account the stack belongs to; no other one is ever touched."""

    id: AccountId = Field(description="Its 12 digits, quoted; credentials of another account are refused.")
    permissions_boundary_arn: PolicyArn | None = Field(
        None, description="Boundary of every IAM role the stack makes; `account init` makes one."
    )
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict,
        max_length=MOST_TAGS,
        description="Added to every AWS resource's tags.",
    )

    @model_validator(mode="after")
    def _one_case(self) -> AccountSettings:
        folded: dict[str, str] = {}
        for key in self.tags:
            if (other := folded.setdefault(key.casefold(), key)) != key:
                needs = f"needs a key that is not {other} in other letters: IAM knows no case in them"
                raise SettingError(f"tags.{key}", self.tags[key], needs)
        return self
