"""What `pulumi up` and `pulumi destroy` of one stack may do: what the components use, on what carries the stack's tag.

Reading is a policy of its own, :func:`gitops_stack.aws_plan.ci_policies.build_reading_policy`. Tags as conditions: each
service's page of the service authorization reference.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.ci_policies import allow_knowing_secrets
from gitops_stack.aws_plan.iam_documents import Conditions, Document, Statement, allow, build_document
from gitops_stack.aws_plan.state_policies import State, allow_writing_state
from gitops_stack.aws_plan.up_actions import (
    DELIVERIES,
    EC2_CHANGE,
    EC2_DELETE,
    EC2_INTERFACES,
    ECR_CHANGE,
    ECR_MAKE,
    ECR_REGISTRY,
    EKS,
    IAM_BOUND,
    IAM_CHANGE,
    IAM_PROVIDER,
    INSPECTOR,
    KMS_ALIAS,
    KMS_CHANGE,
    KMS_MAKE,
    KMS_USE,
    LOGS,
    MACHINES_CHANGE,
    MACHINES_MAKE,
    PASSED_TO,
    ROUTE53,
    SCANNING,
    SERVICE_LINKED,
)
from gitops_stack.conventions import PULUMI_PROJECT, TAG_BASE, TAG_STACK

ROLE_PREFIX = f"{PULUMI_PROJECT}-"
"""All roles and log groups of a stack begin with its component's name; roles of the base have a path instead."""


def build_up_policies(
    state: State,
    boundary_arn: str,
    *,
    cluster_name: str,
    key_arns: Sequence[str] = (),
    issuer_hosts: Sequence[str] = (),
    read_secret_arns: Sequence[str] = (),
    known_secret_arns: Sequence[str] = (),
) -> dict[str, Document]:
    """Build the inline policies of the role that updates the stack of ``state``, by their names.

    ``boundary_arn`` bounds every role it makes; ``key_arns`` are keys the stack uses and does not make,
    ``issuer_hosts`` forges whose identity providers it makes and leaves behind. The secrets are those of
    :func:`gitops_stack.aws_plan.ci_policies.build_previewer_policy`.
    """
    account, own = state.account, _Own(state.stack)
    secrets = [allow("OpenSecrets", ["secretsmanager:GetSecretValue"], read_secret_arns)] if read_secret_arns else []
    secrets += allow_knowing_secrets([*read_secret_arns, *known_secret_arns])
    return {
        "state": build_document(*allow_writing_state(state), *secrets),
        "network": _build_network_policy(account, own, cluster_name),
        "cluster": _build_cluster_policy(account, own, cluster_name, key_arns),
        "registry": _build_registry_policy(account, own),
        "roles": _build_roles_policy(account, own, boundary_arn, issuer_hosts),
    }


def build_further_policy(
    account: AccountRegion,
    stack: str,
    boundary_arn: str,
    *,
    role_path: str | None = None,
    passed_arns: Sequence[str] = (),
    karpenter: bool = False,
    delivers_logs: bool = False,
    scans: bool = False,
) -> Document | None:
    """Build what the role needs beside those policies for a few settings; ``None`` where the stack has none of them.

    ``role_path`` is where the stack makes its roles (those made before a path was set stay where they are),
    ``passed_arns`` are roles it names and does not make; ``delivers_logs`` is for flow logs in a bucket,
    ``scans`` for enhanced scanning of the account's registry.
    A managed policy: inline there is no room for it.
    """
    own, iam, path = _Own(stack), f"arn:{account.partition}:iam::{account.id}:", role_path or "/"
    statements = _allow_roles(account, own, boundary_arn, [f"{iam}role{path}{ROLE_PREFIX}*"]) if path != "/" else []
    if passed_arns:
        statements.append(allow("PassNamedRoles", ["iam:PassRole"], passed_arns, _passed(account)))
    if karpenter:
        parts = [
            account.arn("sqs", f"{ROLE_PREFIX}*"),
            account.arn("events", f"rule/{ROLE_PREFIX}*"),
            *(f"{iam}instance-profile{where}{ROLE_PREFIX}*" for where in dict.fromkeys(("/", path))),
        ]
        statements.append(allow("MakeMachines", MACHINES_MAKE, parts, {**own.made, **own.not_others}))
        statements.append(allow("ChangeMachines", MACHINES_CHANGE, parts, own.not_others))
    here: Conditions = {"StringEquals": {"aws:RequestedRegion": account.region}}
    if delivers_logs:
        statements.append(allow("DeliverLogs", DELIVERIES, "*", here))
    if scans:
        statements.append(allow("Scan", SCANNING, "*", here))
        statements.append(_allow_linking(account, [INSPECTOR]))
    return build_document(*statements) if statements else None


class _Own:
    """The conditions that tell what is the stack's."""

    def __init__(self, stack: str) -> None:
        self.made: Conditions = {"StringEquals": {f"aws:RequestTag/{TAG_STACK}": stack}}
        self.held: Conditions = {"StringEquals": {f"aws:ResourceTag/{TAG_STACK}": stack}}
        self.not_others: Conditions = {"StringEqualsIfExists": {f"aws:ResourceTag/{TAG_STACK}": stack}}


def _build_network_policy(account: AccountRegion, own: _Own, cluster_name: str) -> Document:
    here = {"aws:RequestedRegion": account.region}
    # A creation names what is there already, such as the VPC, and what EKS or AWS made without a tag of ours.
    change = {**own.not_others, "StringEquals": here}
    tagging = {"Null": {"ec2:CreateAction": "false"}, "StringEquals": here}
    groups = [account.arn("ec2", "security-group/*")]
    return build_document(
        allow("Change", EC2_CHANGE, "*", change),
        allow("TagWhatIsMade", ["ec2:CreateTags"], "*", tagging),
        # The VPC's default group comes without a tag; nothing else may be tagged to become the stack's.
        allow("TagDefaultGroup", ["ec2:CreateTags"], groups, own.not_others),
        allow("Delete", EC2_DELETE, "*", own.held),
        allow("NameEndpoints", ROUTE53, [f"arn:{account.partition}:route53:::hostedzone/*"]),
        allow(
            "DeleteInterfaces",
            EC2_INTERFACES,
            [account.arn("ec2", "network-interface/*")],
            {"StringEquals": {"aws:ResourceTag/cluster.k8s.amazonaws.com/name": cluster_name}},
        ),
        allow(
            "KeepLogs",
            LOGS,
            [
                account.arn("logs", f"log-group:{ROLE_PREFIX}*"),
                account.arn("logs", f"log-group:/aws/eks/{cluster_name}/*"),
            ],
            own.not_others,
        ),
    )


def _build_cluster_policy(account: AccountRegion, own: _Own, name: str, key_arns: Sequence[str]) -> Document:
    parts = ("cluster/{}", "nodegroup/{}/*", "addon/{}/*", "access-entry/{}/*", "podidentityassociation/{}/*")
    # Tagging is for keys that are there as well: what another stack or the base holds is not to be claimed by a tag.
    nobodys = {**own.made, **own.not_others, "Null": {f"aws:ResourceTag/{TAG_BASE}": "true"}}
    used = [allow("UseKeys", KMS_USE, key_arns)] if key_arns else []
    return build_document(
        allow("Cluster", EKS, [account.arn("eks", part.format(name)) for part in parts]),
        allow("MakeKeys", KMS_MAKE, "*", nobodys),
        allow("ChangeKeys", [*KMS_CHANGE, *KMS_USE], [account.arn("kms", "key/*")], own.held),
        allow("NameKeys", KMS_ALIAS, [account.arn("kms", f"alias/{name}-secrets")]),
        *used,
    )


def _build_registry_policy(account: AccountRegion, own: _Own) -> Document:
    repositories = [account.arn("ecr", "repository/*")]
    made = {**own.made, **own.not_others}
    return build_document(
        allow("MakeRepositories", ECR_MAKE, repositories, made),
        allow("ChangeRepositories", ECR_CHANGE, repositories, own.held),
        # The service knows no resource for these.
        allow("Registry", ECR_REGISTRY, "*", {"StringEquals": {"aws:RequestedRegion": account.region}}),
    )


def _build_roles_policy(account: AccountRegion, own: _Own, boundary_arn: str, hosts: Sequence[str]) -> Document:
    iam = f"arn:{account.partition}:iam::{account.id}:"
    forges = [f"{iam}oidc-provider/{host}" for host in hosts]
    making = ["iam:CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"]
    return build_document(
        *_allow_roles(account, own, boundary_arn, [f"{iam}role/{ROLE_PREFIX}*"]),
        *([allow("MakeIssuers", making, forges)] if forges else []),
        allow("ClusterIssuer", IAM_PROVIDER, [f"{iam}oidc-provider/oidc.eks.{account.region}.*"]),
        _allow_linking(account, SERVICE_LINKED),
    )


def _allow_linking(account: AccountRegion, services: Sequence[str]) -> Statement:
    return allow(
        "LinkRoles",
        ["iam:CreateServiceLinkedRole"],
        [f"arn:{account.partition}:iam::{account.id}:role/aws-service-role/*"],
        {"StringEquals": {"iam:AWSServiceName": list(services)}},
    )


def _allow_roles(account: AccountRegion, own: _Own, boundary_arn: str, roles: list[str]) -> list[Statement]:
    bound = {"iam:PermissionsBoundary": boundary_arn}
    return [
        allow("MakeRoles", ["iam:CreateRole"], roles, {"StringEquals": {**own.made["StringEquals"], **bound}}),
        allow("TagRoles", ["iam:TagRole"], roles, {**own.made, **own.not_others}),
        allow("FillRoles", IAM_BOUND, roles, {"StringEquals": {**own.held["StringEquals"], **bound}}),
        allow("ChangeRoles", IAM_CHANGE, roles, own.held),
        allow("PassRoles", ["iam:PassRole"], roles, _passed(account)),
    ]


def _passed(account: AccountRegion) -> Conditions:
    takers = sorted({*PASSED_TO, *account.ec2_services})
    return {"StringEquals": {"iam:PassedToService": takers}}
