"""The pure parts of the eks double: names, kubeconfig, add-on configuration, versions of the AWS CLI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pulumi_aws_double.eks_component.addons import wants_coredns, wants_kube_proxy
from pulumi_aws_double.eks_component.aws_executable import check_aws_executable, check_version
from pulumi_aws_double.eks_component.kubeconfig import build_kubeconfig, render_kubeconfig
from pulumi_aws_double.eks_component.roles import policy_suffix
from pulumi_aws_double.eks_component.vpc_cni import build_configuration
from pulumi_aws_double.errors import EnvironmentProblem

GUIDE = (
    "See https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html for installation instructions."
)


def test_names_attachments_by_the_sha1_of_the_policys_arn() -> None:
    assert policy_suffix("AmazonEKSClusterPolicy") == "4b490823"


def test_builds_the_kubeconfig_upstream_builds() -> None:
    kubeconfig = build_kubeconfig(
        cluster_name="main",
        endpoint="https://127.0.0.1:6443",
        certificate_authority="Y2VydA==",
        region="eu-west-1",
        role_arn="arn:aws:iam::123456789012:role/ops",
        profile="ops",
    )

    assert render_kubeconfig(kubeconfig) == (
        '{"apiVersion":"v1","clusters":[{"cluster":{"server":"https://127.0.0.1:6443",'
        '"certificate-authority-data":"Y2VydA=="},"name":"kubernetes"}],'
        '"contexts":[{"context":{"cluster":"kubernetes","user":"aws"},"name":"aws"}],"current-context":"aws",'
        '"kind":"Config","users":[{"name":"aws","user":{"exec":{'
        '"apiVersion":"client.authentication.k8s.io/v1beta1","command":"aws",'
        '"args":["--region","eu-west-1","eks","get-token","--cluster-name","main","--output","json",'
        '"--role","arn:aws:iam::123456789012:role/ops","--profile","ops"],'
        '"env":[{"name":"KUBERNETES_EXEC_INFO",'
        '"value":"{\\"apiVersion\\": \\"client.authentication.k8s.io/v1beta1\\"}"}]}}}]}'
    )


@pytest.mark.parametrize(
    ("options", "variable", "value"),
    [
        ({}, "WARM_ENI_TARGET", "1"),
        ({"warmEniTarget": 0.0}, "WARM_ENI_TARGET", "0"),
        ({"warmIpTarget": 3.0}, "WARM_IP_TARGET", "3"),
        ({}, "WARM_IP_TARGET", None),
        ({"enablePrefixDelegation": True}, "ENABLE_PREFIX_DELEGATION", "true"),
        ({"enablePrefixDelegation": False}, "ENABLE_PREFIX_DELEGATION", None),
        ({"externalSnat": True}, "AWS_VPC_K8S_CNI_EXTERNALSNAT", "true"),
        ({"cniExternalSnat": True}, "AWS_VPC_K8S_CNI_EXTERNALSNAT", "true"),
        ({"customNetworkConfig": True}, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"),  # upstream's own slip
        ({"configurationValues": {"env": {"AWS_VPC_ENI_MTU": "1500"}}}, "AWS_VPC_ENI_MTU", "1500"),
    ],
)
def test_turns_cni_options_into_variables(options: dict[str, Any], variable: str, value: str | None) -> None:
    assert build_configuration(options)["env"].get(variable) == value


def test_given_cni_configuration_wins_and_the_rest_stays() -> None:
    given = {"enableNetworkPolicy": "false", "init": {"image": "own"}, "nodeAgent": {"enabled": "true"}}

    built = build_configuration({"enableNetworkPolicy": True, "configurationValues": given})

    assert built["enableNetworkPolicy"] == "false"
    assert built["init"] == {"image": "own", "env": {"DISABLE_TCP_EARLY_DEMUX": "false"}}
    assert built["nodeAgent"] == {"enabled": "true"}


@pytest.mark.parametrize(
    ("options", "auto_mode", "skips_node_group", "expected"),
    [
        ({}, False, True, False),
        ({"enabled": True}, False, True, True),
        ({"configurationValues": {"replicaCount": 2}}, False, True, True),
        ({}, True, True, True),
        ({"enabled": False}, True, True, False),
    ],
)
def test_installs_coredns_only_where_nodes_are_known(
    options: dict[str, Any], auto_mode: bool, skips_node_group: bool, expected: bool
) -> None:
    assert wants_coredns(options, auto_mode=auto_mode, skips_node_group=skips_node_group) is expected


def test_installs_kube_proxy_but_beside_auto_mode() -> None:
    assert wants_kube_proxy({}, auto_mode=False)
    assert not wants_kube_proxy({}, auto_mode=True)
    assert wants_kube_proxy({"enabled": True}, auto_mode=True)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("aws-cli/2.31.0 Python/3.13 Linux/6", None),
        ("aws-cli/1.24.0 Python/3.8", None),
        ("aws-cli/1.23.9 Python/3.8",
         f"At least v1.24.0 of aws-cli is required. Current version is: 1.23.9. {GUIDE}"),
        ("aws-cli/2.6.4 Python/3.9",
         f"At least v2.7.0 of aws-cli is required. Current version is: 2.6.4. {GUIDE}"),
        ("hello\n", "aws --version: answered 'hello'; the AWS CLI answers aws-cli/<version>."),
    ],
)  # fmt: skip
def test_takes_aws_clis_that_mint_tokens_of_this_version(answer: str, problem: str | None) -> None:
    assert check_version(answer) == problem


def test_says_when_there_is_no_aws_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EnvironmentProblem, match=f"Could not find aws CLI for EKS. {GUIDE}"):
        check_aws_executable()
