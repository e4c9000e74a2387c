"""The calls on pull requests as small servers on the loopback, in the shapes the APIs document.

docs.github.com/rest/pulls/pulls (list by head and base, create, update; 422 for a second one of a branch) and
docs.gitlab.com/api/merge_requests (list by source and target branch, create, update; 409 for a second one).
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
_LISTS = {"github": "/repos/acme/platform/pulls", "gitlab": "/projects/acme%2Fplatform/merge_requests"}
_HEADERS = {"github": ("Authorization", f"Bearer {TOKEN}"), "gitlab": ("PRIVATE-TOKEN", TOKEN)}
_BODIES = {"github": "body", "gitlab": "description"}


@dataclass
class One:
    """A pull request the server holds."""

    number: int
    branch: str
    base: str
    title: str = ""
    body: str = ""
    state: str = "open"


@dataclass
class FakePullRequests:
    """What the server holds and was asked. ``status`` replaces every answer, ``before`` is what others do meanwhile."""

    kind: str
    url: str = ""
    held: list[One] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    status: int = 0
    before: Callable[[str], None] = lambda method: None  # noqa: ARG005

    @property
    def open(self) -> list[One]:
        return [one for one in self.held if one.state == "open"]

    def add(self, branch: str, base: str, **other: str) -> One:
        made = One(len(self.held) + 1, branch, base, **other)
        self.held.append(made)
        return made

    def page(self, number: int) -> str:
        """Return the address people open."""
        if self.kind == "github":
            return f"https://github.com/acme/platform/pull/{number}"
        return f"https://gitlab.com/acme/platform/-/merge_requests/{number}"

    def shown(self, one: One) -> dict[str, Any]:
        """Return one as the API does."""
        shown: dict[str, Any] = {"state": one.state, "title": one.title}
        if self.kind == "github":
            shown |= {"head": {"ref": one.branch, "label": f"acme:{one.branch}"}, "base": {"ref": one.base}}
            return {**shown, "number": one.number, "html_url": self.page(one.number), "body": one.body}
        shown |= {"source_branch": one.branch, "target_branch": one.base}
        return {**shown, "id": one.number + 100, "iid": one.number, "web_url": self.page(one.number)}


class _Handler(BaseHTTPRequestHandler):
    forge: FakePullRequests

    def _serve(self) -> None:
        forge, path = self.forge, urlsplit(self.path).path
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        forge.requests.append(f"{self.command} {path}")
        forge.before(self.command)
        name, value = _HEADERS[forge.kind]
        if forge.status:
            return self._answer(forge.status, {"message": "no"})
        if self.headers.get(name) != value:
            return self._answer(401, {"message": "Bad credentials"})
        if path == _LISTS[forge.kind]:
            return self._list() if self.command == "GET" else self._create(body)
        found = re.fullmatch(rf"{re.escape(_LISTS[forge.kind])}/(\d+)", path)
        if found and self.command == {"github": "PATCH", "gitlab": "PUT"}[forge.kind]:
            one = forge.held[int(found[1]) - 1]
            one.title, one.body = body["title"], body[_BODIES[forge.kind]]
            return self._answer(200, forge.shown(one))
        return self._answer(404, {"message": "Not Found"})

    do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - the server's names

    def _list(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if self.forge.kind == "github":
            wanted = (query["head"].removeprefix("acme:"), query["base"], query["state"])
        else:
            wanted = (query["source_branch"], query["target_branch"], query["state"].removesuffix("ed"))
        found = [one for one in self.forge.held if (one.branch, one.base, one.state) == wanted]
        self._answer(200, [self.forge.shown(one) for one in found])

    def _create(self, body: dict[str, Any]) -> None:
        names = {"github": ("head", "base"), "gitlab": ("source_branch", "target_branch")}[self.forge.kind]
        branch, base = (body[name] for name in names)
        if any((one.branch, one.base) == (branch, base) for one in self.forge.open):
            status = {"github": 422, "gitlab": 409}[self.forge.kind]
            return self._answer(status, {"message": f"A pull request already exists for acme:{branch}."})
        made = self.forge.add(branch, base, title=body["title"], body=body[_BODIES[self.forge.kind]])
        return self._answer(201, self.forge.shown(made))

    def _answer(self, status: int, body: Any) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve(kind: str) -> Iterator[FakePullRequests]:
    """Serve a fake `github` or `gitlab` on a free port of the loopback."""
    forge = FakePullRequests(kind)
    handler = type("Handler", (_Handler,), {"forge": forge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    forge.url = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield forge
