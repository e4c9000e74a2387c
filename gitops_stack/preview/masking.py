"""Keep secrets out of what is shown: by marker, by kind, by name, and by the look of a value. Pure.

The engine already blinds what Pulumi knows as secret. This is the second line: a value nobody declared secret.
"""

from __future__ import annotations

import re
from typing import Any

MASK = "(secret)"

_SIGNATURE = "4dabf18193072939515e22adb298388d"  # Pulumi's marker of special values (sdk/go/common/resource)
_SECRET_KEYS = frozenset({"data", "stringData", "binaryData"})  # of a Kubernetes Secret
_REFERENCE = frozenset({"secretName", "name", "items", "defaultMode", "optional"})  # what a pod's volume `secret` names
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
    (re.compile(r"\b(\w{1,20}://)[^/\s:@]*:[^/\s]+@"), rf"\1{MASK}@"),
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
        if hides and not (key == "secret" and value.keys() <= _REFERENCE):
            return dict.fromkeys(value, MASK)
        named = value.get("name")  # an environment variable: the name stands beside the value
        inner = named if isinstance(named, str) and is_sensitive_key(named) else ""
        return {
            name: mask(found, inner if name == "value" and inner else str(name), secret_kind=secret_kind)
            for name, found in value.items()
        }
    if isinstance(value, list):
        return [mask(found, key, secret_kind=secret_kind) for found in value]
    if hides and not (value is None or value == "" or isinstance(value, bool)):
        return MASK
    return mask_text(value) if isinstance(value, str) else value


def mask_pair(old: dict[str, Any] | None, new: dict[str, Any] | None) -> tuple[Any, Any]:
    """Return two states of a Kubernetes object, either of which may be missing, without what must not be shown.

    Two masked values look alike. That they differ is worth showing; a digest of them is not: it can be guessed from.
    """
    sides = [side and mask(side, secret_kind=is_secret_kind(str(side.get("kind")))) for side in (old, new)]
    if not old or not new:
        return sides[0], sides[1]
    return _mark(sides[0], old, new, "before"), _mark(sides[1], new, old, "after")


def _mark(masked: Any, own: Any, other: Any, when: str) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(masked, dict) and isinstance(own, dict):
        others = other if isinstance(other, dict) else {}
        return {key: _mark(found, own.get(key), others.get(key), when) for key, found in masked.items()}
    if isinstance(masked, list) and isinstance(own, list):
        entries = {_place(at, found): found for at, found in enumerate(other if isinstance(other, list) else ())}
        pairs = enumerate(zip(masked, own, strict=True))
        return [_mark(found, mine, entries.get(_place(at, mine)), when) for at, (found, mine) in pairs]
    if isinstance(masked, str) and own != other and not _differ_in_sight(masked, own, other):
        return masked.replace(MASK, f"{MASK[:-1]}, {when})")
    return masked


def _differ_in_sight(masked: str, own: object, other: object) -> bool:
    """Tell whether two texts differ around what is masked in them alone."""
    if masked == MASK or not (isinstance(own, str) and isinstance(other, str)) or mask_text(other) == masked:
        return False
    hidden = ([found[0] for pattern, _ in _SENSITIVE_TEXT for found in pattern.finditer(text)] for text in (own, other))
    return next(hidden) == next(hidden)


def _place(index: int, entry: object) -> object:
    """Return what tells an entry of a list from its neighbours: a variable that moves up has not changed."""
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else index


def mask_text(text: str) -> str:
    """Return a text without what looks like a credential: private keys, forge and AWS keys, logins in URLs."""
    for pattern, replacement in _SENSITIVE_TEXT:
        text = pattern.sub(replacement, text)
    return text
