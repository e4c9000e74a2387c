"""Register IAM roles from policy documents: the one way all AWS components make a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import iam

from gitops_stack.aws_plan.iam_documents import Document, render_document
from gitops_stack.errors import GitOpsStackError

_ONE_HOUR = 3600  # seconds: IAM's shortest, and CI jobs and pods renew
_LONGEST_NAME = 56  # characters: IAM takes 64, and Pulumi adds a dash and seven


@dataclass(frozen=True)
class RegisteredRole:
    """Hold a role, and the ``policies`` to wait for before somebody uses it."""

    role: Any
    policies: list[pulumi.Resource]

    @property
    def arn(self) -> pulumi.Output[str]:
        """Give the role's ARN."""
        arn: pulumi.Output[str] = self.role.arn
        return arn


def register_role(
    name: str,
    description: str,
    trust: pulumi.Input[Document],
    parent: pulumi.Resource,
    *,
    policy: pulumi.Input[Mapping[str, Any]] | None = None,
    managed_policy_arns: Mapping[str, pulumi.Input[str]] | None = None,
) -> RegisteredRole:
    """Register a role with its trust policy and, as resources of their own, what it may do.

    ``managed_policy_arns`` are policies to attach, by names that stay with them. The physical name is Pulumi's:
    ``name`` and a random suffix, so that stacks share an account. Raises ``GitOpsStackError`` for a name that leaves no
    room for it.
    """
    if len(name) > _LONGEST_NAME:
        raise GitOpsStackError(f"role {name}: has {len(name)} characters; needs at most {_LONGEST_NAME}")
    options = pulumi.ResourceOptions(parent=parent)
    role = iam.Role(
        name,
        description=description,
        assume_role_policy=_render(trust),
        max_session_duration=_ONE_HOUR,
        opts=options,
    )
    policies: list[pulumi.Resource] = []
    if policy is not None:
        policies.append(iam.RolePolicy(f"{name}-policy", role=role.name, policy=_render(policy), opts=options))
    policies += [
        iam.RolePolicyAttachment(f"{name}-{key}", role=role.name, policy_arn=arn, opts=options)
        for key, arn in (managed_policy_arns or {}).items()
    ]
    return RegisteredRole(role, policies)


def _render(document: pulumi.Input[Mapping[str, Any]]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(document).apply(render_document)
