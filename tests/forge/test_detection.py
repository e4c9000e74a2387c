"""Which forge, pull request and token: from the runner's variables, with a sentence for each that is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.forge import detect_forge
from tests.forge.fake_forges import TOKEN, FakeForge, environment

SERVER = FakeForge(url="http://127.0.0.1:9")


def event(folder: Path, document: object) -> str:
    file = folder / "event.json"
    file.write_text(json.dumps(document))
    return str(file)


@pytest.mark.parametrize("document", [{"pull_request": {"number": 7}}, {"number": 7, "pull_request": {}}])
def test_github_s_pull_request_comes_from_the_event(document: object, tmp_path: Path) -> None:
    assert detect_forge(environment("github", SERVER, event(tmp_path, document))).place == "acme/platform#7"


def test_a_number_that_is_given_wins(tmp_path: Path) -> None:
    found = detect_forge(environment("github", SERVER, event(tmp_path, {"number": 1})), 9)
    assert found.place == "acme/platform#9"


def test_a_fork_s_merge_request_belongs_to_the_target_project() -> None:
    variables = {**environment("gitlab", SERVER), "CI_MERGE_REQUEST_PROJECT_ID": "43"}
    assert detect_forge(variables).place == "project 43!7"


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("github", {"GITHUB_TOKEN": ""}, "GITHUB_TOKEN: is not set; give the step `env: GITHUB_TOKEN: "),
        ("github", {"GITHUB_REPOSITORY": "../x?"}, "GITHUB_REPOSITORY: found ../x?; needs OWNER/NAME, or print"),
        ("github", {"GITHUB_EVENT_PATH": "/nowhere"}, "GITHUB_EVENT_PATH: names no event of a pull request; "),
        ("gitlab", {"GITLAB_TOKEN": ""}, "GITLAB_TOKEN: is not set; make a project access token"),
        ("gitlab", {"CI_MERGE_REQUEST_IID": ""}, "CI_MERGE_REQUEST_IID: found nothing; needs a merge request's"),
        ("gitlab", {"CI_PROJECT_ID": "a/b"}, "CI_PROJECT_ID: found a/b; needs a project's number"),
        ("gitlab", {"GITLAB_CI": ""}, "environment: found neither GITHUB_ACTIONS nor GITLAB_CI; run this in a"),
    ],
)
def test_what_is_missing_is_named_with_a_remedy(kind: str, change: dict[str, str], said: str) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        detect_forge({**environment(kind, SERVER), **change})
    assert str(refused.value).startswith(said)
    assert TOKEN not in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("document", [[], {}, {"pull_request": None}, {"number": "7"}])
def test_an_event_of_something_else_is_refused(document: object, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="GITHUB_EVENT_PATH: names no event of a pull request"):
        detect_forge(environment("github", SERVER, event(tmp_path, document)))
