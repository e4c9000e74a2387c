"""How a GitHub repository signs: the three answers of its API, and no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.forge.oidc_subjects import SignedSubject, load_signed_subject
from tests.loopback import serving

PATH = "/repos/acme/web/actions/oidc/customization/sub"


class Api(ThreadingHTTPServer):
    """GitHub's API with one repository."""

    daemon_threads = True

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = status, body
        self.asked: list[tuple[str, str | None]] = []

    @property
    def environment(self) -> dict[str, str]:
        return {"GITHUB_API_URL": f"http://127.0.0.1:{self.server_port}", "GITHUB_TOKEN": "token"}


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        payload = json.dumps(self.server.body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_arguments: object) -> None:
        pass


def answer(status: int, body: Any) -> Iterator[Api]:
    with Api(status, body) as api, serving(api):
        yield api


@pytest.mark.parametrize(
    ("body", "signed"),
    [
        ({"use_default": True}, SignedSubject("acme/web")),
        (
            {"use_default": True, "use_immutable_subject": True, "sub_claim_prefix": "repo:acme@12/web@34"},
            SignedSubject("acme@12/web@34"),
        ),
        (
            {"use_default": False, "include_claim_keys": ["repo", "context"], "sub_claim_prefix": "repo:acme/web"},
            SignedSubject("acme/web", is_default=False),
        ),
    ],
)
def test_github_says_how_a_repository_signs(body: Any, signed: SignedSubject) -> None:
    for api in answer(200, body):
        assert load_signed_subject(api.environment, "acme/web") == signed
        assert api.asked == [(PATH, "Bearer token")]


def test_nobody_is_asked_without_a_token() -> None:
    for api in answer(200, {}):
        assert load_signed_subject({"GITHUB_API_URL": api.environment["GITHUB_API_URL"]}, "acme/web") is None
        assert api.asked == []


def test_a_repository_that_cannot_be_read_is_a_sentence() -> None:
    for api in answer(404, {"message": "Not Found"}):
        with pytest.raises(EnvironmentProblem) as refused:
            load_signed_subject(api.environment, "acme/web")
        assert str(refused.value) == (
            "acme/web: GET was answered with 404 (Not Found); correct the repository, or give a token that may read it"
        )
