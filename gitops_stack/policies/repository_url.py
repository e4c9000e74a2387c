"""Compare repository URLs as Argo CD does (util/git NormalizeGitURL of the pinned releases)."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

_SSH = re.compile(r"^(ssh://)?([^/:]*?)@[^@]+$")
_PARTS = re.compile(r"^([a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)(.*)$", re.DOTALL)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
_KEPT = re.compile(r"[\w.~!$&'()*+,;=:@\[\]%/-]*", re.ASCII)  # Go's validEncoded: a path written so is left alone


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
