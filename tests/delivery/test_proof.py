"""A change is held against the renders before and after it; tests/e2e does so with real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.delivery.announcement import RenderedWorkloads
from gitops_stack.delivery.plan import parse_assignment, plan_image_set
from gitops_stack.delivery.proof import prove
from gitops_stack.errors import GitOpsStackError
from tests.delivery.trees import stack, write

CHART = {
    "web/Chart.yaml": "name: web\n",
    "web/values.yaml": "tag: v1\n",
    "web/delivery.yaml": "images: {web: {values: values.yaml, tag: tag}}\n",
}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"image": "web:v1"}]}}
RENDERED, FAILED = RenderedWorkloads({"web": [POD]}), RenderedWorkloads(unseen={"web": "helm failed"})


def test_a_chart_that_no_longer_renders_is_refused(tmp_path: Path) -> None:
    tree = write(tmp_path, CHART)
    plan = plan_image_set(tree, stack("dev", web="web"), [parse_assignment("web=:v2")])
    with pytest.raises(GitOpsStackError, match=r"web: would no longer render: helm failed; nothing is committed"):
        prove(tmp_path, plan, RENDERED, FAILED, {})
    assert prove(tmp_path, plan, FAILED, FAILED, {}) == [
        "web: what the chart makes of it was not looked at: helm failed"
    ]


def test_an_image_that_nothing_rendered_has_is_said_to_be_nowhere(tmp_path: Path) -> None:
    tree = write(tmp_path, {"web/kustomization.yaml": "images: [{name: gone, newTag: v1}]\n"})
    plan = plan_image_set(tree, stack("dev", web="web"), [parse_assignment("web/gone=acme/gone:v2")])
    said = (
        "web: web: acme/gone:v2 is not what would be rendered: nothing that is rendered has the image gone; "
        "images there: web:v1"
    )
    with pytest.raises(GitOpsStackError) as refused:
        prove(tmp_path, plan, RENDERED, RENDERED, {})
    assert refused.value.findings == (said,)
