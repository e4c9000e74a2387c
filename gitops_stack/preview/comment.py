"""Build the comment of one stack's preview: the verdict first, what destroys before what creates. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gitops_stack.preview.engine_events import (
    CREATE,
    DELETE,
    IMPORT,
    OPERATIONS,
    REPLACE,
    UPDATE,
    Diagnostic,
    EnginePreview,
    Step,
    short_type,
)
from gitops_stack.preview.manifest_files import ManifestDifference
from gitops_stack.preview.markdown import Section, code, fence, fit
from gitops_stack.preview.masking import mask_text
from gitops_stack.preview.property_diff import PropertyChange

COMMENT_LIMIT = 65_536
"""Characters GitHub takes in a comment; GitLab takes a million."""

_VERBS = {REPLACE: "REPLACES", DELETE: "DELETES", CREATE: "creates", UPDATE: "updates", IMPORT: "imports"}
_NAMED = 20  # resources named in the warning before the rest is counted
_TYPES = 8  # named in a row of the table
_SHOWN_ERRORS = 5
_ARGOCD = "gitops-stack:index:ArgoCD"
_DEFINITION = "CustomResourceDefinition"
_ERROR = 2000  # characters of one error
_OUTPUT_LINES = 20  # of an engine that said nothing in events


@dataclass(frozen=True)
class PreviewReport:
    """What is known of one stack's preview; what was not looked at is None, and not mentioned.

    ``engine_output`` is what `pulumi preview` printed: told when the engine stopped before it wrote events.
    ``rehearsed`` says that no account was read.
    """

    stack: str
    preview: EnginePreview | None = None
    engine_output: str = ""
    differences: Sequence[ManifestDifference] | None = None
    findings: Sequence[str] | None = None
    commit: str = ""
    run_url: str = ""
    rehearsed: bool = False


def comment_marker(stack: str) -> str:
    """Return the first line of the stack's comment, by which it is found again."""
    return f"<!-- gitops-stack preview {stack} -->"


def build_comment(report: PreviewReport, limit: int = COMMENT_LIMIT) -> str:
    """Build the comment as Markdown of at most ``limit`` characters."""
    preview = report.preview
    steps = preview.steps if preview else []
    header = [comment_marker(report.stack), f"### Preview of {code(report.stack)}: {_verdict(report)}", _origin(report)]
    if report.rehearsed:
        header.append(
            "Rehearsed without credentials, on doubles of AWS and from an empty state: everything is created. "
            "What changes in the account shows when a maintainer runs the preview."
        )
    if preview and _has_failed(preview):
        header += [_failure(preview, report.engine_output)]
    header += [_warning(steps), _table(steps, planned=bool(preview and _has_failed(preview)))]
    elsewhere = (
        f"[The run]({_url(report.run_url)}) has them." if _url(report.run_url) else "Run the preview to see them."
    )
    return fit("\n\n".join(part for part in header if part) + "\n", _sections(report), limit, elsewhere)


def _has_failed(preview: EnginePreview) -> bool:
    return preview.failed or not preview.finished


def _verdict(report: PreviewReport) -> str:
    preview, findings = report.preview, len(report.findings or ())
    said = []
    if preview is None:
        said.append("no preview was made")
    elif not preview.finished and not preview.steps:
        said.append("**did not run**")
    elif _has_failed(preview):
        said.append("**FAILED**")
    elif preview.steps:
        counts = Counter(step.operation for step in preview.steps)
        words = [f"{_VERBS[operation]} {counts[operation]}" for operation in OPERATIONS if counts[operation]]
        said.append(", ".join(f"**{word}**" if word.isupper() else word for word in words))
    else:
        said.append("no changes" + (", but outputs" if preview.outputs else ""))
    if report.differences:
        said.append(f"{_count(len(report.differences), 'manifest')} {_differ(len(report.differences))}")
    if findings:
        said.append(_count(findings, "finding"))
    return "; ".join(said)


def _differ(count: int) -> str:
    return "differs" if count == 1 else "differ"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _origin(report: PreviewReport) -> str:
    parts = [f"Commit {code(report.commit[:12])}"] if report.commit else []
    parts += [f"[run]({_url(report.run_url)})"] if _url(report.run_url) else []
    if report.preview and report.preview.unchanged:
        parts.append(f"{report.preview.unchanged} unchanged")
    return " · ".join(parts)


def _url(url: str) -> str:
    return url if re.fullmatch(r"https?://[\w.:/#?=&%~+-]{1,500}", url) else ""


def _failure(preview: EnginePreview, engine_output: str) -> str:
    errors = preview.errors
    if errors:
        shown = [fence(_middle_cut(_said(found))) for found in errors[:_SHOWN_ERRORS]]
        more = len(errors) - _SHOWN_ERRORS
        return "\n\n".join(shown + ([f"… and {_count(more, 'more error')}"] if more > 0 else []))
    lines = [line for line in mask_text(engine_output).splitlines() if line.strip()]
    if lines:
        return fence("\n".join(lines[-_OUTPUT_LINES:]), limit=2000)
    return "The engine left no summary and no error: it was stopped, or never started."


def _middle_cut(text: str) -> str:
    """Shorten a message to what says it: where it starts, and the last lines, where a traceback has its exception."""
    return text if len(text) <= _ERROR else f"{text[: _ERROR // 4]}\n…\n{text[-_ERROR * 3 // 4 :]}"


def _said(found: Diagnostic) -> str:
    return f"{found.resource}: {found.message}" if found.resource else found.message


def _warning(steps: Sequence[Step]) -> str:
    lines = []
    for step in sorted((step for step in steps if step.operation in (REPLACE, DELETE)), key=_order):
        because = f" because of {', '.join(map(code, step.reasons[:_SHOWN_ERRORS]))}" if step.reasons else ""
        lines.append(f"> - {step.operation} {_resource(step)}{because}")
    if not lines:
        return ""
    rest = len(lines) - _NAMED
    named = lines[:_NAMED] + ([f"> - … and {rest} more"] if rest > 0 else [])
    return "\n".join(["> [!CAUTION]", "> What is replaced or deleted loses what it holds.", ">", *named])


def _resource(step: Step) -> str:
    return f"{code(short_type(step.type))} {code(step.name)}"


def _table(steps: Sequence[Step], *, planned: bool) -> str:
    if not steps:
        return ""
    lines = ["| operation | resources | types |", "|---|---:|---|"]
    for operation in OPERATIONS:
        types = Counter(sorted(short_type(step.type) for step in steps if step.operation == operation))
        if types:
            named = ", ".join(f"{count} {code(kind)}" for kind, count in types.most_common(_TYPES)).replace("|", "\\|")
            rest = len(types) - _TYPES
            more = f" and {_count(rest, 'more type')}" if rest > 0 else ""
            shown = f"**{operation}**" if operation in (REPLACE, DELETE) else operation
            lines.append(f"| {shown} | {sum(types.values())} | {named}{more} |")
    return ("Planned until it failed:\n\n" if planned else "") + "\n".join(lines)


def _sections(report: PreviewReport) -> list[Section]:
    sections = []
    if report.findings:
        entries = [fence(mask_text(found), limit=2000) for found in report.findings]
        sections.append(Section(f"Findings ({len(entries)})", "findings", entries))
    if report.preview:
        changes, total = _changes(report.preview.steps), len(report.preview.steps)
        sections.append(Section(f"Changes ({total})", "entries of changes", changes))
        outputs = report.preview.outputs
        lines = [fence(_change_lines(outputs), "diff")] if outputs else []
        sections.append(Section(f"Outputs ({len(outputs)})", "lists of outputs", lines))
        warnings = [fence(_said(found), limit=1000) for found in report.preview.warnings]
        sections.append(Section(f"Warnings ({len(warnings)})", "warnings", warnings))
    if report.differences:
        entries = [_difference(found) for found in report.differences]
        sections.append(Section(f"Rendered manifests ({len(entries)})", "manifest differences", entries))
    return sections


def _changes(steps: Sequence[Step]) -> list[str]:
    """List what changes, what destroys first; the installation's objects in one line when all go the same way."""
    installed = [step for step in steps if _ARGOCD in step.ancestors and step.type.startswith("kubernetes:")]
    together = len(installed) > 1 and len({step.operation for step in installed}) == 1
    rest = [step for step in steps if not (together and step in installed)]
    entries = [_change(step) for step in sorted(rest, key=_order)]
    if together:
        entries.insert(0, f"**{installed[0].operation}** {len(installed)} Kubernetes objects of the installation")
    return entries


def _order(step: Step) -> tuple[int, tuple[str, ...], str, str]:
    return OPERATIONS.index(step.operation), step.ancestors, step.type, step.name


def _change(step: Step) -> str:
    line = f"**{step.operation}** {_resource(step)}"
    return f"{line}\n\n{fence(_change_lines(step.changes), 'diff')}" if step.changes else line


def _change_lines(changes: Sequence[PropertyChange]) -> str:
    lines = []
    for change in changes:
        replaces = "    (replaces)" if change.replaces else ""
        if not change.old:
            lines.append(f"+ {change.path}: {change.new}{replaces}")
        elif not change.new:
            lines.append(f"- {change.path}: {change.old}{replaces}")
        else:
            lines.append(f"! {change.path}: {change.old} -> {change.new}{replaces}")
    return "\n".join(lines)


def _difference(found: ManifestDifference) -> str:
    differs = found.object
    counts = f"+{differs.count('+')} -{differs.count('-')} lines"
    line = f"**{differs.change}** {code(str(differs.name))} in {code(found.source)}, {counts}"
    if differs.name.kind == _DEFINITION:  # a schema nobody reads here
        return line
    text = "\n".join(differs.lines)
    return f"{line}\n\n{fence(text, 'diff')}"
