"""Argo CD's own API, for what its roles are to permit rather than Kubernetes'.

Source: Argo CD's server/application/application.proto and server/session/session.proto, v3.5.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from httpx2 import Client, HTTPError, InvalidURL

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, shorten

_SECONDS = 30.0
_TOKEN = re.compile(r"[!-~]+")
_UNAUTHORIZED, _DENIED, _NOT_FOUND = 401, 403, 404


@dataclass(frozen=True)
class ArgoCDServer:
    """A session with Argo CD's server."""

    http: Client
    address: str

    @classmethod
    @contextmanager
    def open(cls, address: str, token: str) -> Iterator[ArgoCDServer]:
        """Open a session at a URL or HOST[:PORT]. Raises :class:`EnvironmentProblem` without address or token."""
        if not address:
            raise EnvironmentProblem("--server: is missing; name Argo CD's address, or set ARGOCD_SERVER")
        if not token:
            raise EnvironmentProblem(
                "ARGOCD_AUTH_TOKEN: is missing; set it to a token of the environment's role "
                "(`argocd proj role create-token environments NAME`), or to one of your own sign-in"
            )
        if not _TOKEN.fullmatch(token):  # as a header the client would refuse it, and show it
            raise EnvironmentProblem("ARGOCD_AUTH_TOKEN: is no token: it has characters that none has")
        url = address if "://" in address else f"https://{address}"
        try:
            http = Client(base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS)
        except InvalidURL as error:
            raise EnvironmentProblem(f"--server: found {address}: {error}; needs a URL or HOST[:PORT]") from None
        with http:
            yield cls(http, url)

    def load_user(self) -> str:
        """Return whose session it is."""
        found = self._ask("GET", "/api/v1/session/userinfo", "the session")
        if not found.get("loggedIn"):
            raise EnvironmentProblem(f"{self.address}: the token of ARGOCD_AUTH_TOKEN is not valid; make a new one")
        return str(found.get("username") or found.get("sub") or "somebody")

    def merge_application(self, name: str, project: str, change: Mapping[str, Any]) -> None:
        """Merge-patch an Application. Raises :class:`GitOpsStackError` with the server's words when it refuses."""
        body = {"name": name, "project": project, "patchType": "merge", "patch": json.dumps(change)}
        self._ask("PATCH", f"/api/v1/applications/{quote(name, safe='')}", f"Application {name}", body)

    def _ask(self, method: str, path: str, what: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            answered = self.http.request(method, path, json=body)
            found = answered.json()
        except (HTTPError, ValueError) as error:
            raise EnvironmentProblem(f"{self.address}: does not answer: {error}; is it Argo CD's address?") from None
        if answered.is_success and isinstance(found, dict):
            return found
        said = shorten(" ".join(str(found.get("message") if isinstance(found, dict) else found).split()))
        code = answered.status_code
        if code == _UNAUTHORIZED:
            raise EnvironmentProblem(
                f"{self.address}: the token of ARGOCD_AUTH_TOKEN is not valid: {said}; make a new one"
            )
        if code in (_DENIED, _NOT_FOUND):
            raise GitOpsStackError(f"{what}: {said}; is it merged, and does this role cover it?")
        raise GitOpsStackError(f"{what}: Argo CD refuses it: {said}; correct it")
