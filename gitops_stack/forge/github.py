"""Pull requests on GitHub and GitHub Enterprise Server (docs.github.com/rest/issues/comments, version 2022-11-28)."""

from __future__ import annotations

from httpx2 import Response

from gitops_stack.forge.forge import Comment
from gitops_stack.forge.rest import RestClient

# A comment of anybody else could carry the marker too, and stay in its author's hands after it was taken over.
_TRUSTED = ("OWNER", "MEMBER", "COLLABORATOR")
_REMEDIES = {
    401: "give GITHUB_TOKEN a token that is valid",
    403: "give the job `permissions: pull-requests: write`; a fork's run has a token that only reads, so let "
    "preview-comment.yml write its comment",
    404: "check GITHUB_REPOSITORY and the number of the pull request, and that the token may read them",
    410: "comments are switched off or the pull request is gone; nothing is left to write to",
    422: "the comment was refused; is the pull request locked?",
}


class GitHub:
    """One pull request. ``repository`` is `owner/name`."""

    def __init__(self, api_url: str, repository: str, number: int, token: str) -> None:
        self.place = f"{repository}#{number}"
        self._repository = f"/repos/{repository}"
        self._number = number
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._rest = RestClient(api_url, headers, self.place, _REMEDIES)

    def load_head(self) -> str:
        """Return the commit at the head of the pull request."""
        return str(self._rest.call("GET", f"{self._repository}/pulls/{self._number}")["head"]["sha"])

    def load_comments(self) -> list[Comment]:
        """List the comments of bots and of people who may write to the repository."""
        path = f"{self._repository}/issues/{self._number}/comments?per_page=100"
        return [
            _comment(found)
            for found in self._rest.pages(path, _next_page)
            if (found.get("user") or {}).get("type") == "Bot" or found.get("author_association") in _TRUSTED
        ]

    def write_comment(self, body: str, comment_id: int | None = None) -> Comment:
        """Write a new comment, or over an old one."""
        if comment_id is None:
            path = f"{self._repository}/issues/{self._number}/comments"
            return _comment(self._rest.call("POST", path, {"body": body}))
        return _comment(self._rest.call("PATCH", f"{self._repository}/issues/comments/{comment_id}", {"body": body}))

    def delete_comment(self, comment_id: int) -> None:
        """Delete a comment."""
        self._rest.call("DELETE", f"{self._repository}/issues/comments/{comment_id}")


def _comment(found: dict[str, object]) -> Comment:
    return Comment(int(str(found["id"])), str(found.get("body") or ""), str(found.get("html_url") or ""))


def _next_page(response: Response, _: str) -> str | None:
    return response.links.get("next", {}).get("url")
