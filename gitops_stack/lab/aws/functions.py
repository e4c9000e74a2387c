"""The functions (invokes) of the AWS double."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gitops_stack.lab.aws.session import PARTITION, AwsSession
from gitops_stack.lab.aws.values import Plain


@dataclass(frozen=True)
class Function:
    """Answer one function; ``arguments`` are those it knows, ``secrets`` the secret parts of its answer."""

    answer: Callable[[AwsSession, Plain], Plain]
    arguments: frozenset[str] = frozenset({"region"})
    secrets: frozenset[str] = frozenset()


def _get_caller_identity(aws: AwsSession, arguments: Plain) -> Plain:
    identity = aws.call("sts", "GetCallerIdentity")
    account = identity["Account"]
    return {"accountId": account, "arn": identity["Arn"], "userId": identity["UserId"], "id": account}


FUNCTIONS = {"aws:index/getCallerIdentity:getCallerIdentity": Function(_get_caller_identity)}
_ = PARTITION
