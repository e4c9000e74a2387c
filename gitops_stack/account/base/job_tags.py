"""Whose jobs a role is for, kept in its tags: a later run goes on without its options, another repository is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from gitops_stack.account.base.wanted import Jobs, build_up_role_name
from gitops_stack.account.session import Account, tag_map
from gitops_stack.aws_plan.stack_needs import ISSUERS
from gitops_stack.conventions import TAG_BASE, TAG_BRANCH, TAG_ENVIRONMENT, TAG_REPOSITORY
from gitops_stack.errors import GitOpsStackError

_ID = re.compile(r"@\d+(?=/|$)")


def build_job_tags(jobs: Jobs) -> dict[str, str]:
    """Build the tags that say whose jobs a role is for."""
    tags = {TAG_REPOSITORY: f"{jobs.forge}:{jobs.repository}", TAG_BRANCH: jobs.branch}
    if jobs.environment is not None:
        tags[TAG_ENVIRONMENT] = jobs.environment
    return {key: _encode(value) for key, value in tags.items()}


def read_jobs(tags: Mapping[str, str]) -> Jobs | None:
    """Read :func:`build_job_tags` back; None for a role that does not say whose jobs it is for."""
    forge, _, repository = _decode(tags.get(TAG_REPOSITORY, "")).partition(":")
    if forge not in ISSUERS or TAG_BRANCH not in tags:
        return None
    # A role that went over to a project of GitLab has the tag of its former environment still.
    environment = _decode(tags[TAG_ENVIRONMENT]) if forge == "github" and TAG_ENVIRONMENT in tags else None
    try:
        return Jobs(forge, repository, _decode(tags[TAG_BRANCH]), environment)
    except GitOpsStackError:  # written by hand
        return None


def load_jobs(aws: Account, stack: str) -> Jobs | None:
    """Read whose jobs the role for `up` of ``stack`` is for; None without that role, or where it does not say so."""
    found = aws.find("iam", "get_role", RoleName=build_up_role_name(stack))
    tags = tag_map(found["Role"].get("Tags")) if found else {}
    return read_jobs(tags) if TAG_BASE in tags else None


def is_same_repository(one: Jobs, other: Jobs) -> bool:
    """Tell whether both are of one repository; GitHub's ids, as in acme@12/platform@34, count where both have them."""
    if one.forge != other.forge:
        return False
    if _ID.search(one.repository) and _ID.search(other.repository):
        return one.repository == other.repository
    return _ID.sub("", one.repository) == _ID.sub("", other.repository)


def _encode(value: str) -> str:
    """Write what a tag of IAM cannot hold, such as the # of a branch, as =23 (IAM API reference, "Tag")."""
    return quote(value, safe=" /:+@").replace("%", "=")


def _decode(value: str) -> str:
    return unquote(value.replace("=", "%"))
