"""The commit of a delivery: subject, body, trailers, branch name; and how to know it again. Pure.

Trailers (git interpret-trailers) let pipelines and people find such commits without reading text. A pipeline that
writes to the repository it runs in would start itself for ever: :func:`is_own_commit` is one of the two ways out, path
filters are the other (docs/delivery.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from typing_extensions import Self

from gitops_stack.delivery.plan import PIN_LENGTH

APPLICATION = "Gitops-Stack-Application"
IMAGE = "Gitops-Stack-Image"
CHART = "Gitops-Stack-Chart"
STACK = "Gitops-Stack-Stack"
PROMOTED_FROM = "Gitops-Stack-Promoted-From"
RELEASE = "Gitops-Stack-Release"
SOURCE_REVISION = "Gitops-Stack-Source-Revision"

_CHANGED = {"image": IMAGE, "chart": CHART}
_TRAILER = re.compile(rf"^({APPLICATION}|{RELEASE}): \S", re.MULTILINE)
_NAMES_LIMIT = 40
_DOTS = re.compile(r"\.\.+|\.(?=lock$)|\.$")  # git check-ref-format: no "..", no "." and no ".lock" at the end


class ReviewedChange(Protocol):
    """What changes in one application, whatever it is: an image, a chart."""

    @property
    def application(self) -> str:
        """The application."""

    @property
    def name(self) -> str:
        """What of it changes."""

    @property
    def kind(self) -> str:
        """Whether that is an image or a chart."""

    @property
    def before(self) -> Sequence[str]:
        """What was there; empty when nobody knows."""

    @property
    def after(self) -> str:
        """What will be there, whole."""

    @property
    def subject(self) -> str:
        """The same in a few words."""

    @property
    def pin(self) -> str:
        """What tells it from others of its name, for a branch."""


class ReviewedPlan(Protocol):
    """The changes of one stack."""

    @property
    def stack(self) -> str:
        """The stack."""

    @property
    def changes(self) -> Sequence[ReviewedChange]:
        """What changes."""

    @property
    def texts(self) -> Mapping[str, str | bytes]:
        """Path from the repository's root -> new content of the file."""

    @property
    def warnings(self) -> Sequence[str]:
        """What a reviewer has to know."""

    @property
    def promoted_from(self) -> str | None:
        """The stack it comes from, if it is a promotion."""

    def with_warnings(self, warnings: Sequence[str]) -> Self:
        """Return the plan with more warnings."""


def build_title(plan: ReviewedPlan) -> str:
    """Build the commit's first line, which is the pull request's title too."""
    verb = "Promote" if plan.promoted_from else "Set"
    origin = f" from {plan.promoted_from}" if plan.promoted_from else ""
    if len(plan.changes) == 1:
        change = plan.changes[0]
        return f"{verb} {change.application}{origin} to {change.subject} in {plan.stack}"
    return f"{verb} {_names(plan)}{origin} in {plan.stack}"


def build_message(plan: ReviewedPlan, source_revision: str | None = None) -> str:
    """Build the whole commit message, trailers last."""
    changes = build_summary(plan.changes)
    trailers = [f"{APPLICATION}: {name}" for name in _applications(plan)]
    trailers += dict.fromkeys(f"{_CHANGED[change.kind]}: {change.after}" for change in plan.changes)
    trailers.append(f"{STACK}: {plan.stack}")
    if plan.promoted_from:
        trailers.append(f"{PROMOTED_FROM}: {plan.promoted_from}")
    if source_revision:
        trailers.append(f"{SOURCE_REVISION}: {source_revision}")
    return "\n".join([build_title(plan), "", *changes, "", *trailers]) + "\n"


def build_branch(plan: ReviewedPlan) -> str:
    """Name the branch: the same change always gets the same name, so that a second run finds the first one's."""
    if len(plan.changes) == 1:
        short = _DOTS.sub("-", plan.changes[0].pin)
    else:
        whole = "\n".join(sorted(f"{change.application}/{change.name}={change.after}" for change in plan.changes))
        short = hashlib.sha256(whole.encode()).hexdigest()[:PIN_LENGTH]
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


def build_summary(changes: Iterable[ReviewedChange]) -> list[str]:
    """Return one line for people per change."""
    return [f"{change.application}: {_before(change)} -> {change.after}" for change in changes]


def _applications(plan: ReviewedPlan) -> list[str]:
    return list(dict.fromkeys(change.application for change in plan.changes))


def _names(plan: ReviewedPlan) -> str:
    names = _applications(plan)
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} applications"  # noqa: PLR2004 - what fits in a line


def _before(change: ReviewedChange) -> str:
    return ", ".join(change.before) or change.name
