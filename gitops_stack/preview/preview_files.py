"""Read what a preview left behind: events, what the engine printed, findings, manifests. All of it is only data.

A run of a fork leaves its files as an artifact, and whoever changed the workflow chose every byte of it. So files are
bounded in size, links are not followed, and no name is taken from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.preview.engine_events import EnginePreview, parse_events
from gitops_stack.preview.findings import parse_findings
from gitops_stack.preview.manifest_files import ManifestDifference, build_differences, load_manifest_files

_LIMIT_MEBIBYTES = 64


@dataclass(frozen=True)
class PreviewFiles:
    """Where the files of one preview are; None for what was not made."""

    events: Path | None = None
    engine_output: Path | None = None
    findings: tuple[Path, ...] = ()
    base: Path | None = None
    head: Path | None = None
    pull_request: Path | None = None

    @classmethod
    def in_folder(cls, folder: Path) -> PreviewFiles:
        """Name an artifact's files: events.jsonl, engine.txt, findings*.txt and .json, base, head, pull-request."""

        def named(name: str) -> Path | None:
            return folder / name if (folder / name).exists() else None

        made = named("events.jsonl") or named("engine.txt")
        return cls(
            folder / "events.jsonl" if made else None,
            named("engine.txt"),
            tuple(sorted((*folder.glob("findings*.txt"), *folder.glob("findings*.json")))),
            named("base"),
            named("head"),
            named("pull-request"),
        )

    def load_preview(self) -> EnginePreview | None:
        """Read the events. A file that is not there is a preview that did not run."""
        if self.events is None:
            return None
        return parse_events(_read(self.events).splitlines() if self.events.exists() else (), str(self.events))

    def load_engine_output(self) -> str:
        """Read what the engine printed."""
        return _read(self.engine_output) if self.engine_output and self.engine_output.exists() else ""

    def load_findings(self) -> list[str] | None:
        """Read what the checks found, None when there were none to read."""
        if not self.findings:
            return None
        found = [finding for file in self.findings for finding in parse_findings(_read(file))]
        return list(dict.fromkeys(found))  # two checks may find the same

    def load_differences(self) -> list[ManifestDifference] | None:
        """Compare the manifests, None unless there are both sides."""
        if not (self.base and self.head and self.base.exists() and self.head.exists()):
            return None
        _check_files(file for side in (self.base, self.head) for file in (side, *side.glob("*.yaml")))
        try:
            return build_differences(load_manifest_files(self.base), load_manifest_files(self.head))
        except RecursionError:
            raise GitOpsStackError(
                Problem("an object is nested too deeply to be compared", place=str(self.head))
            ) from None

    def load_pull_request(self) -> int | None:
        """Read the number a fork's run says it is for; the forge is asked whether that is true."""
        if self.pull_request is None:
            return None
        text = _read(self.pull_request).strip()
        if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
            raise GitOpsStackError(
                Problem("is not a number of a pull request", "nothing is written", str(self.pull_request))
            )
        return int(text)


def _read(file: Path) -> str:
    _check_files([file])
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise GitOpsStackError(Problem(f"cannot be read: {error.strerror}", "name a file", str(file))) from None


def _check_files(files: Iterable[Path]) -> None:
    for file in files:
        if file.is_symlink():
            raise GitOpsStackError(Problem("is a link, which is not followed", "give the file itself", str(file)))
        if file.is_file() and file.stat().st_size > _LIMIT_MEBIBYTES << 20:
            raise GitOpsStackError(
                Problem(f"is larger than {_LIMIT_MEBIBYTES} MiB, which no preview is", place=str(file))
            )
