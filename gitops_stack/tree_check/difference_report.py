"""Show a difference: as text, as Markdown for a comment, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from gitops_stack.tree_check.difference import ApplicationDifference, TreeDifference

_COMMENT = 60_000  # a comment on GitHub holds 65,536 characters
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def build_json(base: str, head: str, differences: Sequence[TreeDifference]) -> dict[str, Any]:
    """Build the JSON document of `diff`; its keys are part of the interface."""
    return {
        "base": base,
        "head": head,
        "verdict": _verdict(differences),
        "stacks": [asdict(difference) for difference in differences],
    }


def render_text(differences: Sequence[TreeDifference]) -> Iterator[str]:
    """Yield the lines of a difference, risks before the objects they are about."""
    for difference in differences:
        yield f"stack {difference.stack}: {_summary(difference)}"
        for one in difference.applications:
            yield f"application {one.application}"
            yield from (f"  {risk.level} risk: {risk.verdict}: {risk.sentence}" for risk in one.risks)
            for found in one.objects:
                yield f"  {_SIGNS[found.change]} {found.name}"
                yield from (f"      {line}" for line in found.lines)
        yield from (f"  not seen: {sentence}" for sentence in difference.unseen)


def render_markdown(base: str, head: str, differences: Sequence[TreeDifference]) -> str:
    """Render a comment, cut to what a comment may hold; the risks are always whole."""
    lines = [f"### Rendered difference `{base}` → `{head}`: {_verdict(differences)} risk", ""]
    risks = [
        (difference.stack, one, risk)
        for difference in differences
        for one in difference.applications
        for risk in one.risks
    ]
    if risks:
        lines += [
            "| stack | application | risk | verdict | object | what happens |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {stack} | {one.application} | {risk.level} | {risk.verdict} | `{risk.object}` "
            f"| {_cell(risk.field, risk.message)} |"
            for stack, one, risk in sorted(risks, key=lambda entry: entry[2].level)
        ]
        lines.append("")
    for difference in differences:
        lines += [f"#### Stack {difference.stack}: {_summary(difference)}", ""]
        lines += [f"- not seen: {sentence}" for sentence in difference.unseen] + ([""] if difference.unseen else [])
        for one in difference.applications:
            block = _details(one)
            if sum(map(len, lines)) + len(lines) + len(block) > _COMMENT:
                lines.append(f"- {one.application}: {_counts(one)} (left out: too long for a comment)")
            else:
                lines.append(block)
    return "\n".join(lines) + "\n"


def _details(one: ApplicationDifference) -> str:
    shown = [f"<details><summary>{one.application}: {_counts(one)}</summary>", ""]
    for found in one.objects:
        longest = max((len(line) - len(line.lstrip("`")) for line in found.lines), default=0)
        fence = "`" * max(3, longest + 1, *(4 for line in found.lines if "```" in line))
        shown += [f"{_SIGNS[found.change]} `{found.name}`", "", f"{fence}diff", *found.lines, fence, ""]
    return "\n".join([*shown, "</details>", ""])


def _verdict(differences: Sequence[TreeDifference]) -> str:
    if any(difference.high for difference in differences):
        return "high"
    return "low" if any(one.risks for difference in differences for one in difference.applications) else "no"


def _summary(difference: TreeDifference) -> str:
    if not difference.applications:
        return "no difference"
    objects = sum(len(one.objects) for one in difference.applications)
    return f"{len(difference.applications)} applications, {objects} objects"


def _counts(one: ApplicationDifference) -> str:
    counts = {change: sum(found.change == change for found in one.objects) for change in _SIGNS}
    return ", ".join(f"{count} {change}" for change, count in counts.items() if count) or "nothing"


def _cell(field: str, message: str) -> str:
    return (f"`{field}`: {message}" if field else message).replace("|", "\\|")
