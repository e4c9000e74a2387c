"""Reach a cluster by a kubeconfig as client-go does: with what lightkube reads, and what it leaves out.

lightkube knows no `proxy-url`, no `tls-server-name`, no impersonation, no login program of API version v1, and none
that answers with a certificate, as Teleport's does. They are added where httpx has its place for them: the transport.
Source: client-go's tools/clientcmd/api/v1/types.go and plugin/pkg/client/auth/exec/exec.go.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

import yaml
from httpx2 import BaseTransport, Headers, HTTPTransport, Request, Response, Timeout
from lightkube import Client, KubeConfig
from lightkube.config.client_adapter import verify_cluster
from lightkube.config.models import User
from lightkube.core.exceptions import ConfigError

from gitops_stack.conventions import LOOPBACK_HOSTS
from gitops_stack.errors import shorten

if TYPE_CHECKING:
    from lightkube.config.kubeconfig import SingleConfig

UNREADABLE = (ConfigError, OSError, yaml.YAMLError, LookupError, AttributeError, TypeError, ValueError)
"""What is raised for a kubeconfig that cannot be used: lightkube reads it without looking whether it is one."""


def describe_unreadable(error: Exception) -> str:
    """Say in one line why a kubeconfig cannot be used, for one of :data:`UNREADABLE`."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, KeyError):
        return f"its context names {error.args[0]!r}, which it does not have"
    return " ".join(str(error).split())


_BEYOND_LIGHTKUBE = {"exec", "as", "proxy-url", "tls-server-name"}
ANSWER_SECONDS = 30.0  # a busy API server lists thousands of objects
_LOGIN_SECONDS = 120.0  # a person may have to confirm in a browser
_UNAUTHORIZED = 401


@dataclass(frozen=True)
class Login:
    """One context of a kubeconfig: what lightkube makes of it, and the entries it was made of."""

    config: SingleConfig
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]

    def open(self) -> Client:
        """Open a client, to be closed by `with`; a login program runs at the first request.

        Raises one of :data:`UNREADABLE` when what the context names cannot be used.
        """
        local = urlsplit(self.config.cluster.server).hostname in LOOPBACK_HOSTS
        timeout = Timeout(ANSWER_SECONDS)
        if not (_BEYOND_LIGHTKUBE & (self.user.keys() | self.cluster.keys())):
            return Client(config=self.config, trust_env=not local, timeout=timeout)
        given = self.config.user or User()
        user = User(None, given.username, given.password, given.token, given.token_file)  # certificates: the transport
        transport = _Transport(self, use_proxies_of_environment=not local)
        return Client(self.config._replace(user=user), transport=transport, trust_env=False, timeout=timeout)


def load_login(
    kubeconfig: str | Path | Mapping[str, Any] | None, context: str | None, cluster: str | None = None
) -> Login:
    """Load one context, the current one by default; ``cluster`` is taken in place of the context's.

    ``kubeconfig`` is a path or a content; without one, what $KUBECONFIG names, then ~/.kube/config, then the service
    account of the pod this runs in. Raises one of :data:`UNREADABLE`.
    """
    content, file = _load(kubeconfig)
    if content is None:
        found = KubeConfig.from_env().get(context)
        if found is None:
            raise ConfigError(f"no context {context or '(current)'}")
        return Login(found, {}, {})
    parsed = KubeConfig.from_dict(content, fname=file)
    config = parsed.get(context_name=context or None)
    if config is None:
        raise ConfigError(f"no context {context or '(current)'}")
    name = cluster or config.context.cluster
    entry = _entry(content, "cluster", name)
    if cluster:
        config.context.cluster = cluster
        config = config._replace(cluster=parsed.clusters[cluster])
    return Login(config, entry, _entry(content, "user", config.context.user) if config.context.user else {})


def _entry(content: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    found = next((one.get(kind) for one in content.get(f"{kind}s") or () if one.get("name") == name), None)
    if found is None:
        raise ConfigError(f"{kind} {name!r} is missing")
    return dict(found)


def _load(kubeconfig: str | Path | Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, Path | None]:
    if isinstance(kubeconfig, Mapping):
        return dict(kubeconfig), None
    if not kubeconfig:
        return _load_default()
    if isinstance(kubeconfig, str) and ("\n" in kubeconfig or kubeconfig.lstrip().startswith("{")):
        return yaml.safe_load(kubeconfig), None
    file = Path(kubeconfig).expanduser()
    return yaml.safe_load(file.read_text(encoding="utf-8")), file


def _load_default() -> tuple[dict[str, Any] | None, Path | None]:
    """Load what $KUBECONFIG names, several files as one with the first entry of a name, as client-go does."""
    files = [Path(name).expanduser() for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    files = [file for file in files or [Path("~/.kube/config").expanduser()] if file.is_file()]
    if not files:  # lightkube would take the login of the pod it runs in first, and the provider takes the file
        return None, None
    contents = [yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in files]
    merged: dict[str, Any] = {
        "current-context": next((one["current-context"] for one in contents if one.get("current-context")), None)
    }
    for kind in ("clusters", "contexts", "users"):
        entries = [entry for one in reversed(contents) for entry in one.get(kind) or ()]
        merged[kind] = list({entry["name"]: entry for entry in entries}.values())
    return merged, files[0]


class _Session(NamedTuple):
    """One login: the connections it is used on, and what they carry."""

    transport: HTTPTransport
    headers: tuple[tuple[str, str], ...]


class _Transport(BaseTransport):
    """Sends requests by the context's proxy, under its server name, with what its login program answered."""

    def __init__(self, login: Login, *, use_proxies_of_environment: bool) -> None:
        self._login = login
        self._trust_env = use_proxies_of_environment
        self._sessions: list[_Session] = []
        self._lock = Lock()  # requests come from several threads, and the program is to run once

    def handle_request(self, request: Request) -> Response:
        """Send a request. An answer of 401 has the login program asked once more, as a token may have run out."""
        session = self._session(None)
        response = self._send(request, session)
        if response.status_code == _UNAUTHORIZED and self._login.user.get("exec"):
            response.close()
            response = self._send(request, self._session(session))
        return response

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions:
            session.transport.close()

    def _session(self, spent: _Session | None) -> _Session:
        """Return the newest session; log in when there is no other than ``spent``."""
        with self._lock:
            if not self._sessions or self._sessions[-1] is spent:
                self._sessions.append(self._log_in())
            return self._sessions[-1]

    def _send(self, request: Request, session: _Session) -> Response:
        names = {name.lower() for name, _ in session.headers}
        kept = [(name, value) for name, value in request.headers.multi_items() if name.lower() not in names]
        request.headers = Headers([*kept, *session.headers])
        if name := self._login.cluster.get("tls-server-name"):
            request.extensions = {**request.extensions, "sni_hostname": name}
        return session.transport.handle_request(request)

    def _log_in(self) -> _Session:
        config, user = self._login.config, self._login.config.user or User()
        headers = list(_impersonate(self._login.user))
        if self._login.user.get("exec"):
            status = run_login_program(self._login)
            if status.get("token"):
                headers.append(("Authorization", f"Bearer {status['token']}"))
            if status.get("clientCertificateData"):
                certificate, key = (_encode(status[name]) for name in ("clientCertificateData", "clientKeyData"))
                user = User(client_cert_data=certificate, client_key_data=key)
        verify = verify_cluster(config.cluster, user, config.abs_file, trust_env=self._trust_env)
        try:
            return _Session(HTTPTransport(verify=verify, proxy=self._find_proxy()), tuple(headers))
        except ImportError as error:
            raise ConfigError(f"proxy-url: {error}; run `pip install socksio`") from None

    def _find_proxy(self) -> str | None:
        said = self._login.cluster.get("proxy-url")
        if said or not self._trust_env:
            return said
        from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - only without proxy-url

        server = urlsplit(self._login.config.cluster.server)
        if proxy_bypass(server.hostname or ""):
            return None
        return getproxies().get(server.scheme)


def _impersonate(user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the headers of a user's `as` and what goes with it (client-go: transport/round_trippers.go)."""
    if user.get("as"):
        yield "Impersonate-User", user["as"]
        if user.get("as-uid"):
            yield "Impersonate-Uid", user["as-uid"]
        yield from (("Impersonate-Group", group) for group in user.get("as-groups") or ())
        for key, values in (user.get("as-user-extra") or {}).items():
            yield from ((f"Impersonate-Extra-{quote(key, safe='')}", value) for value in values)


def run_login_program(login: Login) -> dict[str, Any]:
    """Run the login program of a context; returns the `status` of its ExecCredential: token, certificate, or both.

    Raises :class:`ConfigError`, which says what the program said.
    """
    said = login.user["exec"]
    spec: dict[str, Any] = {"interactive": False}
    if said.get("provideClusterInfo"):
        names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        spec["cluster"] = {name: login.cluster[name] for name in names if name in login.cluster}
    asked = {"apiVersion": said["apiVersion"], "kind": "ExecCredential", "spec": spec}
    given = {one["name"]: one["value"] for one in said.get("env") or ()}
    environment = {**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
    command = [_find_program(login, said["command"]), *(said.get("args") or ())]
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LOGIN_SECONDS, check=False
        )
    except FileNotFoundError:
        raise ConfigError(
            f"login program {said['command']} is missing; {said.get('installHint') or 'install it'}"
        ) from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"login program {said['command']} did not end in {_LOGIN_SECONDS:.0f} s") from None
    if done.returncode:
        text = shorten(" ".join(done.stderr.decode(errors="replace").split()), 300)
        raise ConfigError(f"login program {said['command']} ended with {done.returncode}: {text}")
    try:
        status = json.loads(done.stdout)["status"]
        pair = [bool(status.get(name)) for name in ("clientCertificateData", "clientKeyData")]
        if all(pair) or (status.get("token") and not any(pair)):
            return dict(status)
    except (ValueError, LookupError, TypeError, AttributeError):
        pass
    raise ConfigError(f"login program {said['command']} answered without a token or certificate")


def _find_program(login: Login, command: str) -> str:
    # A path with a separator is relative to the kubeconfig (client-go: tools/clientcmd/loader.go ResolveLocalPaths).
    if os.sep in command and not Path(command).is_absolute() and login.config.fname is not None:
        return str(login.config.fname.parent / command)
    return command


def _encode(text: str) -> str:
    from base64 import b64encode  # noqa: PLC0415 - only certificates need it

    return b64encode(text.encode()).decode()
