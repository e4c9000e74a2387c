"""Show a difference: as text, as Markdown for a comment, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from gitops_stack.preview.markdown import cell, code, fence
from gitops_stack.rules.finding import count_noun
from gitops_stack.tree_check.difference import ApplicationDifference, TreeDifference
from gitops_stack.tree_check.risk_report import render_happening

_COMMENT = 60_000  # a comment on GitHub holds 65,536 characters
_RISKS, _UNSEEN = 50, 20  # of each as many lines; one has some 700 characters at most
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
    """Render a comment, cut to what a comment may hold: high risks come first, what is left out is counted.

    Names come from the change, which a stranger may have written: all of them stand in code.
    """
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
            f"| {stack} | {cell(one.application)} | {risk.level} | {risk.verdict} | {cell(str(risk.object))} "
            f"| {render_happening(risk)} |"
            for stack, one, risk in sorted(risks, key=lambda entry: entry[2].level)[:_RISKS]
        ]
        lines += ["", *([f"and {len(risks) - _RISKS} more risks", ""] if len(risks) > _RISKS else [])]
    for difference in differences:
        lines += [f"#### Stack {difference.stack}: {_summary(difference)}", ""]
        unseen = [f"- not seen: {code(sentence)}" for sentence in difference.unseen]
        if len(unseen) > _UNSEEN:
            unseen[_UNSEEN:] = [f"- and {len(unseen) - _UNSEEN} more that are not seen"]
        lines += [*unseen, ""] if unseen else []
        left_out = 0
        for one in difference.applications:
            block = _details(one)
            short = f"- {code(one.application)}: {_counts(one)} (left out: too long for a comment)"
            fitting = next((text for text in (block, short) if _length(lines) + len(text) <= _COMMENT), None)
            left_out += fitting is None
            lines += [fitting] if fitting else []
        lines += [f"- and {left_out} more applications"] if left_out else []
    return "\n".join(lines) + "\n"


def _length(lines: Sequence[str]) -> int:
    return sum(map(len, lines)) + len(lines)


def _details(one: ApplicationDifference) -> str:
    name = escape(" ".join(one.application.split()))
    shown = [f"<details><summary><code>{name}</code>: {_counts(one)}</summary>", ""]
    for found in one.objects:
        shown += [
            f"**{found.change}** {code(str(found.name))}",
            "",
            fence("\n".join(found.lines), "diff", _COMMENT),
            "",
        ]
    return "\n".join([*shown, "</details>", ""])


def _verdict(differences: Sequence[TreeDifference]) -> str:
    if any(difference.high for difference in differences):
        return "high"
    return "low" if any(one.risks for difference in differences for one in difference.applications) else "no"


def _summary(difference: TreeDifference) -> str:
    if not difference.applications:
        return "no difference in what could be rendered" if difference.unseen else "no difference"
    objects = sum(len(one.objects) for one in difference.applications)
    return f"{count_noun(len(difference.applications), 'application')}, {count_noun(objects, 'object')}"


def _counts(one: ApplicationDifference) -> str:
    counts = {change: sum(found.change == change for found in one.objects) for change in _SIGNS}
    return ", ".join(f"{count} {change}" for change, count in counts.items() if count) or "nothing"
