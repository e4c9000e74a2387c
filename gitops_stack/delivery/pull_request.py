"""The text of a delivery's pull request. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitops_stack.delivery.message import ReviewedPlan
from gitops_stack.preview.markdown import cell, code, fence

BODY_LIMIT = 60_000
"""Characters. GitHub takes 65,536 in a body, GitLab a million."""

_MARKS = 200  # characters kept for the fence itself and the line that counts what was cut


def build_body(
    plan: ReviewedPlan, diffs: Mapping[str, str], findings: str | None = None, gates: Sequence[str] = ()
) -> str:
    """Build the Markdown body: what changes, ``gates`` it has passed, ``findings`` of a risk check, the difference."""
    verb = f"Promotes from {plan.promoted_from} to {plan.stack}" if plan.promoted_from else f"Sets in {plan.stack}"
    lines = [f"{verb}:", "", "| application | now | then |", "| --- | --- | --- |"]
    lines += [
        f"| {change.application} | {cell(', '.join(change.before) or change.name)} | {cell(change.after)} |"
        for change in plan.changes
    ]
    if plan.warnings:
        lines += ["", *(f"- {code(warning)}" for warning in plan.warnings)]
    if gates:
        lines += ["", "Gates:", "", *(f"- {code(gate)}" for gate in gates)]
    if findings:
        lines += ["", findings.strip()]
    head = "\n".join([*lines, "", "<details><summary>Rendered difference</summary>", "", ""])
    text = "\n".join(diffs.values()) or "nothing that is rendered changes"
    end = "\n\n</details>\n\nTo go back, revert the merge commit.\n"
    return f"{head}{fence(text, 'diff', max(0, BODY_LIMIT - len(head) - len(end) - _MARKS))}{end}"


def build_merge_advice(branch: str, base: str, remote: str) -> str:
    """Say how to merge a branch where no forge is asked."""
    fresh = f"git fetch {remote} && git switch {base} && git pull --ff-only {remote} {base}"
    return f"to merge: {fresh} && git merge --no-ff {remote}/{branch} && git push"
