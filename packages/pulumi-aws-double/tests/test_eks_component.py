"""The eks double registers what upstream's component registered, for every argument set of the recording."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from eks_engine import UNKNOWN, Engine, ProgramError, Registration, Run, start_engine

with warnings.catch_warnings():  # its import warns of a class of its own that nobody here uses
    warnings.simplefilter("ignore", DeprecationWarning)
    import pulumi_eks as eks

RECORDING = json.loads((Path(__file__).parent / "eks-component.json").read_text(encoding="utf-8"))
# The SDK loads whole services, deprecated classes among them.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_aws.*")
NODE_GROUP = "eks:index:ManagedNodeGroup"
NODES = ("aws:iam/role:Role", "nodes")
NODE_GROUP_CHILD = ("aws:eks/nodeGroup:NodeGroup", "system")
MANAGED = RECORDING["managed-nodes"]["clusterArgs"]
ADMINS = MANAGED["access_entries"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("bin")
    executable = folder / "aws"
    executable.write_text("#!/bin/sh\necho aws-cli/2.31.0\n")
    executable.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    environment.pop("AWS_PROFILE", None)
    with start_engine(environment) as engine:
        yield engine


def run_recorded(name: str, engine: Engine, *, dry_run: bool = False) -> Run:
    arguments = RECORDING[name]["clusterArgs"]
    has_nodes = any(resource["type"] == NODE_GROUP for resource in RECORDING[name]["resources"])

    def program() -> None:
        nodes = aws.iam.Role("nodes", assume_role_policy="{}")
        cluster = eks.Cluster("main", **arguments)
        if has_nodes:
            eks.ManagedNodeGroup(
                "system",
                cluster=cluster,
                node_role=nodes,
                ami_type="AL2023_ARM_64_STANDARD",
                instance_types=["m7g.large"],
                labels={"pool": "system"},
                scaling_config={"desired_size": 4, "min_size": 4, "max_size": 6},
                subnet_ids=["subnet-1", "subnet-2"],
                taints=[{"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}],
            )

    return engine.run(program, dry_run=dry_run)


def run_cluster(engine: Engine, *, config: dict[str, str] | None = None, **more: Any) -> Run:
    def program() -> None:
        eks.Cluster("main", **MANAGED, **more)

    return engine.run(program, config=config)


def normalise(found: Registration) -> dict[str, Any]:
    """Bring a registration into the recording's form, which leaves out what is empty."""
    inputs = dict(found.inputs)
    if found.type == "pulumi:providers:kubernetes":
        inputs["kubeconfig"] = "<kubeconfig>"
    form: dict[str, Any] = {"type": found.type, "name": found.name, "parent": found.parent, "custom": found.custom}
    if found.type == "eks:index:Cluster":  # of the component itself, the recording has the keys of its outputs
        return {**form, "outputKeys": sorted(found.outputs)}
    form["inputs"] = inputs
    form.update({"ignoreChanges": found.ignore_changes} if found.ignore_changes else {})
    form.update({"dependsOn": found.depends_on} if found.depends_on else {})
    return form


def by_name(resources: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    assert len({(each["type"], each["name"]) for each in resources}) == len(resources)
    return {(each["type"], each["name"]): each for each in resources}


def sort_calls(calls: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(call, sort_keys=True) for call in calls)


def read_exec(kubeconfig: str) -> list[str]:
    execution = json.loads(kubeconfig)["users"][0]["user"]["exec"]
    assert execution["command"] == "aws"
    arguments: list[str] = execution["args"]
    return arguments


def test_recording_holds_six_argument_sets() -> None:
    assert len(RECORDING) == 6


@pytest.mark.parametrize("name", RECORDING)
def test_registers_and_calls_exactly_what_upstream_did(name: str, engine: Engine) -> None:
    run = run_recorded(name, engine)

    assert by_name([normalise(found) for found in run.resources]) == by_name(RECORDING[name]["resources"])
    assert sort_calls(run.invokes) == sort_calls(RECORDING[name]["invokes"])


@pytest.mark.parametrize("name", ["auto-mode", "managed-nodes"])
def test_preview_shows_the_same_resources(name: str, engine: Engine) -> None:
    run = run_recorded(name, engine, dry_run=True)

    assert {(found.type, found.name) for found in run.resources} == set(by_name(RECORDING[name]["resources"]))


def test_preview_shows_every_resource_while_network_key_and_principal_are_unknown(engine: Engine) -> None:
    def program() -> None:
        vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
        subnets = [aws.ec2.Subnet(f"subnet-{zone}", vpc_id=vpc.id) for zone in "ab"]
        key = aws.kms.Key("key")
        role = aws.iam.Role("admins", assume_role_policy="{}")
        given = {"vpc_id": vpc.id, "private_subnet_ids": [subnet.id for subnet in subnets]}
        entry = {**ADMINS["admins"], "principal_arn": role.arn}
        arguments = {**MANAGED, **given, "encryption_config_key_arn": key.arn, "access_entries": {"admins": entry}}
        eks.Cluster("main", **arguments)

    run = engine.run(program, dry_run=True)

    expected = set(by_name(RECORDING["managed-nodes"]["resources"])) - {NODES, (NODE_GROUP, "system"), NODE_GROUP_CHILD}
    own = {(found.type, found.name) for found in run.resources if found.parent != "t5-dev" or found.name == "main"}
    assert own == expected
    cluster = run.find("aws:eks/cluster:Cluster", "main-eksCluster").inputs
    assert cluster["vpcConfig"]["subnetIds"] == UNKNOWN
    assert cluster["encryptionConfig"]["provider"]["keyArn"] == UNKNOWN


def test_children_inherit_the_explicit_provider(engine: Engine) -> None:
    def program() -> None:
        account = aws.Provider("account", region="eu-west-1")
        eks.Cluster("main", **MANAGED, opts=pulumi.ResourceOptions(providers=[account]))

    run = engine.run(program)

    children = [found for found in run.resources if found.type.startswith("aws:")]
    reference = "urn:pulumi:dev::t5::pulumi:providers:aws::account::account-id"
    assert len(children) > 10
    assert {child.provider for child in children} == {reference}
    assert run.invoke_providers == {reference}


def test_children_ask_for_upstreams_plugin_without_an_explicit_provider(engine: Engine) -> None:
    run = run_recorded("managed-nodes", engine)

    own = [found for found in run.resources if found.type.startswith("aws:") and found.parent != "t5-dev"]
    assert {found.version for found in own} == {"7.25.0"}


def test_returns_a_kubeconfig_that_calls_the_aws_cli(engine: Engine) -> None:
    run = run_cluster(engine)

    outputs = run.find("eks:index:Cluster", "main").outputs
    assert json.loads(outputs["kubeconfigJson"]) == outputs["kubeconfig"]
    assert outputs["kubeconfig"]["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:6443",
        "certificate-authority-data": "Y2VydA==",
    }
    assert read_exec(outputs["kubeconfigJson"]) == [
        "--region", "us-east-1", "eks", "get-token", "--cluster-name", "main", "--output", "json",
    ]  # fmt: skip


def test_only_its_own_kubernetes_provider_uses_the_profile(engine: Engine) -> None:
    credentials = {"role_arn": "arn:aws:iam::123456789012:role/deploy", "profile_name": "work"}

    run = run_cluster(engine, provider_credential_opts=credentials)

    role = ["--role", "arn:aws:iam::123456789012:role/deploy"]
    nested = run.find("pulumi:providers:kubernetes", "main-eks-k8s").inputs["kubeconfig"]
    assert read_exec(nested)[-4:] == [*role, "--profile", "work"]
    assert read_exec(run.find("eks:index:Cluster", "main").outputs["kubeconfigJson"])[-2:] == role


def test_takes_the_profile_of_the_stack_when_no_credentials_are_given(engine: Engine) -> None:
    run = run_cluster(engine, config={"aws:profile": "stack"})

    nested = run.find("pulumi:providers:kubernetes", "main-eks-k8s").inputs["kubeconfig"]
    assert read_exec(nested)[-2:] == ["--profile", "stack"]


def test_returns_the_identity_of_the_cluster(engine: Engine) -> None:
    run = run_recorded("auto-mode", engine)

    outputs = run.find("eks:index:Cluster", "main").outputs
    assert outputs["oidcProviderUrl"] == "https://oidc.eks.us-east-1.amazonaws.com/id/1"
    assert outputs["oidcIssuer"] == "oidc.eks.us-east-1.amazonaws.com/id/1"
    assert outputs["oidcProviderArn"] == ""
    assert outputs["clusterSecurityGroupId"] == outputs["nodeSecurityGroupId"] == "sg-made-by-eks"
    assert outputs["core"]["cluster"]["id"] == outputs["eksCluster"]["id"] == "main-eksCluster-id"
    assert outputs["core"]["subnetIds"] == ["subnet-1", "subnet-2"]


def test_get_kubeconfig_names_role_and_profile(engine: Engine) -> None:
    found: list[str] = []

    def program() -> None:
        cluster = eks.Cluster("main", **MANAGED)
        cluster.get_kubeconfig(role_arn="arn:aws:iam::123456789012:role/ops", profile_name="ops").apply(found.append)

    engine.run(program)

    assert read_exec(found[0])[-4:] == ["--role", "arn:aws:iam::123456789012:role/ops", "--profile", "ops"]


def test_node_group_takes_what_it_is_not_given_from_the_cluster(engine: Engine) -> None:
    def program() -> None:
        cluster = eks.Cluster("main", **MANAGED)
        eks.ManagedNodeGroup("plain", cluster=cluster.core, node_role_arn="arn:aws:iam::123456789012:role/nodes")

    group = engine.run(program).find("aws:eks/nodeGroup:NodeGroup", "plain")

    assert group.inputs == {
        "clusterName": "main",
        "nodeRoleArn": "arn:aws:iam::123456789012:role/nodes",
        "scalingConfig": {"desiredSize": 2, "minSize": 1, "maxSize": 2},
        "subnetIds": ["subnet-1", "subnet-2"],
        "version": "1.35",
    }


def test_refuses_in_one_sentence_what_it_does_not_reproduce(engine: Engine) -> None:
    with pytest.raises(ProgramError) as refused:
        run_cluster(engine, fargate=True)

    assert str(refused.value) == "eks double: the argument `fargate` is not reproduced here"


def test_refuses_networks_for_an_endpoint_found_out_to_be_private(engine: Engine) -> None:
    def program() -> None:
        private = aws.iam.Role("late", assume_role_policy="{}").arn.apply(lambda _: False)
        eks.Cluster("main", **{**MANAGED, "endpoint_public_access": private})

    with pytest.raises(ProgramError) as refused:
        engine.run(program)

    assert str(refused.value) == "`publicAccessCidrs` can only be set when `endpointPublicAccess` is true"


def test_refuses_other_components(engine: Engine) -> None:
    def program() -> None:
        cluster = eks.Cluster("main", **MANAGED)
        eks.Addon("snapshots", cluster=cluster, addon_name="snapshot-controller")

    with pytest.raises(ProgramError) as refused:
        engine.run(program)

    assert str(refused.value) == "eks double: the component `eks:index:Addon` is not reproduced here"
