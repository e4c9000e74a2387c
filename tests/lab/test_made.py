"""The event log of an engine run, read as steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gitops_stack.lab.made import Made, load_made

ROLE = "urn:pulumi:dev::gitops-stack::gitops-stack:index:EksCluster$aws:iam/role:Role::nodes"
VPC = "urn:pulumi:dev::gitops-stack::aws:ec2/vpc:Vpc::network"
BEGUN, DONE = "resourcePreEvent", "resOutputsEvent"


def event(kind: str, second: int, urn: str, operation: str = "create") -> dict[str, Any]:
    token = urn.split("::")[2].rpartition("$")[2]
    return {"timestamp": 1700000000 + second, kind: {"metadata": {"op": operation, "urn": urn, "type": token}}}


def load(folder: Path, *events: dict[str, Any]) -> list[Made]:
    log = folder / "events.jsonl"
    log.write_text("\n\n".join(map(json.dumps, events)) + "\n", encoding="utf-8")
    return load_made(log)


def test_steps_are_in_the_order_they_began_with_seconds_since_the_first_event(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {"timestamp": 1700000000, "preludeEvent": {"config": {}}},
        event(BEGUN, 2, VPC),
        event(BEGUN, 3, ROLE, "update"),
        event(DONE, 4, ROLE, "update"),
        event(DONE, 9, VPC),
        {"timestamp": 1700000010, "summaryEvent": {}},
    )
    assert found == [
        Made("create", "aws:ec2/vpc:Vpc", "network", 2, 7),
        Made("update", "aws:iam/role:Role", "nodes", 3, 1),
    ]


def test_what_did_not_change_is_left_out(tmp_path: Path) -> None:
    provider = "urn:pulumi:dev::gitops-stack::pulumi:providers:aws::default_7_51_1"
    silent = [event(kind, 1, VPC, operation) for operation in ("same", "read") for kind in (BEGUN, DONE)]
    assert load(tmp_path, *silent, event(BEGUN, 1, provider), event(DONE, 2, provider)) == []


def test_a_provider_of_the_program_is_a_step(tmp_path: Path) -> None:
    provider = "urn:pulumi:dev::gitops-stack::pulumi:providers:aws::aws"
    found = load(tmp_path, event(BEGUN, 0, provider), event(DONE, 1, provider))
    assert [(step.type, step.name) for step in found] == [("pulumi:providers:aws", "aws")]


def test_a_step_that_never_ended_was_not_made(tmp_path: Path) -> None:
    assert load(tmp_path, event(BEGUN, 0, VPC)) == []


def test_no_log_is_no_step(tmp_path: Path) -> None:
    assert load_made(tmp_path / "events.jsonl") == []


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text(
        f'{json.dumps(event(BEGUN, 1, VPC))}\n{json.dumps(event(DONE, 2, VPC))}\n{{"sequence": 3', encoding="utf-8"
    )
    assert [step.name for step in load_made(log)] == ["network"]
