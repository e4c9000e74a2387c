"""Lifecycle documents: what is kept, what goes, in the order ECR demands."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.aws_plan.lifecycle_policies import build_cache_lifecycle, build_repository_lifecycle

UNTAGGED = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7}


def last(number: int, **tags: list[str]) -> dict[str, Any]:
    return {"tagStatus": "tagged", **tags, "countType": "imageCountMoreThan", "countNumber": number}


def selections(policy: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [rule["selection"] for rule in policy["rules"]] if policy else []


@pytest.mark.parametrize(
    ("untagged_days", "keep_last", "prefixes", "expected"),
    [
        (None, None, [], []),
        (None, None, ["v"], []),
        (7, None, [], [UNTAGGED]),
        (None, 30, [], [last(30, tagPatternList=["*"])]),
        (7, 30, ["v"], [UNTAGGED, last(30, tagPrefixList=["v"])]),
        (7, 3, ["v", "v1-", "a"], [UNTAGGED, *(last(3, tagPrefixList=[prefix]) for prefix in ("v1-", "a", "v"))]),
    ],
    ids=["nothing", "prefix alone", "days", "last", "both", "longer prefix first"],
)
def test_rules_of_a_repository(
    untagged_days: int | None, keep_last: int | None, prefixes: list[str], expected: list[dict[str, Any]]
) -> None:
    policy = build_repository_lifecycle(untagged_days=untagged_days, keep_last=keep_last, prefixes=prefixes)
    assert selections(policy) == expected


def test_a_cache_forgets_by_age_alone() -> None:
    assert build_cache_lifecycle(90) == {
        "rules": [
            {
                "rulePriority": 1,
                "description": "expire all images after 90 days",
                "selection": {
                    "tagStatus": "any",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 90,
                },
                "action": {"type": "expire"},
            }
        ]
    }


def test_priorities_are_unique_and_every_rule_says_what_it_does() -> None:
    policy = build_repository_lifecycle(untagged_days=7, keep_last=3, prefixes=["v", "a"])
    assert policy is not None
    assert [(rule["rulePriority"], rule["description"]) for rule in policy["rules"]] == [
        (1, "expire untagged images after 7 days"),
        (2, "keep the last 3 images with tags beginning with a"),
        (3, "keep the last 3 images with tags beginning with v"),
    ]
    assert {rule["action"]["type"] for rule in policy["rules"]} == {"expire"}
