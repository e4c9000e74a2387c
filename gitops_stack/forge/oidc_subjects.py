"""How a GitHub repository signs the tokens of its jobs: by names, or since 2026-07-15 by names with their ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.forge.rest import RestClient

_API = "https://api.github.com"
_REMEDIES = {
    401: "give a token that is valid",
    403: "give a token that may read the repository's Actions settings",
    404: "correct the repository, or give a token that may read it",
}


@dataclass(frozen=True)
class SignedSubject:
    """What subjects of a repository begin with, without `repo:`; ``is_default`` unless somebody made a form of theirs.

    `acme/web`, or `acme@12/web@34` where GitHub adds the ids that stay when names change hands.
    """

    repository: str
    is_default: bool = True


def load_signed_subject(environment: Mapping[str, str], repository: str) -> SignedSubject | None:
    """Ask GitHub how ``repository`` (`OWNER/NAME`, ids left out) signs; None without a token to ask with.

    GitHub REST API, "Get the customization template for an OIDC subject claim for a repository". Raises
    :class:`EnvironmentProblem`.
    """
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN")
    if not token:
        return None
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    rest = RestClient(environment.get("GITHUB_API_URL") or _API, headers, repository, _REMEDIES)
    found = rest.call("GET", f"/repos/{repository}/actions/oidc/customization/sub")
    prefix = str(found.get("sub_claim_prefix") or "").removeprefix("repo:")
    if not prefix and found.get("use_immutable_subject"):
        raise EnvironmentProblem(
            Problem("GitHub signs ids and does not say which", "look into its OIDC settings", repository)
        )
    return SignedSubject(prefix or repository, is_default=found.get("use_default", True) is not False)
