"""Load balancers of both generations and target groups: what Services and Ingresses made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_stack.account.leftovers.kind import Found, Kind, Scope, Tags
from gitops_stack.account.session import Account, tag_map

_TAGS_PER_CALL = 20  # limit of DescribeTags in both APIs


def _find_balancers(account: Account, _scope: Scope) -> Iterator[Found]:
    found = account.list("elbv2", "describe_load_balancers", "LoadBalancers")
    yield from _with_tags(account, "elbv2", {entry["LoadBalancerArn"]: entry["LoadBalancerName"] for entry in found})


def _find_target_groups(account: Account, _scope: Scope) -> Iterator[Found]:
    found = account.list("elbv2", "describe_target_groups", "TargetGroups")
    yield from _with_tags(account, "elbv2", {entry["TargetGroupArn"]: entry["TargetGroupName"] for entry in found})


def _find_classic(account: Account, _scope: Scope) -> Iterator[Found]:
    found = account.list("elb", "describe_load_balancers", "LoadBalancerDescriptions")
    yield from _with_tags(account, "elb", {entry["LoadBalancerName"]: entry["LoadBalancerName"] for entry in found})


def _with_tags(account: Account, service: str, names: dict[str, str]) -> Iterator[Found]:
    ids = list(names)
    for start in range(0, len(ids), _TAGS_PER_CALL):
        answer = account.ask(service, "describe_tags", **_named(service, ids[start : start + _TAGS_PER_CALL]))
        for described in answer["TagDescriptions"]:
            resource = described.get("ResourceArn") or described["LoadBalancerName"]
            yield Found(resource, names[resource], tag_map(described["Tags"]))


def _named(service: str, ids: list[str]) -> dict[str, Any]:
    return {"LoadBalancerNames" if service == "elb" else "ResourceArns": ids}


def _load_tags(account: Account, service: str, resource: str) -> Tags | None:
    answer = account.find(service, "describe_tags", **_named(service, [resource]))
    return tag_map(answer["TagDescriptions"][0]["Tags"]) if answer and answer["TagDescriptions"] else None


def _v2_tags(account: Account, resource: str) -> Tags | None:
    return _load_tags(account, "elbv2", resource)


def _classic_tags(account: Account, resource: str) -> Tags | None:
    return _load_tags(account, "elb", resource)


def _delete_balancer(account: Account, arn: str) -> None:
    account.ask("elbv2", "delete_load_balancer", LoadBalancerArn=arn)


def _balancer_gone(account: Account, arn: str) -> bool:
    answer = account.find("elbv2", "describe_load_balancers", LoadBalancerArns=[arn])
    return answer is None or not answer["LoadBalancers"]


def _delete_target_group(account: Account, arn: str) -> None:
    account.ask("elbv2", "delete_target_group", TargetGroupArn=arn)


def _delete_classic(account: Account, name: str) -> None:
    account.ask("elb", "delete_load_balancer", LoadBalancerName=name)


LOAD_BALANCERS = Kind(
    "load-balancer",
    _find_balancers,
    _v2_tags,
    _delete_balancer,
    gone=_balancer_gone,
    blocking=frozenset({"ResourceInUse"}),
)
CLASSIC_LOAD_BALANCERS = Kind("classic-load-balancer", _find_classic, _classic_tags, _delete_classic)
TARGET_GROUPS = Kind(
    "target-group", _find_target_groups, _v2_tags, _delete_target_group, blocking=frozenset({"ResourceInUse"})
)
