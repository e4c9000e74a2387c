"""Keep secrets out of what is shown: by marker, by kind, by name, and by the look of a value. Pure.

The engine already blinds what Pulumi knows as secret. This is the second line: a value nobody declared secret.
"""

from __future__ import annotations

import re
from typing import Any

MASK = "(secret)"

_SIGNATURE = "4dabf18193072939515e22adb298388d"  # Pulumi's marker of special values (sdk/go/common/resource)
_SECRET_KEYS = frozenset({"data", "stringData", "binaryData"})  # of a Kubernetes Secret
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # holds a Secret's values once more
_SENSITIVE_KEY = re.compile(
    r"(pass(word|wd|phrase)|token|secret(string|binary|value|key)?|(private|access|api|client|session)[-_. ]?key"
    r"|kubeconfig|credentials?)$",
    re.IGNORECASE,
)
# Every repetition is bounded or cannot be entered twice: these run over megabytes that a stranger may have written.
_SENSITIVE_TEXT = (
    (
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL),
        MASK,
    ),
    (re.compile(r"\b(gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abp]-[\w-]{10,})"), MASK),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), MASK),
    (re.compile(r"\b(\w{1,20}://)[^/\s:@]*:[^/\s@]+@"), rf"\1{MASK}@"),
    (re.compile(r"\beyJ[\w-]{10,1000}\.[\w-]{10,}\.[\w-]*"), MASK),  # JSON web tokens
)


def is_secret_kind(resource_type: str) -> bool:
    """Tell whether a Pulumi type or a Kubernetes kind is the core Secret."""
    return resource_type in ("kubernetes:core/v1:Secret", "Secret")


def is_sensitive_key(key: str) -> bool:
    """Tell whether a property of this name holds a secret, whatever it is a property of."""
    return bool(_SENSITIVE_KEY.search(key))


def is_marked(value: object) -> bool:
    """Tell whether the engine marked a value as special: a secret, whose content it has blinded."""
    return isinstance(value, dict) and _SIGNATURE in value


def mask(value: Any, key: str = "", *, secret_kind: bool = False) -> Any:  # noqa: ANN401 - any JSON value
    """Return ``value`` without what must not be shown.

    ``key`` is the name it stands under; ``secret_kind`` says that it is, or belongs to, a Kubernetes Secret.
    """
    if is_marked(value) or (secret_kind and key == _LAST_APPLIED):
        return MASK
    hides = (secret_kind and key in _SECRET_KEYS) or is_sensitive_key(key)
    if isinstance(value, dict):
        if hides:
            return dict.fromkeys(value, MASK)
        named = value.get("name")  # an environment variable: the name stands beside the value
        inner = named if isinstance(named, str) and is_sensitive_key(named) else ""
        return {
            name: mask(found, inner if name == "value" and inner else str(name), secret_kind=secret_kind)
            for name, found in value.items()
        }
    if isinstance(value, list):
        return [mask(found, key, secret_kind=secret_kind) for found in value]
    if hides and value not in ("", None, True, False):
        return MASK
    return mask_text(value) if isinstance(value, str) else value


def mask_text(text: str) -> str:
    """Return a text without what looks like a credential: private keys, forge and AWS keys, logins in URLs."""
    for pattern, replacement in _SENSITIVE_TEXT:
        text = pattern.sub(replacement, text)
    return text
