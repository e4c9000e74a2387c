"""Argo CD's own API, for what its roles are to permit rather than Kubernetes'.

Source: Argo CD's server/application/application.proto and server/session/session.proto, v3.5.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from httpx2 import Client, HTTPError, InvalidURL

from gitops_stack.conventions import STACK_LABEL
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem, shorten

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
            raise EnvironmentProblem(Problem("is missing", "name Argo CD's address, or set ARGOCD_SERVER", "--server"))
        if not token:
            raise EnvironmentProblem(
                Problem(
                    "is missing",
                    "set it to a token of the environment's role (`argocd proj role create-token "
                    "environments NAME`), or to one of your own sign-in",
                    "ARGOCD_AUTH_TOKEN",
                )
            )
        if not _TOKEN.fullmatch(token):  # as a header the client would refuse it, and show it
            raise EnvironmentProblem(
                Problem("is not a token: it has characters that none has", place="ARGOCD_AUTH_TOKEN")
            )
        url = address if "://" in address else f"https://{address}"
        try:
            http = Client(base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS)
        except InvalidURL as error:
            raise EnvironmentProblem(
                Problem(f"found {address}: {error}", "needs a URL or HOST[:PORT]", "--server")
            ) from None
        with http:
            yield cls(http, url)

    def load_user(self) -> str:
        """Return whose session it is."""
        found = self._ask("GET", "/api/v1/session/userinfo", "the session")
        if not found.get("loggedIn"):
            raise EnvironmentProblem(
                Problem("the token of ARGOCD_AUTH_TOKEN is not valid", "make a new one", self.address)
            )
        return str(found.get("username") or found.get("sub") or "somebody")

    def check_stack(self, names: Iterable[str], project: str, stack: str) -> None:
        """Raise :class:`GitOpsStackError` unless all Applications are of ``stack``: the address may be another's."""
        for name in names:
            found = self._ask("GET", f"{_path(name)}?project={quote(project, safe='')}", f"Application {name}")
            owner = ((found.get("metadata") or {}).get("labels") or {}).get(STACK_LABEL) or "no stack"
            if owner != stack:
                raise GitOpsStackError(
                    Problem(
                        f"is of {owner}, and this is {stack}",
                        f"name the address of {stack}'s Argo CD",
                        f"{self.address}: Application {name}",
                    )
                )

    def merge_application(self, name: str, project: str, change: Mapping[str, Any]) -> None:
        """Merge-patch an Application. Raises :class:`GitOpsStackError` with the server's words when it refuses."""
        body = {"name": name, "project": project, "patchType": "merge", "patch": json.dumps(change)}
        self._ask("PATCH", _path(name), f"Application {name}", body)

    def _ask(self, method: str, path: str, what: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            answered = self.http.request(method, path, json=body)
            found = answered.json()
        except (HTTPError, ValueError) as error:
            raise EnvironmentProblem(
                Problem(f"does not answer: {error}", "is it Argo CD's address?", self.address)
            ) from None
        if answered.is_success and isinstance(found, dict):
            return found
        said = shorten(" ".join(str(found.get("message") if isinstance(found, dict) else found).split()))
        code = answered.status_code
        if code == _UNAUTHORIZED:
            raise EnvironmentProblem(
                Problem(f"the token of ARGOCD_AUTH_TOKEN is not valid: {said}", "make a new one", self.address)
            )
        if code in (_DENIED, _NOT_FOUND):
            raise GitOpsStackError(Problem(said, "is it merged, and does this role cover it?", what))
        raise GitOpsStackError(Problem(f"Argo CD refuses it: {said}", "correct it", what))


def _path(application: str) -> str:
    return f"/api/v1/applications/{quote(application, safe='')}"
