"""A headless Chromium, spoken to through its own pipe (DevTools protocol): one page at a time."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.browser.install import install_chromium

_SECONDS = 30.0
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--remote-debugging-pipe", "--user-data-dir=profile", "--no-first-run", "--disable-extensions", "about:blank"),
)
_KEYS = {"Enter": "\r", "Space": " ", "Tab": "\t"}
# What Chromium says of a script whose page went away under it, before it had run or while it ran.
_RELOADED = (
    "Inspected target navigated or closed",
    "Execution context was destroyed.",
    "Cannot find default execution context",
)


class PageReloadedError(Exception):
    """A script's page was loaded anew before it had answered."""


class Chromium:
    """A running browser with one open page; ``requests`` are the addresses the page has asked for."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers, self._buffer = commands, answers, b""
        self._number = 0
        self._session = ""
        self._loads = 0
        self.requests: list[str] = []
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        said = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            said["sessionId"] = self._session
        os.write(self._commands, json.dumps(said).encode() + b"\0")
        number, deadline = self._number, time.monotonic() + _SECONDS
        while True:
            found = self._read(deadline)
            if found.get("id") == number:
                error = found.get("error")
                if error and error["message"] in _RELOADED:
                    raise PageReloadedError(error["message"])
                assert error is None, error
                return found["result"]

    def open(self, file: Path, *, dark: bool = False, size: tuple[int, int] = (1400, 900), fragment: str = "") -> float:
        """Open a page and return the seconds until it had loaded and was laid out."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        width, height = size
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._load("about:blank")  # the same address once more, with a fragment, would load nothing
        self.requests.clear()
        self.errors.clear()
        began = time.monotonic()
        self._load(f"{file.resolve().as_uri()}{fragment}")
        self.run("document.documentElement.getBoundingClientRect().height")
        return time.monotonic() - began

    def _load(self, url: str) -> None:
        loads, deadline = self._loads, time.monotonic() + _SECONDS
        self.call("Page.navigate", url=url)
        while self._loads == loads:
            self._read(deadline)

    def run(self, script: str) -> Any:
        """Evaluate JavaScript and return its value; again when the page reloads itself meanwhile."""
        while True:
            with suppress(PageReloadedError):
                answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
                break
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys one after the other, by their names; others are typed."""
        for key in keys:
            text = _KEYS.get(key, key if len(key) == 1 else "")
            name = " " if key == "Space" else key
            code = {"Enter": 13, "Tab": 9, "Escape": 27, "Space": 32}.get(key, 0)
            said: dict[str, Any] = {"key": name, "code": key, "windowsVirtualKeyCode": code}
            self.call("Input.dispatchKeyEvent", type="keyDown", **said, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **said)

    def wait_for(self, script: str, seconds: float = 10.0) -> None:
        """Wait until JavaScript is true, across reloads."""
        deadline = time.monotonic() + seconds
        while not self.run(f"document.readyState === 'complete' && ({script})"):
            assert time.monotonic() < deadline, f"not true after {seconds} s: {script}"

    def save_screenshot(self, file: Path) -> None:
        """Write what is seen as a PNG."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _read(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            more = os.read(self._answers, 1 << 20)
            assert more, "the browser has ended"
            self._buffer += more
        said, self._buffer = self._buffer.split(b"\0", 1)
        found: dict[str, Any] = json.loads(said)
        parameters = found.get("params", {})
        match found.get("method"):
            case "Page.loadEventFired":
                self._loads += 1
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(parameters["exceptionDetails"]))
            case "Log.entryAdded":
                self.errors.append(parameters["entry"]["text"])
        return found


@contextmanager
def open_chromium() -> Iterator[Chromium]:
    """Start a browser of its own, and end it."""
    folder = install_chromium()
    reading, commands = os.pipe()
    answers, writing = os.pipe()
    with tempfile.TemporaryDirectory(prefix="gitops-stack-browser-") as home:
        process = subprocess.Popen(
            # Chromium reads commands from descriptor 3 and answers on 4.
            ["bash", "-c", f'exec "$0" "$@" 3<&{reading} 4>&{writing}', str(folder / "chromium"), *_OPTIONS],
            cwd=home,
            pass_fds=(reading, writing),
            env={**os.environ, "HOME": home, "FONTCONFIG_PATH": str(folder / "fonts"), **_libraries(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for one in (reading, writing):
            os.close(one)
        try:
            yield Chromium(commands, answers)
        finally:
            process.kill()
            process.wait()
            os.close(commands)
            os.close(answers)


def _libraries(folder: Path) -> dict[str, str]:
    """Have the browser find the libraries it came with where the machine has none of them."""
    said = subprocess.run(["ldd", str(folder / "chromium")], capture_output=True, text=True, check=False).stdout
    return {"LD_LIBRARY_PATH": str(folder / "lib")} if "not found" in said else {}
