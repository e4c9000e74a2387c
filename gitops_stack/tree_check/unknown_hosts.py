"""Hosts whose names cannot be resolved: asked once, not for every source that reads from them, and noted in results.

A render that fails for want of a host is decided by the files and by that: it stays the same until the host is known.
Of git a repository is remembered, not its host: a rule of git's may lead to another place for some of them.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from threading import Thread
from time import monotonic

from gitops_stack.errors import Problem

# git (through curl), and Go's resolver.
_GIT = re.compile(r"unable to access '(?P<url>[^']+)': Could not resolve host: (?P<host>[\w.-]*\w)")
_GO = re.compile(r"lookup (?P<host>[\w.-]*\w)(?: on \S+)?: no such host")
# Of a text without scheme and user, only a dotted word is a host: `base/web` is a folder.
_PLACE = re.compile(
    r"(?:\w[\w+.-]*::)?(?:(?:[a-z][a-z0-9+.-]*://(?:[^/@]*@)?|[\w.-]+@)(?P<named>[\w-]+(?:\.[\w-]+)*)"
    r"|(?P<dotted>[\w-]+(?:\.[\w-]+)+))(?::\d+)?(?:[:/](?P<path>[^?#]*))?"
)
_SECONDS = 3.0  # for a resolver that does not answer at all
_KEPT_SECONDS = 60.0  # a long-lived process asks again
_known: dict[str, tuple[float, str]] = {}


def note_unknown(problem: Problem) -> tuple[str, ...]:
    """Remember the host that a program could not resolve, and return it; none when it failed of something else."""
    found = _GIT.search(problem.found) or _GO.search(problem.found)
    if found is None:
        return ()
    host = found["host"].lower()
    place = [host, *(_places(found["url"]) if found.re is _GIT else [])][-1]
    _known[place] = monotonic(), problem.message
    return (host,)


def find_unknown_host(urls: Iterable[str]) -> tuple[str, str] | None:
    """Return the first host of ``urls`` that could not be resolved a moment ago, and what was said then."""
    since = monotonic() - _KEPT_SECONDS
    for url in urls:
        for place in (places := _places(url)):
            noted, said = _known.get(place, (since, ""))
            if noted > since:
                return places[0], said
    return None


def _places(url: str) -> list[str]:
    """Return a URL's host, and the repository on it."""
    found = _PLACE.match(url)
    if found is None:
        return []
    host = (found["named"] or found["dotted"]).lower()
    parts = [part.removesuffix(".git") for part in (found["path"] or "").split("/") if part][:2]
    return [host, "/".join((host, *parts))]


def are_unknown(hosts: Iterable[str]) -> bool:
    """Tell whether none of ``hosts`` can be resolved now; a resolver that does not answer resolves nothing."""
    resolved: list[str] = []

    def ask(host: str) -> None:
        try:
            socket.getaddrinfo(host, None)
        except (OSError, UnicodeError):
            return
        resolved.append(host)

    threads = [Thread(target=ask, args=(host,), daemon=True) for host in hosts]
    for thread in threads:
        thread.start()
    end = monotonic() + _SECONDS
    for thread in threads:
        thread.join(max(0.0, end - monotonic()))
    return not resolved
