"""Rules every IAM document keeps, ours and those of a stack file, and the exceptions, each with its reason.

Rules: no `*` principal, no wildcard action, no write and no reading of content on every resource without a condition,
no statement by exclusion (`NotAction` and its kin), nothing empty, and a web identity's token is tied to audience and
subject.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

WILDCARD_ACTIONS: Mapping[str, str] = {
    "kms:*": "the account's own root in a key's policy: AWS's default, without which a key can become unmanageable",
}
"""Actions with a `*` that may be granted, to the root of an account alone."""

LISTENER_ACTIONS = (
    "AddListenerCertificates", "CreateListener", "CreateRule", "DeleteListener", "DeleteRule", "ModifyListener",
    "ModifyRule", "RemoveListenerCertificates", "SetRulePriorities", "SetWebAcl",
)  # fmt: skip
"""On listeners and rules, which carry no cluster tag when the load balancer controller reaches for them."""

PROTECTION_ACTIONS = (
    "shield:CreateProtection", "shield:DeleteProtection", "waf-regional:AssociateWebACL",
    "waf-regional:DisassociateWebACL", "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL",
)  # fmt: skip

UNBOUND_ACTIONS: Mapping[str, str] = {
    "ec2:AuthorizeSecurityGroupIngress": "load balancer controller: opens the nodes' security groups, which EKS made",
    "ec2:RevokeSecurityGroupIngress": "load balancer controller: closes what it opened in the nodes' security groups",
    "ec2:CreateSecurityGroup": "load balancer controller: names VPC and group, of which the VPC carries no tag of it",
    **{
        f"elasticloadbalancing:{action}": "load balancer controller: listeners and rules carry no tag of the cluster"
        for action in LISTENER_ACTIONS
    },
    **dict.fromkeys(PROTECTION_ACTIONS, "load balancer controller: the service knows no tag of the cluster"),
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
    "arc-zonal-shift:GetManagedResource": "load balancers: whether their traffic was moved out of a zone",
    "cloudwatch:*": "CloudWatch agent: metrics",
    "xray:*": "CloudWatch agent: traces",
    "elasticfilesystem:*": "EFS CSI driver: access points",
    "ec2messages:*": "nodes: Session Manager",
    "ssmmessages:*": "nodes: Session Manager",
    "ssm:*": "nodes: Session Manager, and the releases of machine images",
    "s3:*": "previewers read the state; workloads may have buckets",
    "sqs:*": "Karpenter: interruption queue",
    "events:*": "previewers read the rules of Karpenter's queue",
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

BOUNDARY_DENIED = ("kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")
"""What the same boundary denies for every key: a key outlives the roles that use it."""

# IAM user guide, "IAM and AWS STS quotas": characters without white space. All inline policies of a role count
# together; of a trust policy an account takes the first number, the second when it has asked for it (L-C07B4B0D).
MOST_INLINE, MOST_MANAGED, MOST_TRUST, MOST_TRUST_ON_REQUEST = 10_240, 6_144, 2_048, 4_096
LONGEST_ROLE_NAME = 64

ORGANIZATION_CONDITION = "aws:PrincipalOrgID"
"""The one condition under which the principal may be `*`: AWS's documented way to name an organisation."""

_READING = re.compile(r"[a-z0-9-]+:(Get|List|Describe|BatchGet|BatchCheck)")
# Called reading by their names, and hand out content: secrets, files, records, credentials.
CONTENT_ACTIONS = frozenset(
    {
        "cognito-identity:GetCredentialsForIdentity",
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:GetRecords",
        "kinesis:GetRecords",
        "lambda:GetFunction",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
        "ssm:GetParameterHistory",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
    }
)
_ROOT = re.compile(r"arn:[a-z-]+:iam::\d{12}:root")
# Every resource there is, or every one of a service: `*`, `arn:aws:s3:::*`.
_EVERYTHING = re.compile(r"[*?]+|arn(:[^:]*){4}:[*?]+")
_EXCLUSIONS = ("NotAction", "NotPrincipal", "NotResource")


class Violation(NamedTuple):
    """What is wrong with one part of a statement (`Action`, `Resource`, …), and what is needed."""

    part: str
    found: str
    needs: str

    def __str__(self) -> str:
        """Say both in one sentence."""
        return f"found {self.found}; needs {self.needs}"


def check_document(document: Mapping[str, Any], place: str, *, is_boundary: bool = False) -> list[str]:
    """Check one policy document and return a sentence per finding; ``place`` says whose document it is.

    A boundary (``is_boundary``) may allow :data:`BOUNDARY_ACTIONS` beside what every document may.
    """
    statements = _as_list(document.get("Statement", []))
    findings = [] if statements else [f"{place}: has no statement; needs at least one"]
    for number, statement in enumerate(statements, start=1):
        where = f"{place}: statement {statement.get('Sid') or number}"
        judged = _without_bounds(statement) if is_boundary and statement.get("Effect") == "Allow" else statement
        findings += [f"{where}: {violation}" for violation in check_statement(judged)]
    return findings


def count_characters(documents: Iterable[Mapping[str, Any]]) -> int:
    """Count the characters of policy documents as IAM's quotas do."""
    return sum(len("".join(json.dumps(document, separators=(",", ":")).split())) for document in documents)


def list_cut_off(actions: Iterable[str]) -> list[str]:
    """List those of ``actions``, spelt out, that no role within the boundary can take. IAM knows no case in them."""
    allowed, denied = [one.lower() for one in BOUNDARY_ACTIONS], [one.lower() for one in BOUNDARY_DENIED]
    return [
        action
        for action in actions
        if action.lower() in denied or not any(fnmatchcase(action.lower(), one) for one in allowed)
    ]


def _without_bounds(statement: Mapping[str, Any]) -> dict[str, Any]:
    actions = _as_list(statement.get("Action", []))
    rest = [action for action in actions if action not in BOUNDARY_ACTIONS]
    return {**statement, "Action": rest or ["sts:GetCallerIdentity"]}


def check_statement(statement: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield what one statement of a policy document breaks; a statement that denies breaks nothing."""
    if statement.get("Effect") != "Allow":
        return
    for key in _EXCLUSIONS:
        if key in statement:
            yield Violation(key, key, "a list of what is meant: an exclusion includes what nobody thought of")
    for key in ("Action", "Resource", "Principal"):
        if key in statement and not statement[key]:
            yield Violation(key, f"an empty {key}", "one entry at least")
    yield from _check_principal(statement)
    yield from _check_actions(statement)
    yield from _check_web_identity(statement)


def _check_principal(statement: Mapping[str, Any]) -> Iterable[Violation]:
    if any("*" in principal for principal in _principals(statement)):
        organization = _condition(statement, "StringEquals", ORGANIZATION_CONDITION)
        if not organization or any("*" in one for one in organization):
            needs = f"principals by name, or an organisation by {ORGANIZATION_CONDITION}"
            yield Violation("Principal", "a principal with *", needs)


def _check_actions(statement: Mapping[str, Any]) -> Iterable[Violation]:
    roots_alone = all(_ROOT.fullmatch(principal) for principal in _principals(statement) or [""])
    resources = _as_list(statement.get("Resource", []))
    everywhere = "Principal" not in statement and any(_EVERYTHING.fullmatch(resource) for resource in resources)
    for action in _as_list(statement.get("Action", [])):
        if "*" in action or "?" in action:
            if not (action in WILDCARD_ACTIONS and roots_alone):
                yield Violation("Action", action, "actions spelt out")
        elif everywhere and not (_is_harmless(action) or statement.get("Condition")):
            yield Violation("Action", f"{action} on every resource", "resources by name, or a condition")


def _is_harmless(action: str) -> bool:
    return action in UNBOUND_ACTIONS or (_READING.match(action) is not None and action not in CONTENT_ACTIONS)


def _check_web_identity(statement: Mapping[str, Any]) -> Iterable[Violation]:
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
            yield Violation("Condition", f"web identities without a condition on {claim}", "the token tied to it")


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    if isinstance(principal, Mapping):
        return [one for group in principal.values() for one in _as_list(group)]
    return _as_list(principal)


def _condition(statement: Mapping[str, Any], operator: str, key: str) -> list[str]:
    return _as_list(statement.get("Condition", {}).get(operator, {}).get(key, []))


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - IAM takes one thing or a list of them
    return list(value) if isinstance(value, (list, tuple)) else [value]
