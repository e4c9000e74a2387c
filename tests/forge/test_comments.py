"""The one comment: made once, updated, never doubled, on both forges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.forge import Forge, detect_forge, write_marked_comment
from tests.forge.fake_forges import HEAD, TOKEN, FakeForge, environment, serve

MARKER = "<!-- gitops-stack preview dev -->"
BOTH = pytest.mark.parametrize("kind", ["github", "gitlab"])


@pytest.fixture
def server(kind: str) -> Iterator[FakeForge]:
    with serve(kind) as forge:
        yield forge


@pytest.fixture
def forge(kind: str, server: FakeForge) -> Forge:
    return detect_forge(environment(kind, server), 7)


def body(text: str) -> str:
    return f"{MARKER}\n{text}"


@BOTH
def test_the_first_run_makes_the_comment_and_the_second_updates_it(forge: Forge, server: FakeForge) -> None:
    server.add("Looks good")
    first = write_marked_comment(forge, MARKER, body("one"))
    second = write_marked_comment(forge, MARKER, body("two"))
    assert first.id == second.id == 2
    assert server.bodies() == ["Looks good", body("two")]


@BOTH
def test_the_comment_is_found_behind_two_hundred_others(forge: Forge, server: FakeForge) -> None:
    for number in range(230):
        server.add(f"remark {number}")
    own = server.add(body("old"))
    server.add("last word")
    assert write_marked_comment(forge, MARKER, body("new")).id == own
    assert server.comments[own]["body"] == body("new")
    assert len(server.comments) == 232
    assert sum("page=3" in request for request in server.requests) == 2


@BOTH
def test_two_runs_at_once_leave_the_oldest_comment_with_the_newest_text(forge: Forge, server: FakeForge) -> None:
    def other_run(method: str, _: str) -> None:
        if method == "POST":
            server.before = lambda method, path: None  # noqa: ARG005 - once
            server.add(body("other run"))

    server.before = other_run
    written = write_marked_comment(forge, MARKER, body("this run"))
    assert (written.id, server.bodies()) == (1, [body("this run")])


@BOTH
def test_a_duplicate_the_other_run_has_deleted_already_is_no_error(forge: Forge, server: FakeForge) -> None:
    oldest, newest = server.add(body("one")), server.add(body("two"))

    def other_run(method: str, _: str) -> None:
        if method == "DELETE":
            server.comments.pop(newest, None)

    server.before = other_run
    assert write_marked_comment(forge, MARKER, body("three")).id == oldest
    assert server.bodies() == [body("three")]


@BOTH
def test_a_comment_deleted_while_it_is_updated_is_made_again(forge: Forge, server: FakeForge) -> None:
    old = server.add(body("old"))

    def somebody(method: str, _: str) -> None:
        if method in ("PATCH", "PUT"):
            server.comments.pop(old, None)

    server.before = somebody
    write_marked_comment(forge, MARKER, body("new"))
    assert server.bodies() == [body("new")]


@BOTH
def test_comments_of_other_stacks_and_quotes_of_the_marker_are_left_alone(forge: Forge, server: FakeForge) -> None:
    others = ["<!-- gitops-stack preview dev2 -->\nx", f"Why this?\n\n> {MARKER}", f"see `{MARKER}`"]
    for text in others:
        server.add(text)
    write_marked_comment(forge, MARKER, body("own"))
    assert server.bodies() == [*others, body("own")]


@pytest.mark.parametrize(
    ("kind", "author"),
    [
        ("github", {"user": {"login": "mallory", "type": "User"}, "author_association": "NONE"}),
        ("github", {"user": {"login": "mallory", "type": "User"}, "author_association": "CONTRIBUTOR"}),
        ("gitlab", {"author": {"id": 666}}),
        ("gitlab", {"system": True}),
    ],
)
def test_a_stranger_s_comment_with_the_marker_is_not_taken_over(
    author: dict[str, object], forge: Forge, server: FakeForge
) -> None:
    server.add(body("all is well"), **author)
    write_marked_comment(forge, MARKER, body("REPLACES 3"))
    write_marked_comment(forge, MARKER, body("REPLACES 4"))
    assert server.bodies() == [body("all is well"), body("REPLACES 4")]


@pytest.mark.parametrize("kind", ["github"])
def test_the_token_is_not_sent_to_the_server_a_page_link_names(forge: Forge, server: FakeForge) -> None:
    with serve("github") as thief:
        server.foreign_next = thief.url
        for number in range(101):
            server.add(f"remark {number}")
        assert len(forge.load_comments()) == 100
        assert thief.requests == []


@BOTH
def test_the_head_is_the_pull_request_s(forge: Forge) -> None:
    assert forge.load_head() == HEAD


FAILURES = [
    ("github", 401, {}, "acme/platform#7: POST was answered with 401 (no); give GITHUB_TOKEN a token that is valid"),
    ("github", 403, {}, "a fork's run has a token that only reads, so let preview-comment.yml write its comment"),
    ("github", 404, {}, "check GITHUB_REPOSITORY and the number of the pull request"),
    ("github", 403, {"x-ratelimit-remaining": "0"}, "#7: the forge's rate limit is reached; run this job again later"),
    ("github", 403, {"retry-after": "60"}, "#7: the forge's rate limit is reached; run this job again in 60 s"),
    ("github", 429, {}, "#7: the forge's rate limit is reached; run this job again later"),
    ("github", 301, {"Location": "/elsewhere"}, "301 (no); run this job again"),
    ("github", 502, {}, "502 (no); run this job again, or look at the forge's status page"),
    ("gitlab", 401, {}, "project 42!7: POST was answered with 401 (no); give GITLAB_TOKEN a project access token"),
    ("gitlab", 403, {}, "CI_JOB_TOKEN may not write notes"),
    ("gitlab", 404, {}, "check CI_PROJECT_ID and CI_MERGE_REQUEST_IID"),
    ("gitlab", 429, {"Retry-After": "30"}, "!7: the forge's rate limit is reached; run this job again in 30 s"),
]


@pytest.mark.parametrize(("kind", "status", "headers", "said"), FAILURES)
def test_a_refusal_is_one_sentence_with_a_remedy_and_without_the_token(
    status: int, headers: dict[str, str], said: str, forge: Forge, server: FakeForge
) -> None:
    server.answers["POST .*"] = (status, headers, {"message": "no"})
    with pytest.raises(EnvironmentProblem) as refused:
        write_marked_comment(forge, MARKER, body("x"))
    assert said in str(refused.value)
    assert len(refused.value.findings) == 1
    assert "\n" not in str(refused.value)
    assert TOKEN not in str(refused.value)


@BOTH
def test_a_server_that_is_gone_or_a_proxy_s_page_is_a_sentence(kind: str) -> None:
    with serve(kind) as server:
        forge = detect_forge(environment(kind, server), 7)
        server.answers["GET .*"] = (200, {}, b"<html>Sign in</html>")
        with pytest.raises(
            EnvironmentProblem, match="the answer is not JSON; is the API's address right, or is a prox"
        ):
            forge.load_comments()
    with pytest.raises(EnvironmentProblem, match=r"127\.0\.0\.1:\d+ does not answer: .*; check the network"):
        forge.load_comments()
