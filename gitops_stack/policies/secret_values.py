"""Whether a Secret in Git holds a secret: placeholders of plugins, empty values, and what is public, are not."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.policies.fields import dig, mapping, text
from gitops_stack.policies.finding import RenderedObject

_EXTERNAL = ("sops", "bitnami.com")
# What another program puts the value in the place of: argocd-vault-plugin, vals, 1Password, bank-vaults, envsubst,
# helm, SOPS, references to cloud stores.
_PLACEHOLDER = re.compile(
    r"<[^<>\n]+>|\$\{[^}\n]+\}|\$\([^)\n]+\)|\$[A-Z_][A-Z0-9_]*|\{\{[^\n]*\}\}|%[A-Z_]+%|ENC\[.*\]"
    r"|(?:op|sm|gcpsm|awssm|akv|vault|keyvault|secretref\+\w+|ref\+\w+)://\S+"
    r"|(?:vault|>>vault):\S+|arn:aws[\w-]*:(?:secretsmanager|ssm):\S+",
    re.DOTALL,
)
_PUBLIC = frozenset({"ca.crt", "tls.crt", "ca-bundle.crt", "username"})
_ADDRESS = re.compile(r"(https?|ssh|oci)://[^@\s?]+|git@[\w.-]+:[\w./-]+")  # without a login or a query
# Certificates and public keys, alone or several.
_PUBLIC_TEXT = re.compile(
    r"(?:\s*-----BEGIN (?P<kind>CERTIFICATE|TRUSTED CERTIFICATE|X509 CRL|(?:RSA |PGP )?PUBLIC KEY(?: BLOCK)?)-----"
    r"[^-]*-----END (?P=kind)-----)+\s*"
    r"|(?:\s*(?:[\w.,:|/+=*\[\]-]+ )?(?:ssh-|ecdsa-|sk-)[\w@.-]+ AAAA[\w+/=]+[^\n]*(?:\n|$))+\s*"
)
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_LOGINS = ("auth", "password", "identitytoken", "registrytoken")
_REGISTRIES = {".dockerconfigjson": "auths", ".dockercfg": ""}
_SECRET_TYPE = "argocd.argoproj.io/secret-type"  # noqa: S105 - a label
_REPOSITORY = frozenset(
    {"password", "sshPrivateKey", "tlsClientCertKey", "githubAppPrivateKey", "gcpServiceAccountKey", "bearerToken"}
)
_CLUSTER = ("bearerToken", "password", "keyData")


def list_secret_keys(found: RenderedObject) -> Iterator[tuple[str, list[str]]]:
    """Yield the place of each map of a Secret that holds secret values, with their keys; no value is ever returned."""
    if any(str(key).startswith(_EXTERNAL) for key in found.manifest):
        return
    kind = text(found.labels.get(_SECRET_TYPE))
    for place in ("data", "stringData"):
        values = {str(key): _read(place, value) for key, value in mapping(found.manifest.get(place)).items()}
        keys = sorted(key for key, value in values.items() if value and _is_secret(kind, key, value))
        if keys:
            yield place, keys


def is_placeholder(value: str) -> bool:
    """Tell whether another program replaces a text before anybody applies it."""
    return _PLACEHOLDER.fullmatch(value.strip()) is not None


def _is_secret(kind: str, key: str, value: str) -> bool:
    if is_placeholder(value) or key in _PUBLIC or _ADDRESS.fullmatch(value) or _is_public_text(value):
        return False
    if key in _REGISTRIES:
        return _holds_registry_login(value, _REGISTRIES[key])
    if kind in ("repository", "repo-creds", "repository-write", "repo-write-creds"):
        return key in _REPOSITORY
    if kind == "cluster":
        return key == "config" and _holds_login(value)
    return True


def _is_public_text(value: str) -> bool:
    """Tell whether a text is certificates or public keys; comments alone are not, as a password may begin with `#`."""
    return _PUBLIC_TEXT.fullmatch(_COMMENT.sub("", value)) is not None


def _holds_registry_login(value: str, place: str) -> bool:
    """Tell whether a configuration of docker logs in anywhere; one without a login is what anonymous pulls use."""
    try:
        config = json.loads(value)
    except (ValueError, RecursionError):
        return True  # as below
    registries = mapping(dig(config, place) if place else config)
    found = [text(mapping(one).get(key)) for one in registries.values() for key in _LOGINS]
    return any(one.strip() and not is_placeholder(one) for one in found)


def _holds_login(value: str) -> bool:
    try:
        config = json.loads(value)
    except (ValueError, RecursionError):
        return True  # not for us to read: better asked about than let through
    places: tuple[Any, Mapping[str, Any]] = (config, mapping(dig(config, "tlsClientConfig")))
    found = [text(mapping(place).get(key)) for place in places for key in _CLUSTER]
    return any(one.strip() and not is_placeholder(one) for one in found)


def _read(place: str, value: object) -> str:
    """Return the plain text of a value, empty for one that is."""
    written = text(value)
    if place == "stringData" or is_placeholder(written):
        return written.strip()
    try:
        return b64decode(written).decode("utf-8", "replace").strip()
    except ValueError:
        return written.strip()
