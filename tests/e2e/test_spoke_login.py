"""Argo CD's own `argocd-k8s-auth aws` under this library's IAM documents, and a token decoded as EKS does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.pod_policies import build_hub_policy
from gitops_stack.aws_plan.trust_policies import build_hub_trust, build_pod_identity_trust
from gitops_stack.lab.tools import build_tools
from pulumi_aws_double.token_review import PREFIX
from tests.e2e.scenario import say
from tests.e2e.spoke_account import ACCOUNT, REGION, Account, serve

pytestmark = pytest.mark.e2e
SPOKE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/spoke"
PARTS = ["argocd-application-controller", "argocd-applicationset-controller", "argocd-server"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Account, dict[str, str]]]:
    with serve(tmp_path_factory.mktemp("account")) as (account, address, certificate):
        yield account, prepare(account, address, certificate)


def prepare(account: Account, address: str, certificate: Path) -> dict[str, str]:
    """Make the roles of a hub and a spoke with the library's documents; returns the environment of Argo CD's pods."""
    place = AccountRegion(ACCOUNT, REGION)
    own_trust = build_pod_identity_trust(place.arn("eks", "cluster/hub"), "argocd", PARTS)
    hub = account.make_role("hub", own_trust, build_hub_policy([SPOKE_ROLE]))
    assert account.make_role("spoke", build_hub_trust(hub)) == SPOKE_ROLE
    account.entries = {SPOKE_ROLE: ["system:masters"]}
    account.cluster_name = "stage"
    # What EKS puts into a pod that has an association; the proxy stands in for STS's address.
    known = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_STS_REGIONAL_ENDPOINTS": "regional"}
    return {**known, **account.hand_out(hub), "HTTPS_PROXY": address, "AWS_CA_BUNDLE": str(certificate)}


def log_in(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as Argo CD does (pkg/apis/application/v1alpha1/types.go RawRestConfig)."""
    command = [str(build_tools(say).bin / "argocd"), "aws", "--cluster-name", "stage", *arguments]
    whole = {"PATH": os.environ["PATH"], "ARGOCD_BINARY_NAME": "argocd-k8s-auth", **environment}
    return subprocess.run(command, env=whole, capture_output=True, text=True, check=False, timeout=120)


def read_token(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stdout)
    assert answered["kind"] == "ExecCredential"
    return str(answered["status"]["token"])


def test_the_token_is_of_the_spoke_s_role_and_for_its_cluster_alone(served: tuple[Account, dict[str, str]]) -> None:
    account, environment = served
    token = read_token(log_in(environment, "--role-arn", SPOKE_ROLE))
    assert token.startswith(PREFIX)
    assert account.review(token)["user"] == {"username": SPOKE_ROLE, "uid": SPOKE_ROLE, "groups": ["system:masters"]}
    account.cluster_name = "another"
    try:
        assert account.review(token) == {"authenticated": False, "error": "the token is for another cluster"}
    finally:
        account.cluster_name = "stage"


def test_without_a_role_the_hub_s_own_needs_the_access_entry(served: tuple[Account, dict[str, str]]) -> None:
    account, environment = served
    token = read_token(log_in(environment))
    hub = f"arn:aws:iam::{ACCOUNT}:role/hub"
    assert account.review(token) == {"authenticated": False, "error": f"no access entry for {hub}"}


@pytest.mark.parametrize("side", ["the hub's policy", "the spoke's trust policy"])
@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:TagSession"])
def test_each_side_needs_both_actions(side: str, action: str, served: tuple[Account, dict[str, str]]) -> None:
    account, _ = served
    hub, iam = f"arn:aws:iam::{ACCOUNT}:role/hub", account.iam()
    policy, trust = build_hub_policy([SPOKE_ROLE]), build_hub_trust(hub)
    assert account.find_missing(hub, SPOKE_ROLE) == ""
    changed = policy if side == "the hub's policy" else trust
    changed["Statement"][0]["Action"].remove(action)
    try:
        iam.put_role_policy(RoleName="hub", PolicyName="own", PolicyDocument=json.dumps(policy))
        iam.update_assume_role_policy(RoleName="spoke", PolicyDocument=json.dumps(trust))
        assert account.find_missing(hub, SPOKE_ROLE) == action
    finally:
        whole = build_hub_policy([SPOKE_ROLE])
        iam.put_role_policy(RoleName="hub", PolicyName="own", PolicyDocument=json.dumps(whole))
        iam.update_assume_role_policy(RoleName="spoke", PolicyDocument=json.dumps(build_hub_trust(hub)))


def test_argo_cd_s_program_says_what_aws_refuses(served: tuple[Account, dict[str, str]]) -> None:
    account, environment = served
    hub, iam = f"arn:aws:iam::{ACCOUNT}:role/hub", account.iam()
    trust = build_hub_trust(hub)
    trust["Statement"][0]["Action"].remove("sts:TagSession")
    iam.update_assume_role_policy(RoleName="spoke", PolicyDocument=json.dumps(trust))
    try:
        done = log_in(environment, "--role-arn", SPOKE_ROLE)  # it tries for a minute
        assert done.returncode == 20
        assert f"is not authorized to perform: sts:TagSession on resource: {SPOKE_ROLE}" in done.stderr
    finally:
        iam.update_assume_role_policy(RoleName="spoke", PolicyDocument=json.dumps(build_hub_trust(hub)))
