"""Kubeconfigs as client-go reads them: proxies, server names, login programs, impersonation, a cluster by its name."""

from __future__ import annotations

import base64
import json
import select
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.guard.cluster import open_connection
from gitops_stack.lab.certificate import write_certificate
from gitops_stack.live import login
from gitops_stack.live.reading import ObjectReference, load_objects
from tests.loopback import answer_json, serving

NAME = "api.example.com"
SYSTEM = ObjectReference("", "Namespace", "", "kube-system", "v1")


class ApiServer(ThreadingHTTPServer):
    """An API server with one namespace, whose certificate is for :data:`NAME`, and which keeps what it was told."""

    daemon_threads = True

    def __init__(self, folder: Path, *, asks_for_certificates: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        certificate = folder / "server.pem"
        write_certificate(certificate, NAME)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if asks_for_certificates:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(folder / "client.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.authority = base64.b64encode(certificate.read_bytes()).decode()
        self.headers: list[dict[str, list[str]]] = []
        self.refuses: set[str] = set()
        self.silent = 0  # so many questions more are taken and not answered
        self.over = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.headers.append({name.title(): self.headers.get_all(name) or [] for name in self.headers})
        if self.server.silent:
            self.server.silent -= 1
            self.server.over.wait()
            self.close_connection = True
            return
        code = 401 if self.headers["Authorization"] in self.server.refuses else 200
        answer_json(self, code, {"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "1"}})

    def log_message(self, *_: Any) -> None:
        pass


class _Proxy(BaseHTTPRequestHandler):
    """Answers CONNECT, as a bastion's proxy does."""

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            pair = {self.connection: there, there: self.connection}
            while True:
                for end in select.select(list(pair), [], [])[0]:
                    if not (data := end.recv(65536)):
                        return
                    pair[end].sendall(data)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def api_server(tmp_path: Path) -> Iterator[ApiServer]:
    with serving(server := ApiServer(tmp_path)):
        yield server
        server.over.set()


def kubeconfig(server: ApiServer, user: dict[str, Any], **cluster: Any) -> str:
    entry = {"server": f"https://127.0.0.1:{server.server_port}", "certificate-authority-data": server.authority}
    content = {
        "clusters": [{"name": "c", "cluster": {**entry, "tls-server-name": NAME, **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    return yaml.safe_dump(content)


def read(text: str, **provider: Any) -> Any:
    with open_connection({"kubeconfig": text, **provider}) as connection:
        return load_objects(connection.client, [SYSTEM])[SYSTEM.text]


def program(folder: Path, status: str, *, version: str = "v1", before: str = "") -> dict[str, Any]:
    """Return the `exec` of a login program that answers with ``status``, and counts its runs in a file."""
    file = folder / "login"
    answer = f'{{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/{version}", "status": {status}}}'
    file.write_text(
        f'#!/bin/sh\necho run >> {folder}/runs\necho "$KUBERNETES_EXEC_INFO" > {folder}/info\n{before}\n'
        f"cat <<END\n{answer}\nEND\n",
        encoding="utf-8",
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {"apiVersion": f"client.authentication.k8s.io/{version}", "command": str(file), "interactiveMode": "Never"}


def test_a_certificate_is_checked_for_the_server_name_that_is_given(api_server: ApiServer) -> None:
    assert read(kubeconfig(api_server, {"token": "mine"}))["metadata"]["uid"] == "1"
    assert api_server.headers[0]["Authorization"] == ["Bearer mine"]
    with pytest.raises(EnvironmentProblem, match="does not answer"):
        read(kubeconfig(api_server, {"token": "mine"}, **{"tls-server-name": "other.example.com"}))


@pytest.mark.parametrize("silent", [1, 2])
def test_a_busy_cluster_is_asked_once_more_and_then_left(
    api_server: ApiServer, monkeypatch: pytest.MonkeyPatch, silent: int
) -> None:
    monkeypatch.setattr(login, "ANSWER_SECONDS", 0.5)
    api_server.silent = silent
    config = kubeconfig(api_server, {"token": "mine"}, **{"tls-server-name": NAME})
    if silent == 1:
        assert read(config)["metadata"]["uid"] == "1"
    else:
        with pytest.raises(EnvironmentProblem) as raised:
            read(config)
        wanted = "cluster: took longer to answer than 30 s, twice; wait until its API server is less busy, then repeat"
        assert str(raised.value) == wanted
    assert len(api_server.headers) == 2


def test_a_cluster_is_reached_by_its_proxy(api_server: ApiServer) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    server.daemon_threads, server.asked = True, []  # type: ignore[attr-defined]
    with serving(server):
        text = kubeconfig(api_server, {"token": "mine"}, **{"proxy-url": f"http://127.0.0.1:{server.server_port}"})
        assert read(text)["metadata"]["uid"] == "1"
    assert server.asked == [f"127.0.0.1:{api_server.server_port}"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", ["v1beta1", "v1"])
def test_a_login_program_is_told_what_client_go_tells_it(api_server: ApiServer, tmp_path: Path, version: str) -> None:
    said = {**program(tmp_path, '{"token": "given"}', version=version), "provideClusterInfo": True}
    assert read(kubeconfig(api_server, {"exec": said}))["metadata"]["uid"] == "1"
    assert api_server.headers[0]["Authorization"] == ["Bearer given"]
    info = json.loads((tmp_path / "info").read_text())
    assert info["apiVersion"] == f"client.authentication.k8s.io/{version}"
    assert info["spec"]["interactive"] is False
    assert info["spec"]["cluster"]["tls-server-name"] == NAME


def test_a_login_program_runs_once_for_many_requests(api_server: ApiServer, tmp_path: Path) -> None:
    text = kubeconfig(api_server, {"exec": program(tmp_path, '{"token": "given"}')})
    wanted = [ObjectReference("", "Namespace", "", f"n{number}", "v1") for number in range(20)]
    with open_connection({"kubeconfig": text}) as connection, ThreadPoolExecutor(2):
        load_objects(connection.client, wanted)
    assert len(api_server.headers) == 20
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_token_that_ran_out_is_asked_for_again(api_server: ApiServer, tmp_path: Path) -> None:
    count = f'n=$(wc -l < {tmp_path}/runs | tr -d " ")'
    api_server.refuses = {"Bearer 1"}
    assert read(kubeconfig(api_server, {"exec": program(tmp_path, '{"token": "$n"}', before=count)}))
    assert [one["Authorization"] for one in api_server.headers] == [["Bearer 1"], ["Bearer 2"]]


def test_a_login_program_may_answer_with_a_certificate(tmp_path: Path) -> None:
    write_certificate(tmp_path / "client.pem", "person")
    text = (tmp_path / "client.pem").read_text()
    status = json.dumps({"clientCertificateData": text, "clientKeyData": text})
    said = program(tmp_path, status)
    (tmp_path / "login").write_text(
        "#!/bin/sh\ncat " + str(tmp_path / "answer") + "\n", encoding="utf-8"
    )  # a shell's echo would break the lines of the certificate
    answer = {"kind": "ExecCredential", "apiVersion": said["apiVersion"], "status": json.loads(status)}
    (tmp_path / "answer").write_text(json.dumps(answer), encoding="utf-8")
    with serving(server := ApiServer(tmp_path, asks_for_certificates=True)):
        assert read(kubeconfig(server, {"exec": said}))["metadata"]["uid"] == "1"
        with pytest.raises(EnvironmentProblem):
            read(kubeconfig(server, {"token": "mine"}))


@pytest.mark.parametrize(
    ("status", "before", "found"),
    [
        ("{}", "", "login program {file} answered without a token or certificate"),
        (
            '{"token": "a", "clientCertificateData": "b"}',
            "",
            "login program {file} answered without a token or certificate",
        ),
        ("not json", "", "login program {file} answered without a token or certificate"),
        ("{}", "echo no session >&2; exit 3", "login program {file} ended with 3: no session"),
    ],
)
def test_a_login_program_that_fails_is_one_sentence(
    api_server: ApiServer, tmp_path: Path, status: str, before: str, found: str
) -> None:
    said = program(tmp_path, status, before=before)
    with pytest.raises(EnvironmentProblem) as raised:
        read(kubeconfig(api_server, {"exec": said}))
    assert str(raised.value) == (f"cluster: {found.format(file=said['command'])}")


def test_a_login_program_that_is_missing_is_said_with_its_hint(api_server: ApiServer) -> None:
    said = {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login", "installHint": "install tsh"}
    with pytest.raises(EnvironmentProblem, match="login program no-such-login is missing; install tsh"):
        read(kubeconfig(api_server, {"exec": said}))


def test_somebody_else_is_impersonated(api_server: ApiServer) -> None:
    assert read(
        kubeconfig(api_server, {"token": "mine", "as": "ci", "as-groups": ["a", "b"], "as-user-extra": {"o/r": ["x"]}})
    )
    headers = api_server.headers[0]
    assert headers["Impersonate-User"] == ["ci"]
    assert headers["Impersonate-Group"] == ["a", "b"]
    assert headers["Impersonate-Extra-O%2Fr"] == ["x"]
    assert headers["Authorization"] == ["Bearer mine"]


def test_a_cluster_that_the_provider_names_goes_before_the_context_s(api_server: ApiServer) -> None:
    content = yaml.safe_load(kubeconfig(api_server, {"token": "mine"}))
    content["clusters"].append({"name": "elsewhere", "cluster": {"server": "https://127.0.0.1:1"}})
    text = yaml.safe_dump(content)
    with open_connection({"kubeconfig": text, "clusterEntry": "elsewhere"}) as connection:
        assert connection.address == "https://127.0.0.1:1"
    with pytest.raises(EnvironmentProblem, match="'nowhere' is missing"):
        read(text, clusterEntry="nowhere")
