"""Argo CD's API as `env deploy` uses it, against a server of the tests' own; the real one is in tests/e2e."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.live.argocd_server import ArgoCDServer
from tests.loopback import serving


class Handler(BaseHTTPRequestHandler):
    """Answers what ``answers`` says, and keeps what it was asked."""

    answers: dict[str, tuple[int, Any]]
    asked: list[tuple[str, str, Any]]

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.asked.append((self.command, self.path, body))
        assert self.headers["Authorization"] == "Bearer token"
        status, found = self.answers[self.path]
        text = found.encode() if isinstance(found, str) else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PATCH = answer  # noqa: N815 - as http.server calls them

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[Handler]]]:
    handler = type("One", (Handler,), {"answers": {}, "asked": []})
    made = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with serving(made):
        yield f"http://127.0.0.1:{made.server_port}", handler


def test_an_application_is_patched_as_argo_cd_has_it(server: tuple[str, type[Handler]]) -> None:
    address, handler = server
    handler.answers = {
        "/api/v1/session/userinfo": (200, {"loggedIn": True, "username": "ana"}),
        "/api/v1/applications/web": (200, {}),
    }
    with ArgoCDServer.open(address, "token") as argocd:
        assert argocd.load_user() == "ana"
        argocd.merge_application("web", "environments", {"spec": {"a": None}})
    assert handler.asked[1] == (
        "PATCH",
        "/api/v1/applications/web",
        {"name": "web", "project": "environments", "patchType": "merge", "patch": '{"spec": {"a": null}}'},
    )


@pytest.mark.parametrize("labels", [{"gitops-stack/stack": "prd"}, {}])
def test_an_application_of_another_stack_is_not_written_to(
    labels: dict[str, str], server: tuple[str, type[Handler]]
) -> None:
    address, handler = server
    path = "/api/v1/applications/{}?project=environments"
    handler.answers = {
        path.format("own"): (200, {"metadata": {"labels": {"gitops-stack/stack": "dev"}}}),
        path.format("web"): (200, {"metadata": {"labels": labels}}),
    }
    with ArgoCDServer.open(address, "token") as argocd, pytest.raises(GitOpsStackError) as refused:
        argocd.check_stack(["own", "web"], "environments", "dev")
    found = labels.get("gitops-stack/stack", "no stack")
    said = f"Application web: is of {found}, and this is dev; name the address of dev's Argo CD"
    assert str(refused.value) == f"{address}: {said}"


REFUSALS: list[tuple[int, Any, type[GitOpsStackError], str]] = [
    (
        401,
        {"message": "token is expired"},
        EnvironmentProblem,
        "{address}: the token of ARGOCD_AUTH_TOKEN is not valid: token is expired; make a new one",
    ),
    (
        403,
        {"message": "permission denied"},
        GitOpsStackError,
        "Application web: permission denied; is it merged, and does this role cover it?",
    ),
    (
        400,
        {"message": "spec is\nwrong"},
        GitOpsStackError,
        "Application web: Argo CD refuses it: spec is wrong; correct it",
    ),
]


@pytest.mark.parametrize(("status", "body", "kind", "said"), REFUSALS)
def test_a_refusal_is_one_sentence(
    status: int, body: Any, kind: type[GitOpsStackError], said: str, server: tuple[str, type[Handler]]
) -> None:
    address, handler = server
    handler.answers = {"/api/v1/applications/web": (status, body)}
    with ArgoCDServer.open(address, "token") as argocd, pytest.raises(kind) as raised:
        argocd.merge_application("web", "environments", {})
    assert str(raised.value) == said.format(address=address)


def test_what_is_not_argo_cd_is_said(server: tuple[str, type[Handler]]) -> None:
    address, handler = server
    handler.answers = {"/api/v1/session/userinfo": (200, "<html>")}
    with (
        ArgoCDServer.open(address, "token") as argocd,
        pytest.raises(EnvironmentProblem, match=r"is it Argo CD's address\?$"),
    ):
        argocd.load_user()


def test_a_session_that_is_none_is_said(server: tuple[str, type[Handler]]) -> None:
    address, handler = server
    handler.answers = {"/api/v1/session/userinfo": (200, {})}
    with (
        ArgoCDServer.open(address, "token") as argocd,
        pytest.raises(EnvironmentProblem, match=r"is not valid; make a new one$"),
    ):
        argocd.load_user()


@pytest.mark.parametrize(
    ("address", "token", "said"),
    [("", "token", "--server: is missing"), ("argocd.example.com", "", "ARGOCD_AUTH_TOKEN: is missing")],
)
def test_what_is_missing_is_named(address: str, token: str, said: str) -> None:
    with pytest.raises(EnvironmentProblem, match=f"^{said}"), ArgoCDServer.open(address, token):
        pass


_NO_TOKEN = "ARGOCD_AUTH_TOKEN: is not a token: it has characters that none has"


@pytest.mark.parametrize(
    ("address", "token", "said"),
    [
        ("acme:port", "t", "--server: found acme:port: Invalid port: 'port'; needs a URL or HOST[:PORT]"),
        ("http://[::1", "t", "--server: found http://[::1: Invalid port: ':1'; needs a URL or HOST[:PORT]"),
        ("argocd.example.com", "t\N{EURO SIGN}", _NO_TOKEN),
        ("argocd.example.com", "first\nsecond", _NO_TOKEN),
    ],
)
def test_what_is_no_address_or_token_is_one_sentence(address: str, token: str, said: str) -> None:
    with pytest.raises(EnvironmentProblem) as raised, ArgoCDServer.open(address, token):
        pass
    assert str(raised.value) == said
