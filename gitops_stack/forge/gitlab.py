"""Merge requests on GitLab, any edition (docs.gitlab.com/api/notes, API v4)."""

from __future__ import annotations

from functools import cached_property

from httpx2 import URL, Response

from gitops_stack.forge.forge import Comment
from gitops_stack.forge.rest import RestClient

_REMEDIES = {
    401: "give GITLAB_TOKEN a project access token that is valid and has the scope api",
    403: "give GITLAB_TOKEN the scope api and the role Reporter or above; CI_JOB_TOKEN may not write notes",
    404: "check CI_PROJECT_ID and CI_MERGE_REQUEST_IID, and that the token's role is Reporter or above",
    422: "the note was refused; is the discussion locked?",
}


class GitLab:
    """One merge request. ``project`` is its numeric id or its URL-encoded path, ``number`` the `iid`."""

    def __init__(self, api_url: str, project: str, number: int, token: str) -> None:
        self.place = f"project {project}!{number}"
        self._request = f"/projects/{project}/merge_requests/{number}"
        self._rest = RestClient(api_url, {"PRIVATE-TOKEN": token}, self.place, _REMEDIES)

    @cached_property
    def _own_id(self) -> object:
        return self._rest.call("GET", "/user")["id"]  # the bot user of a project access token is a user like others

    def load_head(self) -> str:
        """Return the commit at the head of the merge request."""
        return str(self._rest.call("GET", self._request)["sha"])

    def load_comments(self) -> list[Comment]:
        """List the notes this token's user made."""
        path = f"{self._request}/notes?per_page=100&sort=asc&order_by=created_at&page=1"
        return [
            _comment(found)
            for found in self._rest.pages(path, _next_page)
            if not found.get("system") and (found.get("author") or {}).get("id") == self._own_id
        ]

    def write_comment(self, body: str, comment_id: int | None = None) -> Comment:
        """Write a new note, or over an old one."""
        if comment_id is None:
            return _comment(self._rest.call("POST", f"{self._request}/notes", {"body": body}))
        return _comment(self._rest.call("PUT", f"{self._request}/notes/{comment_id}", {"body": body}))

    def delete_comment(self, comment_id: int) -> None:
        """Delete a note."""
        self._rest.call("DELETE", f"{self._request}/notes/{comment_id}")


def _comment(found: dict[str, object]) -> Comment:
    return Comment(int(str(found["id"])), str(found.get("body") or ""))


def _next_page(response: Response, url: str) -> str | None:
    page = response.headers.get("x-next-page")  # empty on the last page
    return str(URL(url).copy_set_param("page", page)) if page else None
