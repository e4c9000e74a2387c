"""What a stack expects to find in its account, put there before a rehearsal: roles of people, secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gitops_stack.lab.aws.account import seed_secret
from gitops_stack.lab.aws.models import AwsError
from gitops_stack.lab.aws.session import AwsSession
from gitops_stack.settings import StackSettings

# Nobody's: the played host of the repository asks for no login.
PASSWORD = "played-by-the-rehearsal"
_LOGIN = json.dumps({"username": "git", "password": PASSWORD})
_CACHE_LOGIN = json.dumps({"username": "rehearsal", "accessToken": "rehearsal"})


def write_prerequisites(settings: StackSettings, aws: AwsSession) -> list[str]:
    """Make what is missing and return all of it in words."""
    found = []
    for name in _role_names(settings):
        _write_role(aws, name)
        found.append(f"IAM role {name}")
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


def _role_names(settings: StackSettings) -> Iterator[str]:
    for access in settings.eks.access.values() if settings.eks else ():
        kind, _, name = access.principal_arn.rpartition(":")[2].rpartition("/")
        if kind.startswith("role"):
            yield name


def _write_role(aws: AwsSession, name: str) -> None:
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{aws.account_id}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [own]})
    try:
        aws.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=document)
    except AwsError as refused:
        if refused.code != "EntityAlreadyExists":
            raise


def _secret_name(reference: str) -> str:
    """Return the name in an ARN, which ends in a dash and six characters, or the name it is already."""
    return reference.rpartition(":secret:")[2].rpartition("-")[0] if reference.startswith("arn:") else reference
