"""Where credentials stand in a stack's settings, and whether they are encrypted there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ENCRYPTED = "(encrypted: only the Pulumi engine can read it)"
# Path of each secret, `*` for any key, and how much of it says where a credential is.
_SECRETS = (
    (("gitops", "credentials", "token"), 2),
    (("gitops", "credentials", "sshKey"), 2),
    (("gitops", "credentials", "githubApp", "privateKey"), 2),
    (("argocd", "sso", "*", "clientSecret", "value"), 4),
)


def list_credentials(values: Mapping[str, Any]) -> list[str]:
    """List where a credential is written into the settings, whether it is encrypted or not."""
    found = (".".join(path[:shown]) for wanted, shown in _SECRETS for path, _ in _leaves(values, wanted))
    return list(dict.fromkeys(found))


def build_plain_secrets(values: Mapping[str, Any]) -> list[str]:
    """Return the paths of credentials that are written in plain text."""
    return [
        ".".join(path) for wanted, _ in _SECRETS for path, value in _leaves(values, wanted) if isinstance(value, str)
    ]


def is_credential(loc: list[str]) -> bool:
    """Tell whether a setting is a credential or holds one, so that its value is not shown."""
    return any(
        len(loc) >= shown and all(part in ("*", own) for part, own in zip(wanted[:shown], loc, strict=False))
        for wanted, shown in _SECRETS
    )


def leads_to_credential(loc: list[str]) -> bool:
    """Tell whether a credential stands below a setting, so that what stands there instead of a map may be one."""
    return any(
        1 < len(loc) < shown and all(part in ("*", own) for part, own in zip(wanted, loc, strict=False))
        for wanted, shown in _SECRETS
    )


def without_ciphertext(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    """Return ``value`` with what only the engine can read replaced by a text that says so."""
    if isinstance(value, dict):
        if value.keys() == {"secure"} and isinstance(value["secure"], str):
            return ENCRYPTED
        return {key: without_ciphertext(entry) for key, entry in value.items()}
    return [without_ciphertext(entry) for entry in value] if isinstance(value, list) else value


def _leaves(value: object, wanted: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if not wanted:
        if value is not None:
            yield (), value
        return
    if isinstance(value, Mapping):
        for key in value if wanted[0] == "*" else [wanted[0]] if wanted[0] in value else []:
            for path, found in _leaves(value[key], wanted[1:]):
                yield (str(key), *path), found
