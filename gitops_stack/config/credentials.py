"""Where credentials stand in a stack's settings, and whether they are encrypted there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ENCRYPTED = "(encrypted: only the Pulumi engine can read it)"
_SECRET_PATHS = (("token",), ("sshKey",), ("githubApp", "privateKey"))


def _credentials(gitops: object) -> Mapping[str, Any]:
    credentials = gitops.get("credentials") if isinstance(gitops, Mapping) else None
    return credentials if isinstance(credentials, Mapping) else {}


def _leaf(credentials: Mapping[str, Any], path: tuple[str, ...]) -> object:
    value: object = credentials
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def uses_secret(gitops: object) -> bool:
    """Tell whether any credential is written into the settings."""
    return any(_leaf(_credentials(gitops), path) is not None for path in _SECRET_PATHS)


def build_plain_secrets(gitops: object) -> list[str]:
    """Return the paths of credentials that are written in plain text."""
    credentials = _credentials(gitops)
    leaves = ((path, _leaf(credentials, path)) for path in _SECRET_PATHS)
    return [f"gitops.credentials.{'.'.join(path)}" for path, value in leaves if isinstance(value, str)]


def without_ciphertext(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    """Return ``value`` with what only the engine can read replaced by a text that says so."""
    if isinstance(value, dict):
        if value.keys() == {"secure"} and isinstance(value["secure"], str):
            return _ENCRYPTED
        return {key: without_ciphertext(entry) for key, entry in value.items()}
    return [without_ciphertext(entry) for entry in value] if isinstance(value, list) else value
