"""JSON over HTTP with a token: pages, and failures as sentences. The token goes into a header and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from httpx2 import Client, HTTPError, InvalidURL, Response

from gitops_stack.conventions import LOOPBACK_HOSTS
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.forge.forge import NotFoundProblem

_SECONDS = 30.0
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
_FAILED = 300  # a redirect too: what a renamed repository answers is not a comment
_LAST_PAGE = 200  # 20,000 comments: a server that never ends its pages must not keep us


class RestClient:
    """Calls below one base URL. ``remedies`` maps a status code to what helps against it on this forge.

    Raises :class:`EnvironmentProblem` for a token that fits in no header, without naming it.
    """

    def __init__(self, base_url: str, headers: dict[str, str], place: str, remedies: dict[int, str]) -> None:
        written = {name: value.strip() for name, value in headers.items()}  # a token from a file ends with a newline
        if not all(value.isascii() and value.isprintable() for value in written.values()):
            raise EnvironmentProblem(
                Problem("the token has characters no token has", "save it anew", place)
            )  # not quoted here
        self._base = base_url.rstrip("/")
        self._place = place
        self._remedies = remedies
        local = urlsplit(base_url).hostname in LOOPBACK_HOSTS
        self._client = Client(
            headers={"User-Agent": "gitops-stack", **written}, timeout=_SECONDS, trust_env=not local,
            follow_redirects=False,
        )  # fmt: skip

    def call(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        """Make one call and return the object it answers, an empty one for an empty answer."""
        answer = _json(self._send(method, f"{self._base}{path}", body), self._place)
        return answer if isinstance(answer, dict) else {}

    def pages(self, path: str, next_page: Callable[[Response, str], str | None]) -> Iterator[dict[str, Any]]:
        """Yield the entries of all pages. ``next_page`` returns the URL of the page after a response, if any."""
        url: str | None = f"{self._base}{path}"
        for _ in range(_LAST_PAGE):
            if url is None or not url.startswith(f"{self._base}/"):  # the token goes to no other server
                return
            response = self._send("GET", url)
            entries = _json(response, self._place)
            yield from (found for found in entries or () if isinstance(found, dict))
            url = next_page(response, url)

    def _send(self, method: str, url: str, body: dict[str, str] | None = None) -> Response:
        try:
            response = self._client.request(method, url, json=body)
        except (HTTPError, InvalidURL, OSError) as error:
            raise EnvironmentProblem(
                Problem(
                    f"{urlsplit(url).netloc} does not answer: {error}", "check the network and run again", self._place
                )
            ) from None
        if response.status_code >= _FAILED:
            raise self._problem(method, response)
        return response

    def _problem(self, method: str, response: Response) -> EnvironmentProblem:
        code = response.status_code
        if code == _TOO_MANY or (code == _FORBIDDEN and _is_rate_limited(response)):
            wait = response.headers.get("retry-after", "")
            when = f" in {wait} s" if wait.isdigit() else " later"
            return EnvironmentProblem(
                Problem("the forge's rate limit is reached", f"run this job again{when}", self._place)
            )
        said = _message(response)
        kind = NotFoundProblem if code == _NOT_FOUND else EnvironmentProblem
        remedy = self._remedies.get(code, "run this job again, or look at the forge's status page")
        return kind(f"{self._place}: {method} was answered with {code}{said}; {remedy}")


def _is_rate_limited(response: Response) -> bool:
    # docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api: 403 or 429, one of these two headers.
    return response.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in response.headers


def _message(response: Response) -> str:
    try:
        document = response.json()
    except ValueError:
        return ""
    said = document.get("message") or document.get("error") if isinstance(document, dict) else None
    return f" ({' '.join(str(said).split())[:200]})" if said else ""


def _json(response: Response, place: str) -> Any:  # noqa: ANN401 - any JSON value
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        raise EnvironmentProblem(
            Problem("the answer is not JSON", "is the API's address right, or is a proxy in between?", place)
        ) from None
