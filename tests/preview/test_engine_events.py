"""Recorded events of the real engine: what is counted, what is left out, what a failure says."""

from __future__ import annotations

import contextlib
import json
import random
from collections import Counter

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.preview.comment import PreviewReport, build_comment
from gitops_stack.preview.engine_events import Diagnostic, parse_events, short_type
from tests.odd_values import MUTATIONS, OF_JSON, mutate
from tests.preview.samples import EVENTS, RECORDED, recorded


@pytest.mark.parametrize("name", RECORDED)
def test_steps_are_counted_as_the_engine_counts_them(name: str) -> None:
    lines = (EVENTS / f"{name}.jsonl").read_text().splitlines()
    summary = next(event["summaryEvent"] for line in lines if "summaryEvent" in (event := json.loads(line)))
    counted = {key: value for key, value in summary["resourceChanges"].items() if key != "same"}
    preview = recorded(name)
    assert Counter(step.operation for step in preview.steps) == counted
    assert preview.unchanged == summary["resourceChanges"].get("same", 0)
    assert preview.finished
    assert preview.failed is (summary["result"] == "failed")


def test_a_replacement_names_its_reasons_and_what_becomes_of_its_dependents() -> None:
    steps = {step.name: step for step in recorded("replace").steps}
    assert {name: step.reasons for name, step in steps.items()} == {
        "vpc": ("cidrBlock",),
        "private-0": ("vpcId",),
        "private-1": ("vpcId",),
    }
    assert [(change.path, change.old, change.new, change.replaces) for change in steps["private-0"].changes] == [
        ("vpcId", '"id-vpc"', "(known after update)", True)
    ]


def test_a_step_knows_the_components_it_belongs_to() -> None:
    step = next(step for step in recorded("create").steps if step.name == "argocd/argocd-server")
    assert step.ancestors == ("gitops-stack:index:GitOpsStack", "gitops-stack:index:ArgoCD")


def test_an_update_says_old_and_new_of_every_changed_leaf() -> None:
    changes = {step.name: step.changes for step in recorded("update").steps}
    assert [(change.path, change.old, change.new) for change in changes["guestbook"]] == [
        ("encryptionConfigurations[0].encryptionType", '"AES256"', '"KMS"'),
        ("forceDelete", "false", "true"),
    ]
    assert [(change.path, change.old, change.new) for change in changes["vpc"]] == [("tags.team", "", '"platform"')]


def test_outputs_that_change_are_told() -> None:
    assert [change.path for change in recorded("update").outputs] == ["ecrHost"]
    assert recorded("no-change").outputs == ()


@pytest.mark.parametrize(
    ("name", "resource", "said"),
    [
        ("failing-program", "", "gitops/dev/apps/argocd.yaml: is missing; run `gitops-stack render --stack dev`"),
        ("crashing-program", "", "KeyError: 'clusterName'"),
        ("failing-check", "aws:ec2:NatGateway nat", "expected a value of 1 to 3, got 7"),
        ("failing-provider", "", "no valid credential sources for AWS provider found"),
    ],
)
def test_a_failure_is_the_engine_s_own_error(name: str, resource: str, said: str) -> None:
    errors = recorded(name).errors
    assert len(errors) == 1
    assert errors[0].resource == resource
    assert said in errors[0].message


def test_a_warning_is_no_failure() -> None:
    preview = recorded("warning")
    stack = "gitops-stack:index:GitOpsStack gitops-stack"
    assert preview.warnings == [Diagnostic("warning", stack, "the lock was made for v3.5.1")]
    assert not preview.failed


def test_a_log_that_was_cut_is_a_preview_that_did_not_finish() -> None:
    lines = (EVENTS / "update.jsonl").read_text().splitlines()[:20]
    preview = parse_events([*lines, '{"sequence":21,"resourcePre'], "events")
    assert not preview.finished
    assert parse_events([], "events").finished is False


@pytest.mark.parametrize("line", ["no event", "[]", "7", "[" * 100_000])
def test_a_line_that_is_no_event_is_named(line: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        parse_events(["{}", line, "{}"], "events.jsonl")
    assert str(refused.value) == (
        "events.jsonl: line 2 is not an engine event; give the file `pulumi preview --event-log` wrote"
    )


ODD: list[object] = [
    None,
    7,
    "text",
    [],
    {},
    {"metadata": None},
    {"metadata": {"op": "update", "urn": 7, "detailedDiff": []}},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize(
    "key", ["resourcePreEvent", "resOutputsEvent", "diagnosticEvent", "policyEvent", "summaryEvent", "newEvent"]
)
def test_events_of_odd_shapes_stop_nothing(key: str, odd: object) -> None:
    assert parse_events([json.dumps({key: odd}), json.dumps({"summaryEvent": {}})], "events").finished


@pytest.mark.parametrize("name", RECORDED)
def test_no_mutation_of_an_event_is_a_traceback(name: str) -> None:
    chance = random.Random(name)
    lines = (EVENTS / f"{name}.jsonl").read_text().splitlines()
    for _ in range(MUTATIONS // len(RECORDED)):
        number = chance.randrange(len(lines))
        changed = json.dumps(mutate(json.loads(lines[number]), chance, OF_JSON))
        with contextlib.suppress(GitOpsStackError):  # a line that is no event is said
            preview = parse_events([*lines[:number], changed, *lines[number + 1 :]], name)
            assert build_comment(PreviewReport("dev", preview))


ODD_STEPS = [
    {"detailedDiff": {"a[9999999999999].b": {"diffKind": "add"}}, "old": {"outputs": {"a": "x"}}},
    {"detailedDiff": {"": None, '["': 7, "a..b": {}}, "old": {"inputs": []}, "new": 3},
    {"diffs": [1, None, "a"], "keys": [None], "new": {"inputs": {"a": {"b": [1]}}}},
    {"diffs": "abc", "keys": "abc", "old": {"inputs": None}},
]


@pytest.mark.parametrize("odd", ODD_STEPS, ids=str)
def test_steps_of_odd_shapes_are_still_steps(odd: dict[str, object]) -> None:
    event = {
        "resourcePreEvent": {"metadata": {"op": "update", "urn": "urn:pulumi:d::p::a:b:C::n", "type": "a:b:C", **odd}}
    }
    assert [step.name for step in parse_events([json.dumps(event)], "events").steps] == ["n"]


def test_a_policy_that_is_mandatory_is_an_error() -> None:
    event = {
        "policyEvent": {
            "resourceUrn": "urn:pulumi:dev::p::aws:s3/bucket:Bucket::logs",
            "message": "<{%bold%}>no public buckets<{%reset%}>",
            "policyName": "no-public",
            "policyPackName": "acme",
            "enforcementLevel": "mandatory",
        }
    }
    preview = parse_events([json.dumps(event)], "events")
    assert preview.failed
    assert preview.errors == [Diagnostic("error", "aws:s3:Bucket logs", "policy acme/no-public: no public buckets")]


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("aws:ec2/vpc:Vpc", "aws:ec2:Vpc"),
        ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:Deployment"),
        ("gitops-stack:index:ArgoCD", "gitops-stack:index:ArgoCD"),
        ("odd", "odd"),
    ],
)
def test_types_are_shown_as_the_engine_shows_them(token: str, shown: str) -> None:
    assert short_type(token) == shown
