"""Whether a Secret in Git holds a secret: placeholders of plugins, empty values, and what is public, are not."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.finding import RenderedObject

_EXTERNAL = ("sops", "bitnami.com")
# What another program puts the value in the place of: argocd-vault-plugin, vals, 1Password, bank-vaults, envsubst,
# helm, SOPS, references to cloud stores, Argo CD's references to another Secret (`$name:key`).
_PLACEHOLDER = re.compile(
    r"<[^<>\n]+>|\$\{[^}\n]+\}|\$\([^)\n]+\)|\$[A-Z_][A-Z0-9_]*|\$[a-z0-9][a-z0-9.-]*:[\w.-]+|\{\{[^\n]*\}\}|%[A-Z_]+%|ENC\[.*\]"
    r"|(?:op|sm|gcpsm|awssm|akv|vault|keyvault|secretref\+\w+|ref\+\w+)://\S+"
    r"|(?:vault|>>vault):\S+|arn:aws[\w-]*:(?:secretsmanager|ssm):\S+",
    re.DOTALL,
)
_PUBLIC = frozenset({"ca.crt", "tls.crt", "ca-bundle.crt", "username"})
# Without a query; of a login, the password is looked at.
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.:-]*://([^:@/\s]*:(?P<password>[^@\s]*)@)?[^@\s?]*|ssh://[\w.-]+@[^@\s?]+|git@[\w.-]+:[\w./-]+"
)
# Where something lies: a program mounts or serves it there, and the name alone opens nothing.
_PATH = re.compile(r"/(?:app|conf|config|data|etc|home|mnt|opt|run|srv|tmp|usr|var)(?:/[\w.@-]+)+/?")
_HOOK = re.compile(r"https?://(?:hooks\.|[^/]+/(?:[^?]*/)?(?:web)?hooks?/)", re.IGNORECASE)  # whoever has it may post
_SWITCHES = ("true", "false")
_LEVEL = re.compile(r"log[_.-]?level", re.IGNORECASE)
_LEVELS = ("trace", "debug", "info", "notice", "warn", "warning", "error", "critical", "fatal")
# Certificates and public keys, alone or several.
_PUBLIC_TEXT = re.compile(
    r"(?:\s*-----BEGIN (?P<kind>CERTIFICATE|TRUSTED CERTIFICATE|X509 CRL|(?:RSA |PGP )?PUBLIC KEY(?: BLOCK)?)-----"
    r"[^-]*-----END (?P=kind)-----)+\s*"
    r"|(?:\s*(?:[\w.,:|/+=*\[\]-]+ )?(?:ssh-|ecdsa-|sk-)[\w@.-]+ AAAA[\w+/=]+[^\n]*(?:\n|$))+\s*"
)
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_LOGINS = ("auth", "password", "identitytoken", "registrytoken")
_CONFIG, _OLD_CONFIG = ".dockerconfigjson", ".dockercfg"
_OF_CONFIG = frozenset({"auths", "credhelpers", "credsstore", "httpheaders", "proxies"})
_CLIENT = "user-agent"
_SECRET_TYPE = "argocd.argoproj.io/secret-type"  # noqa: S105 - a label
_REPOSITORY = frozenset(
    {
        "password", "sshPrivateKey", "tlsClientCertKey", "githubAppPrivateKey", "gcpServiceAccountKey", "bearerToken",
        "azureServicePrincipalClientSecret",
    }
)  # fmt: skip
_CLUSTER = ("bearertoken", "password", "keydata")
_PASSWORD = re.compile(r"pass(?:word|phrase|wd)|pwd$", re.IGNORECASE)  # a `token` may say where one lies
_SECRET_WORD = re.compile(r"secret|token|password|passwd|private_?key", re.IGNORECASE)


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
    if _LEVEL.search(key) and value.lower() in _LEVELS:
        return False
    if is_placeholder(value) or key in _PUBLIC or value.lower() in _SWITCHES or _is_public_text(value):
        return False
    if key in (_CONFIG, _OLD_CONFIG) or (key == "config.json" and _is_docker_config(value)):
        return _holds_registry_login(value, old=key == _OLD_CONFIG)
    if kind in ("repository", "repo-creds", "repository-write", "repo-write-creds"):
        return key in _REPOSITORY or (key in ("url", "proxy") and _has_password(value))
    if kind == "cluster":
        return key == "config" and _holds_login(value)
    place = (_PATH.fullmatch(value) or _is_network(value)) and not _PASSWORD.search(key)
    known = place or _ADDRESS.fullmatch(value)
    return not known or _HOOK.match(value) is not None or _has_password(value)


def _is_network(value: str) -> bool:
    """Tell whether a text is an address or a range of IP; a number alone may be a PIN."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        return False
    return not value.isdigit()


def _has_password(value: str) -> bool:
    """Tell whether an address has a password in it, and no placeholder for one."""
    found = _ADDRESS.fullmatch(value)
    password = found["password"] if found else ""
    return bool(password) and not is_placeholder(password)


def _is_public_text(value: str) -> bool:
    """Tell whether a text is certificates or public keys; comments alone are not, as a password may begin with `#`."""
    return _PUBLIC_TEXT.fullmatch(_COMMENT.sub("", value)) is not None


def _is_docker_config(value: str) -> bool:
    return any(str(key).lower() in _OF_CONFIG for key in mapping(_load_json(value)))


def _holds_registry_login(value: str, *, old: bool) -> bool:
    """Tell whether a configuration of docker logs in anywhere; one without a login is what anonymous pulls use.

    Its fields are those of github.com/docker/cli `cli/config/configfile`; headers may log in as well, and proxies.
    """
    config = _load_json(value)
    if config is None:
        return True  # not for us to read: better asked about than let through
    registries = [config] if old else list(_fields(config, "auths"))
    logins = [held for one in registries for login in mapping(one).values() for key in _LOGINS
              for held in _fields(login, key)]  # fmt: skip
    headers = [held for one in ([] if old else _fields(config, "httpheaders")) for key, held in mapping(one).items()
               if str(key).lower() != _CLIENT]  # fmt: skip
    proxies = [held for one in ([] if old else _fields(config, "proxies")) for proxy in mapping(one).values()
               for held in mapping(proxy).values()]  # fmt: skip
    return _any_secret([*logins, *headers]) or any(_has_password(text(one)) for one in proxies)


def _holds_login(value: str) -> bool:
    """Tell whether a cluster's `config` logs in; a plugin's environment may, by the names of its variables."""
    config = _load_json(value)
    if config is None:
        return True  # as above
    places = [config, *_fields(config, "tlsclientconfig")]
    environments = [one for plugin in _fields(config, "execproviderconfig") for one in _fields(plugin, "env")]
    named = [held for one in environments for key, held in mapping(one).items() if _SECRET_WORD.search(str(key))]
    logins = [held for place in places for key in _CLUSTER for held in _fields(place, key)]
    return _any_secret([*logins, *named]) or any(_has_password(text(one)) for one in _fields(config, "proxyurl"))


def _any_secret(values: Iterable[object]) -> bool:
    return any(one.strip() and not is_placeholder(one) for one in map(text, values))


def _load_json(value: str) -> object:
    """Read JSON as Go does: its texts by any case of their keys, see :func:`_fields`. None for what cannot be read."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _fields(held: object, name: str) -> Iterator[object]:
    """Yield what stands at a key in any case of letters, as encoding/json reads it."""
    return (value for key, value in mapping(held).items() if str(key).lower() == name)


def _read(place: str, value: object) -> str:
    """Return the plain text of a value, empty for one that is."""
    written = text(value)
    if place == "stringData" or is_placeholder(written):
        return written.strip()
    try:
        return b64decode(written).decode("utf-8", "replace").strip()
    except ValueError:
        return written.strip()
