"""The text of a delivery's pull request. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gitops_stack.delivery.plan import Plan

BODY_LIMIT = 60_000
"""Characters. GitHub takes 65,536 in a body, GitLab a million."""

_CUT = "\n… cut; the rest is in the pull request's own difference\n"


def build_body(plan: Plan, diffs: Mapping[str, str], findings: str | None = None) -> str:
    """Build the Markdown body: what changes, ``findings`` of a risk check if there are any, the rendered difference."""
    verb = f"Promotes from {plan.promoted_from} to {plan.stack}" if plan.promoted_from else f"Sets in {plan.stack}"
    lines = [f"{verb}:", "", "| application | now | then |", "| --- | --- | --- |"]
    lines += [
        f"| {change.application} | {_code(', '.join(change.before) or change.name)} | {_code(change.after)} |"
        for change in plan.changes
    ]
    if plan.warnings:
        lines += ["", *(f"- {warning}" for warning in plan.warnings)]
    if findings:
        lines += ["", findings.strip()]
    lines += ["", "<details><summary>Rendered difference</summary>", ""]
    head = "\n".join(lines)
    text = "\n".join(diffs.values()) or "nothing that is rendered changes"
    end = "\n</details>\n\nTo go back, revert the merge commit.\n"
    room = BODY_LIMIT - len(head) - len(end)
    return f"{head}{_fence(text, max(0, room))}{end}"


def build_merge_advice(branch: str, base: str, remote: str) -> str:
    """Say how to merge a branch where no forge is asked."""
    return f"to merge: git fetch {remote} && git switch {base} && git merge --no-ff {remote}/{branch} && git push"


def _code(text: str) -> str:
    return f"`{text.replace('`', '').replace('|', '')}`"


def _fence(text: str, room: int) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    if len(text) > (left := max(0, room - len(_CUT) - 2 * len(marks) - 20)):
        text = text[:left] + _CUT
    return f"\n{marks}diff\n{text}\n{marks}\n"
