"""Install Argo CD: Namespace, Secrets, CRDs, then the rest of a render, each object a resource of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from typing_extensions import NotRequired, TypedDict

from gitops_stack import conventions
from gitops_stack.components.cluster_connection import ConnectionArgs, with_provider
from gitops_stack.components.guards import ClusterGuardResource, TeardownGuardResource, build_registered
from gitops_stack.components.ordering import inherited_dependencies
from gitops_stack.components.registration import KubernetesObject, annotate_kept, register_handed_over, register_kept
from gitops_stack.components.stand_in import plays_credential
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.installation import load_installation
from gitops_stack.gitops_tree.object_reference import reference
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.cluster_metadata import build_cluster_secret, build_spoke_data, build_spoke_secret
from gitops_stack.manifests.open_schema import open_schema
from gitops_stack.manifests.secrets import build_argocd_secrets, build_repository_secret, build_sign_in_secret
from gitops_stack.settings.cluster_metadata import LABELS

# These need only their namespace; the rest, workloads above all, waits for CRDs and Secrets. A dependency is stored, by
# its whole URN, with each object that has it.
_EARLY = {
    "ConfigMap", "Service", "ServiceAccount", "NetworkPolicy", "Role", "RoleBinding", "ClusterRole",
    "ClusterRoleBinding",
}  # fmt: skip


class ClusterArgs(TypedDict):
    """Another EKS cluster that Argo CD deploys to. Tokens are asked for by `argocd-k8s-auth`, and kept nowhere."""

    server: pulumi.Input[str]
    """URL of its API server."""
    ca_data: pulumi.Input[str]
    """Its certificate authority, PEM in base64."""
    cluster_name: pulumi.Input[str]
    """Its name in EKS."""
    role_arn: NotRequired[pulumi.Input[str]]
    """Role that has an access entry there; default: the role of Argo CD's own pods."""
    metadata: NotRequired[pulumi.Input[dict[str, str]]]
    """What ApplicationSets read about it, as `cluster_metadata`."""
    labels: NotRequired[pulumi.Input[dict[str, str]]]
    """More labels of its Secret."""


class ArgoCDArgs(ConnectionArgs):
    """What :class:`ArgoCD` installs, and where."""

    manifests: NotRequired[Sequence[dict[str, Any]]]
    """Objects of one kustomization, from `gitops_stack.gitops_tree.load_installation`: rendered, and held against
    their lock."""
    folder: NotRequired[str]
    """In place of `manifests`: the folder with the kustomization and its lock, which is loaded so."""
    namespace_labels: NotRequired[dict[str, str]]
    """Labels of the Namespace."""
    self_management: NotRequired[bool]
    """Whether an Application named `argocd` will take the objects over; default true. Else Pulumi keeps them, CRDs
    with their full schemas."""
    repository: NotRequired[pulumi.Input[dict[str, str]]]
    """Keys of Argo CD's repository Secret: url, and username and password, or another login. Treated as a secret."""
    sign_in: NotRequired[pulumi.Input[dict[str, str]]]
    """Keys of the Secret `argocd-sso`, which `$argocd-sso:KEY` names in Argo CD's ConfigMaps. Treated as a secret."""
    cluster_metadata: NotRequired[dict[str, pulumi.Input[str]]]
    """What ApplicationSets read about the cluster."""
    clusters: NotRequired[Mapping[str, ClusterArgs]]
    """Other clusters by name, one Secret each."""
    take_over: NotRequired[str]
    """The stack (`project/stack`) or cluster (UID of kube-system) that is taken over on purpose."""
    tree: NotRequired[str]
    """Folder of the GitOps tree, held against what lives in the cluster before the first update."""


class ArgoCD(pulumi.ComponentResource):
    """Argo CD in the one namespace its manifests were rendered for.

    Needs a `pulumi_kubernetes.Provider` in ``opts`` with `upsert_existing_objects=True`, so that what an earlier
    installation left is adopted. On a cluster of the same program pass `deleted_with=<cluster>`; children inherit it.
    What is in `depends_on` comes before the Namespace, and so before all.
    ``repository`` holds the keys of Argo CD's `repository` Secret and is treated as a secret. ``cluster_metadata``
    are fields of :class:`gitops_stack.settings.ClusterMetadata`, for ApplicationSets to read.
    In Python programs, ``definitions`` are the CRDs, for what needs only them, and ``objects`` every object
    registered, for what comes after the installation.
    """

    namespace: pulumi.Output[str]
    """Where Argo CD is installed."""
    object_count: pulumi.Output[int]
    """Objects of its manifests."""
    installed: pulumi.Output[str]
    """URN of what comes after all of it, and goes before: `installed` of `AppOfApps` in other languages."""

    def __init__(self, name: str, args: ArgoCDArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:ArgoCD", name, {}, with_provider(name, args, opts))
        manifests = _load_manifests(args)
        namespace = _find_namespace(manifests)
        hand_over = args.get("self_management", True)
        kept = [_namespace(namespace, args.get("namespace_labels", {})), *build_argocd_secrets(namespace)]
        if "cluster_metadata" in args:
            kept.append(_build_cluster_secret(namespace, args["cluster_metadata"]))
        kept += [_build_spoke_secret(namespace, key, one) for key, one in args.get("clusters", {}).items()]
        repository = [build_repository_secret(namespace)] if "repository" in args else []
        sign_in = [build_sign_in_secret(namespace)] if "sign_in" in args else []
        registered = [
            *build_registered([*kept, *repository, *sign_in], handed_over=False),
            *build_registered(manifests, handed_over=hand_over),
        ]
        crds = [manifest for manifest in manifests if manifest["kind"] == "CustomResourceDefinition"]
        self._guard = ClusterGuardResource(
            f"{name}/cluster-guard",
            self,
            namespace,
            registered,
            inherited_dependencies(opts),
            take_over=args.get("take_over", ""),
            tree=args.get("tree"),
            manifests=manifests,
            remains=[*build_registered(crds, handed_over=hand_over), *build_registered(kept[:1], handed_over=False)],
            definitions=[open_schema(crd) if hand_over else annotate_kept(crd) for crd in crds],
        )
        # Retained: all of Argo CD goes with its namespace, every Application with its CRD. The guard ends them last.
        home = register_kept(kept[0], self, self._guard.cleared, retain=True, guard=self._guard)
        own = {reference(secret) for secret in build_argocd_secrets(namespace)}  # the admin's password, sessions
        secrets = [
            register_kept(secret, self, [home], retain=reference(secret) in own, guard=self._guard)
            for secret in kept[1:]
        ]
        if "repository" in args:
            secrets.append(self._register_secret(repository[0], args["repository"], home, played=plays_credential()))
        if "sign_in" in args:
            secrets.append(self._register_secret(sign_in[0], args["sign_in"], home))
        rest = [manifest for manifest in manifests if manifest["kind"] != "CustomResourceDefinition"]
        self.definitions: Sequence[pulumi.Resource] = [
            self._register(crd, namespace, hand_over, secrets) for crd in crds
        ]
        last = self.definitions or secrets
        installed = [
            self._register(manifest, namespace, hand_over, [home] if manifest["kind"] in _EARLY else last)
            for manifest in rest
        ]
        everything = [home, *secrets, *self.definitions, *installed]
        teardown = TeardownGuardResource(f"{name}/teardown-guard", self, namespace, self._guard, everything)
        self.objects: Sequence[pulumi.Resource] = [*everything, teardown]
        self.namespace = pulumi.Output.from_input(namespace)
        self.object_count = pulumi.Output.from_input(len(manifests))
        self.installed = teardown.urn
        self.register_outputs({"namespace": self.namespace, "objectCount": self.object_count})

    def _register(
        self, manifest: Manifest, namespace: str, hand_over: bool, depends_on: Sequence[pulumi.Resource]
    ) -> KubernetesObject:
        retain = manifest["kind"] == "CustomResourceDefinition"
        if not hand_over:
            return register_kept(manifest, self, depends_on, retain=retain, guard=self._guard)
        application = conventions.SELF_MANAGEMENT_APPLICATION
        return register_handed_over(
            manifest, application, namespace, self, depends_on, retain=retain, guard=self._guard
        )

    def _register_secret(
        self, manifest: Manifest, data: pulumi.Input[dict[str, str]], home: pulumi.Resource, *, played: bool = False
    ) -> KubernetesObject:
        secret = {"stringData": pulumi.Output.secret(data)}
        return register_kept(
            manifest,
            self,
            [home],
            secret_properties=secret,
            # A stand-in is not shown as a change of what the state has; a refresh leaves the keys under `data`.
            ignore_changes=["data", "stringData"] if played else None,
            guard=self._guard,
        )


def _build_cluster_secret(namespace: str, metadata: dict[str, pulumi.Input[str]]) -> Manifest:
    # Value by value: in a preview what is known stays visible beside a role that is not there yet.
    labels = {key: value for key, value in metadata.items() if key in LABELS}
    annotations = {key: value for key, value in metadata.items() if key not in LABELS}
    return build_cluster_secret(namespace, labels, annotations)


def _build_spoke_secret(namespace: str, name: str, args: ClusterArgs) -> Manifest:
    def fill(found: dict[str, Any]) -> Manifest:
        metadata = found["metadata"] or {}
        labels = {key: value for key, value in metadata.items() if key in LABELS}
        annotations = {key: value for key, value in metadata.items() if key not in LABELS}
        data = build_spoke_data(found["server"], found["ca_data"], found["cluster_name"], found["role_arn"])
        return build_spoke_secret(namespace, name, {**labels, **(found["labels"] or {})}, annotations, data)

    filled = pulumi.Output.all(
        server=args["server"],
        ca_data=args["ca_data"],
        cluster_name=args["cluster_name"],
        role_arn=args.get("role_arn"),
        metadata=args.get("metadata"),
        labels=args.get("labels"),
    ).apply(fill)
    known = build_spoke_secret(namespace, name, {}, {}, {})  # what the engine has to know before another stack says it
    metadata = {key: filled["metadata"][key] for key in ("labels", "annotations")}
    return {**known, "metadata": {**known["metadata"], **metadata}, "stringData": filled["stringData"]}


def _namespace(name: str, labels: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _load_manifests(args: ArgoCDArgs) -> Sequence[Manifest]:
    given = [key for key in ("manifests", "folder") if key in args]
    if len(given) != 1:
        raise GitOpsStackError(
            Problem(f"found {' and '.join(given) or 'neither manifests nor folder'}", "needs one of them", "ArgoCD")
        )
    return args["manifests"] if "manifests" in args else load_installation(args["folder"])


def _find_namespace(manifests: Sequence[Manifest]) -> str:
    found: list[str] = sorted(
        {manifest["metadata"]["namespace"] for manifest in manifests if "namespace" in manifest["metadata"]}
    )
    if len(found) != 1:
        raise GitOpsStackError(
            Problem(
                f"found objects for {len(found)} namespaces ({', '.join(found)})",
                "give one kustomization's render",
                "ArgoCD",
            )
        )
    return found[0]
