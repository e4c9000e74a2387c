"""The played host of a repository: real git goes through it, and everything else past it."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.certificate import write_certificate
from gitops_stack.lab.git_host import (
    build_git_variables,
    build_host_program,
    build_host_variables,
    check_url,
    write_git_configuration,
)
from gitops_stack.lab.ports import LOOPBACK
from gitops_stack.lab.probes import wait_until
from gitops_stack.lab.state import LabState

GIT = shutil.which("git") or "git"  # the real one: looked for before the guards of the fast suite come first
URL = "https://git.example.com/acme/platform.git"
# git's own configuration of this machine, and its helpers, stay out of it.
ENVIRONMENT = {
    "PATH": f"{Path(GIT).parent}:{os.defpath}",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    **{f"GIT_{who}_{what}": "lab@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


@dataclass(frozen=True)
class Host:
    """A running host: its port, the variables that lead to it, and the repository it serves."""

    port: int
    variables: dict[str, str]
    repository: Path
    log: Path


def git(
    *arguments: str | Path, cwd: Path, variables: dict[str, str] | None = None, text: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GIT, *map(str, arguments)],
        cwd=cwd,
        env={**ENVIRONMENT, "HOME": str(cwd), **(variables or {})},
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def commit(folder: Path, *messages: str) -> None:
    for message in messages:
        done = git("commit", "--allow-empty", "-qm", message, cwd=folder)
        assert done.returncode == 0, done.stderr


@contextmanager
def play(folder: Path, login: Path | None = None) -> Iterator[Host]:
    repository = folder / "origin"
    git("init", "-q", "-b", "main", repository, cwd=folder)
    commit(repository, "first", "second")
    state = LabState.open(folder / "lab")
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = int(free.getsockname()[1])
    program = build_host_program(state, port, URL, repository, ENVIRONMENT, login=login)
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(program.command, env=dict(program.environment), stdout=output, stderr=output)
    try:
        ready = wait_until(program.probe.holds, seconds=30, given_up=lambda: process.poll() is not None)
        assert ready, log.read_text(encoding="utf-8")
        yield Host(port, build_host_variables(state, port), repository, log)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with play(tmp_path_factory.mktemp("host")) as made:
        yield made


def test_a_host_with_a_login_is_read_with_the_one_that_counts_now(tmp_path: Path) -> None:
    login = tmp_path / "login"
    login.write_text("git:first\n", encoding="utf-8")

    def clone(password: str) -> tuple[int, str]:
        url = URL.replace("//", f"//git:{password}@" if password else "//")
        done = git(
            "clone", "-q", url, f"copy-{password}-{login.stat().st_size}", cwd=tmp_path, variables=made.variables
        )
        return done.returncode, done.stderr.rpartition("fatal: ")[2]

    with play(tmp_path, login) as made:
        assert clone("first") == (0, "")
        assert "could not read Username" in clone("")[1]
        login.write_text("git:second one\n", encoding="utf-8")
        assert "Authentication failed" in clone("first")[1]
        assert clone("second%20one") == (0, "")


@pytest.mark.parametrize(
    "url", [URL, URL.removesuffix(".git"), URL.replace("git.ex", "Git.Ex"), URL.replace("acme", "Acme")]
)
def test_git_lists_the_played_repository(host: Host, tmp_path: Path, url: str) -> None:
    head = git("rev-parse", "HEAD", cwd=host.repository).stdout.strip()
    done = git("ls-remote", url, "refs/heads/main", cwd=tmp_path, variables=host.variables)
    assert (done.stderr, done.stdout) == ("", f"{head}\trefs/heads/main\n")


@pytest.mark.parametrize("url", [URL, URL.removesuffix(".git")])
def test_git_clones_the_played_repository(host: Host, tmp_path: Path, url: str) -> None:
    done = git("clone", "-q", url, "copy", cwd=tmp_path, variables=host.variables)
    assert (done.returncode, done.stderr) == (0, "")
    log = ("log", "--format=%H")
    assert git(*log, cwd=tmp_path / "copy").stdout == git(*log, "main", cwd=host.repository).stdout


def test_git_clones_one_commit_deep(host: Host, tmp_path: Path) -> None:
    done = git("clone", "-q", "--depth=1", URL, "copy", cwd=tmp_path, variables=host.variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path / "copy").stdout == "1\n"


def test_git_fetches_on_top_of_many_commits(host: Host, tmp_path: Path) -> None:
    """A long list of what git has already is sent compressed."""
    copy = tmp_path / "copy"
    git("clone", "-q", URL, copy, cwd=tmp_path, variables=host.variables)
    # Newer than the repository's own, and so the first that git offers: 16, 16 more, then 32 in one request.
    own = (f"commit refs/heads/own\ncommitter a <a@b> {4000000000 + number} +0000\ndata 0\n" for number in range(80))
    made = git("fast-import", "--quiet", cwd=copy, text="".join(own))
    assert (made.returncode, made.stderr) == (0, "")
    commit(host.repository, "third")
    head = git("rev-parse", "HEAD", cwd=host.repository).stdout
    trace = tmp_path / "trace"
    variables = {**host.variables, "GIT_TRACE_CURL": str(trace)}
    done = git("fetch", "-q", "origin", cwd=copy, variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert git("rev-parse", "origin/main", cwd=copy).stdout == head
    assert "Content-Encoding: gzip" in trace.read_text(encoding="utf-8")


def test_another_repository_of_the_host_is_not_there(host: Host, tmp_path: Path) -> None:
    other = URL.replace("platform", "other")
    done = git("ls-remote", other, cwd=tmp_path, variables=host.variables)
    assert done.returncode == 128
    assert "not found" in done.stderr


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/acme/platform.git/info/refs?service=git-upload-pack", 200),
        ("GET", "/acme/platform.git/info/refs?service=git-receive-pack", 404),
        ("GET", "/acme/platform.git/info/refs", 404),
        ("GET", "/acme/platform/HEAD", 404),
        ("POST", "/acme/other.git/git-upload-pack", 404),
        ("POST", "/acme/platform.git/git-receive-pack", 404),
    ],
)
def test_the_host_reads_one_repository_and_writes_none(host: Host, method: str, path: str, status: int) -> None:
    context = ssl.create_default_context(cafile=host.variables["SSL_CERT_FILE"])
    connection = http.client.HTTPSConnection(LOOPBACK, host.port, context=context, timeout=10)
    connection.set_tunnel("git.example.com", 443)
    try:
        connection.request(method, path, body=b"0000" if method == "POST" else None)
        assert connection.getresponse().status == status
    finally:
        connection.close()


def test_a_request_in_chunks_is_refused_in_words_of_http(host: Host) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, host.port, timeout=10)
    try:
        connection.putrequest("POST", "/acme/platform.git/git-upload-pack")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        assert connection.getresponse().status == 411
    finally:
        connection.close()


class _Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(self.rfile.readline().upper())


def test_every_other_host_is_reached_through_a_tunnel(host: Host) -> None:
    with socketserver.TCPServer((LOOPBACK, 0), _Echo) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        with socket.create_connection((LOOPBACK, host.port), timeout=10) as connection:
            connection.sendall(f"CONNECT {LOOPBACK}:{other.server_address[1]} HTTP/1.1\r\n\r\n".encode())
            answer = connection.makefile("rb")
            assert answer.readline().split()[1] == b"200"
            while answer.readline().strip():
                pass
            connection.sendall(b"hello\n")
            assert answer.readline() == b"HELLO\n"
            assert answer.read() == b""  # the other side's end is the tunnel's
            answer.close()
        thread.join()


def test_a_host_that_cannot_be_reached_is_a_bad_gateway(host: Host) -> None:
    with socket.socket() as closed:
        closed.bind((LOOPBACK, 0))  # nobody listens
        connection = http.client.HTTPConnection(LOOPBACK, host.port, timeout=10)
        try:
            connection.request("CONNECT", f"{LOOPBACK}:{closed.getsockname()[1]}")
            assert connection.getresponse().status == 502
        finally:
            connection.close()


def test_git_variables_are_added_after_those_that_are_there() -> None:
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.version", "GIT_CONFIG_VALUE_0": "HTTP/1.1"}
    assert build_git_variables(URL, Path("/lab/gitops.git"), given) == {
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_1": "url.file:///lab/gitops.git.insteadOf",
        "GIT_CONFIG_VALUE_1": URL,
        "GIT_CONFIG_KEY_2": "http.proxy",
        "GIT_CONFIG_VALUE_2": "",
    }


@pytest.mark.parametrize("given", [{}, {"GIT_CONFIG_COUNT": ""}, {"GIT_CONFIG_COUNT": "0"}])
def test_git_reads_the_repository_itself_by_these_variables(host: Host, tmp_path: Path, given: dict[str, str]) -> None:
    variables = {**given, **build_git_variables(URL, host.repository, given)}
    lost = {"HTTPS_PROXY": "http://127.0.0.1:1"}
    done = git("ls-remote", URL, "refs/heads/main", cwd=tmp_path, variables={**lost, **variables})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("url", ["git@github.com:acme/platform.git", "ssh://git@github.com/acme/a", "file:///nowhere"])
def test_git_reads_a_repository_of_any_scheme_by_a_configuration(host: Host, tmp_path: Path, url: str) -> None:
    other = tmp_path / "other"
    other.write_text("[user]\n\tname = of another file\n", encoding="utf-8")
    given = {"GIT_CONFIG_GLOBAL": str(other)}
    variables = write_git_configuration(tmp_path / "gitconfig", url, host.repository, given)
    done = git("ls-remote", url, "refs/heads/main", cwd=tmp_path, variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert git("config", "user.name", cwd=tmp_path, variables=variables).stdout == "of another file\n"


def test_a_configuration_knows_other_spellings_and_other_repositories(host: Host, tmp_path: Path) -> None:
    other = tmp_path / "platform-apps"
    git("init", "-q", "-b", "apps", other, cwd=tmp_path)
    commit(other, "first")
    url = f"file://{tmp_path}/platform"
    evil = 'https://x"\n[user]\n\tname = evil\n[url "y'
    sources = [f"{url}.git", f"file://{other}", evil, "https://x y", "https://x\\"]
    variables = write_git_configuration(tmp_path / "gitconfig", url, host.repository, {}, sources)
    for asked, branch in ((url, "main"), (f"{url}.git", "main"), (f"file://{other}", "apps")):
        done = git("ls-remote", "--heads", asked, cwd=tmp_path, variables=variables)
        assert (done.stderr, done.stdout.rpartition("/")[2].strip()) == ("", branch)
    assert git("config", "user.name", cwd=tmp_path, variables=variables).stdout == ""


def test_host_variables_trust_the_played_host_beside_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = LabState.open(tmp_path / "lab")
    system = tmp_path / "system.pem"
    system.write_text("-----BEGIN CERTIFICATE-----\nothers\n", encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(system))
    build_host_program(state, 4000, URL, tmp_path, {})
    found = build_host_variables(state, 4000)
    assert found == {
        "HTTPS_PROXY": "http://127.0.0.1:4000",
        "https_proxy": "http://127.0.0.1:4000",
        "NO_PROXY": LOOPBACK,
        "no_proxy": LOOPBACK,
        "SSL_CERT_FILE": f"{state.directory}/trusted.pem",
        "GIT_SSL_CAINFO": f"{state.directory}/trusted.pem",
    }
    trusted = Path(found["SSL_CERT_FILE"]).read_text(encoding="utf-8")
    assert trusted.count("BEGIN CERTIFICATE") == 2
    assert "others" in trusted
    assert "PRIVATE KEY" not in trusted


def test_the_certificate_is_private_and_made_once(tmp_path: Path) -> None:
    state = LabState.open(tmp_path / "lab")
    program = build_host_program(state, 4000, URL, tmp_path, {"PATH": "/bin"})
    file = Path(program.command[-1])
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_text(encoding="utf-8")
    build_host_program(state, 4000, URL, tmp_path, {})
    assert file.read_text(encoding="utf-8") == first
    assert (program.name, program.environment["PATH"]) == ("git-host", "/bin")


@pytest.mark.parametrize(
    ("host", "name"), [("git.example.com", "DNS:git.example.com"), ("10.0.0.5", "IP Address:10.0.0.5")]
)
def test_a_certificate_names_its_host_and_outlives_a_kept_lab(host: str, name: str, tmp_path: Path) -> None:
    write_certificate(tmp_path / "host.pem", host)
    context = ssl.create_default_context(cafile=tmp_path / "host.pem")
    (made,) = context.get_ca_certs()
    assert made["subjectAltName"] == (tuple(name.split(":")),)
    assert ssl.cert_time_to_seconds(str(made["notAfter"])) > time.time() + 5 * 365 * 86400


def test_a_certificate_holds_for_its_host_alone(host: Host, tmp_path: Path) -> None:
    write_certificate(tmp_path / "other.pem", "other.example.com")
    context = ssl.create_default_context(cafile=tmp_path / "other.pem")
    connection = http.client.HTTPSConnection(LOOPBACK, host.port, context=context, timeout=10)
    connection.set_tunnel("git.example.com", 443)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/healthz")
    connection.close()


@pytest.mark.parametrize("url", ["git@github.com:acme/platform.git", "ssh://git@github.com/acme/a", "http://a/b"])
def test_only_https_can_be_played(url: str) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        check_url(url)
    wanted = f"gitops.repoUrl: found {url}; a rehearsal can play the host of an https:// URL only"
    assert str(refused.value) == wanted


def test_https_can_be_played() -> None:
    check_url(URL)
