"""The host of the stack's GitOps repository, played on loopback: an HTTPS proxy that answers for one URL.

A stack file names its repository by a public URL. Argo CD lists that repository's branches with go-git, which knows
nothing of git's `insteadOf`, and runs git with a configuration of its own (util/git/client.go); so the repo-server's
proxy is this process, which takes the place of the one host and tunnels every other. kustomize's git, which fetches
remote bases, is told to pass it by (`build_git_variables`).

Run as `python -m gitops_stack.lab.git_host PORT URL REPOSITORY CERTIFICATE [--login FILE]`.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import os
import re
import selectors
import socket
import ssl
import sys
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.git_environment import build_settings_variables
from gitops_stack.gitops_tree.git_program import answer_fetch
from gitops_stack.lab.certificate import write_certificate
from gitops_stack.lab.ports import LOOPBACK
from gitops_stack.lab.probes import build_http_probe
from gitops_stack.lab.processes import PYTHON_PATH, Program
from gitops_stack.lab.state import LabState
from gitops_stack.patterns import is_commit, same_repository

_SERVICE = "git-upload-pack"  # reading; nobody pushes here
_SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_TUNNEL_SECONDS = 60
_PLAIN = re.compile(r'[^\s"\\\x00-\x1f]+')


def build_git_variables(url: str, repository: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make git read ``url`` from ``repository`` and reach all else without the proxy.

    They are added after those ``environment`` has already.
    """
    return build_settings_variables({f"url.file://{repository}.insteadOf": url, "http.proxy": ""}, environment)


def write_git_configuration(
    file: Path, url: str, repository: Path, environment: Mapping[str, str], sources: Iterable[str] = ()
) -> dict[str, str]:
    """Write a git configuration that reads ``url``, of any scheme, from ``repository``; returns its variables.

    ``sources`` are URLs that will be asked for: other spellings of ``url``, and repositories that it is not.
    Argo CD's own git heeds it, unlike the variables of `build_git_variables`. Its go-git does not: it asks the real
    host for branches, and for nothing when an Application names a commit.
    """
    included = environment.get("GIT_CONFIG_GLOBAL") or ""
    lines = ["[include]", f'\tpath = "{included}"'] if included else []
    asked = {url, *filter(_PLAIN.fullmatch, sources)}  # a tree's own words: none may end the line it stands in
    own = {name for name in asked if same_repository(name, url)}
    # git replaces the beginning of a URL, by the longest that fits: `…/platform` would catch `…/platform-apps` too.
    places = {name: name for name in asked - own}
    places |= {spelt: f"file://{repository}" for name in own for spelt in (name, f"{name.removesuffix('.git')}.git")}
    for name, place in sorted(places.items()):
        lines += [f'[url "{place}"]', f'\tinsteadOf = "{name}"']
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"GIT_CONFIG_GLOBAL": str(file)}


def build_host_program(
    state: LabState, port: int, url: str, repository: Path, environment: Mapping[str, str], *, login: Path | None = None
) -> Program:
    """Return the program that plays the host of ``url`` with the content of ``repository``.

    ``login`` is a file with the one `user:password` that may read, looked at anew for each request.
    """
    certificate = _certificate(state)
    if not certificate.exists():
        write_certificate(certificate, urlsplit(url).hostname or "")
    module = ("-m", "gitops_stack.lab.git_host", str(port), url, str(repository), str(certificate))
    asked = ("--login", str(login)) if login else ()
    own = {**environment, "PYTHONPATH": PYTHON_PATH}
    return Program("git-host", (sys.executable, *module, *asked), build_http_probe(port, "/healthz"), own)


def build_host_variables(state: LabState, port: int) -> dict[str, str]:
    """Return the variables that lead go-git to the played host, and let it trust the host's certificate."""
    trusted = state.directory / "trusted.pem"
    system = Path(os.environ.get("SSL_CERT_FILE") or _SYSTEM_CERTIFICATES)
    own = _certificate(state).read_text(encoding="utf-8")
    others = system.read_text(encoding="utf-8") if system.is_file() else ""
    trusted.write_text(own[own.index("-----BEGIN CERTIFICATE") :] + others, encoding="utf-8")
    proxy = f"http://{LOOPBACK}:{port}"
    return {
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
        "NO_PROXY": LOOPBACK,
        "no_proxy": LOOPBACK,
        "SSL_CERT_FILE": str(trusted),
        "GIT_SSL_CAINFO": str(trusted),
    }


def _certificate(state: LabState) -> Path:
    return state.directory / "git-host.pem"


def is_https(url: str) -> bool:
    """Tell whether the host of a repository can be played."""
    return urlsplit(url).scheme == "https"


def check_url(url: str) -> None:
    """Raise EnvironmentProblem for a repository that is not reached by https."""
    if not is_https(url):
        raise EnvironmentProblem(
            Problem(f"found {url}", "a rehearsal can play the host of an https:// URL only", "gitops.repoUrl")
        )


def check_playable(url: str, revision: str) -> None:
    """Raise EnvironmentProblem for a followed revision that is none of a working tree, or a missing library."""
    if is_commit(revision):
        raise EnvironmentProblem(
            Problem(f"found the commit {revision}", "a try can play a branch only", "gitops.revision")
        )
    if not is_https(url):
        return
    try:
        import cryptography  # noqa: F401, PLC0415 - only looked for, before tools are built
    except ImportError:
        raise EnvironmentProblem(
            Problem(
                "the played repository host needs a certificate",
                "install what makes it with: pip install 'gitops-stack[lab]'",
                "try",
            )
        ) from None


class _Host(ThreadingHTTPServer):
    """The proxy with what it answers for."""

    daemon_threads = True

    def __init__(self, port: int, url: str, repository: Path, certificate: Path, login: Path | None) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        split = urlsplit(url)
        self.host, self.path, self.repository = split.hostname or "", split.path.removesuffix(".git"), repository
        self.login = login
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)


class _Handler(BaseHTTPRequestHandler):
    """CONNECT as a proxy, then git's smart HTTP (gitprotocol-http(5)) inside of the connection."""

    server: _Host
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        if host.lower().strip("[]") != self.server.host:
            self._tunnel(host.strip("[]"), int(port))
            return
        self.send_response(HTTPStatus.OK, "Connection established")
        self.end_headers()
        with self.server.context.wrap_socket(self.connection, server_side=True) as inner:
            self.connection = self.request = inner
            self.rfile, self.wfile = inner.makefile("rb"), inner.makefile("wb", 0)  # type: ignore[assignment]
            self.close_connection = False
            while not self.close_connection:
                self.handle_one_request()

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        if split.path == "/healthz":
            self._answer(b"ok", "text/plain")
        elif self._is_played(split.path, "info/refs") and parse_qs(split.query).get("service") == [_SERVICE]:
            if not self._may_read():
                return
            refs = self._git(["--advertise-refs"], b"")
            head = f"# service={_SERVICE}\n"
            self._answer(f"{len(head) + 4:04x}{head}0000".encode() + refs, f"application/x-{_SERVICE}-advertisement")
        else:
            self.send_error(HTTPStatus.NOT_FOUND, f"the lab plays {self.server.host}{self.server.path} only")

    def do_POST(self) -> None:
        if "Content-Length" not in self.headers:  # git sends what is longer than a megabyte in chunks
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))  # an answer before it may be lost with it
        if not self._is_played(self.path, _SERVICE):
            self.send_error(HTTPStatus.NOT_FOUND, f"the lab plays {self.server.host}{self.server.path} only")
            return
        if not self._may_read():
            return
        if self.headers.get("Content-Encoding") == "gzip":  # what git does beyond a kilobyte
            body = gzip.decompress(body)
        self._answer(self._git([], body), f"application/x-{_SERVICE}-result")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401, ARG002 - http.server's
        print(f"{self.command} {self.path} {args[1] if len(args) > 1 else ''}", flush=True)  # noqa: T201 - its log

    def _is_played(self, path: str, service: str) -> bool:
        own = self.server.path  # compared as Argo CD compares repositories: without case
        return path.lower() in (f"{own}.git/{service}".lower(), f"{own}/{service}".lower())

    def _may_read(self) -> bool:
        """Tell whether the request carries the login; one that does not is answered."""
        login = self.server.login
        wanted = login.read_text(encoding="utf-8").strip() if login else None
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        if wanted is None or given == base64.b64encode(wanted.encode()).decode():
            return True
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def _git(self, options: list[str], body: bytes) -> bytes:
        return answer_fetch(self.server.repository, *options, body=body, environment=os.environ)

    def _answer(self, body: bytes, content_type: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        self.wfile.write(body)

    def _tunnel(self, host: str, port: int) -> None:
        try:
            upstream = socket.create_connection((host, port), timeout=_TUNNEL_SECONDS)
        except OSError as error:
            self.send_error(HTTPStatus.BAD_GATEWAY, f"{host}:{port}: {error}")
            return
        self.close_connection = True
        self.send_response(HTTPStatus.OK, "Connection established")
        self.end_headers()
        with upstream, selectors.DefaultSelector() as selector:
            selector.register(upstream, selectors.EVENT_READ, self.connection)
            selector.register(self.connection, selectors.EVENT_READ, upstream)
            while ready := selector.select(_TUNNEL_SECONDS):
                for key, _ in ready:
                    piece = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                    if not piece:
                        return
                    key.data.sendall(piece)


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("url")
    parser.add_argument("repository", type=Path)
    parser.add_argument("certificate", type=Path)
    parser.add_argument("--login", type=Path)
    given = parser.parse_args()
    _Host(given.port, given.url, given.repository, given.certificate, given.login).serve_forever()


if __name__ == "__main__":
    main()
