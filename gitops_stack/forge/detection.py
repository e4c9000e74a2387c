"""Which pull request of which forge a job is about, from the variables its runner sets.

GitHub Actions: docs.github.com/actions/reference/workflows-and-actions/variables. GitLab CI:
docs.gitlab.com/ci/variables/predefined_variables. Tokens are read here and handed on, never shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.forge.forge import Forge
from gitops_stack.forge.github import GitHub
from gitops_stack.forge.gitlab import GitLab

_TO_PRINT = "or print the comment with `--output -`"


def detect_forge(environment: Mapping[str, str], number: int | None = None) -> Forge:
    """Return the pull request this job runs for; ``number`` names another one of the same repository.

    Raises :class:`EnvironmentProblem` that says which variable is missing.
    """
    if environment.get("GITLAB_CI"):
        return _detect_gitlab(environment, number)
    if environment.get("GITHUB_ACTIONS") or environment.get("GITHUB_REPOSITORY"):
        return _detect_github(environment, number)
    raise EnvironmentProblem(
        Problem(
            "found neither GITHUB_ACTIONS nor GITLAB_CI",
            f"run this in a pull request's job, {_TO_PRINT}",
            "environment",
        )
    )


def _detect_github(environment: Mapping[str, str], number: int | None) -> Forge:
    repository = _needed(environment, "GITHUB_REPOSITORY", r"[\w.-]+/[\w.-]+", "OWNER/NAME")
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    if not token:
        raise EnvironmentProblem(
            Problem(
                "is not set",
                "give the step `env: GITHUB_TOKEN: ${{ github.token }}` and the job `permissions: "
                f"pull-requests: write`, {_TO_PRINT}",
                "GITHUB_TOKEN",
            )
        )
    number = number or _load_event_number(environment.get("GITHUB_EVENT_PATH"))
    return GitHub(environment.get("GITHUB_API_URL") or "https://api.github.com", repository, number, token)


def _load_event_number(path: str | None) -> int:
    try:
        event = json.loads(Path(path or "").read_text(encoding="utf-8"))
        found = (event.get("pull_request") or {}).get("number") or event.get("number")
    except (OSError, ValueError, AttributeError):
        found = None
    if not isinstance(found, int):
        raise EnvironmentProblem(
            Problem(
                "names no event of a pull request", "run on `pull_request`, or give --pull-request", "GITHUB_EVENT_PATH"
            )
        )
    return found


def _detect_gitlab(environment: Mapping[str, str], number: int | None) -> Forge:
    url = _needed(environment, "CI_API_V4_URL", r"https?://\S+", "the API's URL")
    target = "CI_MERGE_REQUEST_PROJECT_ID" if environment.get("CI_MERGE_REQUEST_PROJECT_ID") else "CI_PROJECT_ID"
    project = _needed(environment, target, r"\d+", "a project's number")
    if not (token := environment.get("GITLAB_TOKEN")):
        raise EnvironmentProblem(
            Problem(
                "is not set",
                "make a project access token with the scope api and the role Reporter, and save it as a "
                f"masked CI/CD variable, {_TO_PRINT}",
                "GITLAB_TOKEN",
            )
        )
    number = number or int(_needed(environment, "CI_MERGE_REQUEST_IID", r"\d{1,9}", "a merge request's number"))
    return GitLab(url, project, number, token)


def _needed(environment: Mapping[str, str], name: str, pattern: str, needs: str) -> str:
    value = environment.get(name, "")
    if not re.fullmatch(pattern, value):
        raise EnvironmentProblem(Problem(f"found {value or 'nothing'}", f"needs {needs}, {_TO_PRINT}", name))
    return value
