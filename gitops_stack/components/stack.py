"""Compose one stack: cluster, Argo CD, seeds. The only component that knows the others and the settings."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_kubernetes as kubernetes
from typing_extensions import TypedDict

from gitops_stack.components.app_of_apps import AppOfApps
from gitops_stack.components.argocd import ArgoCD, ArgoCDArgs, ClusterArgs
from gitops_stack.components.cluster_connection import register_provider
from gitops_stack.components.guards import StackGuardResource
from gitops_stack.components.other_stacks import read_clusters
from gitops_stack.components.stand_in import PLAYED, plays_credential
from gitops_stack.gitops_tree.manifest_set import digest
from gitops_stack.guard.changes import build_facts
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.applications import build_root_application
from gitops_stack.manifests.namespaces import build_argocd_namespace
from gitops_stack.manifests.secrets import build_repository_data, build_sign_in_data
from gitops_stack.settings import EksClusterSettings, ExistingClusterSettings, StackSettings
from gitops_stack.settings.missing_cluster import describe_missing_cluster
from gitops_stack.settings.private_endpoint import describe_network_first, describe_shut_endpoint

if TYPE_CHECKING:
    from gitops_stack.components.aws_foundation import AwsFoundation

    ClusterSettings = ExistingClusterSettings | EksClusterSettings
    ReadSettings = StackSettings
else:
    ReadSettings = Any  # Pulumi's component analyzer follows no pydantic model


class GitOpsStackArgs(TypedDict):
    """Settings of the stack, and the installation that :func:`load_stack_installation` checked for them."""

    settings: ReadSettings
    """`gitops_stack.config.load_settings()`, or `StackSettings.model_validate` of a map."""
    manifests: Sequence[dict[str, Any]]
    """`gitops_stack.gitops_tree.installation.load_stack_installation(settings, folder)`."""


class GitOpsStack(pulumi.ComponentResource):
    """A cluster with an Argo CD that manages itself from Git; without `cluster` in the settings, its network alone."""

    outputs: dict[str, pulumi.Input[Any]]
    """What a program exports: chosen, plain and free of secrets."""

    def __init__(self, name: str, args: GitOpsStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        settings, manifests = args["settings"], args["manifests"]
        # Before the component itself, whose children wait for it: nothing is registered that would replace the cluster.
        reasons = {
            "shutEndpoint": describe_shut_endpoint(settings), "networkFirst": describe_network_first(settings)
        }  # fmt: skip
        unreachable = {reason: str(problem) for reason, problem in reasons.items() if problem is not None}
        guard = StackGuardResource(f"{name}/stack-guard", build_facts(settings), unreachable=unreachable)
        first = pulumi.ResourceOptions(depends_on=guard.cleared)
        super().__init__("gitops-stack:index:GitOpsStack", name, {}, pulumi.ResourceOptions.merge(opts, first))
        clusters = read_clusters(settings, self)
        foundation = self._register_foundation(settings, clusters)
        if settings.cluster is None:
            pulumi.log.info(str(describe_missing_cluster(settings)), self)
            self.outputs = dict(foundation.outputs) if foundation else {}
        else:
            provider = self._register_provider(settings.cluster, foundation)
            self.outputs = self._install(settings, manifests, provider, foundation, clusters)
        self.register_outputs(self.outputs)

    def _install(
        self,
        settings: StackSettings,
        manifests: Sequence[dict[str, Any]],
        provider: kubernetes.Provider,
        foundation: "AwsFoundation | None",
        clusters: dict[str, ClusterArgs],
    ) -> dict[str, pulumi.Input[Any]]:
        """Register what is in the cluster, and return all outputs."""
        name = self.pulumi_resource_name
        cluster = foundation.cluster if foundation else None
        installation: ArgoCDArgs = {
            "manifests": manifests,
            "tree": settings.tree_path,
            "namespace_labels": build_argocd_namespace(settings)["metadata"]["labels"],
            "cluster_metadata": {"stack": settings.stack, **(foundation.metadata if foundation else {})},
        }
        if clusters:
            installation["clusters"] = clusters
        if settings.argocd.take_over is not None:
            installation["take_over"] = settings.argocd.take_over
        if settings.gitops.credentials is not None:
            installation["repository"] = _repository(settings, foundation)
        sign_in = build_sign_in_data(settings.argocd)
        if sign_in is not None:
            installation["sign_in"] = pulumi.Output.secret(sign_in)
        argocd = ArgoCD(
            f"{name}-argocd",
            installation,
            pulumi.ResourceOptions(
                parent=self,
                providers=[provider],
                depends_on=foundation.before_pods if foundation else [],
                # With the cluster goes all that is in it; but root's own end takes load balancers and volumes along.
                deleted_with=cluster.resource if cluster else None,
            ),
        )
        AppOfApps(
            f"{name}-app-of-apps",
            {
                "app_projects": build_app_projects(settings),
                "root_application": build_root_application(settings),
                "definitions": argocd.definitions,
                "installation": argocd.objects,
                "take_over": settings.argocd.take_over or "",
                "tree": settings.tree_path,
            },
            # Nothing in AWS goes before root has gone.
            pulumi.ResourceOptions(
                parent=self, providers=[provider], depends_on=foundation.components if foundation else []
            ),
        )
        return {
            **(foundation.outputs if foundation else {}),
            "argocdNamespace": argocd.namespace,
            "argocdVersion": settings.argocd.version,
            "argocdCommit": settings.argocd.commit,
            "manifestDigest": digest(manifests),
            "objectCount": argocd.object_count,
            "gitopsTree": f"{settings.gitops.repo_url}//{settings.tree_path}?ref={settings.gitops.revision}",
        }

    def _register_foundation(self, settings: StackSettings, clusters: dict[str, ClusterArgs]) -> "AwsFoundation | None":
        if settings.account is None:
            return None
        # 0.6 s and 60 MB that a cluster which is there already does not need.
        from gitops_stack.components.aws_foundation import register_aws_foundation  # noqa: PLC0415

        spokes = [one["role_arn"] for one in clusters.values() if "role_arn" in one]
        return register_aws_foundation(settings, self, spokes)

    def _register_provider(self, cluster: "ClusterSettings", foundation: "AwsFoundation | None") -> kubernetes.Provider:
        if isinstance(cluster, ExistingClusterSettings):
            kubeconfig = str(Path(cluster.kubeconfig).expanduser()) if cluster.kubeconfig else None
            name, opts = f"{self.pulumi_resource_name}-cluster", pulumi.ResourceOptions(parent=self)
            return register_provider(name, kubeconfig, cluster.context, opts)
        from gitops_stack.components.aws_foundation import register_kubernetes_provider  # noqa: PLC0415

        if foundation is None or foundation.cluster is None:
            raise ValueError("an EKS cluster needs settings with an account and a network")
        return register_kubernetes_provider(foundation, foundation.cluster, self)


def _repository(settings: StackSettings, foundation: "AwsFoundation | None") -> pulumi.Output[dict[str, str]]:
    credentials = settings.gitops.credentials
    if credentials is None or credentials.secrets_manager is None:
        return pulumi.Output.secret(build_repository_data(settings.gitops))
    if plays_credential():
        return pulumi.Output.secret(build_repository_data(settings.gitops, PLAYED))
    from pulumi_aws import secretsmanager  # noqa: PLC0415 - 0.2 s and 50 MB that only this way of logging in needs

    found = secretsmanager.get_secret_version_output(
        secret_id=credentials.secrets_manager,
        opts=pulumi.InvokeOptions(provider=foundation.provider if foundation else None),
    )
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
