"""What a change of some workloads does and risks: what a reviewer reads, without secrets, high risks first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.delivery.plan import ImageChange, ImagePlan
from gitops_stack.delivery.pull_request import BODY_LIMIT, build_body
from gitops_stack.rules.finding import ObjectName
from gitops_stack.rules.risks import Risk
from gitops_stack.tree_check.difference import ApplicationDifference, TreeDifference
from gitops_stack.tree_check.risk_report import build_risks, render_risks_markdown, render_risks_text
from gitops_stack.tree_check.workloads import Snapshot, build_diffs, compare_workloads, load_workloads
from tests.delivery.trees import stack, write

PLAN = ImagePlan("prd", (ImageChange("web", "web", "web/prd", ("web:v1",), "web:v2"),), {"web/prd/all.yaml": ""})
DELETED = "is deleted by the next sync"
RECREATE = "cannot be changed: the sync fails until the object is deleted"


def made(kind: str, name: str, image: str, **metadata: Any) -> dict[str, Any]:
    group = {"Job": "batch/v1", "Deployment": "apps/v1", "ClusterRole": "rbac.authorization.k8s.io/v1"}[kind]
    pod = {"spec": {"containers": [{"name": name, "image": image}]}}
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name, **metadata}, "spec": {"template": pod}}


def load(folder: Path, texts: dict[str, str], **workload: object) -> Snapshot:
    settings = stack("prd", web={"path": "web/prd", **workload})
    return load_workloads(write(folder, texts).root, settings, ["web"], texts)


def judged(
    folder: Path, before: list[dict[str, Any]], after: list[dict[str, Any]], **workload: object
) -> TreeDifference:
    sides = [load(folder, {"web/prd/all.yaml": yaml.safe_dump_all(side)}, **workload) for side in (before, after)]
    return compare_workloads("prd", *sides)


def test_a_deployment_s_image_is_no_risk(tmp_path: Path) -> None:
    found = judged(tmp_path, [made("Deployment", "web", "web:v1")], [made("Deployment", "web", "web:v2")])
    assert list(render_risks_text(found)) == ["no risk found"]
    assert render_risks_markdown(found) == "**Risk:** none found"
    assert build_risks(found) == {"risks": [], "unseen": []}


def test_a_body_counts_the_risks_it_has_no_room_for() -> None:
    name = "x" * 300
    risks = tuple(
        Risk("recreate", "high", ObjectName("batch", "Job", name, f"{name}{number}"), name, name)
        for number in range(200)
    )
    unseen = tuple(f"{name}{number}" for number in range(200))
    text = render_risks_markdown(TreeDifference("prd", (ApplicationDifference("web", (), risks),), unseen))
    assert len(build_body(PLAN, {"web": "+line\n" * BODY_LIMIT}, text)) <= BODY_LIMIT
    assert text.count("`recreate`") == text.count("- not judged: ") == 50
    assert text.count("\n\nand 150 more") == 2


def test_a_job_s_image_cannot_be_changed(tmp_path: Path) -> None:
    found = judged(tmp_path, [made("Job", "load", "web:v1")], [made("Job", "load", "web:v2")])
    assert list(render_risks_text(found)) == [
        f"high risk in web: recreate: batch/Job team/load: spec.template: {RECREATE}"
    ]
    assert render_risks_markdown(found) == (
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
    assert list(render_risks_text(judged(tmp_path, *sides))) == ["no risk found"]


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
    assert list(render_risks_text(found)) == said


def test_high_risks_come_first(tmp_path: Path) -> None:
    before = [made("Deployment", "a", "web:v1"), made("Job", "load", "web:v1")]
    found = judged(tmp_path, before, [made("Job", "load", "web:v2")], autoSync=False)
    said = [line.split(" ")[:1] + line.split(": ")[1:2] for line in render_risks_text(found)]
    assert said == [["high", "recreate"], ["low", "prune"]]


def test_a_chart_is_not_judged_and_says_so(tmp_path: Path) -> None:
    snapshot = load(tmp_path, {"web/prd/Chart.yaml": "name: web\n"})
    found = compare_workloads("prd", snapshot, snapshot)
    why = "web: is not rendered: it is a Helm chart and helm is not on PATH; nothing of it was checked"
    assert list(render_risks_text(found)) == [f"risk not judged: {why}"]
    assert render_risks_markdown(found) == f"**Risk:** not judged\n\n- not judged: `{why}`"
    assert build_risks(found) == {"risks": [], "unseen": [why]}


# Stands in for kustomize: renders a Secret, and a Deployment that has the last line of the kustomization.
KUSTOMIZE = """#!/bin/sh
[ -e "$2/broken" ] && exit 1
cat <<END
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {password: $(tail -n 1 "$2/kustomization.yaml" | base64 -w 0)}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {image: web-$(tail -n 1 "$2/kustomization.yaml")}
END
"""


@pytest.fixture
def kustomize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tools"
    folder.mkdir()
    for name, script in {"kustomize": KUSTOMIZE, "git": "#!/bin/sh\n"}.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_objects_are_compared_one_by_one_without_secrets(tmp_path: Path, kustomize: None) -> None:
    del kustomize
    before, after = (load(tmp_path, {"web/prd/kustomization.yaml": f"{tag}\n"}) for tag in ("v1", "v2"))
    name = "web: apps/Deployment team/web"
    diffs = build_diffs(compare_workloads("prd", before, after), before, after)
    assert diffs[name] == (
        f"--- {name}\n+++ {name}\n@@ -3,4 +3,4 @@\n metadata:\n   name: web\n spec:\n-  image: web-v1\n+  image: web-v2"
    )
    (secret,) = (diff for other, diff in diffs.items() if other != name)
    assert "djEK" not in secret  # what the tool puts into the Secret
    assert "before)" in secret


@pytest.mark.parametrize("broken", [True, False])
def test_files_stand_in_where_nothing_can_be_rendered(tmp_path: Path, kustomize: None, broken: bool) -> None:
    del kustomize
    path = "web/prd/kustomization.yaml" if broken else "web/values-prd.yaml"
    write(tmp_path, {"web/prd/broken": ""})
    before, after = (load(tmp_path, {path: f"tag: {tag}\n"}) for tag in ("v1", "v2"))
    diffs = build_diffs(compare_workloads("prd", before, after), before, after)
    assert diffs == {path: f"--- {path}\n+++ {path}\n@@ -1 +1 @@\n-tag: v1\n+tag: v2"}


def test_what_does_not_render_afterwards_is_unknown_and_not_pruned(tmp_path: Path) -> None:
    before = load(tmp_path, {"web/prd/all.yaml": yaml.safe_dump(made("Deployment", "web", "web:v1"))})
    after = load(tmp_path, {"web/prd/all.yaml": "kind: Deployment\napiVersion: [\nmetadata:"})
    found = compare_workloads("prd", before, after)
    assert found.applications == ()
    assert found.unseen[0].startswith("web: is not YAML")
