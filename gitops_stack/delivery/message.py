"""The commit of a delivery: subject, body, trailers, branch name; and how to know it again. Pure.

Trailers (git interpret-trailers) let pipelines and people find such commits without reading text. A pipeline that
writes to the repository it runs in would start itself for ever: :func:`is_own_commit` is one of the two ways out, path
filters are the other (docs/delivery.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from gitops_stack.delivery.image_reference import split_image
from gitops_stack.delivery.plan import ImageChange, Plan

APPLICATION = "Gitops-Stack-Application"
IMAGE = "Gitops-Stack-Image"
STACK = "Gitops-Stack-Stack"
PROMOTED_FROM = "Gitops-Stack-Promoted-From"
RELEASE = "Gitops-Stack-Release"
SOURCE_REVISION = "Gitops-Stack-Source-Revision"

_TRAILER = re.compile(rf"^({APPLICATION}|{RELEASE}): \S", re.MULTILINE)
_SHORT = 12
_NAMES_LIMIT = 40
_DOTS = re.compile(r"\.\.+|\.(?=lock$)|\.$")  # git check-ref-format: no "..", no "." and no ".lock" at the end


def build_title(plan: Plan) -> str:
    """Build the commit's first line, which is the pull request's title too."""
    verb = "Promote" if plan.promoted_from else "Set"
    origin = f" from {plan.promoted_from}" if plan.promoted_from else ""
    if len(plan.changes) == 1:
        change = plan.changes[0]
        name, tag, digest = split_image(change.after)
        pin = tag or digest[: digest.find(":") + 1 + _SHORT]
        return f"{verb} {change.application}{origin} to {name.rpartition('/')[2]} {pin} in {plan.stack}"
    return f"{verb} {_names(plan)}{origin} in {plan.stack}"


def build_message(plan: Plan, source_revision: str | None = None) -> str:
    """Build the whole commit message, trailers last."""
    changes = build_summary(plan.changes)
    trailers = [f"{APPLICATION}: {name}" for name in _applications(plan)]
    trailers += [f"{IMAGE}: {image}" for image in dict.fromkeys(change.after for change in plan.changes)]
    trailers.append(f"{STACK}: {plan.stack}")
    if plan.promoted_from:
        trailers.append(f"{PROMOTED_FROM}: {plan.promoted_from}")
    if source_revision:
        trailers.append(f"{SOURCE_REVISION}: {source_revision}")
    return "\n".join([build_title(plan), "", *changes, "", *trailers]) + "\n"


def build_branch(plan: Plan) -> str:
    """Name the branch: the same change always gets the same name, so that a second run finds the first one's."""
    if len(plan.changes) == 1:
        _, tag, digest = split_image(plan.changes[0].after)
        short = digest.rpartition(":")[2][:_SHORT] or _DOTS.sub("-", tag)
    else:
        whole = "\n".join(sorted(f"{change.application}/{change.name}={change.after}" for change in plan.changes))
        short = hashlib.sha256(whole.encode()).hexdigest()[:_SHORT]
    applications = _applications(plan)
    names = "-".join(applications)
    if len(applications) > 1 and len(names) > _NAMES_LIMIT:  # one alone is named: its tag may be another's too
        names = f"{len(applications)}-applications"
    return f"gitops-stack/{plan.stack}/{names}-{short.rstrip('.')}"


def is_own_commit(message: str) -> bool:
    """Tell whether this library made the commit, by the trailers in the last paragraphs of its message.

    A squash merge that keeps the message keeps the trailers; a revert does not have them, and is a person's commit.
    """
    return _TRAILER.search(message) is not None


def build_summary(changes: Iterable[ImageChange]) -> list[str]:
    """Return one line for people per change."""
    return [f"{change.application}: {_before(change)} -> {change.after}" for change in changes]


def _applications(plan: Plan) -> list[str]:
    return list(dict.fromkeys(change.application for change in plan.changes))


def _names(plan: Plan) -> str:
    names = _applications(plan)
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} applications"  # noqa: PLR2004 - what fits in a line


def _before(change: ImageChange) -> str:
    return ", ".join(change.before) or change.name
