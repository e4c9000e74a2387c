"""Register IAM roles from policy documents: the one way all AWS components make a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import iam

from gitops_stack.aws_plan.iam_documents import Document, render_document
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.iam_rules import MOST_INLINE, MOST_TRUST_ON_REQUEST, count_characters

_ONE_HOUR = 3600  # seconds: IAM's shortest, and CI jobs and pods renew
_LONGEST_NAME = 56  # characters: IAM takes 64, and Pulumi adds a dash and seven


@dataclass(frozen=True)
class RoleOptions:
    """Hold what every role of a component carries."""

    permissions_boundary_arn: pulumi.Input[str] | None = None
    path: pulumi.Input[str] | None = None

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> RoleOptions:
        """Read them from the arguments of a component."""
        return cls(args.get("permissions_boundary_arn"), args.get("role_path"))

    @property
    def inputs(self) -> dict[str, pulumi.Input[str]]:
        """The arguments of an `iam.Role`."""
        given = {"permissions_boundary": self.permissions_boundary_arn, "path": self.path}
        return {key: value for key, value in given.items() if value is not None}

    def transform(self, args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        """Put them on the roles that `pulumi_eks` makes, which takes no such arguments."""
        given = {"permissionsBoundary": self.permissions_boundary_arn, "path": self.path}
        known = {key: value for key, value in given.items() if value is not None}
        if args.type_ != "aws:iam/role:Role" or not known:
            return None
        options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=STAYS))
        return pulumi.ResourceTransformResult(props={**args.props, **known}, opts=options)


# IAM moves no role: another path would replace it, and the cluster with a role that it was made with.
STAYS = ["path"]


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
    options: RoleOptions | None = None,
) -> RegisteredRole:
    """Register a role with its trust policy and, as resources of their own, what it may do.

    ``managed_policy_arns`` are policies to attach, by names that stay with them. The physical name is Pulumi's:
    ``name`` and a random suffix, so that stacks share an account. Raises ``GitOpsStackError`` for a name that leaves no
    room for it; a document that is longer than IAM takes stops the run once it is known, in a preview.
    """
    if len(name) > _LONGEST_NAME:
        raise GitOpsStackError(Problem(f"has {len(name)} characters", f"needs at most {_LONGEST_NAME}", f"role {name}"))
    inside = pulumi.ResourceOptions(parent=parent)
    role = iam.Role(
        name,
        description=description,
        assume_role_policy=_render(trust, f"role {name}: trust policy", MOST_TRUST_ON_REQUEST),
        max_session_duration=_ONE_HOUR,
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=STAYS),
        **(options or RoleOptions()).inputs,
    )
    policies: list[pulumi.Resource] = []
    if policy is not None:
        document = _render(policy, f"role {name}: policy", MOST_INLINE)
        policies.append(iam.RolePolicy(f"{name}-policy", role=role.name, policy=document, opts=inside))
    policies += [
        iam.RolePolicyAttachment(f"{name}-{key}", role=role.name, policy_arn=arn, opts=inside)
        for key, arn in (managed_policy_arns or {}).items()
    ]
    return RegisteredRole(role, policies)


def read_role(name: str, arn: str, parent: pulumi.Resource) -> iam.Role:
    """Read a role that is there; the run stops when it is not."""
    return iam.Role.get(name, arn.rpartition("/")[2], opts=pulumi.ResourceOptions(parent=parent))


def _render(document: pulumi.Input[Mapping[str, Any]], place: str, most: int) -> pulumi.Output[str]:
    def build(found: Mapping[str, Any]) -> str:
        if (size := count_characters([found])) > most:
            needs = (
                f"needs {most} at most, IAM's limit: name fewer in the list it is made of, or several by one pattern"
            )
            raise pulumi.RunError(str(Problem(f"has {size} characters", f"{needs} with *", place)))
        return render_document(found)

    return pulumi.Output.from_input(document).apply(build)
