"""Around Pulumi's state in the account: the bucket's policy, the key's, and which objects are one stack's."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Document, Statement, allow, allow_principal, build_document
from gitops_stack.conventions import PULUMI_PROJECT

_READ_OBJECTS = ("s3:GetObject",)
_WRITE_OBJECTS = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")


@dataclass(frozen=True)
class State:
    """Hold where the state of one ``stack`` is: a bucket's name, and the ARN of the key that encrypts it.

    ``others`` are the stacks whose outputs its program reads, all of the Pulumi project ``project``.
    """

    account: AccountRegion
    stack: str
    bucket: str
    key_arn: str
    others: tuple[str, ...] = ()
    project: str = PULUMI_PROJECT

    @property
    def bucket_arn(self) -> str:
        """Build the bucket's ARN."""
        return f"arn:{self.account.partition}:s3:::{self.bucket}"

    @property
    def objects(self) -> list[str]:
        """List the stack's objects: Pulumi's own layout of a backend it keeps itself (pulumi/pkg backend/diy)."""
        return [
            f"{self.bucket_arn}/.pulumi/stacks/{self.project}/{self.stack}.*",
            f"{self.bucket_arn}/.pulumi/*/{self.project}/{self.stack}/*",  # history, backups, locks
        ]

    @property
    def marker(self) -> str:
        """Build the ARN of the object that says which layout the backend has."""
        return f"{self.bucket_arn}/.pulumi/meta.yaml"


def build_bucket_policy(state: State) -> Document:
    """Build the policy of the state's bucket: nobody reads or writes it without TLS."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [state.bucket_arn, f"{state.bucket_arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def build_state_key_policy(account: AccountRegion) -> Document:
    """Build the policy of the key of Pulumi's secrets provider: the account decides, by its IAM policies."""
    return build_document(allow_principal("Account", {"AWS": account.root_arn}, ["kms:*"], resources="*"))


def allow_writing_state(state: State) -> list[Statement]:
    """Allow what an update does with the state of its own stack: objects of other stacks stay closed."""
    return [
        *_allow_finding_state(state),
        allow("WriteState", _WRITE_OBJECTS, state.objects),
        allow("StartBackend", ["s3:PutObject"], [state.marker]),
        allow("UseStateKey", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], [state.key_arn]),
    ]


def allow_reading_state(state: State) -> list[Statement]:
    """Allow what a preview does with the state of its own stack: it takes no lock and writes nothing."""
    return [
        *_allow_finding_state(state),
        allow("ReadState", _READ_OBJECTS, state.objects),
        allow("OpenState", ["kms:Decrypt"], [state.key_arn]),
    ]


def _allow_finding_state(state: State) -> list[Statement]:
    found = [
        allow("ListState", ["s3:GetBucketLocation", "s3:ListBucket"], [state.bucket_arn]),
        allow("ReadMarker", _READ_OBJECTS, [state.marker]),
    ]
    if state.others:
        states = [f"{state.bucket_arn}/.pulumi/stacks/{state.project}/{other}.*" for other in state.others]
        found.append(allow("ReadOtherStates", _READ_OBJECTS, states))
    return found
