"""Who the credentials are, whether the region is enabled, and whether what the stack names is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_stack.account.checks import Check
from gitops_stack.account.principals import check_principal
from gitops_stack.account.session import Account, AwsError
from gitops_stack.settings import StackSettings


def check_credentials(account: Account, expected: str) -> Check:
    """Check that there are credentials, and of the account the stack names."""
    needs = f"working credentials of account {expected}"
    try:
        found = account.identity
    except AwsError as error:
        (problem,) = error.problems
        return Check("credentials", "failed", problem.found, needs, problem.remedy)
    who = f"account {found.account}, {found.arn}"
    if found.account != expected:
        return Check("credentials", "failed", who, needs, f"use credentials of {expected}, or correct account.id")
    return Check("credentials", "ok", who, needs)


def check_region(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check that the region is enabled for the account, and those that images are copied to.

    ECR copies into no other (ECR user guide, "Private image replication in Amazon ECR", considerations).
    """
    yield _check_region(account, "region", account.region, "aws:region")
    for region in settings.registry.replicate_to.regions if settings.registry else ():
        yield _check_region(account, f"region: {region}", region, "registry.replicateTo.regions")


def _check_region(account: Account, label: str, region: str, setting: str) -> Check:
    needs = "a region that is enabled for the account"
    arguments: dict[str, Any] = {"AllRegions": True, "RegionNames": [region], "region": account.home_region}
    try:
        regions = account.ask("ec2", "describe_regions", **arguments)["Regions"]
    except AwsError as error:
        if error.code != "InvalidParameterValue":
            raise
        regions = []
    if not regions:
        return Check(label, "failed", f"{region}: AWS has no such region", needs, f"correct {setting}")
    if regions[0]["OptInStatus"] == "not-opted-in":
        remedy = "enable it under Account, AWS Regions, and wait until that is through"
        return Check(label, "failed", f"{region}: not enabled", needs, remedy)
    return Check(label, "ok", f"{region}: {regions[0]['OptInStatus']}", needs)


def check_caller(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check that the credentials may enter the cluster they are to make: nobody gets in for having made it."""
    if settings.eks is None:
        return
    needs = "one of the principals of cluster.access with policy ClusterAdmin, who installs Argo CD"
    admins = {
        entry.principal_arn
        for entry in settings.eks.access.values()
        if any(one.policy == "ClusterAdmin" for one in entry.all_policies)
    }
    who = account.identity.arn
    if any(is_session_of(who, admin) for admin in admins):
        yield Check("caller", "ok", who, needs)
    else:
        remedy = f"assume {sorted(admins)[0]}" if admins else "give one of them policy ClusterAdmin"
        yield Check("caller", "failed", f"{who}: no such entry names this principal", needs, remedy)


def is_session_of(caller: str, principal: str) -> bool:
    """Tell whether ``caller``, an ARN of sts:GetCallerIdentity, is the user ``principal`` or a session of that role.

    A session's ARN leaves out the role's path (IAM user guide, "IAM identifiers").
    """
    if caller == principal:
        return True
    owner, resource = caller.split(":")[4:6]
    kind, _, rest = resource.partition("/")
    role_owner, role = principal.split(":")[4:6]
    is_role = role.startswith("role/") and kind == "assumed-role" and owner == role_owner
    return is_role and rest.partition("/")[0] == role.rpartition("/")[2]


def check_principals(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check that every principal with access to the cluster exists; EKS refuses an entry for one that does not."""
    for name, access in settings.eks.access.items() if settings.eks else ():
        label, needs = f"access: {name}", "an IAM role or user that exists"
        owner = access.principal_arn.split(":")[4]
        if owner != account.identity.account:
            remedy = "look there whether it exists"
            yield Check(label, "skipped", f"{access.principal_arn} is of account {owner}", needs, remedy)
        else:
            path = f"cluster.access.{name}.principalArn"
            yield check_principal(account, label, access.principal_arn, needs, path)


def check_secrets(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check that the Secrets Manager secrets exist which the stack reads or refers to."""
    for path, secret in _secrets(settings):
        label, needs = f"secret: {path}", "a secret in Secrets Manager, in this region"
        found = account.find("secretsmanager", "describe_secret", SecretId=secret)
        if found is None:
            remedy = f"make it: aws secretsmanager create-secret --region {account.region} --name {secret}"
            yield Check(label, "failed", f"{secret} does not exist", needs, remedy)
        elif "DeletedDate" in found:
            remedy = f"aws secretsmanager restore-secret --region {account.region} --secret-id {secret}"
            yield Check(label, "failed", f"{secret} is about to be deleted", needs, remedy)
        else:
            yield Check(label, "ok", secret, needs)


def _secrets(settings: StackSettings) -> Iterator[tuple[str, str]]:
    credentials = settings.gitops.credentials
    if credentials is not None and credentials.secrets_manager is not None:
        yield "gitops.credentials", credentials.secrets_manager
    registry = settings.registry
    for upstream in registry.pull_through_cache if registry else ():
        if registry and (secret := registry.credential_secret(upstream)):
            yield f"pull-through of {upstream}", secret
