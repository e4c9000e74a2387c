"""The part of a forge's API that Argo CD's pull request generator asks, on loopback.

Held against what argo-cd v3.2.11 reads (applicationset/services/pull_request/github.go and gitlab.go, by go-github v69
and GitLab's own client): paths, parameters, paging by 100, and the fields of an answer. No real forge was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.e2e.scenario import STACK, Scenario
from tests.loopback import answer_json, serving

REPOSITORY = "lab/gitops"
TOKEN = "a-token-of-the-forge"
OVERLAY = f"gitops/workloads/guestbook/overlays/{STACK}"
_GITHUB = f"/api/v3/repos/{REPOSITORY}/pulls"
_GITLAB = f"/api/v4/projects/{REPOSITORY.replace('/', '%2F')}/merge_requests"


@dataclass
class Change:
    """One pull or merge request."""

    sha: str
    labels: tuple[str, ...] = ()
    open: bool = True


@dataclass
class PullRequestForge:
    """What the forge has, and which requests it was asked; ``url`` serves both APIs."""

    url: str = ""
    changes: dict[int, Change] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def answer(self, path: str, query: dict[str, list[str]]) -> list[dict[str, Any]] | None:
        if path == _GITHUB:
            return [_github(number, one) for number, one in self.changes.items() if one.open]
        if path != _GITLAB:
            return None
        labels = set(",".join(query.get("labels", [])).split(","))
        opened = query.get("state") == ["opened"]
        return [
            _gitlab(number, one)
            for number, one in self.changes.items()
            if labels <= {*one.labels, ""} and (one.open or not opened)
        ]


def _github(number: int, one: Change) -> dict[str, Any]:
    return {
        "number": number,
        "title": f"Change {number}",
        "head": {"ref": f"change-{number}", "sha": one.sha},
        "base": {"ref": "main"},
        "labels": [{"name": name} for name in one.labels],
        "user": {"login": "ana"},
    }


def _gitlab(number: int, one: Change) -> dict[str, Any]:
    return {
        "iid": number,
        "title": f"Change {number}",
        "source_branch": f"change-{number}",
        "target_branch": "main",
        "sha": one.sha,
        "labels": list(one.labels),
        "author": {"username": "ana"},
        "state": "opened" if one.open else "closed",
    }


class _Handler(BaseHTTPRequestHandler):
    forge: PullRequestForge

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.forge.asked.add(parts.path)
        known = TOKEN in (
            self.headers.get("Authorization", "").removeprefix("Bearer "),
            self.headers.get("PRIVATE-TOKEN"),
        )
        found = self.forge.answer(parts.path, parse_qs(parts.query)) if known else None
        answer_json(self, 404 if found is None else 200, {"message": "Not Found"} if found is None else found)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving_forge() -> Iterator[PullRequestForge]:
    """Serve a forge on a free port of the loopback."""
    forge = PullRequestForge()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"forge": forge}))
    with serving(server):
        forge.url = f"http://127.0.0.1:{server.server_port}"
        yield forge


def commit(scenario: Scenario, branch: str, files: dict[str, str]) -> str:
    """Commit files of the overlay on a branch, and push that; returns the commit."""
    git = scenario.report.workspace.git
    main = git("rev-parse", "--abbrev-ref", "HEAD")
    git("checkout", "--quiet", "-B", branch, main)
    for name, text in files.items():
        (scenario.workspace / OVERLAY / name).write_text(text)
    git("add", "--all")
    git("commit", "--quiet", "--message", branch)
    git("push", "--quiet", "--force", "origin", branch)
    found = git("rev-parse", "HEAD")
    git("checkout", "--quiet", main)
    return found
