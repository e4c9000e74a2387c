"""What holds data or keys: log groups, ECR repositories, KMS keys. Most of it is kept on purpose."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.account.leftovers.kind import Found, Kind, Scope, Tags
from gitops_stack.account.session import AccessDeniedError, Account, tag_map
from gitops_stack.conventions import TAG_STACK


def _find_log_groups(account: Account, scope: Scope) -> Iterator[Found]:
    # The tagging API answers for all groups at once; their own API takes one call per group.
    filters = [{"Key": TAG_STACK, "Values": [scope.stack]}]
    for entry in account.list(
        "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=filters
    ):
        _, is_group, name = entry["ResourceARN"].partition(":log-group:")
        if is_group:
            yield Found(name.removesuffix(":*"), name.removesuffix(":*"), tag_map(entry["Tags"]))


def _log_group_tags(account: Account, name: str) -> Tags | None:
    found = account.list("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    arns = [group["arn"].removesuffix(":*") for group in found if group["logGroupName"] == name]
    if not arns:
        return None
    tags: Tags = account.ask("logs", "list_tags_for_resource", resourceArn=arns[0])["tags"]
    return tags


def find_untagged_log_groups(account: Account, scope: Scope) -> list[str]:
    """List the log groups with the cluster's name and no tag: EKS makes them anew when it logs after their deletion."""
    if scope.cluster is None:
        return []
    found = account.list("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=f"/aws/eks/{scope.cluster}/")
    return [name for group in found if not _log_group_tags(account, name := group["logGroupName"])]


def _delete_log_group(account: Account, name: str) -> None:
    account.ask("logs", "delete_log_group", logGroupName=name)


def _find_repositories(account: Account, _scope: Scope) -> Iterator[Found]:
    for found in account.list("ecr", "describe_repositories", "repositories"):
        name = found["repositoryName"]
        tags = _repository_tags(account, name)
        yield Found(name, name, tags or {}, f"holds images; `--repository {name}` deletes it with all of them")


def _repository_tags(account: Account, name: str) -> Tags | None:
    arn = f"arn:{account.partition}:ecr:{account.region}:{account.identity.account}:repository/{name}"
    answer = account.find("ecr", "list_tags_for_resource", resourceArn=arn)
    return tag_map(answer["tags"]) if answer else None


def _delete_repository(account: Account, name: str) -> None:
    account.ask("ecr", "delete_repository", repositoryName=name, force=True)


def _find_keys(account: Account, _scope: Scope) -> Iterator[Found]:
    for entry in account.list("kms", "list_keys", "Keys"):
        key = account.ask("kms", "describe_key", KeyId=entry["KeyId"])["KeyMetadata"]
        if key["KeyManager"] != "CUSTOMER":
            continue
        keep = "encrypts what the stack made; `pulumi destroy` schedules its deletion"
        if key["KeyState"] == "PendingDeletion":
            when = f"{key['DeletionDate']:%Y-%m-%d}"
            keep = f"is deleted by AWS on {when}; `aws kms cancel-key-deletion` keeps it"
        yield Found(entry["KeyId"], key.get("Description", ""), _key_tags(account, entry["KeyId"]) or {}, keep)


def _key_tags(account: Account, key: str) -> Tags | None:
    try:
        found = account.list("kms", "list_resource_tags", "Tags", KeyId=key)
    except AccessDeniedError:
        return None  # a key policy that leaves this principal out: not one of the stack's keys
    return tag_map(found, "TagKey", "TagValue")


LOG_GROUPS = Kind("log-group", _find_log_groups, _log_group_tags, _delete_log_group)
REPOSITORIES = Kind("ecr-repository", _find_repositories, _repository_tags, _delete_repository)
KEYS = Kind("kms-key", _find_keys, _key_tags)
