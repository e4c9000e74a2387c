"""Arguments of the AWS components: every setting arrives, under the name the component has for it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.components import Network
from gitops_stack.components.aws_arguments import (
    build_ci_args,
    build_identity_args,
    build_network_args,
    build_registry_args,
)
from gitops_stack.components.cluster_arguments import build_cluster_args
from gitops_stack.settings import NetworkSettings
from tests.components.test_aws_foundation import GOOD, settings

ACCOUNT = AccountRegion("123456789012", "eu-central-1")
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"


class Adopted:
    """What the cluster needs of a network."""

    vpc_id = "vpc-1"
    private_subnet_ids = ("subnet-1", "subnet-2")


NETWORK = cast(Network, Adopted())


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"availability_zone_count": 3, "nat_gateways": 1}),
        (
            {"availabilityZones": 2, "natGateways": 2, "endpoints": ["sts"], "flowLogRetentionDays": 0},
            {
                "availability_zone_count": 2,
                "nat_gateways": 2,
                "endpoints": ("sts",),
                "flow_log_retention_days": 0,
            },
        ),
        ({"natGateways": "regional"}, {"availability_zone_count": 3, "regional_nat_gateway": True}),
        ({"natGateways": 0}, {"availability_zone_count": 3, "nat_gateways": 0}),
        (
            {"availabilityZones": ["eu-central-1c", "eu-central-1a"]},
            {"availability_zones": ("eu-central-1c", "eu-central-1a"), "nat_gateways": 1},
        ),
    ],
    ids=["default", "two of everything", "regional", "none", "named zones"],
)
def test_a_network_that_is_made(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    built = build_network_args(NetworkSettings.model_validate({"cidr": "10.20.0.0/16", **given}), ACCOUNT)
    defaults = {
        "account_id": ACCOUNT.id,
        "region": ACCOUNT.region,
        "cidr": "10.20.0.0/16",
        "endpoints": (),
        "flow_log_retention_days": 30,
    }
    assert built == {**defaults, **wanted}


def test_a_network_that_is_adopted_is_its_ids_alone() -> None:
    ids = {
        "vpcId": "vpc-0123456789abcdef0",
        "privateSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "publicSubnetIds": ["subnet-0123456789abcdef2"],
    }
    assert build_network_args(NetworkSettings.model_validate(ids), ACCOUNT) == {
        "account_id": ACCOUNT.id,
        "region": ACCOUNT.region,
        "vpc_id": "vpc-0123456789abcdef0",
        "private_subnet_ids": ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"),
        "public_subnet_ids": ("subnet-0123456789abcdef2",),
        "ip_family": "ipv4",
    }


def test_every_setting_of_the_cluster_arrives() -> None:
    group = {
        "instanceTypes": ["m7i.large"],
        "minSize": 4,
        "maxSize": 6,
        "desiredSize": 5,
        "operatingSystem": "bottlerocket",
        "capacity": "spot",
        "diskGibibytes": 80,
        "labels": {"tier": "work"},
        "releaseVersion": "1.52.0-1a2b3c4d",
        "update": {"maxUnavailable": 2, "strategy": "minimal", "force": True},
        "repair": True,
        "taints": [{"key": "dedicated", "effect": "PreferNoSchedule"}],
        "zones": ["eu-central-1b"],
    }
    admins = {"principalArn": "arn:aws:iam::123456789012:role/a", "policy": "Admin", "namespaces": ["shop"]}
    cluster = {
        **GOOD["cluster"],
        "ipFamily": "ipv4",
        "supportType": "extended",
        "deletionProtection": True,
        "endpoint": {"publicAccessCidrs": ["203.0.113.0/24"], "privateAccess": False},
        "access": {"admins": admins},
        "logs": {"types": ["audit"], "retentionDays": 7},
        "secretsKeyArn": KEY,
        "oidcProvider": True,
        "compute": {"nodeGroups": {"general": group, "system": {**group, "desiredSize": None, "system": True}}},
    }
    given = settings(cluster=cluster)
    assert given.eks is not None
    general = {
        "instance_types": ("m7i.large",),
        "architecture": "amd64",
        "min_size": 4,
        "max_size": 6,
        "desired_size": 5,
        "operating_system": "bottlerocket",
        "capacity": "spot",
        "disk_gibibytes": 80,
        "labels": {"tier": "work"},
        "system": False,
        "accelerator": None,
        "release_version": "1.52.0-1a2b3c4d",
        "max_unavailable": 2,
        "max_unavailable_percentage": None,
        "update_strategy": "minimal",
        "force_update": True,
        "repair": True,
        "taints": [{"key": "dedicated", "value": "", "effect": "PreferNoSchedule"}],
        "subnet_ids": ["subnet-2"],
    }
    assert build_cluster_args(given.eks, "acme", ACCOUNT, NETWORK, ("eu-central-1a", "eu-central-1b")) == {
        "account_id": ACCOUNT.id,
        "region": ACCOUNT.region,
        "name": "acme",
        "version": "1.35",
        "vpc_id": "vpc-1",
        "subnet_ids": ("subnet-1", "subnet-2"),
        "access": {
            "admins": {
                "principal_arn": "arn:aws:iam::123456789012:role/a",
                "policy": "Admin",
                "namespaces": ("shop",),
            }
        },
        "public_access_cidrs": ("203.0.113.0/24",),
        "private_access": False,
        "private_access_cidrs": (),
        "private_access_security_groups": (),
        "ip_family": "ipv4",
        "support_type": "extended",
        "deletion_protection": True,
        "log_types": ("audit",),
        "log_retention_days": 7,
        "secrets_key_arn": KEY,
        "auto_mode": False,
        "node_groups": {"general": general, "system": {**general, "desired_size": 4, "system": True}},
        "addons": {
            addon: GOOD["cluster"]["addons"][addon] for addon in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
        },
        "role_arn": None,
        "oidc_provider": True,
    }


def test_an_add_on_that_brings_its_role_gets_it_on_its_service_account() -> None:
    roles = build_identity_args(settings(addOnApplications={"aws-for-fluent-bit": {}}), ACCOUNT)["roles"]
    group = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/eks/gitops-stack-test/containers"
    actions = ["CreateLogGroup", "CreateLogStream", "PutLogEvents", "PutRetentionPolicy"]
    assert roles == {
        "aws-for-fluent-bit": {
            "namespace": "kube-system",
            "service_account": "aws-for-fluent-bit",
            "managed_policy_arns": (),
            "policy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": [f"logs:{action}" for action in actions],
                        "Resource": [group, f"{group}:*"],
                    }
                ],
            },
        }
    }


def test_identities_are_those_of_argo_cd_and_of_listed_add_ons() -> None:
    assert build_identity_args(settings(), ACCOUNT) == {
        "account_id": ACCOUNT.id,
        "region": ACCOUNT.region,
        "cluster_name": "gitops-stack-test",
        "argocd_namespace": "argocd",
        "ebs_csi_driver": True,
    }
    add_ons = {
        "externalSecrets": {"secrets": [f"{ARN}:acme/*"]},
        "loadBalancerController": {"namespace": "lb"},
        "externalDns": {"hostedZoneIds": ["Z1"], "serviceAccount": "dns"},
    }
    argocd = {**GOOD["argocd"], "namespace": "gitops"}
    assert build_identity_args(settings(addOns=add_ons, argocd=argocd), ACCOUNT) == {
        "account_id": ACCOUNT.id,
        "region": ACCOUNT.region,
        "cluster_name": "gitops-stack-test",
        "argocd_namespace": "gitops",
        "ebs_csi_driver": True,
        "external_secrets": {
            "namespace": "external-secrets",
            "service_account": "external-secrets",
            "secret_arns": (f"{ARN}:acme/*",),
        },
        "load_balancer_controller": {"namespace": "lb", "service_account": "aws-load-balancer-controller"},
        "external_dns": {"namespace": "external-dns", "service_account": "dns", "hosted_zone_ids": ("Z1",)},
    }


def test_every_setting_of_the_registry_arrives() -> None:
    given = settings(
        registry={
            "repositories": {"shop": {"keepLast": 5, "prefixes": ["v"], "untaggedDays": 3, "mutableTags": ["c-*"]}},
            "kmsKeyArn": KEY,
            "forceDelete": True,
            "pullAccess": {"organizationId": "o-abcdefghij", "accounts": ["210987654321"]},
            "pullThroughCache": ["quay.io"],
            "ownsAccountRegistry": True,
            "replicateTo": {"regions": ["eu-west-1"], "accounts": ["210987654321"]},
            "scanning": "basic",
        }
    )
    assert given.registry is not None
    assert build_registry_args(given, given.registry, ACCOUNT, {"team": "platform"}) == {
        "account_id": ACCOUNT.id,
        "region": ACCOUNT.region,
        "repositories": {
            "shop": {"keep_last": 5, "prefixes": ("v",), "untagged_days": 3, "mutable_tags": ("c-*",)},
        },
        "force_delete": True,
        "pull_access": {"accounts": ("210987654321",), "organization_id": "o-abcdefghij"},
        "pull_through_cache": ("quay.io",),
        "pull_through_credentials": {},
        "cache_namespace": "test",
        "cache_tags": {"team": "platform"},
        "owns_account_registry": True,
        "kms_key_arn": KEY,
        "replicate_to": {"regions": ("eu-west-1",), "accounts": ("210987654321",)},
        "scanning": "basic",
    }


def test_a_registry_that_does_not_own_the_account_s_leaves_it_alone() -> None:
    given = settings()
    assert given.registry is not None
    built = build_registry_args(given, given.registry, ACCOUNT, {})
    assert built.keys() & {"replicate_to", "scanning", "kms_key_arn"} == set()


def test_pipelines_get_their_repositories_and_previewers_the_secrets_they_read() -> None:
    given = settings(
        ci={
            "publishers": {
                "app": {
                    "github": "acme/app",
                    "tags": ["v*"],
                    "environments": ["release"],
                    "repositories": ["guestbook"],
                },
                "lab": {"gitlab": "acme/lab", "repositories": ["guestbook"]},
            },
            "previewers": {"platform": {"gitlab": "acme/platform"}},
            "githubProviderArn": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
            "stateBucketArn": "arn:aws:s3:::state",
            "stateKeyArn": KEY,
        },
        gitops={**GOOD["gitops"], "credentials": {"secretsManager": "acme/gitops-repo"}},
        registry={"repositories": {"guestbook": {}}, "pullThroughCache": ["ghcr.io"]},
    )
    assert given.ci is not None
    built = build_ci_args(given, given.ci, ACCOUNT)
    guestbook = ["arn:aws:ecr:eu-central-1:123456789012:repository/guestbook"]
    assert built["publishers"]["app"] == {
        "github": "acme/app",
        "branches": ("main",),
        "tags": ("v*",),
        "environments": ("release",),
        "repository_arns": guestbook,
    }
    assert built["publishers"]["lab"]["gitlab"] == "acme/lab"
    assert built["previewers"] == {"platform": {"gitlab": "acme/platform"}}
    assert built["preview"] == {
        "read_secret_arns": [f"{ARN}:acme/gitops-repo-??????"],
        "known_secret_arns": [f"{ARN}:ecr-pullthroughcache/ghcr.io-??????"],
        "state_bucket_arn": "arn:aws:s3:::state",
        "state_key_arn": KEY,
    }
    assert built["github_provider_arn"] == given.ci.github_provider_arn
    assert "gitlab_provider_arn" not in built


def test_a_secret_given_by_its_arn_is_read_by_it() -> None:
    arn = f"{ARN}:acme/gitops-repo-a1b2c3"
    given = settings(gitops={**GOOD["gitops"], "credentials": {"secretsManager": arn}})
    assert given.ci is not None
    assert build_ci_args(given, given.ci, ACCOUNT)["preview"]["read_secret_arns"] == [arn]
