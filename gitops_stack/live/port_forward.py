"""Forward a local port to a pod through the API server, over the WebSocket that it serves for that.

No kubectl, and the login of every other command. Kubernetes' protocol v4.channel.k8s.io, one WebSocket per connection:
channel 0 is data, channel 1 errors, and each begins with the port as two bytes (k8s.io/cri-streaming portforward).
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from httpx2 import HTTPError
from httpx2.websockets import HTTPXWSException, WebSocketUpgradeError
from lightkube import Client

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.live.reading import Listing, load_listings
from gitops_stack.rules.fields import dig, sequence

_LOOPBACK = "127.0.0.1"
_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_BLOCK = 32 * 1024
_PORT_BYTES = 3  # the channel, then the port
_CONNECT_SECONDS = 10.0
_FAILURES = (HTTPError, HTTPXWSException, OSError, EOFError, TimeoutError)


@dataclass(frozen=True)
class Target:
    """The pods to forward to, any that is ready: their namespace, labels and port."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    port: int


def find_pod(client: Client, target: Target) -> str:
    """Return the name of a ready pod. Raises :class:`EnvironmentProblem` when there is none."""
    wanted = dict(target.labels)
    (pods,) = load_listings(client, [Listing("v1", "Pod", target.namespace, wanted)])
    ready: list[str] = sorted(pod["metadata"]["name"] for pod in pods if _is_ready(pod))
    if not ready:
        said = ",".join(f"{key}={value}" for key, value in target.labels)
        raise EnvironmentProblem(
            Problem(
                f"pods {said} in namespace {target.namespace}: {len(pods)} found, none of them ready",
                "look at `gitops-stack status`",
            )
        )
    return ready[0]


@contextmanager
def forward(connect: Callable[[], Client], target: Target, local_port: int = 0) -> Iterator[int]:
    """Listen on loopback and forward every connection until the block ends; yields the port.

    ``connect`` is called for each connection, since a token may last minutes only. The first is tried before anything
    listens: raises :class:`EnvironmentProblem` in one sentence when it cannot be made.
    """
    with connect() as client, _open(client, target):
        pass
    try:
        listener = socket.create_server((_LOOPBACK, local_port))
    except OSError as error:
        raise EnvironmentProblem(
            Problem(f"cannot be listened on: {error.strerror}", "name another", f"port {local_port}")
        ) from None
    with listener:
        accepting = threading.Thread(target=_accept, args=(listener, connect, target), daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # which ends `accept`


def _accept(listener: socket.socket, connect: Callable[[], Client], target: Target) -> None:
    while True:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(accepted, connect, target), daemon=True).start()


def _serve(accepted: socket.socket, connect: Callable[[], Client], target: Target) -> None:
    # What fails here ends one connection, which whoever opened it sees; the next is tried anew.
    failures = contextlib.suppress(EnvironmentProblem, *_FAILURES)
    with accepted, failures, connect() as client, _open(client, target) as session:
        threading.Thread(target=_send, args=(accepted, session), daemon=True).start()
        while True:
            accepted.sendall(_receive(session))


def _send(accepted: socket.socket, session: Any) -> None:  # noqa: ANN401 - httpx2's session
    with contextlib.suppress(*_FAILURES):
        while block := accepted.recv(_BLOCK):
            session.send_bytes(bytes([_DATA]) + block)
        session.close()


@contextmanager
def _open(client: Client, target: Target) -> Iterator[Any]:
    """Open a session to a ready pod, past the two messages that each channel begins with."""
    pod = find_pod(client, target)
    url = f"/api/v1/namespaces/{target.namespace}/pods/{pod}/portforward"
    http: Any = client._client._client  # what `Client.exec` uses; it has no `port-forward`
    try:
        with http.websocket(url, subprotocols=[_PROTOCOL], params={"ports": str(target.port)}) as session:
            for _ in (_DATA, _ERROR):
                first = session.receive_bytes(timeout=_CONNECT_SECONDS)
                if len(first) != _PORT_BYTES:
                    raise EOFError(first[1:].decode("utf-8", "replace"))
            yield session
    except _FAILURES as error:
        raise EnvironmentProblem(
            Problem(
                f"port {target.port} cannot be forwarded: {_describe(error)}",
                "may this login get and create pods/portforward?",
                f"pod {target.namespace}/{pod}",
            )
        ) from None


def _describe(error: Exception) -> str:
    if isinstance(error, WebSocketUpgradeError):
        return f"the API server answers {error.response.status_code}"
    return " ".join(str(error).split()) or "the session ended"


def _receive(session: Any) -> bytes:  # noqa: ANN401 - as above
    message: bytes = session.receive_bytes()
    if message[0] == _ERROR:
        raise EOFError(message[1:].decode("utf-8", "replace"))
    return message[1:]


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = sequence(dig(pod, "status", "conditions"))
    ready = any((one.get("type"), one.get("status")) == ("Ready", "True") for one in conditions)
    return ready and not dig(pod, "metadata", "deletionTimestamp")
