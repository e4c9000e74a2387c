"""Creates whose provider crashed, as the engine's event log tells of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.account.crashed_creates import load_crashed_creates
from gitops_stack.account.recover import Recovery, load_plan
from gitops_stack.account.session import Account
from tests.account.test_pending import resource, state_of
from tests.account.test_recover import VPC, Engine, make_vpc

CRASH = "rpc error: code = Unavailable desc = error reading from server: EOF"
TAKEN = "operation error EC2: CreateVpc, api error VpcLimitExceeded"


def begin(found: dict[str, Any], operation: str = "create") -> dict[str, Any]:
    return {
        "resourcePreEvent": {"metadata": {"op": operation, "urn": found["urn"], "type": found["type"], "new": found}}
    }


def end(found: dict[str, Any]) -> dict[str, Any]:
    return {"resOutputsEvent": {"metadata": {"op": "create", "urn": found["urn"], "type": found["type"]}}}


def error(found: dict[str, Any], message: str) -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": "error", "urn": found["urn"], "message": message}}


def write(folder: Path, *events: dict[str, Any]) -> Path:
    log = folder / "events.jsonl"
    log.write_text("".join(f"{json.dumps(event)}\n" for event in events) + '{"sequence": 9, "resou', encoding="utf-8")
    return log


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([begin(VPC), error(VPC, CRASH)], [VPC["urn"]]),
        ([begin(VPC)], [VPC["urn"]]),
        ([begin(VPC, "create-replacement"), error(VPC, CRASH)], [VPC["urn"]]),
        ([begin(VPC), end(VPC)], []),
        ([begin(VPC), error(VPC, TAKEN)], []),
        ([begin(VPC, "update"), error(VPC, CRASH)], []),
        ([begin({**VPC, "inputs": {"password": "[secret]"}}), error(VPC, CRASH)], []),
        ([begin(resource("kubernetes:core/v1:ConfigMap"))], []),
    ],
    ids=["crashed", "killed", "replacement", "made", "refused", "update", "secret", "of Kubernetes"],
)
def test_only_what_has_no_answer_but_the_crash_may_be_there(
    events: list[dict[str, Any]], found: list[str], tmp_path: Path
) -> None:
    assert [create.urn for create in load_crashed_creates(write(tmp_path, *events))] == found


def test_a_log_that_is_not_there_tells_of_nothing(tmp_path: Path) -> None:
    assert load_crashed_creates(tmp_path / "events.jsonl") == ()


def test_a_crashed_create_is_looked_for_like_a_pending_one(account: Account, ec2: Any, tmp_path: Path) -> None:
    made = make_vpc(ec2)
    crashed = load_crashed_creates(write(tmp_path, begin(VPC), error(VPC, CRASH)))
    plan = load_plan(Engine(state_of()), account, "dev", crashed=crashed)
    assert plan.recoveries == (Recovery(VPC["urn"], "import", made),)
    known = state_of({**VPC, "id": made, "outputs": {"arn": "arn"}})
    assert not load_plan(Engine(known), account, "dev", crashed=crashed), "the state has it meanwhile"
