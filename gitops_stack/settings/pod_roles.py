"""Roles of workloads by EKS Pod Identity: any service account, with policies under the rules of the library's own."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from gitops_stack.settings.types import (
    UNIQUE,
    DnsLabel,
    ManagedPolicyArn,
    RoleArn,
    SettingError,
    Settings,
    following,
    matching,
)

# Kubernetes takes a DNS subdomain as the name of a service account.
ServiceAccountName = Annotated[
    str,
    matching(
        r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
        "the name of a service account: lower-case letters, digits, '-' and '.'",
    ),
]
# IAM takes 10 managed policies on a role, and 25 on request (IAM and STS quotas).
MOST_MANAGED_POLICIES = 25
_TOO_MUCH = ("AdministratorAccess", "IAMFullAccess", "PowerUserAccess")


def _check_extent(value: str) -> str | None:
    if value.rpartition("/")[2] in _TOO_MUCH and ":iam::aws:" in value:
        return "needs a policy that grants less: pods with it would own the account"
    return None


PodPolicyArn = Annotated[ManagedPolicyArn, following(_check_extent)]
IamAction = Annotated[str, matching(r"[a-z0-9-]+:[A-Za-z0-9*?]+|\*", "an IAM action such as s3:GetObject")]
IamResource = Annotated[
    str,
    matching(
        r"\*|arn:aws(-[a-z]+)*:[a-z0-9-]+:[a-z0-9*-]*:(\d{12}|aws|\*)?:\S+",
        "the ARN of a resource, such as arn:aws:s3:::BUCKET/*",
    ),
]
# IAM user guide, "IAM JSON policy elements: Condition operators".
_OPERATORS = (
    r"(String|Arn)(Not)?(Equals|Like)|String(Not)?EqualsIgnoreCase|(Numeric|Date)((Not)?Equals|(Less|Greater)Than"
    r"(Equals)?)|Bool|BinaryEquals|(Not)?IpAddress"
)
ConditionOperator = Annotated[
    str,
    matching(
        rf"(ForAllValues:|ForAnyValue:)?({_OPERATORS})(IfExists)?|Null", "an operator of IAM, such as StringEquals"
    ),
]
ConditionKey = Annotated[str, matching(r"[A-Za-z0-9-]+:\S+", "a condition key of IAM, such as aws:SourceVpce")]
ConditionValues = Annotated[tuple[str, ...], Field(min_length=1)]


class StatementSettings(Settings):
    """One statement of an inline policy, which allows something."""

    actions: Annotated[tuple[IamAction, ...], UNIQUE] = Field(
        min_length=1, description="What is allowed, spelt out: s3:GetObject."
    )
    resources: Annotated[tuple[IamResource, ...], UNIQUE] = Field(
        min_length=1, description="ARNs; `*` only for actions that list and describe."
    )
    conditions: dict[ConditionOperator, Annotated[dict[ConditionKey, ConditionValues], Field(min_length=1)]] = Field(
        default_factory=dict, description="IAM's operator -> condition key -> values."
    )

    @property
    def statement(self) -> dict[str, Any]:
        """The statement as IAM's JSON has it."""
        built: dict[str, Any] = {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            built["Condition"] = {
                operator: {key: list(values) for key, values in keys.items()}
                for operator, keys in self.conditions.items()
            }
        return built


class PodRoleSettings(Settings):
    """The role of one service account: made with policies, or an existing one."""

    namespace: DnsLabel = Field(description="Namespace of the service account.")
    service_account: ServiceAccountName = Field(description="Its name.")
    managed_policy_arns: Annotated[tuple[PodPolicyArn, ...], UNIQUE] = Field(
        (), max_length=MOST_MANAGED_POLICIES, description="IAM policies by ARN, AWS's own or the account's."
    )
    statements: tuple[StatementSettings, ...] = Field(
        (), description="An inline policy, under the rules of the library's own."
    )
    role_arn: RoleArn | None = Field(
        None, description="An existing role of the account, which pods.eks.amazonaws.com may take, instead."
    )

    @model_validator(mode="after")
    def _one_role(self) -> PodRoleSettings:
        made = self.managed_policy_arns or self.statements
        if self.role_arn is not None and made:
            needs = "needs to stand alone: an existing role has its own policies"
            raise SettingError("roleArn", self.role_arn, needs)
        if self.role_arn is None and not made:
            raise ValueError("needs managedPolicyArns, statements or roleArn: what the pods may do")
        return self
