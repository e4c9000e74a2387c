"""Secrets that Pulumi owns for good: Argo CD's own two, empty, the repository's credentials, and the sign-in's."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.settings import ArgoCDSettings, CredentialsSettings, GitOpsSettings

REPOSITORY_SECRET = "gitops-repository"  # noqa: S105 - an object name


def build_argocd_secrets(namespace: str) -> list[Manifest]:
    """Build the Secrets that Argo CD's processes fill at run time. No data here: their keys are never ours."""
    secrets = [_secret(name, namespace, {conventions.PART_OF: "argocd"}) for name in conventions.PULUMI_OWNED_SECRETS]
    for secret in secrets:
        # An earlier installation may have tracked them under the same application, which would prune them now.
        secret["metadata"]["annotations"] = dict(conventions.LINGERING)
    return secrets


def build_repository_secret(namespace: str) -> Manifest:
    """Build the `repository` Secret without its keys, which :func:`build_repository_data` makes."""
    return _secret(REPOSITORY_SECRET, namespace, {conventions.PART_OF: "argocd", conventions.SECRET_TYPE: "repository"})


def build_repository_data(gitops: GitOpsSettings, referenced: Mapping[str, str] | None = None) -> dict[str, str]:
    """Build the keys of the repository Secret (util/db/repository_secrets.go of Argo CD).

    ``referenced`` is the content of the Secrets Manager secret, when the settings name one.
    """
    data = {"type": "git", "url": gitops.repo_url}
    if gitops.credentials is None:
        return data
    return {**data, **_credential_keys(gitops.credentials), **(referenced or {})}


def build_sign_in_secret(namespace: str) -> Manifest:
    """Build the Secret of single sign-on without its key; Argo CD reads it for its label."""
    return _secret(conventions.SSO_SECRET, namespace, {conventions.PART_OF: "argocd"})


def build_sign_in_data(argocd: ArgoCDSettings) -> dict[str, str] | None:
    """Build the key of the sign-in's Secret; ``None`` when no secret of it is Pulumi's."""
    source = argocd.sso.secret if argocd.sso else None
    if source is None or source.value is None:
        return None
    return {conventions.SSO_SECRET_KEY: source.value.get_secret_value()}


def _credential_keys(credentials: CredentialsSettings) -> dict[str, str]:
    if credentials.token is not None:
        return {"username": credentials.username or "git", "password": credentials.token.get_secret_value()}
    if credentials.ssh_key is not None:
        return {"sshPrivateKey": credentials.ssh_key.get_secret_value()}
    if credentials.github_app is not None:
        app = credentials.github_app
        keys = {"githubAppID": app.app_id, "githubAppPrivateKey": app.private_key.get_secret_value()}
        return keys | ({"githubAppInstallationID": app.installation_id} if app.installation_id else {})
    return {}


def _secret(name: str, namespace: str, labels: Mapping[str, str]) -> Manifest:
    metadata = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": name, **labels}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
