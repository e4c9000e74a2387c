"""An EKS cluster on `pulumi_eks.Cluster`: API access entries, encrypted Secrets, kept logs, and where pods run."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_eks
from pulumi_aws import cloudwatch, eks, iam, kms
from typing_extensions import NotRequired

from gitops_stack.aws_plan.iam_documents import render_document
from gitops_stack.aws_plan.key_policies import build_secrets_key_policy
from gitops_stack.components.addons import register_addon
from gitops_stack.components.aws_account import AccountArgs, find_account
from gitops_stack.components.cluster_access import AccessArgs, refuse_unnamed_creator, register_access
from gitops_stack.components.cluster_admission import hand_out_kubeconfig
from gitops_stack.components.cluster_checks import check_cluster_args
from gitops_stack.components.cni_role import register_cni_role
from gitops_stack.components.node_groups import NodeGroupArgs, list_node_policies, register_node_groups
from gitops_stack.components.ordering import inherited_dependencies
from gitops_stack.components.private_access import register_private_access
from gitops_stack.components.roles import RoleOptions, read_role
from gitops_stack.errors import GitOpsStackError
from gitops_stack.settings.eks_versions import find_version_warning

if TYPE_CHECKING:
    from pulumi_eks import Cluster as EksResource
else:
    EksResource = Any  # or every program that uses any component, in any language, would load the schema of pulumi-eks

_KEY_DELETION_DAYS = 30  # the longest AWS offers: until then a key that went by mistake can be called back
# Before the nodes: the agent's answer must be there when the first pods ask for credentials. vpc-cni and kube-proxy
# are added by pulumi_eks; what needs nodes is left to `ClusterAddons`.
_AGENT = "eks-pod-identity-agent"
_NODE_POOLS = ["general-purpose", "system"]


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
    role_arn: NotRequired[str | None]
    """An existing role that EKS takes, with the policies it needs, chosen once; default: one is made."""
    auto_mode: NotRequired[bool]
    """EKS makes nodes as pods need them, and brings its own add-ons."""
    node_groups: NotRequired[Mapping[str, NodeGroupArgs]]
    """Managed node groups by name, instead of `auto_mode`."""
    addons: NotRequired[Mapping[str, pulumi.Input[str]]]
    """EKS add-on -> version, beside `node_groups`: vpc-cni, kube-proxy and, for Pod Identity, eks-pod-identity-agent.
    Those whose pods need nodes are `ClusterAddons`."""
    addon_configuration: NotRequired[Mapping[str, Mapping[str, Any]]]
    """Of these add-ons: values of their own schema (`aws eks describe-addon-configuration`)."""
    oidc_provider: NotRequired[bool]
    """An IAM OIDC provider, for roles by IRSA."""
    cni_role: NotRequired[str]
    """Who may change network interfaces: `podIdentity`, aws-node alone, the default with add-on eks-pod-identity-agent;
    `nodes`, all that runs on a node; `both`, on the way from one to the other."""
    prefix_delegation: NotRequired[bool]
    """Addresses in blocks of 16: more pods on a node."""
    ssm_access: NotRequired[bool]
    """A shell on nodes of `node_groups` by Session Manager."""
    node_role_arn: NotRequired[pulumi.Input[str] | None]
    """An existing role for all nodes, with the policies they need; default: one is made."""
    node_policy: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """IAM policy document of what nodes may do beyond joining and pulling, such as filling caches; an existing role has
    its own."""
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
    resource: EksResource
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
        made = [
            one
            for key, access in args["access"].items()
            for one in register_access(f"{name}-access-{key}", access, args["name"], self._account, self.resource, self)
        ]
        doors = register_private_access(
            f"{name}-api",
            self.resource.cluster_security_group_id,
            args.get("private_access_cidrs", ()),
            args.get("private_access_security_groups", ()),
            self,
        )
        self.access: Sequence[pulumi.Resource] = [*made, *doors]
        associations = [one for one in made if isinstance(one, eks.AccessPolicyAssociation)]
        self.kubeconfig = hand_out_kubeconfig(
            name, self.resource.kubeconfig_json, associations, [door.id for door in doors]
        )
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
            transforms=[refuse_unnamed_creator, RoleOptions.of(args).transform],
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
            service_role=read_role(f"{name}-role", role, self) if (role := args.get("role_arn")) else None,
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

    def _register_compute(self, args: EksClusterArgs) -> list[pulumi.Resource]:
        before: list[pulumi.Resource] = [self.resource, *self._before]
        policy = args.get("node_policy")
        if args.get("auto_mode") and policy is not None and args.get("node_role_arn") is None:
            role = self.resource.auto_mode_node_role_name
            document = pulumi.Output.from_input(policy).apply(render_document)
            before.append(iam.RolePolicy(f"{self._name}-nodes", role=role, policy=document, opts=self._inside))
        addons = args.get("addons", {})
        if _AGENT in addons:
            own = f"{self._name}-{_AGENT}"
            configuration = args.get("addon_configuration", {}).get(_AGENT)
            before.append(
                register_addon(
                    own, _AGENT, addons[_AGENT], args["name"], self, [self.resource], configuration=configuration
                )
            )
        cni_role = args.get("cni_role", "podIdentity") if _AGENT in addons else "nodes"
        if cni_role != "nodes" and args.get("node_groups"):
            options, family = RoleOptions.of(args), args.get("ip_family", "ipv4")
            own = f"{self._name}-vpc-cni"
            before.append(register_cni_role(own, args["name"], family, self._account, options, self, [self.resource]))
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
            cluster_security_group_id=self._find_own_group(args),
            role_options=RoleOptions.of(args),
            node_role_arn=args.get("node_role_arn"),
            managed_policies=list_node_policies(cni_role=cni_role, ssm_access=args.get("ssm_access", False)),
        )
        return [*before, *groups]

    def _find_own_group(self, args: EksClusterArgs) -> pulumi.Output[str] | None:
        """Look up the group EKS itself makes and gives its nodes; that of `pulumi_eks` is the control plane's alone."""
        if not any(group.get("security_group_ids") for group in args.get("node_groups", {}).values()):
            return None
        there = pulumi.Output.unsecret(self.resource.kubeconfig_json)  # not known before the cluster is there
        name = pulumi.Output.all(args["name"], there).apply(lambda known: str(known[0]))
        found = eks.get_cluster_output(name=name, opts=pulumi.InvokeOptions(parent=self))
        group: pulumi.Output[str] = found.vpc_config.cluster_security_group_id
        return group


def _today() -> date:
    return datetime.now(timezone.utc).date()


def _build_compute(args: EksClusterArgs) -> dict[str, Any]:
    if args.get("auto_mode"):
        auto_mode: dict[str, Any] = {"enabled": True}
        if (role := args.get("node_role_arn")) is not None:
            auto_mode |= {
                "create_node_role": False,
                "compute_config": {"node_role_arn": role, "node_pools": _NODE_POOLS},
            }
        # Auto Mode's nodes resolve names themselves; pulumi_eks would add coredns, at the newest version.
        return {"auto_mode": auto_mode, "coredns_addon_options": {"enabled": False}}
    versions, configuration = args.get("addons", {}), args.get("addon_configuration", {})
    proxy: dict[str, Any] = {"version": versions["kube-proxy"]}
    cni: dict[str, Any] = {
        "addon_version": versions["vpc-cni"],
        "enable_network_policy": True,
        "log_level": "INFO",  # upstream's own default is DEBUG
    }
    if args.get("prefix_delegation"):
        cni |= {"enable_prefix_delegation": True, "warm_prefix_target": 1}
    for options, addon in ((proxy, "kube-proxy"), (cni, "vpc-cni")):
        if addon in configuration:
            options["configuration_values"] = dict(configuration[addon])
    return {
        "coredns_addon_options": {"enabled": False},  # added here, once there are nodes
        "kube_proxy_addon_options": proxy,
        "vpc_cni_options": cni,
    }
