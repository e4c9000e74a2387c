"""GitHub and GitLab as small servers on the loopback, in the shapes their API documents.

docs.github.com/rest/issues/comments and docs.gitlab.com/api/notes: create, list by pages, update, delete, head.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import serving

TOKEN = "t0ken-of-the-job"
HEAD = "a" * 40


@dataclass
class FakeForge:
    """What the server holds. ``answers`` maps `METHOD path-pattern` to (status, headers, body) that replace its own."""

    url: str = ""
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], Any]] = field(default_factory=dict)
    before: Callable[[str, str], None] = lambda method, path: None  # noqa: ARG005 - what another run does meanwhile
    foreign_next: str = ""

    def add(self, body: str, **other: Any) -> int:
        """Add a comment, by the job's own account unless ``other`` says otherwise."""
        number = max(self.comments, default=0) + 1
        self.comments[number] = {"id": number, "body": body, **other}
        return number

    def bodies(self) -> list[str]:
        """Return the texts in the order they were made."""
        return [self.comments[number]["body"] for number in sorted(self.comments)]


class _Handler(BaseHTTPRequestHandler):
    forge: FakeForge
    lists: str
    one: str
    head: tuple[str, dict[str, Any]]
    token: tuple[str, str]

    def _answer(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        payload = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        self.forge.requests.append(f"{self.command} {self.path}")
        self.forge.before(self.command, path)
        for pattern, (status, headers, said) in self.forge.answers.items():
            if re.fullmatch(pattern, f"{self.command} {path}"):
                return self._answer(status, said, headers)
        return self._route(path, body)

    def _route(self, path: str, body: dict[str, Any]) -> None:
        if self.headers.get(self.token[0]) != self.token[1]:
            return self._answer(401, {"message": "Bad credentials"})
        if path in (self.head[0], "/user"):
            return self._answer(200, {"id": 7} if path == "/user" else self.head[1])
        if path == self.lists:
            return self._list() if self.command == "GET" else self._create(body)
        if (found := re.fullmatch(self.one, path)) and int(found[1]) in self.forge.comments:
            return self._change(int(found[1]), body)
        return self._answer(404, {"message": "Not Found"})

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the server's names

    def _create(self, body: dict[str, Any]) -> None:
        number = self.forge.add(body["body"])
        self._answer(201, self._shown(number))

    def _change(self, number: int, body: dict[str, Any]) -> None:
        if self.command == "DELETE":
            del self.forge.comments[number]
            return self._answer(204)
        self.forge.comments[number]["body"] = body["body"]
        return self._answer(200, self._shown(number))

    def _list(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["20"])[0])
        numbers = sorted(self.forge.comments)
        more = page * size < len(numbers)
        shown = [self._shown(number) for number in numbers[(page - 1) * size : page * size]]
        self._answer(200, shown, self._page_headers(page, size, more))

    def _shown(self, number: int) -> dict[str, Any]:
        raise NotImplementedError

    def _page_headers(self, page: int, size: int, more: bool) -> dict[str, str]:
        raise NotImplementedError

    def log_message(self, *_: Any) -> None:
        pass


class _GitHub(_Handler):
    lists = "/repos/acme/platform/issues/7/comments"
    one = r"/repos/acme/platform/issues/comments/(\d+)"
    head = ("/repos/acme/platform/pulls/7", {"number": 7, "head": {"sha": HEAD}})
    token = ("Authorization", f"Bearer {TOKEN}")

    def _shown(self, number: int) -> dict[str, Any]:
        author = {"user": {"login": "github-actions[bot]", "type": "Bot"}, "author_association": "NONE"}
        url = f"https://github.com/acme/platform/pull/7#issuecomment-{number}"
        return {"html_url": url, **author, **self.forge.comments[number]}

    def _page_headers(self, page: int, size: int, more: bool) -> dict[str, str]:
        base = self.forge.foreign_next or self.forge.url
        url = f"{base}{self.lists}?per_page={size}"
        return {"Link": f'<{url}&page={page + 1}>; rel="next", <{url}&page=9>; rel="last"'} if more else {}


class _GitLab(_Handler):
    lists = "/projects/42/merge_requests/7/notes"
    one = r"/projects/42/merge_requests/7/notes/(\d+)"
    head = ("/projects/42/merge_requests/7", {"iid": 7, "sha": HEAD})
    token = ("PRIVATE-TOKEN", TOKEN)

    def _shown(self, number: int) -> dict[str, Any]:
        return {"system": False, "author": {"id": 7, "username": "project_42_bot"}, **self.forge.comments[number]}

    def _page_headers(self, page: int, size: int, more: bool) -> dict[str, str]:  # noqa: ARG002 - the size is implied
        return {"X-Next-Page": str(page + 1) if more else "", "X-Page": str(page)}


@contextmanager
def serve(kind: str) -> Iterator[FakeForge]:
    """Serve a fake `github` or `gitlab` on a free port of the loopback."""
    forge = FakeForge()
    handler = type("Handler", ({"github": _GitHub, "gitlab": _GitLab}[kind],), {"forge": forge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    forge.url = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield forge


def environment(kind: str, forge: FakeForge, event: str = "") -> dict[str, str]:
    """Return the variables a runner sets for a job of pull request 7."""
    if kind == "github":
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": forge.url,
            "GITHUB_REPOSITORY": "acme/platform",
            "GITHUB_EVENT_PATH": event,
            "GITHUB_TOKEN": TOKEN,
        }
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": forge.url,
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "7",
        "GITLAB_TOKEN": TOKEN,
    }
