"""Files a run of a fork leaves: only data, bounded, and no way to anything else on the machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.preview.preview_files import PreviewFiles


def test_an_artifact_s_files_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"summaryEvent":{"result":"succeeded"}}\n')
    (tmp_path / "findings.txt").write_text("error: a\n")
    (tmp_path / "findings-lock.txt").write_text("error: b\n")
    document = {
        "checks": [{"findings": [{"rule": "r", "severity": "error", "file": "c.yaml", "found": "c", "needs": "d"}]}]
    }
    (tmp_path / "findings-check.json").write_text(json.dumps(document))
    (tmp_path / "pull-request").write_text("7\n")
    for side in ("base", "head"):
        (tmp_path / side).mkdir()
    files = PreviewFiles.in_folder(tmp_path)
    preview = files.load_preview()
    assert preview is not None
    assert preview.finished
    assert files.load_findings() == ["c.yaml: c; d [r]", "b", "a"]
    assert files.load_pull_request() == 7
    assert files.load_differences() == []


def test_an_empty_artifact_holds_nothing(tmp_path: Path) -> None:
    files = PreviewFiles.in_folder(tmp_path)
    assert files == PreviewFiles()
    assert (files.load_preview(), files.load_findings(), files.load_differences()) == (None, None, None)
    assert (files.load_pull_request(), files.load_engine_output()) == (None, "")


def test_an_engine_that_only_printed_did_not_run(tmp_path: Path) -> None:
    (tmp_path / "engine.txt").write_text("error: no stack\n")
    preview = PreviewFiles.in_folder(tmp_path).load_preview()
    assert preview is not None
    assert not preview.finished


@pytest.mark.parametrize("text", ["", "0", "-7", "7; rm -rf /", "1" * 10, "\uff17", "7\n8", "../7"])
def test_what_is_no_number_of_a_pull_request_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "pull-request").write_text(text)
    with pytest.raises(GitOpsStackError, match="pull-request: is not a number of a pull request; nothing is written"):
        PreviewFiles.in_folder(tmp_path).load_pull_request()


@pytest.mark.parametrize("name", ["events.jsonl", "engine.txt", "findings.txt", "pull-request", "base", "head/a.yaml"])
def test_links_are_not_followed(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("error: s3cr3t")
    artifact = tmp_path / "artifact"
    for side in ("base", "head"):
        if name != side:
            (artifact / side).mkdir(parents=True)
    (artifact / name).symlink_to(tmp_path / "secret")
    files = PreviewFiles.in_folder(artifact)
    with pytest.raises(GitOpsStackError, match="is a link, which is not followed"):
        (files.load_preview(), files.load_engine_output(), files.load_findings(), files.load_pull_request(),
         files.load_differences())  # fmt: skip


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "findings.txt"
    file.touch()
    os.truncate(file, 65 << 20)  # sparse
    with pytest.raises(GitOpsStackError, match="is larger than 64 MiB"):
        PreviewFiles.in_folder(tmp_path).load_findings()


def test_a_folder_in_place_of_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "findings.txt").mkdir()
    with pytest.raises(GitOpsStackError, match="cannot be read: Is a directory"):
        PreviewFiles.in_folder(tmp_path).load_findings()
