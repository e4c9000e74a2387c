"""The double's own processes, all on loopback: described here, started by whoever runs them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
PYTHON_PATH: Final = str(Path(__file__).parents[1])
"""Where a process of the double finds it, whoever starts it."""
_INTERVAL_SECONDS = 0.1
_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True)
class Server:
    """Describe one process: what to run in which whole environment. It is ready once it listens on ``port``."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int

    def is_ready(self) -> bool:
        """Tell whether it accepts connections."""
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=_TIMEOUT_SECONDS).close()
        except OSError:
            return False
        return True


def wait_until(holds: Callable[[], bool], *, seconds: float, given_up: Callable[[], bool] = lambda: False) -> bool:
    """Return whether ``holds`` came true within ``seconds``; False at once when ``given_up`` does."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline or given_up():
            return False
        time.sleep(_INTERVAL_SECONDS)
    return True
