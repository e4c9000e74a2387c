"""An EKS cluster on `pulumi_eks.Cluster`: API access entries, encrypted Secrets, kept logs, and where pods run."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from typing import Any

import pulumi
import pulumi_eks
from pulumi_aws import cloudwatch, eks, iam, kms
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan.iam_documents import render_document
from gitops_stack.aws_plan.key_policies import build_secrets_key_policy
from gitops_stack.components.addons import register_addon
from gitops_stack.components.aws_account import AccountArgs, find_account
from gitops_stack.components.cluster_checks import check_cluster_args
from gitops_stack.components.node_groups import NodeGroupArgs, register_node_groups
from gitops_stack.components.ordering import inherited_dependencies
from gitops_stack.components.private_access import register_private_access
from gitops_stack.errors import GitOpsStackError
from gitops_stack.settings.eks_versions import find_version_warning

_KEY_DELETION_DAYS = 30  # the longest AWS offers: until then a key that went by mistake can be called back
# Before the nodes: the agent's answer must be there when the first pods ask for credentials. vpc-cni and kube-proxy
# are added by pulumi_eks; what needs nodes is left to `ClusterAddons`.
_AGENT = "eks-pod-identity-agent"


class AccessArgs(TypedDict):
    """One access entry with one access policy."""

    principal_arn: pulumi.Input[str]
    """IAM role or user."""
    policy: pulumi.Input[str]
    """Name of an EKS access policy: ClusterAdmin, Admin, AdminView, Edit or View."""
    namespaces: NotRequired[Sequence[pulumi.Input[str]]]
    """Where it holds; default: the whole cluster."""


class EksClusterArgs(AccountArgs):
    """What :class:`EksCluster` makes."""

    name: pulumi.Input[str]
    """Name of the cluster."""
    version: pulumi.Input[str]
    """Kubernetes version, such as 1.35."""
    vpc_id: pulumi.Input[str]
    """Its VPC."""
    subnet_ids: Sequence[pulumi.Input[str]]
    """Private subnets, in two zones at least: control plane and nodes live in them. Load balancers find theirs by
    tags."""
    access: Mapping[str, AccessArgs]
    """Access entries by name. Name the role that runs Pulumi, with ClusterAdmin: its creator gets in no other way."""
    public_access_cidrs: NotRequired[Sequence[pulumi.Input[str]]]
    """Networks the public endpoint answers, 40 at most; none, the default: there is no public endpoint."""
    private_access: NotRequired[pulumi.Input[bool]]
    """Reachable from inside the VPC; default true."""
    private_access_cidrs: NotRequired[Sequence[str]]
    """Networks the private endpoint answers beside nodes: of the VPC, or connected to it."""
    private_access_security_groups: NotRequired[Sequence[str]]
    """Security groups whose members it answers, by id."""
    ip_family: NotRequired[pulumi.Input[str]]
    """`ipv4`, the default, or `ipv6`."""
    support_type: NotRequired[str]
    """`standard`, the default, or `extended`."""
    deletion_protection: NotRequired[bool]
    """AWS refuses to delete the cluster, and Pulumi before it."""
    log_types: NotRequired[Sequence[pulumi.Input[str]]]
    """Control plane logs; default: api, audit, authenticator."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """How long they are kept; default 90."""
    secrets_key_arn: NotRequired[pulumi.Input[str] | None]
    """KMS key of Secrets, chosen once; default: one is made."""
    auto_mode: NotRequired[bool]
    """EKS makes nodes as pods need them, and brings its own add-ons."""
    node_groups: NotRequired[Mapping[str, NodeGroupArgs]]
    """Managed node groups by name, instead of `auto_mode`."""
    addons: NotRequired[Mapping[str, pulumi.Input[str]]]
    """EKS add-on -> version, beside `node_groups`: vpc-cni, kube-proxy and, for Pod Identity, eks-pod-identity-agent.
    Those whose pods need nodes are `ClusterAddons`."""
    oidc_provider: NotRequired[bool]
    """An IAM OIDC provider, for roles by IRSA."""
    node_policy: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """IAM policy document of what nodes may do beyond joining and pulling, such as filling caches."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of machines and volumes, which the provider's default tags do not reach."""


class EksCluster(pulumi.ComponentResource):
    """A cluster that nobody but the named principals may enter, its creator included.

    Needs an `aws.Provider` in ``opts``. The `aws` executable must be on PATH, because `pulumi_eks` hands out a
    kubeconfig that calls it. In Python programs, ``access`` holds the access policy associations and the rules of the
    private endpoint: what talks to the API server depends on them, and so leaves before them. ``ready`` is what pods
    need before they can run: the cluster, its network and its nodes. Raises ``GitOpsStackError`` for arguments that do
    not fit together.
    """

    arn: pulumi.Output[str]
    """Known before there is a cluster, as the identifier of a Kubernetes provider has to be."""
    kubeconfig: pulumi.Output[str]
    """JSON; it holds no credentials, only the command that asks for them. In an update it is known once new access
    entries are effective."""
    resource: pulumi_eks.Cluster
    """The cluster itself, for `depends_on` and `deleted_with`."""

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:EksCluster", name, {}, opts)
        GitOpsStackError.raise_for(f"EksCluster {name}: {finding}" for finding in check_cluster_args(args))
        version = args["version"]
        if isinstance(version, str) and (uncertain := find_version_warning(version, _today())):
            pulumi.log.warn(f"version: {uncertain}", self)
        self._name, self._account = name, find_account(args, self)
        self._inside = pulumi.ResourceOptions(parent=self)
        self._before = inherited_dependencies(opts)
        self.resource = self._register_cluster(name, args)
        self.arn = pulumi.Output.all(self._account, args["name"]).apply(
            lambda found: found[0].arn("eks", f"cluster/{found[1]}")
        )
        associations = [self._register_access(args, key) for key in args["access"]]
        doors = register_private_access(
            f"{name}-api",
            self.resource.cluster_security_group_id,
            args.get("private_access_cidrs", ()),
            args.get("private_access_security_groups", ()),
            self,
        )
        self.access: Sequence[pulumi.Resource] = [*associations, *doors]
        self.kubeconfig = self._admit(associations, [door.id for door in doors])
        self.ready: Sequence[pulumi.Resource] = self._register_compute(args)
        if args.get("oidc_provider"):
            iam.OpenIdConnectProvider(
                f"{name}-oidc",
                url=self.resource.oidc_provider_url.apply(lambda url: url if "://" in url else f"https://{url}"),
                client_id_lists=["sts.amazonaws.com"],
                opts=self._inside,
            )
        self.register_outputs({"arn": self.arn, "kubeconfig": self.kubeconfig})

    def _register_cluster(self, name: str, args: EksClusterArgs) -> pulumi_eks.Cluster:
        # Made before the cluster, or EKS makes one that keeps everything for ever.
        logs = cloudwatch.LogGroup(
            f"{name}-logs",
            name=pulumi.Output.concat("/aws/eks/", args["name"], "/cluster"),
            retention_in_days=args.get("log_retention_days", 90),
            opts=self._inside,
        )
        options = pulumi.ResourceOptions(
            parent=self,
            depends_on=[logs, *self._before],
            transforms=[_refuse_unnamed_creator],
            # AWS's own protection comes into play when all that is in the cluster has gone; the engine's before.
            protect=args.get("deletion_protection", False),
        )
        cidrs = list(args.get("public_access_cidrs", ()))
        return pulumi_eks.Cluster(
            name,
            name=args["name"],
            version=args["version"],
            authentication_mode=pulumi_eks.AuthenticationMode.API,
            vpc_id=args["vpc_id"],
            private_subnet_ids=args["subnet_ids"],
            endpoint_public_access=bool(cidrs),
            endpoint_private_access=args.get("private_access", True),
            public_access_cidrs=cidrs or None,
            ip_family=args.get("ip_family", "ipv4"),
            upgrade_policy={"support_type": args.get("support_type", "standard").upper()},
            deletion_protection=args.get("deletion_protection", False),
            enabled_cluster_log_types=list(args.get("log_types", ("api", "audit", "authenticator"))),
            encryption_config_key_arn=args.get("secrets_key_arn") or self._register_key(name, args),
            skip_default_node_group=True,
            opts=options,
            **_build_compute(args),
        )

    def _register_key(self, name: str, args: EksClusterArgs) -> pulumi.Output[str]:
        key = kms.Key(
            f"{name}-secrets",
            description="Secrets of the Kubernetes cluster",
            policy=self._account.apply(lambda account: render_document(build_secrets_key_policy(account))),
            enable_key_rotation=True,
            deletion_window_in_days=_KEY_DELETION_DAYS,
            opts=self._inside,
        )
        alias = pulumi.Output.concat("alias/", args["name"], "-secrets")
        kms.Alias(f"{name}-secrets", name=alias, target_key_id=key.key_id, opts=self._inside)
        arn: pulumi.Output[str] = key.arn
        return arn

    def _admit(
        self, associations: Sequence[eks.AccessPolicyAssociation], doors: Sequence[pulumi.Output[str]]
    ) -> pulumi.Output[str]:
        """Hand the kubeconfig out once new access entries are effective; in a preview nothing waits."""
        kubeconfig: pulumi.Output[str] = self.resource.kubeconfig_json
        if pulumi.runtime.is_dry_run():
            return kubeconfig

        async def wait(found: Sequence[Any]) -> str:
            # Half a second of imports, which only an update that made an entry has to wait for.
            from gitops_stack.guard.admission import is_recent, wait_until_admitted  # noqa: PLC0415

            text, *rest = found
            if is_recent(rest[: len(associations)]):
                try:
                    await asyncio.to_thread(wait_until_admitted, text, self._name)
                except GitOpsStackError as error:
                    raise pulumi.RunError(str(error)) from None
            return str(text)

        return pulumi.Output.all(kubeconfig, *(one.associated_at for one in associations), *doors).apply(wait)

    def _register_access(self, args: EksClusterArgs, name: str) -> eks.AccessPolicyAssociation:
        # Not by `access_entries` of pulumi_eks: its associations could not be depended on from here.
        access, own = args["access"][name], f"{self._name}-access-{name}"
        entry = eks.AccessEntry(
            own,
            cluster_name=args["name"],
            principal_arn=access["principal_arn"],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.resource]),
        )
        namespaces = list(access.get("namespaces", ()))
        scope = {"type": "namespace", "namespaces": namespaces} if namespaces else {"type": "cluster"}
        return eks.AccessPolicyAssociation(
            own,
            cluster_name=args["name"],
            principal_arn=access["principal_arn"],
            policy_arn=pulumi.Output.all(self._account, access["policy"]).apply(_build_access_policy_arn),
            access_scope=scope,
            # A changed scope is a replacement under the same identity: made first, it would go with the old one.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[entry], delete_before_replace=True),
        )

    def _register_compute(self, args: EksClusterArgs) -> list[pulumi.Resource]:
        before: list[pulumi.Resource] = [self.resource, *self._before]
        policy = args.get("node_policy")
        if args.get("auto_mode") and policy is not None:
            role = self.resource.auto_mode_node_role_name
            document = pulumi.Output.from_input(policy).apply(render_document)
            before.append(iam.RolePolicy(f"{self._name}-nodes", role=role, policy=document, opts=self._inside))
        addons = args.get("addons", {})
        if _AGENT in addons:
            own = f"{self._name}-{_AGENT}"
            before.append(register_addon(own, _AGENT, addons[_AGENT], args["name"], self, [self.resource]))
        groups = register_node_groups(
            f"{self._name}-nodes",
            args.get("node_groups", {}),
            cluster_name=args["name"],
            version=args["version"],
            account=self._account,
            subnet_ids=args["subnet_ids"],
            policy=policy,
            ip_family=args.get("ip_family", "ipv4"),
            tags=args.get("tags", {}),
            parent=self,
            depends_on=before,
        )
        return [*before, *groups]


def _today() -> date:
    return datetime.now(timezone.utc).date()


def _build_access_policy_arn(found: Sequence[Any]) -> str:
    account, policy = found
    return f"arn:{account.partition}:eks::aws:cluster-access-policy/AmazonEKS{policy}Policy"


def _build_compute(args: EksClusterArgs) -> dict[str, Any]:
    if args.get("auto_mode"):
        # Auto Mode's nodes resolve names themselves; pulumi_eks would add coredns, at the newest version.
        return {"auto_mode": {"enabled": True}, "coredns_addon_options": {"enabled": False}}
    versions = args.get("addons", {})
    return {
        "coredns_addon_options": {"enabled": False},  # added here, once there are nodes
        "kube_proxy_addon_options": {"version": versions["kube-proxy"]},
        "vpc_cni_options": {
            "addon_version": versions["vpc-cni"],
            "enable_network_policy": True,
            "log_level": "INFO",  # upstream's own default is DEBUG
        },
    }


def _refuse_unnamed_creator(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Let the creator in by its named entry only.

    `pulumi_eks` hard-codes `bootstrapClusterCreatorAdminPermissions`: EKS would then make an access entry of its own,
    which no list shows and which the creator's named entry would collide with (ResourceInUseException).
    """
    if args.type_ != "aws:eks/cluster:Cluster":
        return None
    props = dict(args.props)
    props["accessConfig"] = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    # EKS cannot change the key of a cluster: an edited setting must not replace the cluster with all that is in it.
    options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=["encryptionConfig"]))
    return pulumi.ResourceTransformResult(props=props, opts=options)
