"""How Argo CD compares names: repositories, clusters, and the two pattern languages it uses for them.

gobwas/glob for repositories, destinations and namespaces (`*` stops at separators, `**` does not, `{a,b}`, `[!a-c]`);
Go's filepath.Match for kinds and names. An invalid pattern matches nothing. Repositories are compared as util/git
NormalizeGitURL of v3.5.1 does, servers of clusters as util/argo GetDestinationServer. And the forms of
a commit and of a chart's version, and the order of releases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

COMMIT = r"[0-9a-f]{40}"
"""The form of a whole commit."""

_NUMBER, _WORDS = r"(0|[1-9]\d*)", r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?P<before>-{_WORDS})?(\+{_WORDS})?", re.ASCII)
_SSH = re.compile(r"^(ssh://)?([^/:]*?)@[^@]+$")
_PARTS = re.compile(r"^([a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)(.*)$", re.DOTALL)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
_KEPT = re.compile(r"[\w.~!$&'()*+,;=:@\[\]%/-]*", re.ASCII)  # Go's validEncoded: a path written so is left alone


def is_commit(revision: str) -> bool:
    """Tell whether a revision is a whole commit, which stands for itself and cannot move."""
    return re.fullmatch(COMMIT, revision) is not None


def is_version(version: str) -> bool:
    """Tell whether a chart's version is one alone; helm takes 1, 1.2 and ^1.2 for the newest that fits (semver.org)."""
    return parse_version(version) is not None


def parse_version(version: str) -> tuple[int, int, int, bool] | None:
    """Return major, minor, patch and whether it is a release, which comes after its pre-releases; None for no version.

    Two pre-releases of one version compare as equal.
    """
    found = _VERSION.fullmatch(version)
    return (int(found[1]), int(found[2]), int(found[3]), found["before"] is None) if found else None


def match_glob(pattern: str, value: str, separators: str = "") -> bool:
    """Match as github.com/gobwas/glob does."""
    compiled = _compile_glob(pattern, separators)
    return compiled is not None and compiled.fullmatch(value) is not None


def match_path(pattern: str, value: str) -> bool:
    """Match as Go's filepath.Match does on Unix."""
    compiled = _compile_path(pattern)
    return compiled is not None and compiled.fullmatch(value) is not None


def match_doublestar(pattern: str, value: str) -> bool:
    """Match as github.com/bmatcuk/doublestar does: like a path, but `**` between slashes is any number of folders."""
    compiled = _compile_doublestar(pattern)
    return compiled is not None and compiled.fullmatch(value) is not None


_SET = r"(?P<set>\[[!^]?[^\]]+\])|(?P<other>\\.|.)"
_GLOB = re.compile(rf"(?P<deep>\*{{2,}})|(?P<star>\*)|(?P<one>\?)|{_SET}", re.DOTALL)
_PATH = re.compile(rf"(?P<star>\*+)|(?P<one>\?)|{_SET}", re.DOTALL)
_DOUBLESTAR = re.compile(
    rf"(?P<folders>(?:^|(?<=/))\*\*/)|(?P<deep>(?:^|(?<=/))\*\*$)|(?P<star>\*+)|(?P<one>\?)|{_SET}", re.DOTALL
)
_WITHIN = {"folders": "(?:[^/]+/)*", "deep": ".*", "star": "[^/]*", "one": "[^/]"}


@lru_cache(maxsize=4096)
def _compile_glob(pattern: str, separators: str) -> re.Pattern[str] | None:
    one = f"[^{re.escape(separators)}]" if separators else "."
    return _compile(pattern, _GLOB, {"deep": ".*", "star": f"{one}*", "one": one}, negations="!", braces=True)


@lru_cache(maxsize=4096)
def _compile_path(pattern: str) -> re.Pattern[str] | None:
    return _compile(pattern, _PATH, _WITHIN, negations="^", braces=False)


@lru_cache(maxsize=4096)
def _compile_doublestar(pattern: str) -> re.Pattern[str] | None:
    return _compile(pattern, _DOUBLESTAR, _WITHIN, negations="!^", braces=True)


def _compile(
    pattern: str, tokens: re.Pattern[str], meanings: Mapping[str, str], *, negations: str, braces: bool
) -> re.Pattern[str] | None:
    expression, depth = "", 0
    for found in tokens.finditer(pattern):
        part, kind = found[0], str(found.lastgroup)
        if kind in meanings:
            expression += meanings[kind]
        elif kind == "set":
            expression += _character_class(part, negations)
        elif braces and (part == "{" or (part in "}," and depth)):
            depth += {"{": 1, "}": -1, ",": 0}[part]
            expression += {"{": "(?:", "}": ")", ",": "|"}[part]
        elif part in ("[", "\\"):
            return None
        else:
            expression += re.escape(part[-1])
    return _compiled(expression + ")" * depth)  # a brace that is left open ends with the pattern


def _character_class(part: str, negations: str) -> str:
    content = part[1:-1]
    negated = content[0] in negations
    content = content[1:] if negated else content
    escaped = re.sub(r"[\\\[\]^&|~]", lambda found: f"\\{found[0]}", content)
    return f"[{'^' if negated else ''}{escaped}]"


def _compiled(expression: str) -> re.Pattern[str] | None:
    try:
        return re.compile(expression, re.DOTALL)
    except re.error:
        return None


@lru_cache(maxsize=4096)
def normalize_repository(url: str) -> str:
    """Return the form two spellings of one repository share: lower case, without `.git`, one SSH form."""
    url = url.strip().lower()
    if _SSH.match(url) and not url.startswith("ssh://"):
        url = f"ssh://{url.replace(':', '/', 1)}"
    found = _PARTS.match(url.removesuffix(".git"))
    if found is None:  # pragma: no cover - the pattern matches any text
        return ""
    origin, path, rest = found[1] or "", found[2], found[3]
    if not origin and ":" in path.partition("/")[0] and not _SCHEME.match(path):
        return ""  # Go's net/url refuses it, and what cannot be read matches nothing
    if not _KEPT.fullmatch(path):
        path = quote(path, safe="$&+,/:;=@-_.~")
    return f"{origin}{path}{rest}".removeprefix("ssh://")


def same_repository(one: str, other: str) -> bool:
    """Tell whether two URLs name one repository."""
    return normalize_repository(one) == normalize_repository(other)


def match_repository(pattern: str, url: str) -> bool:
    """Tell whether an entry of `sourceRepos` names a repository; `*` alone is any, elsewhere it stops at `/`."""
    normalized = normalize_repository(pattern)
    return normalized == "*" or match_glob(normalized, normalize_repository(url), "/")


def match_namespace(pattern: str, namespace: str) -> bool:
    """Tell whether an entry of a project names a namespace."""
    return pattern == "*" or match_glob(pattern, namespace)


def normalize_server(url: str) -> str:
    """Return the form two spellings of a cluster's server share: without slashes at its end."""
    return url.rstrip("/")


def release_order(version: str) -> tuple[int, ...]:
    """Return what orders releases such as v3.5.1; a release candidate counts as its release."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
