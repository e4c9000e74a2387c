"""How GitHub and GitLab name repositories, refs and token issuers: what the tokens of their jobs carry.

Each rule returns what is needed, or ``None`` for a name that is right. Sources: GitHub, "OpenID Connect reference",
"Configuring OpenID Connect in Amazon Web Services" (also for Enterprise Server and GHE.com); GitLab, "Reserved project
and group names", "Configure OpenID Connect in AWS"; git-check-ref-format(1).
"""

from __future__ import annotations

import re

PROVIDER_PREFIX = "arn:aws:iam::ACCOUNT:oidc-provider/"
# A name may carry the id that tokens of repositories made or renamed since 2026 have: a@1/b@2.
_GITHUB_REPOSITORY = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(@[0-9]+)?/(?!\.{1,2}(@|\Z))[A-Za-z0-9_.-]{1,100}(@[0-9]+)?"
)
_GITLAB_PROJECT = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*(/[A-Za-z0-9_.][A-Za-z0-9_.-]*)+")
# `?` and `$` mean something in IAM's patterns; the rest is what git refuses.
_REF = re.compile(r"(?!.*\*.*\*)(?!.*(\.\.|//|@\{))(?![/.-])[A-Za-z0-9_./*#@+=,%!&()-]+(?<![/.])")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9_.-][A-Za-z0-9_./ -]{0,254}")
_HOST = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+"
_ISSUER = re.compile(rf"{_HOST}(:[0-9]+)?(/[A-Za-z0-9_.~-]+)*")
_GITHUB_ISSUER = re.compile(
    rf"token\.actions\.githubusercontent\.com(/[A-Za-z0-9_.-]+)?|token\.actions\.[a-z0-9-]+\.ghe\.com|{_HOST}/_services/token"
)
_NOT_GITLAB = re.compile(
    r"(.*\.)?(githubusercontent\.com|ghe\.com|github\.com|amazonaws\.com|amazonaws\.com\.cn|on\.aws|google\.com|"
    r"bitbucket\.org|terraform\.io|circleci\.com|microsoftonline\.com|windows\.net|pulumi\.com)(/.*)?|.*/_services/token"
)


def check_github_repository(name: str) -> str | None:
    """Check `OWNER/NAME`, with or without the ids of the token."""
    if _is_address(name) or name.startswith("github.com/"):
        return "needs the repository alone, OWNER/NAME, not its address"
    if _GITHUB_REPOSITORY.fullmatch(name) is None:
        return "needs a GitHub repository: OWNER/NAME, or OWNER@ID/NAME@ID"
    return None


def check_gitlab_project(path: str) -> str | None:
    """Check `GROUP/NAME`, in which groups nest."""
    if _is_address(path) or path.startswith("gitlab.com/"):
        return "needs the project's path alone, GROUP/NAME, not its address"
    if _GITLAB_PROJECT.fullmatch(path) is None or any(part.endswith(".") for part in path.split("/")):
        return "needs a GitLab project: GROUP/NAME, groups may nest"
    return None


def check_branch(name: str) -> str | None:
    """Check the short name of a branch or tag."""
    if name.startswith("refs/"):
        return f"needs the short name, {name.split('/', 2)[-1]}; tags have a setting of their own"
    if _REF.fullmatch(name) is None or name.endswith(".lock"):
        return "needs the name of a branch or tag; one '*' may stand for any characters"
    return None


def check_environment(name: str) -> str | None:
    """Check the name of a GitHub environment; a ':' would be written otherwise in the token."""
    if _ENVIRONMENT.fullmatch(name) is None:
        return "needs the name of an environment: letters, digits, spaces and _ . - /"
    return None


def check_github_issuer(issuer: str) -> str | None:
    """Check that ``issuer``, without scheme, is GitHub's: public, an enterprise's, GHE.com or Enterprise Server."""
    if _GITHUB_ISSUER.fullmatch(issuer) is None:
        return (
            "needs a provider of GitHub: token.actions.githubusercontent.com, that with /ENTERPRISE, "
            "token.actions.SUBDOMAIN.ghe.com, or HOST/_services/token of an Enterprise Server"
        )
    return None


def check_gitlab_issuer(issuer: str) -> str | None:
    """Check that ``issuer``, without scheme, can be a GitLab: gitlab.com or a self-managed host."""
    if _ISSUER.fullmatch(issuer) is None:
        return f"needs {PROVIDER_PREFIX}HOST: host and path of the issuer, without https://"
    if _NOT_GITLAB.fullmatch(issuer) is not None:
        return "needs a provider of GitLab: gitlab.com, or the host of a self-managed one"
    return None


def _is_address(name: str) -> bool:
    return "://" in name or name.startswith(("git@", "www.")) or name.endswith((".git", "/"))
