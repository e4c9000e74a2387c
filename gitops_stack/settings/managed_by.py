"""The hub of a cluster: an Argo CD elsewhere that deploys to it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gitops_stack.settings.types import RoleArn, Settings, matching

StackReferenceName = Annotated[
    str,
    matching(r"[\w.-]{1,100}(/[\w.-]{1,100}/[\w.-]{1,100})?", "a stack of this project, or ORGANIZATION/PROJECT/STACK"),
]


_ORGANIZATION = "organization"  # the one that self-managed backends have


def shorten_stack(reference: str, pulumi_project: str) -> str:
    """Return the name alone of a stack of ``pulumi_project`` that is written whole; any other as it is."""
    return reference.removeprefix(f"{_ORGANIZATION}/{pulumi_project}/")


class ManagedBySettings(Settings):
    """The Argo CD of another cluster that deploys to this one: a role it may take, with an access entry."""

    stack: StackReferenceName | None = Field(
        None, description="Stack of the hub, whose output `argocdRoleArn` is its role."
    )
    role_arn: RoleArn | None = Field(None, description="The hub's role instead.")

    @model_validator(mode="after")
    def _one_source(self) -> ManagedBySettings:
        if (self.stack is None) == (self.role_arn is None):
            raise ValueError("needs either stack or roleArn, of the hub")
        return self
