"""`gitops-stack rehearse`: what it says before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_main import run


def test_an_event_log_needs_a_preview_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("rehearse", "dev", "-C", project, "--event-log", project / "events.jsonl")
    assert run(*given, monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err.splitlines() == ["error: rehearse: --event-log goes with --preview-only"]
    assert not (project / ".lab").exists()


def test_nothing_can_be_kept_of_a_preview_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rehearse", "dev", "-C", project, "--preview-only", "--keep", monkeypatch=monkeypatch) == 2
    said = "error: rehearse: found --preview-only and --keep; a preview alone makes nothing to keep; give one of them"
    assert capsys.readouterr().err.splitlines() == [said]
    assert not (project / ".lab").exists()
