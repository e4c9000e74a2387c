"""Arguments of the Cluster and the ManagedNodeGroup that are rejected, as upstream does or by name."""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi
import pytest

from pulumi_aws_double.eks_component.arguments import check_cluster_arguments
from pulumi_aws_double.eks_component.node_group import check_node_group_arguments
from pulumi_aws_double.errors import DoubleError

ACCEPTED: dict[str, Any] = {"authenticationMode": "API", "skipDefaultNodeGroup": True, "vpcId": "vpc-1"}
NOT_HERE = "eks double: the argument `{}` is not reproduced here"
UPSTREAM: list[tuple[dict[str, Any], str]] = [
    (
        {"instanceRole": "role", "instanceRoles": []},
        "instanceRole and instanceRoles are mutually exclusive, and cannot both be set.",
    ),
    (
        {"subnetIds": ["a"], "privateSubnetIds": ["b"]},
        "subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive. "
        "Choose a single approach.",
    ),
    (
        {"nodeGroupOptions": {}, "minSize": 1},
        "Setting nodeGroupOptions, and any set of singular node group option(s) on the cluster, is mutually exclusive. "
        "Choose a single approach.",
    ),
    (
        {"autoMode": {"enabled": True}, "authenticationMode": None},
        "Access entries are required when using EKS Auto Mode. "
        "Use the authentication mode 'API' or 'API_AND_CONFIG_MAP'.",
    ),
    (
        {"authenticationMode": "IAM"},
        "Invalid value for authenticationMode: IAM. Allowed values are: CONFIG_MAP, API_AND_CONFIG_MAP, API.",
    ),
    *(
        (
            {name: ["any"]},
            f"The '{name}' property does not support non-empty values when 'authenticationMode' is set to 'API'.",
        )
        for name in ("roleMappings", "userMappings", "instanceRoles")
    ),
    (
        {"authenticationMode": None, "accessEntries": {}},
        "The 'accessEntries' property is not supported when 'authenticationMode' is not set.",
    ),
    (
        {"authenticationMode": "CONFIG_MAP", "accessEntries": {}},
        "The 'accessEntries' property is not supported when 'authenticationMode' is set to 'CONFIG_MAP'.",
    ),
    (
        {"publicAccessCidrs": ["203.0.113.0/24"], "endpointPublicAccess": False},
        "`publicAccessCidrs` can only be set when `endpointPublicAccess` is true",
    ),
    (
        {"vpcCniOptions": {"cniExternalSnat": True, "externalSnat": True}},
        "Please specify one of `cniExternalSnat` or `externalSnat` in your VpcCniOptions",
    ),
    (
        {"creationRoleProvider": {"role": "role", "provider": "provider"}},
        "The `creationRoleProvider.provider` option is not supported in non-nodejs Pulumi programs. "
        "Please use the `providerCredentialOpts` option instead.",
    ),
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"fargate": True}, NOT_HERE.format("fargate")),
    ({"createOidcProvider": True}, NOT_HERE.format("create_oidc_provider")),
    ({"storageClasses": "gp2"}, NOT_HERE.format("storage_classes")),
    ({"instanceRole": "role"}, NOT_HERE.format("instance_role")),
    ({"desiredCapacity": 3}, NOT_HERE.format("desired_capacity")),
    ({"creationRoleProvider": {"role": "role"}}, NOT_HERE.format("creation_role_provider")),
    ({"vpcCniOptions": {"securityContextPrivileged": True}},
     NOT_HERE.format("vpc_cni_options.security_context_privileged")),
    ({"corednsAddonOptions": {"tags": {"a": "b"}}}, NOT_HERE.format("coredns_addon_options.tags")),
    ({"accessEntries": {"Admins": {"groups": ["a"]}}}, NOT_HERE.format("access_entries.Admins.groups")),
    ({"createInstanceRole": True}, NOT_HERE.format("create_instance_role") + " when it is true"),
    ({"vpcId": None}, NOT_HERE.format("vpc_id") + " unless it is set: there is no default VPC"),
    ({"skipDefaultNodeGroup": None},
     NOT_HERE.format("skip_default_node_group") + " unless it is true: no default node group is made"),
    ({"autoMode": {"enabled": True}, "skipDefaultNodeGroup": None},
     NOT_HERE.format("skip_default_node_group") + " unless it is true: no default node group is made"),
    ({"authenticationMode": "API_AND_CONFIG_MAP"},
     NOT_HERE.format("authentication_mode") + " other than API; upstream writes the aws-auth ConfigMap then"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), UPSTREAM)
def test_rejects_in_upstreams_words(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DoubleError) as rejected:
        check_cluster_arguments({**ACCEPTED, **arguments})

    assert str(rejected.value) == sentence


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED)
def test_refuses_by_name_what_it_does_not_reproduce(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DoubleError) as refused:
        check_cluster_arguments({**ACCEPTED, **arguments})

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"fargate": False, "createOidcProvider": False, "gpu": None, "minSize": 0},
        {"roleMappings": [], "instanceRoles": []},
        {"autoMode": {"enabled": True}, "skipDefaultNodeGroup": None, "createInstanceRole": False},
    ],
)
def test_accepts_arguments_that_ask_for_nothing_more(arguments: dict[str, Any]) -> None:
    check_cluster_arguments({**ACCEPTED, **arguments})


def test_names_every_argument_it_does_not_reproduce_at_once() -> None:
    with pytest.raises(DoubleError) as refused:
        check_cluster_arguments({**ACCEPTED, "fargate": True, "proxy": "http://127.0.0.1:1"})

    assert refused.value.findings == (NOT_HERE.format("fargate"), NOT_HERE.format("proxy"))


def test_refuses_an_output_where_the_resources_depend_on_the_value() -> None:
    async def check() -> str:
        try:
            check_cluster_arguments({**ACCEPTED, "skipDefaultSecurityGroups": pulumi.Output.from_input(True)})
        except DoubleError as refused:
            return str(refused)
        return ""

    assert asyncio.run(check()) == (
        NOT_HERE.format("skip_default_security_groups") + " as an output or a secret; it has to be plain"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"nodeRole": "r", "nodeRoleArn": "arn"},
         "You cannot specify both nodeRole and nodeRoleArn when creating a managed node group."),
        ({}, "An IAM role, or role ARN must be provided to create a managed node group"),
        ({"nodeRoleArn": "arn", "enableIMDSv2": True}, NOT_HERE.format("enable_imd_sv2") + " for a managed node group"),
        ({"nodeRoleArn": "arn", "userData": "x"}, NOT_HERE.format("user_data") + " for a managed node group"),
    ],
)  # fmt: skip
def test_rejects_node_groups(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DoubleError) as rejected:
        check_node_group_arguments({"cluster": "cluster", **arguments})

    assert str(rejected.value) == sentence
