"""What an image risks: the verdicts of `gitops-stack diff`, high ones first, in each of the three outputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.delivery.plan import ImageChange, Plan
from gitops_stack.delivery.pull_request import BODY_LIMIT, build_body
from gitops_stack.delivery.rendered_diff import load_snapshot
from gitops_stack.delivery.risks import Judgement, build_risks, judge, render_markdown, render_text
from gitops_stack.policies.finding import ObjectName
from gitops_stack.policies.risks import Risk
from tests.delivery.trees import stack, write

PLAN = Plan("prd", (ImageChange("web", "web", "web/prd", ("web:v1",), "web:v2"),), {"web/prd/all.yaml": ""})
DELETED = "is deleted by the next sync"
RECREATE = "cannot be changed: the sync fails until the object is deleted"


def made(kind: str, name: str, image: str, **metadata: Any) -> dict[str, Any]:
    group = {"Job": "batch/v1", "Deployment": "apps/v1", "ClusterRole": "rbac.authorization.k8s.io/v1"}[kind]
    pod = {"spec": {"containers": [{"name": name, "image": image}]}}
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name, **metadata}, "spec": {"template": pod}}


def judged(folder: Path, before: list[dict[str, Any]], after: list[dict[str, Any]], **workload: object) -> Judgement:
    settings = stack("prd", web={"path": "web/prd", **workload})
    sides = [
        load_snapshot(write(folder, {"web/prd/all.yaml": yaml.safe_dump_all(side)}).root, PLAN, settings)
        for side in (before, after)
    ]
    return judge(PLAN, *sides)


def test_a_deployment_s_image_is_no_risk(tmp_path: Path) -> None:
    found = judged(tmp_path, [made("Deployment", "web", "web:v1")], [made("Deployment", "web", "web:v2")])
    assert found == Judgement()
    assert list(render_text(found)) == ["no risk found"]
    assert render_markdown(found) == "**Risk:** none found"
    assert build_risks(found) == {"risks": [], "unseen": []}


def test_a_body_counts_the_risks_it_has_no_room_for() -> None:
    name = "x" * 300
    risks = tuple(
        ("web", Risk("recreate", "high", ObjectName("batch", "Job", name, f"{name}{number}"), name, name))
        for number in range(200)
    )
    text = render_markdown(Judgement(risks, tuple(f"{name}{number}" for number in range(200))))
    assert len(build_body(PLAN, {"web": "+line\n" * BODY_LIMIT}, text)) <= BODY_LIMIT
    assert text.count("`recreate`") == text.count("- not judged: ") == 50
    assert text.count("\n\nand 150 more") == 2


def test_a_job_s_image_cannot_be_changed(tmp_path: Path) -> None:
    found = judged(tmp_path, [made("Job", "load", "web:v1")], [made("Job", "load", "web:v2")])
    assert list(render_text(found)) == [f"high risk in web: recreate: batch/Job team/load: spec.template: {RECREATE}"]
    assert render_markdown(found) == (
        "**Risk:** high\n\n| risk | verdict | application | object | what happens |\n| --- | --- | --- | --- | --- |\n"
        f"| high | `recreate` | web | `batch/Job team/load` | `spec.template`: `{RECREATE}` |"
    )
    assert build_risks(found) == {
        "risks": [
            {
                "application": "web",
                "verdict": "recreate",
                "level": "high",
                "object": {"group": "batch", "kind": "Job", "namespace": "team", "name": "load"},
                "field": "spec.template",
                "message": RECREATE,
            }
        ],
        "unseen": [],
    }


def test_a_hook_s_image_is_no_risk(tmp_path: Path) -> None:
    hook = {"annotations": {"argocd.argoproj.io/hook": "PreSync"}}
    sides = ([made("Job", "load", image, **hook)] for image in ("web:v1", "web:v2"))
    assert judged(tmp_path, *sides) == Judgement()


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        ({}, [f"high risk in web: prune: apps/Deployment team/old: {DELETED}"]),
        (
            {"autoSync": False},
            ["low risk in web: prune: apps/Deployment team/old: stays until somebody syncs with prune"],
        ),
    ],
)
def test_what_goes_with_it_is_judged_as_the_stack_syncs(
    tmp_path: Path, workload: Mapping[str, object], said: list[str]
) -> None:
    both = [made("Deployment", "web", "web:v1"), made("ClusterRole", "reader", "")]
    found = judged(tmp_path, [*both, made("Deployment", "old", "web:v1")], both, **workload)
    assert list(render_text(found)) == said


def test_high_risks_come_first(tmp_path: Path) -> None:
    before = [made("Deployment", "a", "web:v1"), made("Job", "load", "web:v1")]
    found = judged(tmp_path, before, [made("Job", "load", "web:v2")], autoSync=False)
    assert [(risk.level, risk.verdict) for _, risk in found.risks] == [("high", "recreate"), ("low", "prune")]


def test_a_chart_is_not_judged_and_says_so(tmp_path: Path) -> None:
    settings = stack("prd", web="web/prd")
    snapshot = load_snapshot(write(tmp_path, {"web/prd/Chart.yaml": "name: web\n"}).root, PLAN, settings)
    found = judge(PLAN, snapshot, snapshot)
    why = "web/prd: is a Helm chart, which is not rendered here; gitops-stack diff does with helm"
    assert list(render_text(found)) == [f"risk not judged: {why}"]
    assert render_markdown(found) == f"**Risk:** not judged\n\n- not judged: `{why}`"
    assert build_risks(found) == {"risks": [], "unseen": [why]}
