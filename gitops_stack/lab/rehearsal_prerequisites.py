"""What a stack expects to find in its account, put there before a rehearsal: roles, policies, a bucket, secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gitops_stack.settings import StackSettings
from pulumi_aws_double.account import seed_secret
from pulumi_aws_double.models import AwsError
from pulumi_aws_double.session import AwsSession

# Nobody's: the played host of the repository asks for no login.
PASSWORD = "played-by-the-rehearsal"  # noqa: S105
_THERE = ("EntityAlreadyExists", "BucketAlreadyOwnedByYou")
_LOGIN = json.dumps({"username": "git", "password": PASSWORD})
_CACHE_LOGIN = json.dumps({"username": "rehearsal", "accessToken": "rehearsal"})


def write_prerequisites(settings: StackSettings, aws: AwsSession) -> list[str]:
    """Make what is missing and return all of it in words."""
    found = []
    for name, trusted in _list_roles(settings, aws.account_id):
        _write_role(aws, name, trusted)
        found.append(f"IAM role {name}")
    for arn in _list_policies(settings):
        _write_policy(aws, arn)
        found.append(f"IAM policy {arn.rpartition('/')[2]}")
    bucket = settings.network.flow_log_bucket_arn if settings.network else None
    if bucket is not None:
        name = bucket.partition(":::")[2].partition("/")[0]
        _create(aws, "s3", "CreateBucket", Bucket=name, CreateBucketConfiguration=_locate(aws))
        found.append(f"S3 bucket {name}")
    credentials = settings.gitops.credentials
    if credentials is not None and credentials.secrets_manager is not None:
        seed_secret(aws, _secret_name(credentials.secrets_manager), _LOGIN)
        found.append(f"secret {credentials.secrets_manager}")
    for upstream in settings.registry.pull_through_cache if settings.registry else ():
        secret = settings.registry.credential_secret(upstream) if settings.registry else None
        if secret is not None:
            seed_secret(aws, secret, _CACHE_LOGIN)
            found.append(f"secret {secret}")
    return found


def _list_roles(settings: StackSettings, account_id: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name of every role a stack file names, and whom it has to trust."""
    people = {"AWS": f"arn:aws:iam::{account_id}:root"}
    for access in settings.eks.access.values() if settings.eks else ():
        kind, _, name = access.principal_arn.rpartition(":")[2].rpartition("/")
        if kind.startswith("role"):
            yield name, people
    if settings.eks is not None and (arn := settings.eks.role_arn) is not None:
        yield arn.rpartition("/")[2], {"Service": "eks.amazonaws.com"}
    if settings.eks is not None and (arn := settings.eks.compute.node_role_arn) is not None:
        yield arn.rpartition("/")[2], {"Service": "ec2.amazonaws.com"}
    for role in settings.pod_roles.values():
        if role.role_arn is not None:
            yield role.role_arn.rpartition("/")[2], {"Service": "pods.eks.amazonaws.com"}


def _list_policies(settings: StackSettings) -> Iterator[str]:
    """Yield the ARNs of the account's own policies that a stack file names."""
    boundary = settings.account.permissions_boundary_arn if settings.account else None
    attached = {arn for role in settings.pod_roles.values() for arn in role.managed_policy_arns}
    yield from sorted(arn for arn in {boundary, *attached} if arn is not None and ":iam::aws:" not in arn)


def _write_role(aws: AwsSession, name: str, trusted: dict[str, str]) -> None:
    own = {"Effect": "Allow", "Principal": trusted, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [own]})
    _create(aws, "iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=document)


def _write_policy(aws: AwsSession, arn: str) -> None:
    path, _, name = arn.partition(":policy")[2].rpartition("/")
    own = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [own]})
    _create(aws, "iam", "CreatePolicy", PolicyName=name, Path=f"{path}/", PolicyDocument=document)


def _locate(aws: AwsSession) -> dict[str, str] | None:
    # S3 takes no word for the region it began in.
    return None if aws.region == "us-east-1" else {"LocationConstraint": aws.region}


def _create(aws: AwsSession, service: str, operation: str, **parameters: Any) -> None:  # noqa: ANN401 - as boto3
    try:
        aws.call(service, operation, **parameters)
    except AwsError as refused:
        if refused.code not in _THERE:
            raise


def _secret_name(reference: str) -> str:
    """Return the name in an ARN, which ends in a dash and six characters, or the name it is already."""
    return reference.rpartition(":secret:")[2].rpartition("-")[0] if reference.startswith("arn:") else reference
