"""IAM roles and instance profiles. IAM is one for all regions, so only the stack's own tag counts here."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.account.leftovers.kind import Found, Kind, Scope, Tags
from gitops_stack.account.session import Account, tag_map

_SERVICE_ROLES = "/aws-service-role/"  # AWS makes and keeps them
_BLOCKED = frozenset({"DeleteConflict"})


def _find_roles(account: Account, _scope: Scope) -> Iterator[Found]:
    for role in account.list("iam", "list_roles", "Roles"):
        if not role["Path"].startswith(_SERVICE_ROLES):
            name = role["RoleName"]
            yield Found(name, name, _role_tags(account, name) or {})


def _find_profiles(account: Account, _scope: Scope) -> Iterator[Found]:
    for profile in account.list("iam", "list_instance_profiles", "InstanceProfiles"):
        name = profile["InstanceProfileName"]
        yield Found(name, name, _profile_tags(account, name) or {})


def _role_tags(account: Account, name: str) -> Tags | None:
    answer = account.find("iam", "list_role_tags", RoleName=name)  # a role has 50 tags at most, a page 100
    return tag_map(answer["Tags"]) if answer else None


def _profile_tags(account: Account, name: str) -> Tags | None:
    answer = account.find("iam", "get_instance_profile", InstanceProfileName=name)
    return tag_map(answer["InstanceProfile"].get("Tags")) if answer else None


def _delete_profile(account: Account, name: str) -> None:
    profile = account.ask("iam", "get_instance_profile", InstanceProfileName=name)["InstanceProfile"]
    for role in profile["Roles"]:
        account.find("iam", "remove_role_from_instance_profile", InstanceProfileName=name, RoleName=role["RoleName"])
    account.ask("iam", "delete_instance_profile", InstanceProfileName=name)


def _delete_role(account: Account, name: str) -> None:
    for policy in account.list("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name):
        account.find("iam", "detach_role_policy", RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in account.list("iam", "list_role_policies", "PolicyNames", RoleName=name):
        account.find("iam", "delete_role_policy", RoleName=name, PolicyName=policy)
    account.ask("iam", "delete_role", RoleName=name)


INSTANCE_PROFILES = Kind(
    "instance-profile", _find_profiles, _profile_tags, _delete_profile, blocking=_BLOCKED, regional=False
)
ROLES = Kind("iam-role", _find_roles, _role_tags, _delete_role, blocking=_BLOCKED, regional=False)
