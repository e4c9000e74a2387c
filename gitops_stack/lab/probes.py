"""Readiness: questions asked of a process over loopback, until a deadline.

What is asked of whom is said where the programs are built.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from gitops_stack.lab.ports import LOOPBACK

_INTERVAL = 0.1
_TIMEOUT = 2.0
_OK = 200


@dataclass(frozen=True)
class Probe:
    """Pair a condition in plain words with the question whether it holds."""

    condition: str
    holds: Callable[[], bool]


def wait_until(holds: Callable[[], bool], *, seconds: float, given_up: Callable[[], bool] = lambda: False) -> bool:
    """Return whether ``holds`` came true within ``seconds``; False at once when ``given_up`` does."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline or given_up():
            return False
        time.sleep(_INTERVAL)
    return True


def build_port_probe(port: int) -> Probe:
    """Return a probe for a server that accepts connections on ``port``."""

    def holds() -> bool:
        try:
            socket.create_connection((LOOPBACK, port), timeout=_TIMEOUT).close()
        except OSError:
            return False
        return True

    return Probe(f"a listener on {LOOPBACK}:{port}", holds)


def build_http_probe(port: int, path: str, *, tls: bool = False, token: str | None = None) -> Probe:
    """Return a probe for a server that answers 200 on ``path``.

    TLS is not verified: the question is whether our own child on loopback is up, and the certificates of the
    controllers are made in memory at each start. A token is only sent to the port of our own API server.
    """

    def holds() -> bool:
        try:
            connection = _connect(port, tls=tls)
            try:
                connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
                return connection.getresponse().status == _OK
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return False

    return Probe(f"200 from {'https' if tls else 'http'}://{LOOPBACK}:{port}{path}", holds)


def _connect(port: int, *, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(LOOPBACK, port, timeout=_TIMEOUT, context=context)
