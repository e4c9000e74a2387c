"""ECR lifecycle policies: which images a repository forgets.

ECR's rules (user guide, "Lifecycle policy properties"): priorities are unique; an image that a rule selects by its tag
is out of reach for all rules with a higher priority number; the rule for `any` image has the highest number of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def build_repository_lifecycle(
    *, untagged_days: int | None, keep_last: int | None, prefixes: Sequence[str] = ()
) -> dict[str, Any] | None:
    """Build the policy of a repository that is pushed to; None when there is nothing to forget.

    Untagged images go ``untagged_days`` after their push. Of the tags that begin with each of ``prefixes`` the
    newest ``keep_last`` images stay; without prefixes, of all tagged images. Images with other tags stay for good.
    """
    selections: list[dict[str, Any]] = []
    if untagged_days is not None:
        selections.append({"tagStatus": "untagged", **_older_than(untagged_days)})
    if keep_last is not None:
        count = {"countType": "imageCountMoreThan", "countNumber": keep_last}
        # The longer prefix first: `v1-` would get nothing of what `v` has selected before it.
        patterns = [{"tagPrefixList": [prefix]} for prefix in sorted(set(prefixes), key=lambda one: (-len(one), one))]
        selections += [
            {"tagStatus": "tagged", **pattern, **count} for pattern in patterns or [{"tagPatternList": ["*"]}]
        ]
    return _build_policy(selections) if selections else None


def build_cache_lifecycle(days: int) -> dict[str, Any]:
    """Build the policy of repositories that a pull-through cache fills: every image goes ``days`` after it came.

    Age is the one measure that is fair to images pulled by digest: they have no tag here and are in use all the same.
    What is pulled again comes again.
    """
    return _build_policy([{"tagStatus": "any", **_older_than(days)}])


def _older_than(days: int) -> dict[str, Any]:
    return {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}


def _build_policy(selections: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rules": [
            {
                "rulePriority": priority,
                "description": _describe(selection),
                "selection": selection,
                "action": {"type": "expire"},
            }
            for priority, selection in enumerate(selections, start=1)
        ]
    }


def _describe(selection: dict[str, Any]) -> str:
    number = selection["countNumber"]
    if selection["countType"] == "imageCountMoreThan":
        tags = selection.get("tagPrefixList") or selection["tagPatternList"]
        how = "beginning with" if "tagPrefixList" in selection else "matching"
        return f"keep the last {number} images with tags {how} {tags[0]}"
    what = "untagged" if selection["tagStatus"] == "untagged" else "all"
    return f"expire {what} images after {number} days"
