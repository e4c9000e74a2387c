"""PodIdentity: a role for each, tied to its service account, and in place before its association."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest

from gitops_stack.components import PodIdentity
from gitops_stack.errors import GitOpsStackError
from gitops_stack.testing import RegisteredResource
from tests.components.aws import OWN, check_common, children, document, keep, of_kind, run

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
SPOKE = "arn:aws:iam::210987654321:role/argocd-spoke"
SECRETS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme/*"
ADD_ONS: dict[str, Any] = {
    "external_secrets": {
        "namespace": "external-secrets",
        "service_account": "external-secrets",
        "secret_arns": [SECRETS],
    },
    "load_balancer_controller": {"namespace": "kube-system", "service_account": "aws-load-balancer-controller"},
    "external_dns": {"namespace": "external-dns", "service_account": "external-dns", "hosted_zone_ids": ["Z1"]},
    "ebs_csi_driver": True,
}
HUB = [
    "PodIdentityAssociation:pods-argocd/argocd-application-controller",
    "PodIdentityAssociation:pods-argocd/argocd-applicationset-controller",
    "PodIdentityAssociation:pods-argocd/argocd-server",
    "Role:pods-argocd",
]


def record(preview: bool = False, outputs: dict[str, Any] | None = None, **args: Any) -> dict[str, RegisteredResource]:
    def component(opts: pulumi.ResourceOptions) -> None:
        cluster_name = pulumi.Output.from_input("acme-dev")
        wanted: Any = {**OWN, "cluster_name": cluster_name, "argocd_namespace": "argocd", **args}
        made = PodIdentity("pods", wanted, opts)
        keep(outputs, roles=made.role_arns, associations=sorted(made.associations))

    return run(component, preview=preview)


@BOTH
def test_argo_cd_is_a_hub_whatever_else_is_asked_for(preview: bool) -> None:
    found = record(preview)
    assert children(found) == HUB  # without spokes the role may do nothing, and can be named by other clusters
    assert found["PodIdentity:pods"].type == "gitops-stack:index:PodIdentity"
    check_common(found, "pods")


@BOTH
def test_a_list_that_makes_a_policy_longer_than_iam_takes_stops_a_preview_already(preview: bool) -> None:
    arns = [SECRETS.replace("acme", f"team-{number}") for number in range(200)]
    add_ons = {"external_secrets": {**ADD_ONS["external_secrets"], "secret_arns": arns}}
    with pytest.raises(pulumi.RunError) as refused:
        record(preview, **add_ons)
    assert re.fullmatch(
        r"role pods-external-secrets: policy: has \d{5} characters; needs 10240 at most, IAM's limit: name fewer in "
        r"the list it is made of, or several by one pattern with \*",
        str(refused.value),
    )


@BOTH
def test_every_add_on_has_a_role_a_policy_and_an_association(preview: bool) -> None:
    found = record(preview, spoke_role_arns=[SPOKE], **ADD_ONS)
    keys = ["external-dns", "external-secrets", "load-balancer-controller"]
    assert children(found) == sorted(
        [
            *HUB,
            "RolePolicy:pods-argocd-policy",
            *(f"Role:pods-{key}" for key in [*keys, "ebs-csi-driver"]),
            *(f"RolePolicy:pods-{key}-policy" for key in keys),
            "RolePolicyAttachment:pods-ebs-csi-driver-policy",
            "PodIdentityAssociation:pods-external-dns/external-dns",
            "PodIdentityAssociation:pods-external-secrets/external-secrets",
            "PodIdentityAssociation:pods-kube-system/aws-load-balancer-controller",
            "PodIdentityAssociation:pods-kube-system/ebs-csi-controller-sa",
        ]
    )
    check_common(found, "pods")


def test_an_association_comes_after_the_permissions() -> None:
    found = record(spoke_role_arns=[SPOKE], **ADD_ONS)
    server = found["PodIdentityAssociation:pods-argocd/argocd-server"]
    assert server.inputs == {
        "clusterName": "acme-dev",
        "namespace": "argocd",
        "serviceAccount": "argocd-server",
        "roleArn": "arn:aws:mock:::pods-argocd",
    }
    assert {name: one.depends_on for name, one in of_kind(found, "PodIdentityAssociation").items()} == {
        **{
            f"pods-argocd/argocd-{part}": ("pods-argocd", "pods-argocd-policy")
            for part in ("application-controller", "applicationset-controller", "server")
        },
        "pods-external-secrets/external-secrets": ("pods-external-secrets", "pods-external-secrets-policy"),
        "pods-external-dns/external-dns": ("pods-external-dns", "pods-external-dns-policy"),
        "pods-kube-system/aws-load-balancer-controller": (
            "pods-load-balancer-controller",
            "pods-load-balancer-controller-policy",
        ),
        "pods-kube-system/ebs-csi-controller-sa": ("pods-ebs-csi-driver", "pods-ebs-csi-driver-policy"),
    }


def test_associations_wait_for_the_cluster_that_is_named_in_plain_text() -> None:
    class Cluster(pulumi.CustomResource):
        pass

    def component(opts: pulumi.ResourceOptions) -> None:
        cluster = Cluster("test:index:Cluster", "eks")
        after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[cluster]))
        wanted: Any = {**OWN, "cluster_name": "acme-dev", "argocd_namespace": "argocd"}
        PodIdentity("pods", wanted, after)

    found = run(component)
    waits = {name: "eks" in one.depends_on for name, one in of_kind(found, "PodIdentityAssociation").items()}
    assert list(waits.values()) == [True, True, True]
    assert "eks" not in found["Role:pods-argocd"].depends_on


def test_roles_are_tied_to_cluster_namespace_and_service_account() -> None:
    found = record(**ADD_ONS)
    ties = {
        name: document(role, "assumeRolePolicy")["Statement"][0]["Condition"]["StringEquals"]
        for name, role in of_kind(found, "Role").items()
    }
    cluster = {"arn:aws:eks:eu-west-1:123456789012:cluster/acme-dev"}
    assert {tie["aws:RequestTag/eks-cluster-arn"] for tie in ties.values()} == cluster
    assert {
        name: (tie["aws:RequestTag/kubernetes-namespace"], tie["aws:RequestTag/kubernetes-service-account"])
        for name, tie in ties.items()
    } == {
        "pods-argocd": (
            "argocd",
            ["argocd-application-controller", "argocd-applicationset-controller", "argocd-server"],
        ),
        "pods-external-secrets": ("external-secrets", ["external-secrets"]),
        "pods-load-balancer-controller": ("kube-system", ["aws-load-balancer-controller"]),
        "pods-external-dns": ("external-dns", ["external-dns"]),
        "pods-ebs-csi-driver": ("kube-system", ["ebs-csi-controller-sa"]),
    }


def test_policies_name_what_was_asked_for() -> None:
    found = record(spoke_role_arns=[SPOKE], **ADD_ONS)
    assert document(found["RolePolicy:pods-argocd-policy"])["Statement"][0]["Resource"] == [SPOKE]
    assert document(found["RolePolicy:pods-external-secrets-policy"])["Statement"][0]["Resource"] == [SECRETS]
    zones = document(found["RolePolicy:pods-external-dns-policy"])["Statement"][0]["Resource"]
    assert zones == ["arn:aws:route53:::hostedzone/Z1"]
    assert (
        '"aws:RequestTag/elbv2.k8s.aws/cluster":"acme-dev"'
        in (found["RolePolicy:pods-load-balancer-controller-policy"].inputs["policy"])
    )
    assert found["RolePolicyAttachment:pods-ebs-csi-driver-policy"].inputs == {
        "role": "pods-ebs-csi-driver",
        "policyArn": "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2",
    }


def test_external_secrets_opens_the_keys_it_is_given() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    secrets = {**ADD_ONS["external_secrets"], "key_arns": [key]}
    statements = document(record(external_secrets=secrets)["RolePolicy:pods-external-secrets-policy"])["Statement"]
    assert (statements[1]["Action"], statements[1]["Resource"]) == (["kms:Decrypt"], [key])


def test_argo_cd_s_namespace_is_the_one_given() -> None:
    outputs: dict[str, Any] = {}
    record(outputs=outputs, argocd_namespace="gitops", ebs_csi_driver=True)
    assert outputs["associations"] == [
        "gitops/argocd-application-controller",
        "gitops/argocd-applicationset-controller",
        "gitops/argocd-server",
        "kube-system/ebs-csi-controller-sa",
    ]
    assert outputs["roles"] == {
        "argocd": "arn:aws:mock:::pods-argocd",
        "ebs-csi-driver": "arn:aws:mock:::pods-ebs-csi-driver",
    }


def test_a_service_account_has_one_role() -> None:
    server = {"namespace": "argocd", "service_account": "argocd-server", "hosted_zone_ids": ["Z1"]}
    with pytest.raises(GitOpsStackError) as refused:
        record(external_dns=server)
    assert refused.value.findings == (
        "PodIdentity pods: external-dns: found service account argocd/argocd-server, which already has another role; "
        "needs one of its own",
    )


POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::uploads/*"]}],
}
WORKLOADS: dict[str, Any] = {
    "uploads": {
        "namespace": "shop",
        "service_account": "uploads",
        "policy": POLICY,
        "managed_policy_arns": [
            "arn:aws:iam::aws:policy/service-role/Reader",
            "arn:aws:iam::123456789012:policy/Reader",
        ],
    },
    "legacy": {"namespace": "shop", "service_account": "legacy", "role_arn": "arn:aws:iam::123456789012:role/legacy"},
}


@BOTH
def test_a_workload_gets_the_policies_it_was_given_or_the_role_it_has(preview: bool) -> None:
    outputs: dict[str, Any] = {}
    found = record(preview=preview, outputs=outputs, roles=WORKLOADS)
    check_common(found, "pods")
    assert document(found["RolePolicy:pods-uploads-policy"]) == POLICY
    attached = {name: one.inputs["policyArn"] for name, one in of_kind(found, "RolePolicyAttachment").items()}
    assert attached == {
        "pods-uploads-service-role/Reader": "arn:aws:iam::aws:policy/service-role/Reader",
        "pods-uploads-123456789012/Reader": "arn:aws:iam::123456789012:policy/Reader",
    }
    association = found["PodIdentityAssociation:pods-shop/uploads"]
    assert {*attached, "pods-uploads-policy"} <= set(association.depends_on)
    assert "Role:pods-legacy" not in found
    legacy = found["PodIdentityAssociation:pods-shop/legacy"].inputs
    assert (legacy["namespace"], legacy["serviceAccount"], legacy["roleArn"]) == (
        "shop",
        "legacy",
        "arn:aws:iam::123456789012:role/legacy",
    )
    if not preview:
        assert {"argocd", "uploads", "legacy"} == set(outputs["roles"])


@pytest.mark.parametrize(
    ("key", "changes", "finding"),
    [
        ("argocd", {}, "has the name of a role that is made here; needs another"),
        ("x", {"policy": None}, "found neither; needs either role_arn, or policy and managed_policy_arns"),
        ("x", {"role_arn": SPOKE}, "found both; needs either role_arn, or policy and managed_policy_arns"),
    ],
)
def test_a_workload_s_role_is_made_or_named(key: str, changes: dict[str, Any], finding: str) -> None:
    role = {"namespace": "shop", "service_account": "x", "policy": POLICY, **changes}
    with pytest.raises(GitOpsStackError) as refused:
        record(roles={key: role})
    assert refused.value.findings == (f"PodIdentity pods: roles.{key}: {finding}",)
