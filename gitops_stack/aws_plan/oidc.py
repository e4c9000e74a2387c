"""Who CI jobs are: the token issuers of GitHub and GitLab, and the subjects of their tokens.

Sources: GitHub, "OpenID Connect reference" and "Configuring OpenID Connect in Amazon Web Services"; GitLab, "OpenID
Connect (OIDC) Authentication Using ID Tokens" and "Configure OpenID Connect in AWS".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings.forge_jobs import (
    PROVIDER_PREFIX,
    check_branch,
    check_environment,
    check_github_issuer,
    check_github_repository,
    check_gitlab_issuer,
    check_gitlab_project,
)


@dataclass(frozen=True)
class OidcIssuer:
    """Hold an issuer: ``forge`` `github` or `gitlab`, its host (and path), and the audience tokens for AWS carry.

    IAM's condition keys begin with ``host``, path included.
    """

    forge: str
    host: str
    audience: str

    @property
    def url(self) -> str:
        """Give the address IAM knows the issuer by."""
        return f"https://{self.host}"


GITHUB = OidcIssuer("github", "token.actions.githubusercontent.com", "sts.amazonaws.com")
GITLAB = OidcIssuer("gitlab", "gitlab.com", "https://gitlab.com")
_PROVIDER_ARN = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:oidc-provider/(.+)")


def find_issuer(provider_arn: str, forge: str) -> OidcIssuer:
    """Return the issuer of an IAM OIDC provider that was made elsewhere: its ARN ends in the issuer's host and path.

    ``forge`` is `github` (an enterprise may have an issuer of its own) or `gitlab` (self-managed ones have). Raises
    ``GitOpsStackError`` for an ARN of something else, or of another forge.
    """
    found = _PROVIDER_ARN.fullmatch(provider_arn)
    needs = None if found else f"needs {PROVIDER_PREFIX}HOST"
    if found:
        needs = check_github_issuer(found[1]) if forge == "github" else check_gitlab_issuer(found[1])
    if needs or not found:
        raise GitOpsStackError(Problem(f"found {provider_arn}", str(needs), f"{forge}_provider_arn"))
    host = found[1]
    return OidcIssuer(forge, host, GITHUB.audience if forge == "github" else f"https://{host}")


def build_job_subjects(
    issuer: OidcIssuer,
    repository: str,
    *,
    branches: Sequence[str] = (),
    tags: Sequence[str] = (),
    environments: Sequence[str] = (),
) -> list[str]:
    """Build the subjects of jobs of ``repository`` that run for branches, tags or in environments.

    ``repository`` is `owner/name` on GitHub, as it stands in the token's subject (`acme@12/guestbook@34` where GitHub
    adds its ids), and the project's path on GitLab; `*` in a branch or tag stands for any text. A GitHub job with an
    `environment:` has that for its subject and not its branch. Raises ``GitOpsStackError`` for a name that could mean
    more, and for environments on GitLab, whose subjects do not name them.
    """
    _check_repository(issuer, repository)
    checked = [("branch", branches, check_branch), ("tag", tags, check_branch)]
    checked.append(("environment", environments, check_environment))
    GitOpsStackError.raise_for(
        f"{repository}: {kind}: found {name!r}; {needs}"
        for kind, names, check in checked
        for name in names
        if (needs := check(name)) is not None
    )
    if issuer.forge == "github":
        return [
            *(f"repo:{repository}:ref:refs/heads/{branch}" for branch in branches),
            *(f"repo:{repository}:ref:refs/tags/{tag}" for tag in tags),
            *(f"repo:{repository}:environment:{environment}" for environment in environments),
        ]
    if environments:
        needs = "needs branches or tags: tokens of GitLab do not name the environment"
        raise GitOpsStackError(Problem(f"found {', '.join(environments)}", needs, repository, "environments"))
    return [
        *(f"project_path:{repository}:ref_type:branch:ref:{branch}" for branch in branches),
        *(f"project_path:{repository}:ref_type:tag:ref:{tag}" for tag in tags),
    ]


def build_proposal_subjects(issuer: OidcIssuer, repository: str) -> list[str]:
    """Build the subjects of jobs that run for pull or merge requests of ``repository``'s own branches.

    GitHub gives jobs of forks no token. GitLab names the source branch and not the request, so that any branch of the
    project is let in; what the role may do must be fit for that. Raises as :func:`build_job_subjects`.
    """
    _check_repository(issuer, repository)
    if issuer.forge == "github":
        return [f"repo:{repository}:pull_request"]
    return [f"project_path:{repository}:ref_type:branch:ref:*"]


def _check_repository(issuer: OidcIssuer, repository: str) -> None:
    check = check_github_repository if issuer.forge == "github" else check_gitlab_project
    if (needs := check(repository)) is not None:
        raise GitOpsStackError(Problem(f"found {repository!r}", needs, issuer.forge))
