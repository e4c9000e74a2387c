"""The interface of a forge, and the one comment that is updated and never added again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gitops_stack.errors import EnvironmentProblem


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request (GitLab: a note on a merge request). Ids grow with time on both forges."""

    id: int
    body: str
    url: str = ""


class NotFoundProblem(EnvironmentProblem):
    """Something is not there, or hidden from this token: forges answer 404 for both."""


class Forge(Protocol):
    """One pull request of one repository. Every call raises :class:`EnvironmentProblem` with a remedy."""

    @property
    def place(self) -> str:
        """The pull request as people write it, such as `acme/platform#7`."""

    def load_head(self) -> str:
        """Return the commit at the head of the pull request, 40 hexadecimal digits."""

    def load_comments(self) -> list[Comment]:
        """List every comment this token's kind of author may have made; those of strangers are left out."""

    def write_comment(self, body: str, comment_id: int | None = None) -> Comment:
        """Write a comment: a new one, or over the one with ``comment_id``."""

    def delete_comment(self, comment_id: int) -> None:
        """Delete a comment."""


def write_marked_comment(forge: Forge, marker: str, body: str) -> Comment:
    """Write ``body``, whose first line is ``marker``, as the only comment that starts with it. Returns that comment.

    Two runs at once may both find none and both write one. Each looks again after writing: the oldest stays and takes
    the newest run's text, the others are deleted. Whoever looks last sees all, so one is left whatever the order.
    """
    found = _marked(forge, marker)
    written = _update(forge, found[0], body) if found else None
    written = written or forge.write_comment(body)
    oldest, *duplicates = _marked(forge, marker) or [written]
    if oldest.id < written.id:
        written = _update(forge, oldest, body) or written
    for duplicate in duplicates:
        if duplicate.id != written.id:
            _delete(forge, duplicate)
    return written


def _marked(forge: Forge, marker: str) -> list[Comment]:
    found = [comment for comment in forge.load_comments() if comment.body.lstrip().startswith(marker)]
    return sorted(found, key=lambda comment: comment.id)


def _update(forge: Forge, comment: Comment, body: str) -> Comment | None:
    try:
        return forge.write_comment(body, comment.id)
    except NotFoundProblem:  # deleted since it was listed
        return None


def _delete(forge: Forge, comment: Comment) -> None:
    try:
        forge.delete_comment(comment.id)
    except NotFoundProblem:  # the other run was quicker
        return
