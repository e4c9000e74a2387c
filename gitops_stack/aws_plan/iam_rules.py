"""Rules every IAM document of ours keeps, and the exceptions, each with its reason.

Rules: no `*` principal, no wildcard action, no write on every resource without a condition, no statement by exclusion
(`NotAction` and its kin), nothing empty, and a web identity's token is tied to audience and subject.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

WILDCARD_ACTIONS: Mapping[str, str] = {
    "kms:*": "the account's own root in a key's policy: AWS's default, without which a key can become unmanageable",
}
"""Actions with a `*` that may be granted, to the root of an account alone."""

UNBOUND_ACTIONS: Mapping[str, str] = {
    "ec2:AuthorizeSecurityGroupIngress": "load balancer controller: opens the nodes' security groups, which EKS made",
    "ec2:RevokeSecurityGroupIngress": "load balancer controller: closes what it opened in the nodes' security groups",
    "ec2:CreateSecurityGroup": "load balancer controller: names VPC and group, of which the VPC carries no tag of it",
    **{
        f"elasticloadbalancing:{action}": "load balancer controller: listeners and rules carry no tag of the cluster"
        for action in (
            "AddListenerCertificates",
            "CreateListener",
            "CreateRule",
            "DeleteListener",
            "DeleteRule",
            "ModifyListener",
            "ModifyRule",
            "RemoveListenerCertificates",
            "SetRulePriorities",
            "SetWebAcl",
        )
    },
    **{
        f"{service}:{action}": "load balancer controller: the service knows no tag of the cluster"
        for service, actions in {
            "shield": ("CreateProtection", "DeleteProtection"),
            "waf-regional": ("AssociateWebACL", "DisassociateWebACL"),
            "wafv2": ("AssociateWebACL", "DisassociateWebACL"),
        }.items()
        for action in actions
    },
}
"""Writing actions that may be granted on every resource without a condition."""

BOUNDARY_ACTIONS: Mapping[str, str] = {
    "ec2:*": "nodes, Auto Mode and the load balancer controller: networks, volumes, instances",
    "elasticloadbalancing:*": "load balancer controller and Auto Mode: all that a Service or Ingress asks for",
    "ecr:*": "nodes pull and fill caches, publishers push, templates make repositories",
    "ecr-public:*": "nodes pull from the public gallery",
    "eks:*": "nodes join, previewers read",
    "eks-auth:*": "nodes hand out credentials of Pod Identity",
    "logs:*": "flow logs and the control plane write",
    "autoscaling:*": "EKS and cluster-autoscaler: sizes of node groups",
    "route53:*": "ExternalDNS: records of hosted zones",
    "secretsmanager:*": "External Secrets and previewers: named secrets",
    "kms:*": "volumes, caches and the state: use of keys by their own policies",
    "acm:*": "load balancer controller: certificates of listeners",
    "cognito-idp:*": "load balancer controller: user pools of listeners",
    "shield:*": "load balancer controller: protections of load balancers",
    "waf-regional:*": "load balancer controller: firewalls of load balancers",
    "wafv2:*": "load balancer controller: firewalls of load balancers",
    "ssm:*": "nodes: Session Manager, and the releases of machine images",
    "s3:*": "previewers read the state; workloads may have buckets",
    "sqs:*": "Karpenter: interruption queue",
    "pricing:*": "Karpenter: prices of instances",
    "sts:*": "Argo CD takes its spoke roles, pods their own",
    "iam:Get*": "previewers and the load balancer controller read",
    "iam:List*": "previewers and Karpenter read",
    "iam:CreateServiceLinkedRole": "control plane and load balancer controller: AWS's own roles at first use",
    "iam:PassRole": "Auto Mode and Karpenter: the nodes' role",
    **{
        f"iam:{action}InstanceProfile": "Auto Mode and Karpenter: the profile that carries the nodes' role"
        for action in ("Create", "Delete", "Tag", "AddRoleTo", "RemoveRoleFrom")
    },
}
"""What a boundary may allow on every resource: it grants nothing, and no role gets more than its own policies say."""

ORGANIZATION_CONDITION = "aws:PrincipalOrgID"
"""The one condition under which the principal may be `*`: AWS's documented way to name an organisation."""

_READING = re.compile(r"[a-z0-9-]+:(Get|List|Describe|BatchGet|BatchCheck)")
_ROOT = re.compile(r"arn:[a-z-]+:iam::\d{12}:root")
_EXCLUSIONS = ("NotAction", "NotPrincipal", "NotResource")


def check_document(document: Mapping[str, Any], place: str, *, is_boundary: bool = False) -> list[str]:
    """Check one policy document and return a sentence per finding; ``place`` says whose document it is.

    A boundary (``is_boundary``) may allow :data:`BOUNDARY_ACTIONS` beside what every document may.
    """
    statements = _as_list(document.get("Statement", []))
    findings = [] if statements else [f"{place}: has no statement; needs at least one"]
    for number, statement in enumerate(statements, start=1):
        where = f"{place}: statement {statement.get('Sid') or number}"
        if statement.get("Effect") == "Allow":
            judged = _without_bounds(statement) if is_boundary else statement
            findings += [f"{where}: {finding}" for finding in _check_statement(judged)]
    return findings


def _without_bounds(statement: Mapping[str, Any]) -> dict[str, Any]:
    actions = _as_list(statement.get("Action", []))
    rest = [action for action in actions if action not in BOUNDARY_ACTIONS]
    return {**statement, "Action": rest or ["sts:GetCallerIdentity"]}


def _check_statement(statement: Mapping[str, Any]) -> Iterable[str]:
    for key in _EXCLUSIONS:
        if key in statement:
            yield f"allows by {key}, which includes what nobody thought of; list what is meant"
    for key in ("Action", "Resource", "Principal"):
        if key in statement and not statement[key]:
            yield f"has an empty {key}; needs at least one"
    yield from _check_principal(statement)
    yield from _check_actions(statement)
    yield from _check_web_identity(statement)


def _check_principal(statement: Mapping[str, Any]) -> Iterable[str]:
    if any("*" in principal for principal in _principals(statement)):
        organization = _condition(statement, "StringEquals", ORGANIZATION_CONDITION)
        if not organization or any("*" in one for one in organization):
            yield f"found a principal with *; name the principals, or an organisation by {ORGANIZATION_CONDITION}"


def _check_actions(statement: Mapping[str, Any]) -> Iterable[str]:
    roots_alone = all(_ROOT.fullmatch(principal) for principal in _principals(statement) or [""])
    everywhere = "Principal" not in statement and "*" in _as_list(statement.get("Resource", []))
    for action in _as_list(statement.get("Action", [])):
        if "*" in action:
            if not (action in WILDCARD_ACTIONS and roots_alone):
                yield f"found the action {action}; spell the actions out"
        elif everywhere and not (_READING.match(action) or action in UNBOUND_ACTIONS or statement.get("Condition")):
            yield f"allows {action} on every resource; name the resources or add a condition"


def _check_web_identity(statement: Mapping[str, Any]) -> Iterable[str]:
    if "sts:AssumeRoleWithWebIdentity" not in _as_list(statement.get("Action", [])):
        return
    conditions = statement.get("Condition", {})
    for claim in ("aud", "sub"):
        values = [
            value
            for operator in ("StringEquals", "StringLike")
            for key, found in conditions.get(operator, {}).items()
            if key.endswith(f":{claim}")
            for value in _as_list(found)
        ]
        if not values or any(value.startswith("*") for value in values):
            yield f"takes web identities without a condition on {claim}; tie the token to it"


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    if isinstance(principal, Mapping):
        return [one for group in principal.values() for one in _as_list(group)]
    return _as_list(principal)


def _condition(statement: Mapping[str, Any], operator: str, key: str) -> list[str]:
    return _as_list(statement.get("Condition", {}).get(operator, {}).get(key, []))


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - IAM takes one thing or a list of them
    return list(value) if isinstance(value, (list, tuple)) else [value]
