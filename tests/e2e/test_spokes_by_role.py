"""A spoke as in EKS: its Secret is Pulumi's and holds no token; Argo CD's own program asks STS for one."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gitops_stack.aws_plan.trust_policies import build_hub_trust
from gitops_stack.gitops_tree.private_file import write_private_file
from gitops_stack.lab.control_plane import TOKEN_WEBHOOK
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import build_tools
from pulumi_aws_double.token_review import build_webhook_config
from tests.e2e.scenario import STACK, Scenario, edit_stack, say, wait_for
from tests.e2e.spoke_account import ACCOUNT, Account, serve
from tests.e2e.test_spoke_login import SPOKE_ROLE, prepare
from tests.e2e.test_spokes import OVERLAY, on_spoke, push, replicas

pytestmark = [pytest.mark.e2e, pytest.mark.soak]  # two labs and their logins: minutes
HUB_ROLE = f"arn:aws:iam::{ACCOUNT}:role/hub"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Account, str, dict[str, str]]]:
    with serve(tmp_path_factory.mktemp("account")) as (account, address, certificate):
        yield account, address, prepare(account, address, certificate)


@pytest.fixture(scope="module")
def account(served: tuple[Account, str, dict[str, str]]) -> Account:
    return served[0]


@pytest.fixture(scope="module")
def spoke(tmp_path_factory: pytest.TempPathFactory, served: tuple[Account, str, dict[str, str]]) -> Iterator[Lab]:
    lab = Lab.open(tmp_path_factory.mktemp("spoke"), build_tools(say))
    webhook = build_webhook_config(urlsplit(served[1]).port or 0)
    (lab.state.directory / TOKEN_WEBHOOK).write_text(json.dumps(webhook))
    lab.up(say)
    yield lab
    lab.down(say)


@pytest.fixture(scope="module")
def hub(
    tmp_path_factory: pytest.TempPathFactory, spoke: Lab, served: tuple[Account, str, dict[str, str]]
) -> Iterator[Scenario]:
    cluster = json.loads(spoke.state.kubeconfig.read_text())["clusters"][0]["cluster"]
    stage: dict[str, Any] = {
        "server": cluster["server"],
        "caData": cluster["certificate-authority-data"],
        "clusterName": "stage",
        "roleArn": SPOKE_ROLE,
        "metadata": {"stack": "stage", "region": "eu-central-1", "accountId": ACCOUNT},
    }
    made = Scenario.create(tmp_path_factory.mktemp("hub"), {"clusters": {"stage": stage}}, "v3.2.11")
    login = made.lab.state.directory / "argocd" / "login"
    login.parent.mkdir()
    write_private_file(login, "".join(f"export {key}={shlex.quote(one)}\n" for key, one in served[2].items()))
    made.bootstrap()
    yield made
    made.close()


def restart_controllers(hub: Scenario) -> None:
    """Let Argo CD forget the tokens it has, which are good for a quarter of an hour."""
    hub.lab.stop_argocd()
    hub.start_controllers()


def reason(hub: Scenario, name: str, about: str) -> str:
    """Return the reason that `status` gives for an application, once it is about something."""
    hub.notify(name)
    found = json.loads(hub.cli("status", "--stack", STACK, "--output", "json", check=False).stdout)
    said = next((str(one["reason"]) for one in found["applications"] if one["name"] == name), "")
    say(f"{name}: {said}")
    return said if about in said else ""


def test_the_secret_that_pulumi_made_holds_no_token(hub: Scenario) -> None:
    secret = hub.get("v1", "Secret", "cluster-stage", "argocd")
    assert secret is not None
    assert set(secret["data"]) == {"config", "name", "server"}
    assert secret["metadata"]["labels"].items() >= {"stack": "stage", "region": "eu-central-1"}.items()
    assert "oken" not in json.dumps(secret["data"])


def test_argo_cd_deploys_to_the_spoke_by_its_role(hub: Scenario, spoke: Lab, account: Account) -> None:
    storefront = {"namespaces": ["storefront"], "clusters": ["in-cluster", "stage"]}
    workload = {"project": "storefront", "path": OVERLAY, "namespace": "storefront", "cluster": "stage"}
    edit_stack(hub.workspace, {"projects": {"storefront": storefront}, "workloads": {"guestbook-stage": workload}})
    push(hub, "Deploy to the spoke too")
    wait_for("the workload is well", lambda: hub.well("guestbook-stage"), seconds=240)
    wait_for(
        "its pods are ready", lambda: replicas(on_spoke(spoke, "apps/v1", "Deployment", "guestbook", "storefront"))
    )
    assert f"{SPOKE_ROLE}: enters" in account.seen


def test_without_an_access_entry_status_says_so(hub: Scenario, account: Account) -> None:
    account.entries = {}
    try:
        restart_controllers(hub)
        said = wait_for("status says it", lambda: reason(hub, "guestbook-stage", "access entry"))
        assert "the cluster lets nobody in by this role: it needs an EKS access entry" in said
    finally:
        account.entries = {SPOKE_ROLE: ["system:masters"]}
    restart_controllers(hub)
    wait_for("it is well again", lambda: hub.well("guestbook-stage"), seconds=240)


def test_without_tag_session_status_says_what_is_needed(hub: Scenario, account: Account) -> None:
    trust = build_hub_trust(HUB_ROLE)
    trust["Statement"][0]["Action"].remove("sts:TagSession")
    account.iam().update_assume_role_policy(RoleName="spoke", PolicyDocument=json.dumps(trust))
    try:
        restart_controllers(hub)
        said = wait_for(
            "status says it",
            lambda: reason(hub, "guestbook-stage", "sts:TagSession"),
            seconds=300,
        )
        assert "sts:AssumeRole and sts:TagSession" in said
        log = Path(hub.lab.state.log("argocd-application-controller")).read_text(errors="replace")
        assert f"is not authorized to perform: sts:TagSession on resource: {SPOKE_ROLE}" in log
    finally:
        trust = build_hub_trust(HUB_ROLE)
        account.iam().update_assume_role_policy(RoleName="spoke", PolicyDocument=json.dumps(trust))
    restart_controllers(hub)
    wait_for("it is well again", lambda: hub.well("guestbook-stage"), seconds=240)


def test_a_spoke_may_be_read_from_the_state_of_its_stack(hub: Scenario, tmp_path: Path) -> None:
    stage = hub.settings.clusters["stage"]
    said = {
        "server": stage.server,
        "caData": stage.ca_data,
        "roleArn": SPOKE_ROLE,
        "metadata": {"stack": "stage", "region": "eu-west-1", "clusterName": "stage", "vpcId": "vpc-1"},
    }
    own = {
        "urn": "urn:pulumi:stage::gitops-stack::pulumi:pulumi:Stack::gitops-stack-stage",
        "type": "pulumi:pulumi:Stack",
        "outputs": {"spoke": said},
    }
    file = tmp_path / "stage.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": [own]}}))
    engine = hub.report.engine
    engine.run("stack", "init", "stage", "--no-select", limit_seconds=60)
    engine.run("stack", "import", "--stack", "stage", "--file", str(file), limit_seconds=60)
    before = hub.get("v1", "Secret", "cluster-stage", "argocd")
    edit_stack(hub.workspace, {"clusters": {"stage": {"stack": "stage"}}})
    assert engine.up().keys() <= {"same", "update", "read"}, (
        "nothing is replaced: Applications would lose their cluster"
    )
    after = hub.get("v1", "Secret", "cluster-stage", "argocd")
    assert before is not None
    assert after is not None
    assert (after["data"], after["metadata"]["uid"]) == (before["data"], before["metadata"]["uid"])
    assert after["metadata"]["labels"]["region"] == "eu-west-1"
    assert after["metadata"]["annotations"]["vpcId"] == "vpc-1"
    assert "accountId" not in after["metadata"]["annotations"]
    wait_for("the workload is well", lambda: hub.well("guestbook-stage"))
