"""Pull requests of GitHub and GitLab, against servers that answer in the shapes the APIs document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.forge.pull_requests import (
    GitHubPullRequests,
    GitLabMergeRequests,
    PullRequests,
    detect_pull_requests,
    parse_remote,
    write_pull_request,
)
from tests.forge.fake_pull_requests import TOKEN, FakePullRequests, serve

BRANCH = "gitops-stack/dev/web-v2"


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Iterator[FakePullRequests]:
    with serve(request.param) as served:
        yield served


def connect(forge: FakePullRequests, token: str = TOKEN) -> PullRequests:
    kind = GitHubPullRequests if forge.kind == "github" else GitLabMergeRequests
    return kind(forge.url, "acme/platform", token)


def write(forge: FakePullRequests, title: str = "Set web", body: str = "text") -> tuple[str, bool]:
    made = write_pull_request(connect(forge), BRANCH, "main", title, body)
    return made.url, made.opened


def test_a_pull_request_is_opened(forge: FakePullRequests) -> None:
    assert write(forge) == (forge.page(1), True)
    assert [(one.branch, one.base, one.title, one.body) for one in forge.open] == [(BRANCH, "main", "Set web", "text")]


def test_an_open_one_is_updated_not_opened_again(forge: FakePullRequests) -> None:
    write(forge)
    assert write(forge, "Set web again", "other") == (forge.page(1), False)
    assert [(one.title, one.body) for one in forge.open] == [("Set web again", "other")]


def test_those_of_other_branches_bases_and_states_are_left_alone(forge: FakePullRequests) -> None:
    forge.add("another", "main")
    forge.add(BRANCH, "release")
    forge.add(BRANCH, "main", state="closed")
    assert write(forge) == (forge.page(4), True)


def test_of_two_runs_at_once_one_pull_request_is_left(forge: FakePullRequests) -> None:
    def quicker(method: str) -> None:
        if method == "POST" and not forge.open:
            forge.add(BRANCH, "main")

    forge.before = quicker
    assert write(forge) == (forge.page(1), False)
    assert [one.title for one in forge.open] == ["Set web"]


@pytest.mark.parametrize(
    ("status", "said"), [(401, "that is valid"), (403, "; give "), (404, "may read and write"), (500, "run this")]
)
def test_a_refusal_becomes_a_sentence_without_the_token(forge: FakePullRequests, status: int, said: str) -> None:
    forge.status = status
    with pytest.raises(EnvironmentProblem) as refused:
        write(forge)
    assert refused.value.findings[0].startswith(f"acme/platform: GET was answered with {status} (no)")
    assert said in refused.value.findings[0]
    assert TOKEN not in refused.value.findings[0]


def test_a_token_that_was_saved_with_a_newline_is_taken(forge: FakePullRequests) -> None:
    assert connect(forge, f"{TOKEN}\n").find_pull_request(BRANCH, "main") is None


@pytest.mark.parametrize("token", ["s3cret\nmore", "s3cr\u00e9t", "s3cret\0"])
def test_a_token_no_header_can_hold_is_refused_and_not_shown(forge: FakePullRequests, token: str) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        connect(forge, token).find_pull_request(BRANCH, "main")
    assert str(refused.value) == "acme/platform: the token has characters no token has; save it anew"


def test_a_wrong_token_is_refused(forge: FakePullRequests) -> None:
    with pytest.raises(EnvironmentProblem, match="answered with 401"):
        connect(forge, "wrong").find_pull_request(BRANCH, "main")


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("https://github.com/acme/platform.git", ("github.com", "acme/platform")),
        ("https://x-access-token:s3cret@github.com/acme/platform", ("github.com", "acme/platform")),
        ("git@github.com:acme/platform.git", ("github.com", "acme/platform")),
        ("ssh://git@ssh.github.com:443/acme/platform.git", ("github.com", "acme/platform")),
        ("ssh://git@altssh.gitlab.com:443/g/sub/p.git", ("gitlab.com", "g/sub/p")),
        ("https://gitlab.example.org:8443/g/p.git/", ("gitlab.example.org:8443", "g/p")),
        ("/srv/git/platform.git", ("", "srv/git/platform")),
        ("file:///srv/git/platform.git", ("", "srv/git/platform")),
        ("../platform.git", ("", "../platform")),
    ],
)
def test_remotes_are_read(url: str, parsed: tuple[str, str]) -> None:
    assert parse_remote(url) == parsed


@pytest.mark.parametrize(
    ("url", "environment", "named", "kind"),
    [
        ("https://github.com/a/b", {"GITHUB_TOKEN": "t"}, None, GitHubPullRequests),
        ("git@github.com:a/b.git", {"GH_TOKEN": "t"}, None, GitHubPullRequests),
        ("https://gitlab.com/a/b", {"GITLAB_TOKEN": "t"}, None, GitLabMergeRequests),
        ("https://gitlab.acme.org/a/b", {"GITLAB_TOKEN": "t"}, None, GitLabMergeRequests),
        (
            "https://code.acme.org/a/b",
            {"GITLAB_TOKEN": "t", "CI_SERVER_URL": "https://code.acme.org"},
            None,
            GitLabMergeRequests,
        ),
        (
            "https://code.acme.org/a/b",
            {"GITHUB_TOKEN": "t", "GITHUB_SERVER_URL": "https://code.acme.org"},
            None,
            GitHubPullRequests,
        ),
        ("https://code.acme.org/a/b", {"GITHUB_TOKEN": "t"}, "github", GitHubPullRequests),
        ("https://code.acme.org/a/b", {"GITLAB_TOKEN": "t"}, "gitlab", GitLabMergeRequests),
        ("https://code.acme.org/a/b", {"GITHUB_TOKEN": "t"}, None, None),
        ("/srv/git/b.git", {"GITHUB_TOKEN": "t"}, None, None),
    ],
)
def test_the_forge_is_known_by_the_remote(
    url: str, environment: dict[str, str], named: str | None, kind: type | None
) -> None:
    found = detect_pull_requests(url, environment, named)
    assert (type(found) if found else None) is kind


def test_the_api_of_a_runner_is_used_for_its_own_server_only() -> None:
    with serve("github") as forge:
        runner = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": forge.url, "GITHUB_SERVER_URL": "https://github.com"}
        found = detect_pull_requests("https://github.com/acme/platform.git", runner)
        assert found is not None
        assert found.find_pull_request(BRANCH, "main") is None
        assert len(forge.requests) == 1


@pytest.mark.parametrize(
    ("url", "named", "sentence"),
    [
        (
            "https://github.com/a/b",
            None,
            "GITHUB_TOKEN: is not set; it is needed to open a pull request on github.com, or leave the pull request to "
            "a person with --no-pull-request",
        ),
        (
            "https://gitlab.com/a/b",
            None,
            "GITLAB_TOKEN: is not set; it is needed to open a pull request on gitlab.com, or leave the pull request to "
            "a person with --no-pull-request",
        ),
        ("/srv/b.git", "github", "/srv/b.git: is not a URL of a forge; correct the remote, or give --forge none"),
        (
            "https://s3cret@/b",
            "github",
            "https:///b: is not a URL of a forge; correct the remote, or give --forge none",
        ),
        (
            "https://me:s3c/ret@git.example.com/b",
            None,
            "git remote: the host or the port of its URL cannot be read; correct it with `git remote set-url`",
        ),
    ],
)
def test_what_is_missing_is_named(url: str, named: str | None, sentence: str) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        detect_pull_requests(url, {}, named)
    assert refused.value.findings == (sentence,)
