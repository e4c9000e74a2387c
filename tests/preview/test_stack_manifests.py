"""All objects of a stack's tree, by source."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.preview.stack_manifests import load_stack_manifests
from tests.stacks import stack_render

OVERLAY = "gitops/workloads/guestbook/overlays/dev"


@pytest.fixture
def plain_project(project: Path) -> Path:
    """Replace the workload's kustomization, which only the real program renders, by plain YAML."""
    (project / OVERLAY / "kustomization.yaml").unlink()
    shutil.copy(project / "gitops/workloads/guestbook/base/service.yaml", project / OVERLAY)
    return project


def test_every_source_of_a_stack_is_loaded(plain_project: Path) -> None:
    sources = load_stack_manifests(load_stack_file(plain_project, "dev"), plain_project)
    assert list(sources) == ["argocd", "apps", "projects", "workload-guestbook"]
    assert sources["argocd"] == stack_render("dev")
    assert {found["kind"] for found in sources["apps"]} == {"Application", "Namespace"}
    assert {found["kind"] for found in sources["projects"]} == {"AppProject"}
    assert [found["kind"] for found in sources["workload-guestbook"]] == ["Service"]


def test_a_workload_of_another_repository_is_left_to_argo_cd(plain_project: Path) -> None:
    settings = load_stack_file(plain_project, "dev")
    workload = settings.workloads["guestbook"].model_copy(update={"repo_url": "https://example.com/x.git"})
    foreign = settings.model_copy(update={"workloads": {"guestbook": workload}})
    assert "workload-guestbook" not in load_stack_manifests(foreign, plain_project)


@pytest.mark.parametrize(
    ("text", "said"), [("a: [", "is no YAML"), ("a: 1", "holds something that is no Kubernetes object")]
)
def test_a_broken_authored_file_is_named(text: str, said: str, plain_project: Path) -> None:
    (plain_project / "gitops/dev/apps/mine.yaml").write_text(text)
    with pytest.raises(GitOpsStackError, match=rf"apps/mine\.yaml: {said}"):
        load_stack_manifests(load_stack_file(plain_project, "dev"), plain_project)
