"""Give pods roles by EKS Pod Identity: Argo CD as a hub of clusters, and the add-ons that call AWS."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import eks
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan.iam_documents import Document
from gitops_stack.aws_plan.load_balancer_policy import build_load_balancer_policy
from gitops_stack.aws_plan.pod_policies import (
    build_external_dns_policy,
    build_external_secrets_policy,
    build_hub_policy,
)
from gitops_stack.aws_plan.trust_policies import build_pod_identity_trust
from gitops_stack.components.aws_account import AccountArgs, find_account
from gitops_stack.components.ordering import inherited_dependencies
from gitops_stack.components.roles import RoleOptions, register_role
from gitops_stack.errors import GitOpsStackError

HUB_SERVICE_ACCOUNTS = ("argocd-application-controller", "argocd-applicationset-controller", "argocd-server")
"""The parts of Argo CD that reach other clusters."""


class ServiceAccountArgs(TypedDict):
    """A Kubernetes service account."""

    namespace: str
    """Its namespace."""
    service_account: str
    """Its name."""


class ExternalSecretsArgs(ServiceAccountArgs):
    """External Secrets."""

    secret_arns: Sequence[pulumi.Input[str]]
    """What it may read; an ARN may end in `*`."""
    key_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """KMS keys of these secrets; default: the account's own for Secrets Manager."""


class ExternalDnsArgs(ServiceAccountArgs):
    """ExternalDNS."""

    hosted_zone_ids: Sequence[pulumi.Input[str]]
    """Route 53 zones it may change."""


class PodRoleArgs(ServiceAccountArgs):
    """The role of a workload: made with policies, or an existing one."""

    policy: NotRequired[pulumi.Input[Mapping[str, Any]]]
    """IAM policy document of what the pods may do."""
    managed_policy_arns: NotRequired[Sequence[str]]
    """IAM policies to attach, AWS's own or the account's."""
    role_arn: NotRequired[pulumi.Input[str]]
    """An existing role instead, which pods.eks.amazonaws.com may take."""


class PodIdentityArgs(AccountArgs):
    """Who gets a role."""

    cluster_name: pulumi.Input[str]
    """Name of the cluster."""
    argocd_namespace: str
    """Argo CD's namespace."""
    spoke_role_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """Roles by which Argo CD reaches other clusters."""
    external_secrets: NotRequired[ExternalSecretsArgs]
    """A role for External Secrets."""
    load_balancer_controller: NotRequired[ServiceAccountArgs]
    """A role for the AWS Load Balancer Controller; Auto Mode has its own."""
    external_dns: NotRequired[ExternalDnsArgs]
    """A role for ExternalDNS."""
    ebs_csi_driver: NotRequired[bool]
    """A role for add-on aws-ebs-csi-driver, with node groups; Auto Mode has its own."""
    roles: NotRequired[Mapping[str, PodRoleArgs]]
    """Roles of workloads, by name."""


class PodIdentity(pulumi.ComponentResource):
    """Roles of pods, each tied to cluster, namespace and service account, with their associations.

    The associations wait for what ``opts.depends_on`` names: the cluster, when its name is given as plain text.
    EKS hands credentials to pods that start after their association: what runs the pods depends on this component or
    on the one in ``associations``, which Python programs find by `<namespace>/<service account>`. Needs the agent: an
    add-on with node groups, built in with Auto Mode. Raises ``GitOpsStackError`` for a service account with two roles:
    EKS takes one association of each.
    """

    role_arns: Mapping[str, pulumi.Output[str]]
    """By name: `argocd`, for those asked for `external-secrets`, `load-balancer-controller`, `external-dns`,
    `ebs-csi-driver`, and each of `roles`."""

    def __init__(self, name: str, args: PodIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:PodIdentity", name, {}, opts)
        self._name, self._account, self._options = name, find_account(args, self), RoleOptions.of(args)
        self._cluster_name = pulumi.Output.from_input(args["cluster_name"])
        self._associations: dict[str, pulumi.Resource] = {}
        self._cluster = inherited_dependencies(opts)
        own = {"argocd": self._register_hub(args), **self._register_add_ons(args)}
        self.role_arns = {**own, **self._register_workloads(args.get("roles", {}), own)}
        self.associations: Mapping[str, pulumi.Resource] = self._associations
        self.register_outputs({"roleArns": self.role_arns})

    def _register_hub(self, args: PodIdentityArgs) -> pulumi.Output[str]:
        spokes = args.get("spoke_role_arns", [])
        # Without spokes the role may do nothing, and is of use: other clusters can name it in their access entries.
        return self._register(
            "argocd",
            "Argo CD reaches other clusters",
            args["argocd_namespace"],
            HUB_SERVICE_ACCOUNTS,
            policy=pulumi.Output.all(*spokes).apply(build_hub_policy) if spokes else None,
        )

    def _register_add_ons(self, args: PodIdentityArgs) -> dict[str, pulumi.Output[str]]:
        found = {}
        if secrets := args.get("external_secrets"):
            keys = pulumi.Output.all(*secrets.get("key_arns", ()))
            policy = pulumi.Output.all(pulumi.Output.all(*secrets["secret_arns"]), keys).apply(
                lambda found: build_external_secrets_policy(*found)
            )
            found["external-secrets"] = self._register_add_on(
                "external-secrets", "External Secrets reads secrets", secrets, policy
            )
        if balancers := args.get("load_balancer_controller"):
            found["load-balancer-controller"] = self._register_add_on(
                "load-balancer-controller",
                "AWS Load Balancer Controller makes load balancers",
                balancers,
                pulumi.Output.all(self._account, self._cluster_name).apply(
                    lambda found: build_load_balancer_policy(*found)
                ),
            )
        if dns := args.get("external_dns"):
            found["external-dns"] = self._register_add_on(
                "external-dns",
                "ExternalDNS changes records",
                dns,
                pulumi.Output.all(self._account, *dns["hosted_zone_ids"]).apply(
                    lambda found: build_external_dns_policy(found[0], found[1:])
                ),
            )
        if args.get("ebs_csi_driver", False):
            found["ebs-csi-driver"] = self._register(
                "ebs-csi-driver",
                "EBS CSI driver makes volumes",
                "kube-system",
                ["ebs-csi-controller-sa"],
                managed_policy_arns={
                    "policy": self._account.apply(
                        lambda account: account.managed_policy_arn("AmazonEBSCSIDriverPolicyV2")
                    )
                },
            )
        return found

    def _register_workloads(
        self, roles: Mapping[str, PodRoleArgs], own: Mapping[str, object]
    ) -> dict[str, pulumi.Output[str]]:
        GitOpsStackError.raise_for(
            f"PodIdentity {self._name}: roles.{key}: {needs}"
            for key, role in roles.items()
            for needs in _check_workload(key, role, own)
        )
        return {
            key: self._register(
                key,
                f"Pods of {role['namespace']}/{role['service_account']}",
                role["namespace"],
                [role["service_account"]],
                policy=role.get("policy"),
                managed_policy_arns={_attachment_name(arn): arn for arn in role.get("managed_policy_arns", ())},
                role_arn=role.get("role_arn"),
            )
            for key, role in roles.items()
        }

    def _register_add_on(
        self, key: str, description: str, account: ServiceAccountArgs, policy: pulumi.Input[Document]
    ) -> pulumi.Output[str]:
        return self._register(key, description, account["namespace"], [account["service_account"]], policy=policy)

    def _register(
        self,
        key: str,
        description: str,
        namespace: str,
        service_accounts: Sequence[str],
        *,
        policy: pulumi.Input[Mapping[str, Any]] | None = None,
        managed_policy_arns: Mapping[str, pulumi.Input[str]] | None = None,
        role_arn: pulumi.Input[str] | None = None,
    ) -> pulumi.Output[str]:
        GitOpsStackError.raise_for(
            f"PodIdentity {self._name}: {key}: found service account {namespace}/{service_account}, which already "
            "has another role; needs one of its own"
            for service_account in service_accounts
            if f"{namespace}/{service_account}" in self._associations
        )
        found: pulumi.Output[str]
        before: list[pulumi.Resource] = []
        if role_arn is None:
            role = register_role(
                f"{self._name}-{key}",
                description,
                pulumi.Output.all(self._account, self._cluster_name).apply(
                    lambda found: build_pod_identity_trust(
                        found[0].arn("eks", f"cluster/{found[1]}"), namespace, service_accounts
                    )
                ),
                self,
                policy=policy,
                managed_policy_arns=managed_policy_arns,
                options=self._options,
            )
            found, before = role.arn, role.policies
        else:
            found = pulumi.Output.from_input(role_arn)
        for service_account in service_accounts:
            self._associations[f"{namespace}/{service_account}"] = eks.PodIdentityAssociation(
                f"{self._name}-{namespace}/{service_account}",
                cluster_name=self._cluster_name,
                namespace=namespace,
                service_account=service_account,
                role_arn=found,
                # A pod that starts with the association finds the permissions in place.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*self._cluster, *before]),
            )
        return found


def _check_workload(key: str, role: PodRoleArgs, own: Mapping[str, object]) -> Iterator[str]:
    if key in own:
        yield "has the name of a role that is made here; needs another"
    made = bool(role.get("policy") or role.get("managed_policy_arns"))
    if made == ("role_arn" in role):
        yield f"found {'both' if made else 'neither'}; needs either role_arn, or policy and managed_policy_arns"


def _attachment_name(arn: str) -> str:
    """Return what tells a policy from others of the role, and does not change with its place in the list."""
    _, _, _, _, account, path = arn.split(":", 5)
    name = path.removeprefix("policy/")
    return name if account == "aws" else f"{account}/{name}"
