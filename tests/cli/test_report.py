"""What `lab bootstrap` proposes at its end is a command that works."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.cli.report import propose_change
from gitops_stack.lab.workspace import Workspace


def test_the_proposed_change_is_one_command_for_a_kustomization_and_an_editor_for_anything_else(project: Path) -> None:
    workspace = Workspace(project, project, "dev")
    folder = workspace.settings().workloads["guestbook"].path
    assert propose_change(workspace) == f"(cd {folder} && kustomize edit set annotation tried:$(date +%s))"
    (project / folder / "kustomization.yaml").unlink()
    assert propose_change(workspace) == f"$EDITOR {folder}"
