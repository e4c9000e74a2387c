"""Compose one stack: cluster, Argo CD, seeds. The only component that knows the others and the settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from typing_extensions import TypedDict

from gitops_stack.components.app_of_apps import AppOfApps
from gitops_stack.components.argocd import ArgoCD, ArgoCDArgs
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.manifest_set import digest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.applications import build_root_application
from gitops_stack.manifests.namespaces import build_argocd_namespace
from gitops_stack.manifests.secrets import build_repository_data
from gitops_stack.settings import ExistingClusterSettings, StackSettings


class GitOpsStackArgs(TypedDict):
    """Settings of the stack, and the installation that :func:`load_stack_installation` checked for them."""

    settings: StackSettings
    manifests: Sequence[dict[str, Any]]


class GitOpsStack(pulumi.ComponentResource):
    """A cluster with an Argo CD that manages itself from Git."""

    outputs: dict[str, pulumi.Input[Any]]
    """What a program exports: chosen, plain and free of secrets."""

    def __init__(self, name: str, args: GitOpsStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:GitOpsStack", name, {}, opts)
        settings, manifests = args["settings"], args["manifests"]
        provider = _provider(settings, self)
        installation: ArgoCDArgs = {
            "manifests": manifests,
            "namespace_labels": build_argocd_namespace(settings)["metadata"]["labels"],
        }
        if settings.gitops.credentials is not None:
            installation["repository"] = _repository(settings)
        argocd = ArgoCD("argocd", installation, pulumi.ResourceOptions(parent=self, providers=[provider]))
        AppOfApps(
            "app-of-apps",
            {
                "app_projects": build_app_projects(settings),
                "root_application": build_root_application(settings),
                "definitions": argocd.definitions,
                "installation": argocd.objects,
            },
            pulumi.ResourceOptions(parent=self, providers=[provider]),
        )
        self.outputs = {
            "argocdNamespace": argocd.namespace,
            "argocdVersion": settings.argocd.version,
            "argocdCommit": settings.argocd.commit,
            "manifestDigest": digest(manifests),
            "objectCount": argocd.object_count,
            "gitopsTree": f"{settings.gitops.repo_url}//{settings.tree_path}?ref={settings.gitops.revision}",
        }
        self.register_outputs(self.outputs)


def _provider(settings: StackSettings, parent: pulumi.Resource) -> kubernetes.Provider:
    cluster = settings.cluster
    if not isinstance(cluster, ExistingClusterSettings):
        raise GitOpsStackError(
            f"Pulumi.{settings.stack}.yaml: gitops-stack:cluster.provider: found eks, which this version cannot make; "
            "create the cluster and use provider existing with its context"
        )
    return kubernetes.Provider(
        "cluster",
        kubeconfig=str(Path(cluster.kubeconfig).expanduser()) if cluster.kubeconfig else None,
        context=cluster.context,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        upsert_existing_objects=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _repository(settings: StackSettings) -> pulumi.Output[dict[str, str]]:
    credentials = settings.gitops.credentials
    if credentials is None or credentials.secrets_manager is None:
        return pulumi.Output.secret(build_repository_data(settings.gitops))
    from pulumi_aws import secretsmanager  # noqa: PLC0415 - 0.2 s and 50 MB that only this way of logging in needs

    found = secretsmanager.get_secret_version_output(secret_id=credentials.secrets_manager)
    name = credentials.secrets_manager
    return pulumi.Output.secret(
        found.secret_string.apply(lambda text: build_repository_data(settings.gitops, _parse_keys(name, text)))
    )


def _parse_keys(name: str, text: str) -> dict[str, str]:
    try:
        keys = json.loads(text)
    except ValueError:
        keys = None
    if not isinstance(keys, dict) or not all(isinstance(value, str) for value in keys.values()):
        raise pulumi.RunError(
            f"gitops-stack:gitops.credentials.secretsManager: {name} holds something that is not shown; "
            'needs a JSON object of texts, such as {"username": "git", "password": "..."}'
        )
    return keys
