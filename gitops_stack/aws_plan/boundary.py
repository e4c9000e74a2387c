"""The boundary of every role a stack makes: what none of them can ever do, whatever a policy says.

It keeps who may run `pulumi up` from making a role that may more than they do: no users, no keys, no policies, no role
without this boundary (IAM user guide, "Permissions boundaries for IAM entities").
"""

from __future__ import annotations

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Document, Statement, allow, build_document
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.iam_rules import BOUNDARY_ACTIONS, BOUNDARY_DENIED


def build_boundary(account: AccountRegion) -> Document:
    """Build the boundary of the roles in ``account``: one for all its stacks, whatever bucket holds their state."""
    buckets = f"arn:{account.partition}:s3:::"
    state = [f"{buckets}{PULUMI_PROJECT}-state-*", f"{buckets}*/.pulumi/*"]
    roles = f"arn:{account.partition}:iam::{account.id}:role/"
    own_roles = [f"{roles}{PULUMI_PROJECT}-*", f"{roles}*/{PULUMI_PROJECT}-*"]  # of stacks, by account.rolePath too
    return build_document(
        allow("AtMost", list(BOUNDARY_ACTIONS), "*"),
        _deny("StateIsReadOnly", ["s3:Delete*", "s3:Put*"], Resource=state),
        _deny("KeysStay", list(BOUNDARY_DENIED), Resource="*"),
        # Another role of the account would be a way to its rights; spokes of other accounts decide for themselves.
        _deny("OwnRolesOnly", ["iam:PassRole"], NotResource=own_roles),
        _deny(
            "NoWayUp",
            ["sts:AssumeRole"],
            NotResource=own_roles,
            Condition={"StringEquals": {"aws:ResourceAccount": account.id}},
        ),
        _deny("NotTheBase", ["iam:PassRole", "sts:AssumeRole"], Resource=[f"{roles}{PULUMI_PROJECT}/*"]),
    )


def _deny(sid: str, actions: list[str], **what: object) -> Statement:
    return {"Sid": sid, "Effect": "Deny", "Action": actions, **what}
