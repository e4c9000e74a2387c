"""A receiver of notifications on loopback, which takes the place of every host it is asked for by plain HTTP.

Argo CD's notifications go through a proxy that its environment names (notifications-engine pkg/util/http), so what a
stack sends to a Service of its cluster, where no container listens in the lab, is received here and goes nowhere else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gitops_stack.lab.ports import LOOPBACK


@dataclass(frozen=True)
class Notification:
    """What was sent: ``url`` is whole where the sender took the receiver for its proxy, else a path."""

    url: str
    body: str


@dataclass
class Receiver:
    """Where to send to, and what has arrived so far."""

    address: str
    received: list[Notification] = field(default_factory=list)

    @property
    def proxy(self) -> dict[str, str]:
        """Return the variables that send all that a program sends here, but for what is on loopback already.

        What is sent by TLS is refused here, and so goes nowhere.
        """
        return dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), self.address)


@contextmanager
def receive() -> Iterator[Receiver]:
    """Listen on a free port of the loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            receiver.received.append(Notification(self.path, body.decode(errors="replace")))
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815 - a template chooses

        def log_message(self, *arguments: object) -> None:
            pass  # a report says what was received

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        receiver = Receiver(f"http://{LOOPBACK}:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
