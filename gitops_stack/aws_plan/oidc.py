"""Who CI jobs are: the token issuers of GitHub Actions and GitLab, and the subjects of their tokens.

Sources: GitHub, "OpenID Connect reference"; GitLab, "OpenID Connect (OIDC) Authentication Using ID Tokens".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gitops_stack.errors import GitOpsStackError


@dataclass(frozen=True)
class OidcIssuer:
    """Hold an issuer's host, which is the prefix of its condition keys, and the audience tokens for AWS carry."""

    host: str
    audience: str

    @property
    def url(self) -> str:
        """Give the address IAM knows the issuer by."""
        return f"https://{self.host}"


GITHUB = OidcIssuer("token.actions.githubusercontent.com", "sts.amazonaws.com")
GITLAB = OidcIssuer("gitlab.com", "https://gitlab.com")

# Names alone, or names with the ids that tokens of repositories made since the middle of 2026 carry: a@1/b@2.
_GITHUB_REPOSITORY = re.compile(r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?", re.ASCII)
_GITLAB_PROJECT = re.compile(r"[\w.-]+(/[\w.-]+)+", re.ASCII)
_BRANCH = re.compile(r"[^\s:?]+")


def build_branch_subjects(issuer: OidcIssuer, repository: str, branches: Sequence[str]) -> list[str]:
    """Build the subjects of jobs that run for ``branches`` of ``repository``; `*` in a branch stands for any text.

    ``repository`` is `owner/name` on GitHub, as it stands in the token's subject (`acme@12/guestbook@34` where GitHub
    adds its ids), and the project's path on GitLab. A GitHub job with an `environment:` says that instead of its
    branch, and is not let in. Raises ``GitOpsStackError`` for a name that could mean more.
    """
    _check_repository(issuer, repository)
    GitOpsStackError.raise_for(
        f"{repository}: found branch {branch!r}; needs the name of a branch"
        for branch in branches
        if not _BRANCH.fullmatch(branch)
    )
    if issuer == GITHUB:
        return [f"repo:{repository}:ref:refs/heads/{branch}" for branch in branches]
    return [f"project_path:{repository}:ref_type:branch:ref:{branch}" for branch in branches]


def build_proposal_subjects(issuer: OidcIssuer, repository: str) -> list[str]:
    """Build the subjects of jobs that run for pull or merge requests of ``repository``'s own branches.

    GitHub gives jobs of forks no token. GitLab names the source branch and not the request, so that any branch of the
    project is let in; what the role may do must be fit for that. Raises as :func:`build_branch_subjects`.
    """
    _check_repository(issuer, repository)
    if issuer == GITHUB:
        return [f"repo:{repository}:pull_request"]
    return [f"project_path:{repository}:ref_type:branch:ref:*"]


def _check_repository(issuer: OidcIssuer, repository: str) -> None:
    pattern, example = (
        (_GITHUB_REPOSITORY, "acme/guestbook") if issuer == GITHUB else (_GITLAB_PROJECT, "acme/web/guestbook")
    )
    if not pattern.fullmatch(repository):
        raise GitOpsStackError(f"{repository!r}: is no repository on {issuer.host}; needs one such as {example}")
