"""A small OCI registry on the loopback: what `helm push` and `helm pull` ask of one (OCI distribution spec 1.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.loopback import serving

_PLACE = re.compile(r"/v2/(?P<name>.+)/(?P<kind>blobs|manifests)/(?P<what>uploads/.*|[^/]+)")


class _Registry(ThreadingHTTPServer):
    held: dict[tuple[str, str, str], tuple[str, bytes]]
    """(repository, blobs or manifests, digest or tag) -> (media type, content)."""


class _Handler(BaseHTTPRequestHandler):
    server: _Registry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        found = _PLACE.fullmatch(urlsplit(self.path).path)
        if found is None:
            self._answer(200 if self.path == "/v2/" else 404)
            return
        kind, content = self.server.held.get((found["name"], found["kind"], found["what"]), ("", None))
        if content is None:
            self._answer(404)
        else:
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            self._answer(200, content, {"Content-Type": kind, "Docker-Content-Digest": digest})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self._read()
        self._answer(202, b"", {"Location": f"{urlsplit(self.path).path}1"})

    def do_PUT(self) -> None:
        parts, content = urlsplit(self.path), self._read()
        found = _PLACE.fullmatch(parts.path)
        assert found is not None, self.path
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        for what in {digest, *parse_qs(parts.query).get("digest", [found["what"]])}:
            kind = self.headers.get("Content-Type", "application/octet-stream")
            self.server.held[found["name"], found["kind"], what] = (kind, content)
        self._answer(201, b"", {"Location": parts.path, "Docker-Content-Digest": digest})

    def _read(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, code: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def open_registry() -> Iterator[str]:
    """Serve an empty registry; yields its host and port."""
    server = _Registry(("127.0.0.1", 0), _Handler)
    server.held = {}
    with serving(server):
        yield f"127.0.0.1:{server.server_port}"
