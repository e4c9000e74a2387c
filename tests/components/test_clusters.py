"""A hub and a spoke, the whole programs under mocks: what each makes for the other, and what it reads of it."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from gitops_stack.components import HubAccess
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.iam_rules import check_document
from gitops_stack.manifests.cluster_metadata import produced_keys
from gitops_stack.testing import RegisteredResource, record_program
from tests.components.aws import check_common, children, document, run
from tests.stacks import CALLS, changed_config, changed_settings, compare_golden, objects, run_main

pytestmark = pytest.mark.usefixtures("in_project")
HUB_ROLE = "arn:aws:iam::210987654321:role/gitops-stack-pod-identity-argocd-4a5b6c7"
SPOKE_ROLE = "arn:aws:iam::210987654321:role/gitops-stack-hub-access-role-0123456"
SPOKE = {
    "server": "https://89ABEF01.gr7.ap-northeast-1.eks.amazonaws.com",
    "caData": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
    "roleArn": SPOKE_ROLE,
    "metadata": {"stack": "stage", "region": "ap-northeast-1", "clusterName": "gitops-stack-stage", "vpcId": "vpc-89"},
}
PAYMENTS = {**SPOKE, "server": "https://01.eks.amazonaws.com", "roleArn": f"{SPOKE_ROLE}-payments"}
STACKS: dict[str, dict[str, Any]] = {
    "organization/gitops-stack/stage": {"spoke": SPOKE},
    "acme/payments/prd": {"spoke": PAYMENTS},
    "organization/gitops-stack/hub": {"argocdRoleArn": HUB_ROLE},
}
BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    outputs: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "export", outputs.__setitem__)
    return outputs


def record(name: str, *, preview: bool = False, stacks: Any = None) -> dict[str, RegisteredResource]:
    config = changed_config("dev", name)
    found = record_program(
        run_main, stack="dev", config=config, preview=preview, calls=CALLS, stacks=STACKS if stacks is None else stacks
    )
    return {f"{one.type.rpartition(':')[2]}:{one.name}": one for one in found}


def secrets(found: dict[str, RegisteredResource]) -> list[RegisteredResource]:
    listed = objects(list(found.values()), "Secret")
    return sorted((one for one in listed if "/cluster-" in one.name), key=lambda one: one.name)


@BOTH
@pytest.mark.parametrize("name", ["hub", "spoke"])
def test_the_program_registers_the_golden_resources(name: str, preview: bool) -> None:
    lines = sorted(f"{one.type} {one.name} <- {one.parent or '-'}" for one in record(name, preview=preview).values())
    compare_golden(f"{name}-resources.txt", "\n".join(lines) + "\n")


@BOTH
def test_each_cluster_has_its_golden_secret(preview: bool) -> None:
    # Maps come over the wire in any order.
    shown = [json.loads(json.dumps(one.inputs, sort_keys=True)) for one in secrets(record("hub", preview=preview))]
    compare_golden("hub-cluster-secrets.yaml", "---\n".join(render_document(one) for one in shown))


def test_no_secret_holds_a_token_and_each_a_login_by_its_cluster_s_role() -> None:
    found = secrets(record("hub"))
    configs = {one.inputs["stringData"]["name"]: json.loads(one.inputs["stringData"]["config"]) for one in found}
    assert {tuple(config) for config in configs.values()} == {("awsAuthConfig", "tlsClientConfig")}
    assert {tuple(config["tlsClientConfig"]) for config in configs.values()} == {("insecure", "caData")}
    assert {name: config["awsAuthConfig"] for name, config in configs.items()} == {
        "stage": {"clusterName": "gitops-stack-stage", "roleARN": SPOKE_ROLE},
        "payments": {"clusterName": "gitops-stack-stage", "roleARN": f"{SPOKE_ROLE}-payments"},
        "legacy": {"clusterName": "legacy", "roleARN": "arn:aws:iam::210987654321:role/argocd-spoke"},
        "own": {"clusterName": "own"},  # the hub's own role has an access entry there
    }


def test_applications_go_before_the_secrets_of_their_clusters() -> None:
    # Without its cluster's Secret an Application is dropped with all that it made left behind (facts: argo-cd 2.6).
    found = record("hub")
    root = found["Application:gitops-stack-app-of-apps/root"]
    guard = next(one for one in found.values() if one.name.endswith("/teardown-guard"))
    assert guard.name in root.depends_on
    assert {one.name for one in secrets(found)} <= set(guard.depends_on)


@BOTH
def test_the_hub_may_take_the_roles_of_its_spokes_and_no_other(preview: bool) -> None:
    found = record("hub", preview=preview)
    policy = document(found["RolePolicy:gitops-stack-pod-identity-argocd-policy"])
    assert check_document(policy, "hub") == []
    assert [(one["Action"], one["Resource"]) for one in policy["Statement"]] == [
        (
            ["sts:AssumeRole", "sts:TagSession"],
            [
                "arn:aws:iam::210987654321:role/by-hand",
                SPOKE_ROLE,
                f"{SPOKE_ROLE}-payments",
                "arn:aws:iam::210987654321:role/argocd-spoke",
            ],
        )
    ]


@BOTH
def test_the_spoke_lets_the_hub_s_role_in(preview: bool) -> None:
    found = record("spoke", preview=preview)
    role = found["Role:gitops-stack-hub-access-role"]
    trust = document(role, "assumeRolePolicy")
    assert check_document(trust, "spoke") == []
    assert trust["Statement"] == [
        {
            "Sid": "Hub",
            "Effect": "Allow",
            "Principal": {"AWS": HUB_ROLE},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ]
    entry = found["AccessEntry:gitops-stack-eks-access-managed-by"].inputs
    association = found["AccessPolicyAssociation:gitops-stack-eks-access-managed-by"].inputs
    made = "arn:aws:mock:::gitops-stack-hub-access-role"
    assert (entry["principalArn"], association["principalArn"]) == (made, made)
    assert association["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    assert association["accessScope"] == {"type": "cluster"}


def test_a_spoke_says_of_itself_what_a_hub_reads(exported: dict[str, Any]) -> None:
    seen: dict[str, Any] = {}

    def program() -> None:
        run_main()
        exported["spoke"].apply(seen.update)
        pulumi.Output.from_input(exported["spoke"].is_secret()).apply(lambda found: seen.update(secret=found))

    record_program(program, stack="dev", config=changed_config("dev", "spoke"), calls=CALLS, stacks=STACKS)
    assert seen.pop("secret") is False  # what is exported is plain, and a hub's preview shows it
    assert seen.keys() == SPOKE.keys()
    assert seen["roleArn"] == "arn:aws:mock:::gitops-stack-hub-access-role"
    assert seen["server"].startswith("https://")
    assert seen["metadata"]["clusterName"] == "gitops-stack-dev"
    assert seen["metadata"].keys() == produced_keys(changed_settings("dev", "spoke"))
    assert record("hub", stacks={**STACKS, "organization/gitops-stack/stage": {"spoke": seen}})


@pytest.mark.parametrize(
    ("name", "stack", "sentence"),
    [
        (
            "hub",
            "organization/gitops-stack/stage",
            "gitops-stack:clusters.stage.stack: found organization/gitops-stack/stage, which has no output `spoke`; "
            "needs a stack with cluster.managedBy, after its `pulumi up`",
        ),
        (
            "spoke",
            "organization/gitops-stack/hub",
            "gitops-stack:cluster.managedBy.stack: found organization/gitops-stack/hub, which has no output "
            "`argocdRoleArn`; needs the stack of a hub with cluster.provider: eks, after its `pulumi up`",
        ),
    ],
)
def test_a_stack_that_does_not_say_it_is_named(name: str, stack: str, sentence: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        record(name, stacks={**STACKS, stack: {"clusterName": "x"}})
    assert str(refused.value) == sentence


@BOTH
def test_hub_access_is_one_role_without_policies(preview: bool) -> None:
    args: Any = {"hub_role_arn": HUB_ROLE, "permissions_boundary_arn": "arn:aws:iam::1:policy/b", "role_path": "/p/"}
    found = run(lambda opts: HubAccess("door", args, opts), preview=preview)
    check_common(found, "door")
    assert children(found) == ["Role:door-role"]
    role = found["Role:door-role"].inputs
    assert (role["permissionsBoundary"], role["path"]) == ("arn:aws:iam::1:policy/b", "/p/")
