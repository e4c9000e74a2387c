"""What `check` says about the settings of the committed installation, on its kept render."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_stack.manifests import Manifest
from gitops_stack.manifests.applications import build_self_management_application
from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.tree_check.applications import RenderedApplication, Tree
from gitops_stack.tree_check.authored_patches import check_installation_settings
from tests.stacks import STACKS, stack_render, stack_settings


def tree(stack: str, objects: list[Manifest]) -> Tree:
    own = RenderedObject(build_self_management_application(stack_settings(stack)), "argocd", "apps/argocd.yaml")
    found = [RenderedObject(one, one["metadata"].get("namespace", ""), "kustomization.yaml") for one in objects]
    return Tree(applications=[RenderedApplication(read_application_spec(own), found)])


def findings(stack: str, objects: list[Manifest], project: Path) -> list[tuple[str, str, int, str]]:
    found = check_installation_settings(tree(stack, objects), project, stack_settings(stack))
    return [(one.rule, one.file, one.line, one.field) for one in found]


@pytest.mark.parametrize("stack", STACKS)
def test_a_committed_stack_has_no_findings(stack: str, project: Path) -> None:
    assert findings(stack, stack_render(stack), project) == []


def changed(stack: str, name: str, data: dict[str, Any]) -> list[Manifest]:
    return [
        {**one, "data": {**one["data"], **data}} if one["metadata"]["name"] == name else one
        for one in stack_render(stack)
    ]


def test_a_line_of_the_policy_is_placed_in_the_patch_that_holds_it(project: Path) -> None:
    patch = project / "gitops/dev/argocd/patches/roles.yaml"
    patch.write_text(
        "kind: ConfigMap\nmetadata: {name: argocd-rbac-cm}\ndata:\n  policy.more.csv: |\n    g, a b\n", encoding="utf-8"
    )
    objects = changed("dev", "argocd-rbac-cm", {"policy.more.csv": "g, a b\n"})
    expected = ("access-policy", "gitops/dev/argocd/patches/roles.yaml", 5, "data.policy.more.csv line 1")
    assert findings("dev", objects, project) == [expected]


def test_a_setting_is_overridden_only_where_a_patch_of_people_says_so(project: Path) -> None:
    objects = changed("dev", "argocd-cm", {"admin.enabled": "false"})
    assert findings("dev", objects, project) == []
    patch = project / "gitops/dev/argocd/patches/admin.yaml"
    patch.write_text("kind: ConfigMap\nmetadata: {name: argocd-cm}\ndata: {admin.enabled: 'false'}\n", encoding="utf-8")
    assert findings("dev", objects, project) == [("setting-overridden", "kustomization.yaml", 0, "data.admin.enabled")]


def test_what_argo_cd_cannot_read_or_never_reads_is_named(project: Path) -> None:
    customization = "resource.customizations.healthy.apps_Deployment"
    objects = changed("dev", "argocd-cm", {customization: "return {}"})
    assert findings("dev", objects, project) == [("argocd-config", "kustomization.yaml", 0, f"data.{customization}")]
    parameters = {"controller.status.procesors": "50", "controller.operation.processors": "25"}
    objects = [
        {**one, "data": parameters} if one["metadata"]["name"] == "argocd-cmd-params-cm" else one
        for one in stack_render("dev")
    ]
    (found,) = check_installation_settings(tree("dev", objects), project, stack_settings("dev"))
    assert (found.rule, found.field) == ("argocd-config", "data.controller.status.procesors")
    assert found.message == "is a key that no container reads; write controller.status.processors"
