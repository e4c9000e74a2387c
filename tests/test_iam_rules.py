"""The rules find what they are for, their exceptions are narrow, and our own documents keep them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gitops_stack import iam_rules
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import build_document
from gitops_stack.iam_rules import MOST_INLINE, MOST_MANAGED, check_document, count_characters
from tests.aws_plan.documents import BOUNDARY, ID, build_all

ROOT_ARN = f"arn:aws:iam::{ID}:root"
ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-abc123defg"}}
STAR = "found a principal with *; needs principals by name, or an organisation by aws:PrincipalOrgID"


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "cn-north-1"])
def test_our_own_documents_keep_the_rules(region: str) -> None:
    documents = build_all(AccountRegion(ID, region))
    assert None not in documents.values()
    assert not [
        finding
        for name, document in documents.items()
        if document
        for finding in check_document(document, name, is_boundary=name == BOUNDARY)
    ]


@pytest.mark.parametrize(("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")])
def test_arns_of_our_documents_are_of_the_partition(region: str, partition: str) -> None:
    text = json.dumps(build_all(AccountRegion(ID, region)))
    assert set(re.findall(r'"arn:([^:]+):', text)) == {partition}


def test_a_boundary_s_wildcards_are_a_boundary_s_alone() -> None:
    wide = build_document(statement(Action=["ec2:*", "iam:*"], Resource="*"))
    spell = "x: statement 1: found {}; needs actions spelt out"
    assert check_document(wide, "x") == [spell.format("ec2:*"), spell.format("iam:*")]
    assert check_document(wide, "x", is_boundary=True) == [spell.format("iam:*")]
    assert check_document(build_document(statement(Action=["ec2:*"], Resource="*")), "x", is_boundary=True) == []


def test_the_role_for_up_has_room_for_its_policies() -> None:
    documents = build_all(AccountRegion(ID, "ap-northeast-1"))
    inline = [document for name, document in documents.items() if name.startswith("up ") and document]
    assert len(inline) == 5
    managed = [documents[name] for name in (BOUNDARY, "reading", "further", "up network")]
    assert max(count_characters([document]) for document in managed) < MOST_MANAGED
    # Names are longer elsewhere: tests/account/base/test_plan.py.
    assert count_characters(inline) - count_characters([documents["up network"]]) < MOST_INLINE - 2_000


def test_inline_policies_fit_into_a_role() -> None:
    sizes = {
        name: count_characters([document])
        for name, document in build_all(AccountRegion(ID, "eu-west-1")).items()
        if document
    }
    assert {name: size for name, size in sizes.items() if size > MOST_INLINE} == {}


def statement(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **parts}


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "fine": (statement(), []),
    "a denial may be wide": (statement(Effect="Deny", Action="*", Resource="*", Principal="*"), []),
    "everybody": (statement(Principal="*"), [STAR]),
    "every account": (statement(Principal={"AWS": ["*", ROOT_ARN]}), [STAR]),
    "some account": (statement(Principal={"AWS": "arn:aws:iam::*:root"}), [STAR]),
    "an organisation": (statement(Principal={"AWS": "*"}, Condition=ORGANIZATION), []),
    "any organisation": (
        statement(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-*"}}),
        [STAR],
    ),
    "an organisation by pattern": (
        statement(Principal="*", Condition={"StringLike": {"aws:PrincipalOrgID": "o-abc123defg"}}),
        [STAR],
    ),
    "wildcard action": (statement(Action=["s3:Get*"]), ["found s3:Get*; needs actions spelt out"]),
    "all actions": (statement(Action="*"), ["found *; needs actions spelt out"]),
    "kms of the root": (statement(Action="kms:*", Resource="*", Principal={"AWS": ROOT_ARN}), []),
    "kms of a role": (
        statement(Action="kms:*", Resource="*", Principal={"AWS": f"arn:aws:iam::{ID}:role/x"}),
        ["found kms:*; needs actions spelt out"],
    ),
    "kms in a role's policy": (statement(Action="kms:*"), ["found kms:*; needs actions spelt out"]),
    "knowing everything": (statement(Action=["s3:ListAllMyBuckets", "ec2:DescribeVpcs"], Resource="*"), []),
    "reading everybody's files": (
        statement(Resource="*"),
        ["found s3:GetObject on every resource; needs resources by name, or a condition"],
    ),
    "writing all of a service": (
        statement(Action="sqs:SendMessage", Resource=["arn:aws:sqs:*:*:*"]),
        ["found sqs:SendMessage on every resource; needs resources by name, or a condition"],
    ),
    "wildcard of one letter": (statement(Action="s3:GetObjec?"), ["found s3:GetObjec?; needs actions spelt out"]),
    "writing everything": (
        statement(Action=["s3:PutObject", "s3:ListAllMyBuckets"], Resource="*"),
        ["found s3:PutObject on every resource; needs resources by name, or a condition"],
    ),
    "writing everything on a condition": (
        statement(Action="s3:PutObject", Resource="*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        [],
    ),
    "listed writing": (statement(Action="ec2:CreateSecurityGroup", Resource="*"), []),
    "by exclusion": (
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:s3:::b"},
        ["found NotAction; needs a list of what is meant: an exclusion includes what nobody thought of"],
    ),
    "nothing": (statement(Resource=[]), ["found an empty Resource; needs one entry at least"]),
    "any token": (
        statement(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": "arn:aws:iam::1:oidc-provider/x"}),
        [
            "found web identities without a condition on aud; needs the token tied to it",
            "found web identities without a condition on sub; needs the token tied to it",
        ],
    ),
    "any subject": (
        statement(
            Action="sts:AssumeRoleWithWebIdentity",
            Principal={"Federated": "arn:aws:iam::1:oidc-provider/x"},
            Condition={"StringEquals": {"x:aud": "a"}, "StringLike": {"x:sub": ["repo:a/b:*", "*"]}},
        ),
        ["found web identities without a condition on sub; needs the token tied to it"],
    ),
}


@pytest.mark.parametrize(("part", "findings"), CASES.values(), ids=CASES)
def test_findings_name_document_and_statement(part: dict[str, Any], findings: list[str]) -> None:
    expected = [f"role x: statement 1: {finding}" for finding in findings]
    assert check_document(build_document(part), "role x") == expected
    assert check_document({"Statement": part}, "role x") == expected  # IAM takes a single statement without a list


def test_a_sid_names_a_statement_and_an_empty_document_is_a_finding() -> None:
    assert check_document(build_document(statement(Sid="Open", Principal="*")), "x") == [f"x: statement Open: {STAR}"]
    assert check_document({"Statement": []}, "x") == ["x: has no statement; needs at least one"]


def test_every_exception_is_used_and_has_a_reason() -> None:
    text = json.dumps(build_all(AccountRegion(ID, "eu-west-1")))
    exceptions = {**iam_rules.WILDCARD_ACTIONS, **iam_rules.UNBOUND_ACTIONS, **iam_rules.BOUNDARY_ACTIONS}
    assert {action for action in exceptions if f'"{action}"' not in text} == set()
    assert all(len(reason) > 20 for reason in exceptions.values())
