"""Stacks written for AWS, run end to end: real engine, API server and Argo CD; doubles of AWS."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import boto3
import pytest
from lightkube.resources.core_v1 import Node

from gitops_stack.account.base.stack_file import Entry, write_entries
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.state_policies import State
from gitops_stack.errors import GitOpsStackError
from gitops_stack.iam_rules import check_document
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.made import Made
from gitops_stack.lab.rehearsal import Rehearsal, load_rehearsed
from gitops_stack.lab.rehearsal_prerequisites import PASSWORD
from gitops_stack.lab.tools import build_tools
from gitops_stack.live.reading import ObjectReference, connect, load_objects
from pulumi_aws_double.actions import load_used
from pulumi_aws_double.endpoint_gate import NAME as ENDPOINT_GATE
from tests.e2e.scenario import ROOT, say
from tests.stacks import compare_golden

pytestmark = pytest.mark.e2e

OTHER = [{"Key": "gitops-stack:stack", "Value": "other"}, {"Key": "gitops-stack:project", "Value": "gitops-stack"}]
DOCUMENTS = ("assumeRolePolicy", "policy", "repositoryPolicy")


def open_rehearsal(folder: Path, stack: str) -> Rehearsal:
    """Return a rehearsal of this project's stack with a lab of its own."""
    lab = Lab.open(folder / "lab", build_tools(say))
    return Rehearsal.open(lab, ROOT, stack)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    rehearsal = open_rehearsal(tmp_path_factory.mktemp("dev"), "dev")
    try:
        rehearsal.start(ROOT, say)
        yield rehearsal
    finally:
        rehearsal.report.lab.down(say)


def client(rehearsal: Rehearsal, service: str) -> Any:
    environment = rehearsal.report.engine.extra
    return boto3.client(
        service,
        region_name=environment["AWS_REGION"],
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id="double",
        aws_secret_access_key="double",
    )


def resources(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    """Read the stack's resources out of the engine's state."""
    engine = rehearsal.report.engine
    exported = json.loads(engine.run("stack", "export", "--stack", engine.stack, limit_seconds=60))
    found: list[dict[str, Any]] = exported["deployment"].get("resources", [])
    return found


def check_actions(rehearsal: Rehearsal) -> None:
    """Hold what the stack's run took as the role for up against the recording tests/account/base looks at."""
    used = load_used(rehearsal.report.lab.state.directory / "aws-roles" / "up.json")
    compare_golden(f"{rehearsal.settings.stack}-actions.txt", "".join(f"{action}\n" for action in sorted(used)))


def labels_of(node: Node) -> dict[str, str]:
    assert node.metadata is not None
    return node.metadata.labels or {}


def of_type(rehearsal: Rehearsal, kind: str) -> list[dict[str, Any]]:
    return [found for found in resources(rehearsal) if found["type"].endswith(f":{kind}")]


def check_documents(rehearsal: Rehearsal) -> list[str]:
    """Hold every IAM document of the state against the rules; return how many there were and what was found."""
    findings, count = [], 0
    for found in resources(rehearsal):
        for key in DOCUMENTS:
            text = found.get("inputs", {}).get(key)
            if isinstance(text, str) and text.startswith("{") and "lifecycle" not in found["type"]:
                count += 1
                findings += check_document(json.loads(text), f"{found['type']} {found['urn'].rpartition('::')[2]}")
    assert count > 8
    return findings


def assert_no_secret_in_the_state(rehearsal: Rehearsal) -> None:
    state = rehearsal.report.lab.state.directory
    kubeconfig = json.loads(rehearsal.report.lab.state.kubeconfig.read_text(encoding="utf-8"))
    secrets = [PASSWORD, kubeconfig["users"][0]["user"]["token"]]
    files = [file for file in (state / "pulumi").rglob("*") if file.is_file()]
    assert len(files) >= 1
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        assert not [secret for secret in secrets if secret in text], file


def test_the_unchanged_stack_file_is_previewed_and_made(dev: Rehearsal) -> None:
    own = (dev.report.workspace.directory / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    committed = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    assert own.split("config:")[1].startswith(committed.split("config:")[1].rstrip()[:200])
    dev.preview(say)
    dev.up(say)
    assert dev.planned["create"] == dev.report.changes["create"]
    assert (dev.report.lab.state.directory / "pulumi-home" / "logs").is_file(), "the engine logs nothing of its own"
    assert len(dev.made) == dev.planned["create"]


def test_argo_cd_takes_over_and_pulumi_has_nothing_left_to_do(dev: Rehearsal) -> None:
    dev.hand_over(say)
    assert dev.report.certificate.complete
    dev.preview_again(say)


def test_the_kubeconfig_of_the_cluster_reaches_the_lab_through_aws_get_token(dev: Rehearsal) -> None:
    provider = next(found for found in of_type(dev, "kubernetes") if found["urn"].endswith("::gitops-stack-cluster"))
    config = json.loads(provider["inputs"]["kubeconfig"])
    execution = config["users"][0]["user"]["exec"]
    assert execution["command"] == "aws"
    assert execution["args"][:4] == ["--region", "ap-northeast-1", "eks", "get-token"]
    port = dev.report.lab.state.load_ports()[ENDPOINT_GATE]
    assert config["clusters"][0]["cluster"]["server"] == f"https://127.0.0.1:{port}"


def test_status_logs_in_with_a_token_that_the_library_signs(dev: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    done = dev.run_command("status")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "objects owned by argocd-controller alone" in done.stdout
    done = dev.run_command("status", variables={"AWS_ACCESS_KEY_ID": "AKIDSTRANGER"})
    assert done.returncode != 0
    assert "Unauthorized" in done.stderr


def test_auto_mode_brings_the_nodes(dev: Rehearsal) -> None:
    with connect(dev.report.lab.state.kubeconfig) as api:
        zones = {labels_of(node)["topology.kubernetes.io/zone"] for node in api.list(Node)}
    assert zones == {"ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"}


def test_the_cluster_secret_tells_what_was_made(dev: Rehearsal) -> None:
    reference = ObjectReference("", "Secret", "argocd", "in-cluster", "v1")
    with connect(dev.report.lab.state.kubeconfig) as api:
        secret = load_objects(api, [reference])[reference.text]
    assert secret is not None
    vpc = of_type(dev, "Vpc")[0]
    role = next(found for found in of_type(dev, "Role") if found["urn"].endswith("::gitops-stack-pod-identity-argocd"))
    metadata = secret["metadata"]
    assert {key: value for key, value in metadata["labels"].items() if "/" not in key} == {
        "stack": "dev",
        "region": "ap-northeast-1",
    }
    assert metadata["annotations"]["vpcId"] == vpc["id"]
    assert metadata["annotations"]["argocdRoleArn"] == role["outputs"]["arn"]


def test_every_iam_document_keeps_the_rules(dev: Rehearsal) -> None:
    assert check_documents(dev) == []


def test_no_secret_is_in_the_state_in_plain_text(dev: Rehearsal) -> None:
    assert_no_secret_in_the_state(dev)


def test_only_listed_networks_reach_the_public_endpoint(dev: Rehearsal) -> None:
    config = next(found for found in of_type(dev, "Cluster") if "vpcConfig" in found.get("inputs", {}))["inputs"][
        "vpcConfig"
    ]
    assert (config["endpointPublicAccess"], config["publicAccessCidrs"]) == (True, ["203.0.113.0/24"])


def test_destroy_leaves_what_pulumi_never_knew_and_sweep_finds_exactly_that(dev: Rehearsal) -> None:
    ec2 = client(dev, "ec2")
    strangers = make_strangers(dev)
    made = make_leftovers(dev)
    with pytest.raises(GitOpsStackError, match="DependencyViolation"):
        dev.destroy(say)
    _FIRST_DESTROY.extend(dev.unmade)
    listed = {found["id"].rpartition("/")[2] for found in dev.sweep()["leftovers"] if not found["keep"]}
    network = {found["id"] for found in resources(dev) if found.get("id")}  # what destroy has still to take down
    assert listed - network == made
    dev.sweep("--delete", "--yes", "--limit", "20")
    dev.destroy(say)
    dev.look_for_leftovers(say)
    assert dev.left == []
    assert resources(dev) == []
    check_actions(dev)
    assert {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]} >= strangers


def test_what_talks_to_the_cluster_leaves_before_the_access_entries(dev: Rehearsal) -> None:
    order = [(step.type, step.begun) for step in _FIRST_DESTROY]
    assert dev.unmade, "the rest of the network went in the second run"
    objects = [begun for kind, begun in order if kind.startswith("kubernetes:")]
    entries = [begun for kind, begun in order if kind == "aws:eks/accessEntry:AccessEntry"]
    policies = [begun for kind, begun in order if kind == "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"]
    assert len(entries) == len(policies) == 3
    assert objects
    assert max(objects) <= min(policies) <= min(entries)


_FIRST_DESTROY: list[Made] = []


def make_strangers(rehearsal: Rehearsal) -> set[str]:
    """Make what another stack has in the same account."""
    ec2 = client(rehearsal, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=OTHER)
    return {vpc}


def make_leftovers(rehearsal: Rehearsal) -> set[str]:
    """Make what controllers in the cluster make: a load balancer with its security group, a volume of a claim."""
    name = rehearsal.settings.cluster_name
    ec2, balancing = client(rehearsal, "ec2"), client(rehearsal, "elbv2")
    subnets = [found["id"] for found in of_type(rehearsal, "Subnet") if "public" in found["urn"]]
    vpc = of_type(rehearsal, "Vpc")[0]["id"]
    owner = [{"Key": "elbv2.k8s.aws/cluster", "Value": name}]
    group = ec2.create_security_group(GroupName="k8s-storefront", Description="of a load balancer", VpcId=vpc)[
        "GroupId"
    ]
    ec2.create_tags(Resources=[group], Tags=owner)
    balancer = balancing.create_load_balancer(Name="storefront", Subnets=subnets, SecurityGroups=[group], Tags=owner)
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    volume = ec2.create_volume(AvailabilityZone="ap-northeast-1a", Size=1)["VolumeId"]
    ec2.create_tags(Resources=[volume], Tags=[{"Key": f"kubernetes.io/cluster/{name}", "Value": "owned"}])
    return {group, arn.rpartition("/")[2], volume}


@pytest.fixture(scope="module")
def prd(tmp_path_factory: pytest.TempPathFactory, dev: Rehearsal) -> Iterator[Rehearsal]:
    dev.report.lab.down(say)  # one at a time: two labs are 3 GB
    rehearsal = open_rehearsal(tmp_path_factory.mktemp("prd"), "prd")
    try:
        rehearsal.start(ROOT, say)
        bind(rehearsal)
        rehearsal.up(say)
        rehearsal.hand_over(say)
        yield rehearsal
    finally:
        rehearsal.report.lab.down(say)


BOUNDARY = "arn:aws:iam::210987654321:policy/gitops-stack/gitops-stack-boundary"


def bind(rehearsal: Rehearsal) -> None:
    """Name the boundary in the rehearsed stack file, as `gitops-stack account init` does, which makes it as well."""
    folder, stack = rehearsal.report.workspace.directory, rehearsal.settings.stack
    file = folder / f"Pulumi.{stack}.yaml"
    entry = Entry(("account", "permissionsBoundaryArn"), BOUNDARY)
    file.write_text(write_entries(file.read_text(encoding="utf-8"), file.name, [entry]), encoding="utf-8")
    rehearsal.settings = load_rehearsed(folder, stack)
    rehearsal.assumed = rehearsal._write_prerequisites()


def test_every_role_of_production_is_bound_those_of_pulumi_eks_too(prd: Rehearsal) -> None:
    roles = [found for found in of_type(prd, "Role") if found["type"].startswith("aws:iam/")]
    assert [found["inputs"].get("permissionsBoundary") for found in roles] == [BOUNDARY] * len(roles)
    owners = {found["parent"].split("::")[-2].rpartition("$")[2] for found in roles}
    assert {"eks:index:ServiceRole", "gitops-stack:index:PodIdentity"} <= owners
    assert all(found["outputs"]["name"].startswith("gitops-stack-") for found in roles), "the policy of up ends there"


def test_the_state_of_a_stack_is_where_its_roles_look_for_it(prd: Rehearsal) -> None:
    state = State(AccountRegion("210987654321", "ap-northeast-1"), "prd", "acme", "key")
    backend = prd.report.engine.backend.folder
    keys = {str(file.relative_to(backend)) for file in backend.rglob("*") if file.is_file()}
    own = {key for key in keys if not key.endswith(".attrs")}  # of a folder, not of a bucket
    patterns = [*state.objects, state.marker]
    assert {key for key in own if not any(fnmatch(f"{state.bucket_arn}/{key}", one) for one in patterns)} == set()
    assert any("/history/" in key for key in own)


def test_production_is_highly_available_on_its_node_groups(prd: Rehearsal) -> None:
    assert prd.report.certificate.complete
    with connect(prd.report.lab.state.kubeconfig) as api:
        nodes = list(api.list(Node))
    groups = [labels_of(node)["eks.amazonaws.com/nodegroup"] for node in nodes]
    assert (
        sorted(group.rpartition("-")[0] for group in groups)
        == ["gitops-stack-eks-nodes-general"] * 4 + ["gitops-stack-eks-nodes-system"] * 2
    )
    tainted = [node for node in nodes if node.spec and node.spec.taints]
    assert len(tainted) == 2


def test_production_has_hardened_nodes_and_a_private_endpoint(prd: Rehearsal) -> None:
    for found in of_type(prd, "LaunchTemplate"):
        options = found["inputs"]["metadataOptions"]
        assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1)
        assert {mapping["ebs"]["encrypted"] for mapping in found["inputs"]["blockDeviceMappings"]} == {"true"}
    cluster = next(found for found in of_type(prd, "Cluster") if "vpcConfig" in found.get("inputs", {}))
    assert cluster["inputs"]["vpcConfig"]["endpointPublicAccess"] is False
    assert cluster["inputs"]["encryptionConfig"]["resources"] == ["secrets"]
    assert check_documents(prd) == []
    assert_no_secret_in_the_state(prd)


def test_production_is_not_destroyed_before_its_protection_is_off(prd: Rehearsal) -> None:
    engine = prd.report.engine
    before = {found["urn"] for found in resources(prd)}
    with pytest.raises(GitOpsStackError, match="cannot be deleted"):
        engine.run("destroy", "--yes", "--stack", engine.stack, limit_seconds=300)
    assert {found["urn"] for found in resources(prd)} == before, "nothing went before it was refused"
    prd.destroy(say)
    prd.look_for_leftovers(say)
    assert prd.left == []
    check_actions(prd)


def test_a_stack_on_an_existing_cluster_is_not_rehearsed(tmp_path: Path) -> None:
    lab = Lab.open(tmp_path / "lab", build_tools(say))
    with pytest.raises(GitOpsStackError, match="found existing; a rehearsal needs eks"):
        Rehearsal.open(lab, ROOT, "local")
    shutil.rmtree(tmp_path / "lab")
