"""What `lab bootstrap` prints at its end; what it proposes is a command that works."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from gitops_stack.cli.report import print_report, propose_change
from gitops_stack.lab.lab_run import LabRun
from gitops_stack.lab.workspace import Workspace


def test_the_proposed_change_is_one_command_for_a_kustomization_and_an_editor_for_anything_else(project: Path) -> None:
    workspace = Workspace(project, project, "dev")
    folder = workspace.settings().workloads["guestbook"].path
    assert propose_change(workspace) == f"(cd {folder} && kustomize edit set annotation tried:$(date +%s))"
    (project / folder / "kustomization.yaml").unlink()
    assert propose_change(workspace) == f"$EDITOR {folder}"


def test_what_argo_cd_said_of_the_settings_stands_beside_the_certificate(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unused = cast("Any", None)
    run = LabRun(unused, Workspace(project, project, "dev"), unused, changes={"same": 3})
    shown = ["account viewer: may get, may not sync storefront/guestbook", "notification on-deployed: [received]"]
    print_report(run, "second", None, shown)
    lines = capsys.readouterr().out.splitlines()
    at = lines.index(shown[0])
    assert lines[at : at + 2] == shown
    assert lines[at - 1].startswith("not handed over")
