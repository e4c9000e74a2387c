"""Open a pull request, or update the one that is open.

GitHub: docs.github.com/rest/pulls/pulls. GitLab: docs.gitlab.com/api/merge_requests. Which forge it is, the remote's
URL says; the token comes from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.forge.rest import RestClient

_SCP_LIKE = re.compile(r"(?:[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>[^/].*)")
_LOGIN = re.compile(r"(?<=://)[^/\s]*@")
_HOSTS = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}  # both answer SSH on port 443
_OTHERWISE = "or leave the pull request to a person with --no-pull-request"
_GITHUB_REMEDIES = {
    401: "give GITHUB_TOKEN a token that is valid",
    403: "give the GitHub App or the fine-grained token `pull requests: write` and `contents: write`",
    404: "check that the token may read and write the repository of the remote",
    422: "the pull request was refused; does its base branch exist?",
}
_GITLAB_REMEDIES = {
    401: "give GITLAB_TOKEN a project access token that is valid and has the scope api",
    403: "give GITLAB_TOKEN the scope api and the role Developer or above; CI_JOB_TOKEN may not open merge requests",
    404: "check that the token may read and write the project of the remote",
    409: "a merge request of this branch is open already; run the command again",
}


@dataclass(frozen=True)
class PullRequest:
    """An open pull request (GitLab: merge request). ``opened`` tells whether this run made it."""

    number: int
    url: str
    opened: bool = False


class PullRequests(Protocol):
    """The pull requests of one repository. Every call raises :class:`EnvironmentProblem` with a remedy."""

    def find_pull_request(self, branch: str, base: str) -> PullRequest | None:
        """Return the open one from ``branch`` into ``base``, if there is one."""

    def open_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open one."""

    def update_pull_request(self, number: int, title: str, body: str) -> None:
        """Give one a new title and body."""


def write_pull_request(requests: PullRequests, branch: str, base: str, title: str, body: str) -> PullRequest:
    """Update the open pull request of ``branch``, or open one; two runs at once end with one."""
    found = requests.find_pull_request(branch, base)
    if found is None:
        try:
            return requests.open_pull_request(branch, base, title, body)
        except EnvironmentProblem:
            found = requests.find_pull_request(branch, base)  # another run may have been quicker
            if found is None:
                raise
    requests.update_pull_request(found.number, title, body)
    return found


def detect_pull_requests(
    remote_url: str, environment: Mapping[str, str], forge: str | None = None
) -> PullRequests | None:
    """Return the forge of a remote; None for plain git. ``forge`` (github, gitlab) says what a host of one's own is.

    Raises :class:`EnvironmentProblem` where a forge is found and no token for it.
    """
    try:
        host, path = parse_remote(remote_url)
    except ValueError:  # which quotes what it took for a port, such as the first half of a password
        raise EnvironmentProblem(
            Problem(
                "the host or the port of its URL cannot be read", "correct it with `git remote set-url`", "git remote"
            )
        ) from None
    kind = forge or _kind(host, environment)
    if kind is None:
        return None
    if not host:
        shown = _LOGIN.sub("", remote_url)
        raise EnvironmentProblem(Problem("is not a URL of a forge", "correct the remote, or give --forge none", shown))
    names = ("GITHUB_TOKEN", "GH_TOKEN") if kind == "github" else ("GITLAB_TOKEN",)
    token = next((environment[name] for name in names if environment.get(name)), None)
    if token is None:
        raise EnvironmentProblem(
            Problem("is not set", f"it is needed to open a pull request on {host}, {_OTHERWISE}", f"{names[0]}")
        )
    if kind == "github":
        return GitHubPullRequests(_github_api(host, environment), path, token)
    return GitLabMergeRequests(_gitlab_api(host, environment), path, token)


def parse_remote(url: str) -> tuple[str, str]:
    """Split a remote's URL into host and the repository's path without `.git`; the host of a folder is empty.

    Raises ``ValueError`` for a port or an address that is none.
    """
    if "://" in url:
        parts = urlsplit(url)
        host = (parts.hostname or "") if parts.scheme != "file" else ""
        if parts.port and parts.scheme in ("http", "https"):
            host = f"{host}:{parts.port}"
        path = parts.path
    elif found := _SCP_LIKE.fullmatch(url):
        host, path = found["host"], found["path"]
    else:
        host, path = "", url
    return _HOSTS.get(host, host), path.strip("/").removesuffix(".git")


class GitHubPullRequests:
    """The pull requests of ``repository``, `owner/name`."""

    def __init__(self, api_url: str, repository: str, token: str) -> None:
        self._path = f"/repos/{repository}/pulls"
        self._owner = repository.partition("/")[0]
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._rest = RestClient(api_url, headers, repository, _GITHUB_REMEDIES)

    def find_pull_request(self, branch: str, base: str) -> PullRequest | None:
        """Return the open one of a branch of this repository."""
        query = urlencode({"state": "open", "head": f"{self._owner}:{branch}", "base": base})
        found = self._rest.pages(f"{self._path}?{query}", lambda _response, _url: None)
        return next((_github(one) for one in found if one.get("head", {}).get("ref") == branch), None)

    def open_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open one."""
        wanted = {"title": title, "head": branch, "base": base, "body": body}
        return _github(self._rest.call("POST", self._path, wanted), opened=True)

    def update_pull_request(self, number: int, title: str, body: str) -> None:
        """Give one a new title and body."""
        self._rest.call("PATCH", f"{self._path}/{number}", {"title": title, "body": body})


class GitLabMergeRequests:
    """The merge requests of ``project``, `group/name`."""

    def __init__(self, api_url: str, project: str, token: str) -> None:
        self._path = f"/projects/{quote(project, safe='')}/merge_requests"
        self._rest = RestClient(api_url, {"PRIVATE-TOKEN": token}, project, _GITLAB_REMEDIES)

    def find_pull_request(self, branch: str, base: str) -> PullRequest | None:
        """Return the open one of a branch of this project."""
        query = urlencode({"state": "opened", "source_branch": branch, "target_branch": base})
        found = self._rest.pages(f"{self._path}?{query}", lambda _response, _url: None)
        return next((_gitlab(one) for one in found if one.get("source_branch") == branch), None)

    def open_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open one."""
        wanted = {"source_branch": branch, "target_branch": base, "title": title, "description": body}
        return _gitlab(self._rest.call("POST", self._path, wanted), opened=True)

    def update_pull_request(self, number: int, title: str, body: str) -> None:
        """Give one a new title and description."""
        self._rest.call("PUT", f"{self._path}/{number}", {"title": title, "description": body})


def _github(found: dict[str, Any], *, opened: bool = False) -> PullRequest:
    return PullRequest(int(found.get("number") or 0), str(found.get("html_url") or ""), opened)


def _gitlab(found: dict[str, Any], *, opened: bool = False) -> PullRequest:
    return PullRequest(int(found.get("iid") or 0), str(found.get("web_url") or ""), opened)


def _kind(host: str, environment: Mapping[str, str]) -> str | None:
    if not host:
        return None
    if host == "github.com" or host == _host(environment.get("GITHUB_SERVER_URL")):
        return "github"
    if host == "gitlab.com" or host.startswith("gitlab.") or host == _host(environment.get("CI_SERVER_URL")):
        return "gitlab"
    return None


def _github_api(host: str, environment: Mapping[str, str]) -> str:
    if host == _host(environment.get("GITHUB_SERVER_URL")) and (url := environment.get("GITHUB_API_URL")):
        return url
    return "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"


def _gitlab_api(host: str, environment: Mapping[str, str]) -> str:
    if host == _host(environment.get("CI_SERVER_URL")) and (url := environment.get("CI_API_V4_URL")):
        return url
    return f"https://{host}/api/v4"


def _host(url: str | None) -> str:
    return urlsplit(url or "").netloc
