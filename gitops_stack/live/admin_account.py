"""The built-in admin account of a running Argo CD: its initial password, a new one, and who could do without it.

Source: Argo CD's docs/faq.md and docs/operator-manual/user-management, v3.5.1: `admin.password` is a bcrypt hash, and
every session from before `admin.passwordMtime` ends.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta, timezone

from lightkube import Client

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.live.writing import delete, merge
from gitops_stack.rules.admin_access import list_administrators
from gitops_stack.rules.fields import mapping

_SHORTEST, _LONGEST = 8, 32  # the server's own `passwordPattern`, as it is unless somebody changed it
_MOST_BYTES = 72
_ROUNDS = 10  # what Argo CD's own hashes have


def load_initial_password(client: Client, namespace: str) -> str | None:
    """Read the password that Argo CD made when it first started; none when its Secret is not there."""
    wanted = _secret(namespace, "argocd-initial-admin-secret")
    found = load_objects(client, [wanted])[wanted.text]
    encoded = mapping((found or {}).get("data")).get("password")
    return base64.b64decode(encoded).decode() if encoded else None


def delete_initial_password(client: Client, namespace: str) -> None:
    """Delete the Secret of the initial password. Argo CD makes no new one: it has its hash."""
    delete(client, _secret(namespace, "argocd-initial-admin-secret"))


def make_password() -> str:
    """Return a random password of 24 characters."""
    return secrets.token_urlsafe(18)


def check_password(password: str) -> None:
    """Raise :class:`GitOpsStackError` for a password that Argo CD's server would not take either."""
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise GitOpsStackError(
            Problem(
                f"found {len(password)} characters",
                f"needs {_SHORTEST} to {_LONGEST}, as Argo CD's server does",
                "password",
            )
        )
    if (size := len(password.encode())) > _MOST_BYTES:
        raise GitOpsStackError(
            Problem(f"found {size} bytes", f"needs {_MOST_BYTES} at most, which is all bcrypt reads", "password")
        )


def rotate_password(client: Client, namespace: str, password: str) -> None:
    """Set the password of `admin`, end its sessions, and delete the Secret of the initial one.

    Raises :class:`EnvironmentProblem` when there is no argocd-secret or no bcrypt.
    """
    check_password(password)
    wanted = _secret(namespace, "argocd-secret")
    if load_objects(client, [wanted], metadata_only=True)[wanted.text] is None:
        raise EnvironmentProblem(Problem("is missing", f"is Argo CD installed in namespace {namespace}?", wanted.text))
    # A session says in whole seconds when it began, and one of the second of the change would be kept.
    after = datetime.now(timezone.utc) + timedelta(seconds=1)
    keys = {"admin.password": _hash(password), "admin.passwordMtime": after.strftime("%Y-%m-%dT%H:%M:%SZ")}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in keys.items()}
    merge(client, wanted, {"data": data}, PULUMI_PROJECT)
    delete_initial_password(client, namespace)


def load_administrators(client: Client, namespace: str) -> list[str]:
    """List who, beside `admin`, has its role and a way to sign in, as the running Argo CD is configured."""
    wanted = [ObjectReference("", "ConfigMap", namespace, name, "v1") for name in ("argocd-cm", "argocd-rbac-cm")]
    wanted.append(_secret(namespace, "argocd-secret"))
    found = load_objects(client, wanted)
    configuration, permissions, secret = (mapping((found[one.text] or {}).get("data")) for one in wanted)
    return list_administrators(configuration, permissions, secret.keys())


def _secret(namespace: str, name: str) -> ObjectReference:
    return ObjectReference("", "Secret", namespace, name, "v1")


def _hash(password: str) -> str:
    try:
        import bcrypt  # noqa: PLC0415 - of the extra `password`
    except ImportError:
        raise EnvironmentProblem(
            Problem(
                "is not installed, which makes the hash that Argo CD keeps",
                "run `pip install 'gitops-stack[password]'`",
                "bcrypt",
            )
        ) from None
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
