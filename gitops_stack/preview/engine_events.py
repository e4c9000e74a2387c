"""Read the engine events of a preview, as `pulumi preview --event-log FILE` writes them: one JSON object a line.

The shapes are pulumi's sdk/go/common/apitype/events.go. They are read without Pulumi's SDK: importing it takes longer
than everything here, and its classes refuse a newer engine's fields. `--event-log` is the flag of the Automation API
and shows only with `PULUMI_DEBUG_COMMANDS=true` in the environment; its file then holds debug messages, left out here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.preview.masking import mask_text
from gitops_stack.preview.property_diff import (
    PropertyChange,
    build_output_changes,
    build_property_changes,
    replace_reasons,
)

REPLACE, DELETE, CREATE, UPDATE, IMPORT = "replace", "delete", "create", "update", "import"
OPERATIONS = (REPLACE, DELETE, CREATE, UPDATE, IMPORT)
"""What a preview can propose, what destroys first. The engine's other steps are parts of these, or change nothing."""

_STACK = "pulumi:pulumi:Stack"
_COLOR = re.compile(r"<\{%[a-z ]*%\}>|\x1b\[[0-9;]*m", re.IGNORECASE)
_NOISE = "an unhandled error occurred: program exited with non-zero exit code"


@dataclass(frozen=True)
class Step:
    """One resource that would change. ``ancestors`` are the types of the components it belongs to, outermost first."""

    operation: str
    type: str
    name: str
    ancestors: tuple[str, ...] = ()
    changes: tuple[PropertyChange, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnostic:
    """What the engine, a provider, a policy or the program said; ``severity`` is warning or error."""

    severity: str
    resource: str
    message: str


@dataclass
class EnginePreview:
    """A preview as the engine told it. ``finished`` is false when it never came to a summary."""

    steps: list[Step] = field(default_factory=list)
    unchanged: int = 0
    outputs: tuple[PropertyChange, ...] = ()
    diagnostics: list[Diagnostic] = field(default_factory=list)
    finished: bool = False
    failed: bool = False

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors, without the engine's remark that there were some."""
        errors = [found for found in self.diagnostics if found.severity == "error"]
        return [found for found in errors if not found.message.startswith(_NOISE)] or errors

    @property
    def warnings(self) -> list[Diagnostic]:
        """The warnings."""
        return [found for found in self.diagnostics if found.severity == "warning"]


def parse_events(lines: Iterable[str], place: str) -> EnginePreview:
    """Parse an event log. A last line that was cut is left out: its engine was killed, which the rest shows.

    Raises :class:`GitOpsStackError` that names ``place`` when another line is not an event.
    """
    preview = EnginePreview()
    for event in _load(lines, place):
        for key, value in event.items():
            if isinstance(value, dict) and key in _READERS:
                try:
                    _READERS[key](preview, value)
                except RecursionError:
                    raise GitOpsStackError(Problem("a value is nested too deeply to be shown", place=place)) from None
    if any(found.severity == "error" for found in preview.diagnostics):
        preview.failed = True
    return preview


def _load(lines: Iterable[str], place: str) -> Iterator[dict[str, Any]]:
    broken = 0
    for number, line in enumerate(lines, start=1):
        if broken:
            raise GitOpsStackError(
                Problem(
                    f"line {broken} is not an engine event", "give the file `pulumi preview --event-log` wrote", place
                )
            )
        try:
            event = json.loads(line) if line.strip() else {}
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            yield event
        else:
            broken = number


def _read_step(preview: EnginePreview, event: dict[str, Any]) -> None:
    metadata = event.get("metadata")
    if not isinstance(metadata, dict):
        return
    operation, kind = str(metadata.get("op")), str(metadata.get("type"))
    chain, _, name = str(metadata.get("urn")).rpartition("::")
    if operation not in OPERATIONS or (kind.startswith("pulumi:providers:") and name.startswith("default")):
        return  # the engine counts default providers nowhere
    ancestors = tuple(chain.rpartition("::")[2].split("$")[:-1])
    changes = build_property_changes(metadata) if operation in (UPDATE, REPLACE) else ()
    preview.steps.append(Step(operation, kind, name, ancestors, changes, replace_reasons(metadata)))


def _read_outputs(preview: EnginePreview, event: dict[str, Any]) -> None:
    metadata = event.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("type") != _STACK:
        return
    old, new = metadata.get("old"), metadata.get("new")
    if isinstance(old, dict) and isinstance(new, dict):  # a stack that is made has no outputs to compare with
        preview.outputs = build_output_changes(old.get("outputs"), new.get("outputs"))


def _read_diagnostic(preview: EnginePreview, event: dict[str, Any]) -> None:
    severity = str(event.get("severity"))
    if severity in ("warning", "error") and not event.get("ephemeral"):
        _add(preview, severity, event.get("urn"), event.get("message"))


def _read_policy(preview: EnginePreview, event: dict[str, Any]) -> None:
    mandatory = event.get("enforcementLevel") == "mandatory"
    message = f"policy {event.get('policyPackName')}/{event.get('policyName')}: {event.get('message')}"
    _add(preview, "error" if mandatory else "warning", event.get("resourceUrn"), message)


def _read_summary(preview: EnginePreview, event: dict[str, Any]) -> None:
    changes = event.get("resourceChanges")
    same = changes.get("same") if isinstance(changes, dict) else 0
    preview.unchanged = same if isinstance(same, int) else 0
    preview.finished = True
    preview.failed = event.get("result") == "failed"


def _add(preview: EnginePreview, severity: str, urn: object, message: object) -> None:
    parts = urn.split("::") if isinstance(urn, str) else []
    resource = f"{short_type(parts[-2].rpartition('$')[2])} {parts[-1]}" if len(parts) > 1 else ""
    preview.diagnostics.append(Diagnostic(severity, resource, mask_text(_COLOR.sub("", str(message))).strip()))


def short_type(token: str) -> str:
    """Return a type as the engine shows it: `aws:ec2/vpc:Vpc` is `aws:ec2:Vpc`."""
    package, _, rest = token.partition(":")
    module, _, name = rest.partition(":")
    folder, _, file = module.rpartition("/")
    return f"{package}:{folder}:{name}" if folder and file == name[:1].lower() + name[1:] else token


_READERS = {
    "resourcePreEvent": _read_step,
    "resOutputsEvent": _read_outputs,
    "diagnosticEvent": _read_diagnostic,
    "policyEvent": _read_policy,
    "summaryEvent": _read_summary,
}
