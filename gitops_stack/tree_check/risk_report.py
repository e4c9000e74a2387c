"""The verdicts of a difference for whoever reviews a delivery: as text, as Markdown for a pull request, as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from gitops_stack.preview.markdown import cell, code
from gitops_stack.rules.risks import Risk
from gitops_stack.tree_check.difference import TreeDifference

_SHOWN = 50  # of each in a body, whose length forges limit; a line is at most some 700 characters


def build_risks(difference: TreeDifference) -> dict[str, object]:
    """Build the keys `risks` and `unseen` of a JSON document; a risk has the shape `gitops-stack diff` gives it."""
    return {
        "risks": [{"application": application, **asdict(risk)} for application, risk in _risks(difference)],
        "unseen": list(difference.unseen),
    }


def render_risks_text(difference: TreeDifference) -> Iterator[str]:
    """Yield a line per verdict, as `gitops-stack diff` prints them; one that says so where there is none."""
    risks = _risks(difference)
    for application, risk in risks:
        yield f"{risk.level} risk in {application}: {risk.verdict}: {risk.sentence}"
    yield from (f"risk not judged: {sentence}" for sentence in difference.unseen)
    if not risks and not difference.unseen:
        yield "no risk found"


def render_risks_markdown(difference: TreeDifference) -> str:
    """Render the part of a pull request's body that is about risks."""
    risks = _risks(difference)
    levels = [risk.level for _, risk in risks]
    worst = "high" if "high" in levels else "low" if levels else "not judged" if difference.unseen else "none found"
    lines = [f"**Risk:** {worst}"]
    if risks:
        lines += ["", "| risk | verdict | application | object | what happens |", "| --- | --- | --- | --- | --- |"]
        lines += [
            f"| {risk.level} | `{risk.verdict}` | {application} | {cell(str(risk.object))} | {render_happening(risk)} |"
            for application, risk in risks[:_SHOWN]
        ]
        lines += _count_left_out(len(risks))
    if difference.unseen:
        lines += ["", *(f"- not judged: {code(sentence)}" for sentence in difference.unseen[:_SHOWN])]
        lines += _count_left_out(len(difference.unseen))
    return "\n".join(lines)


def render_happening(risk: Risk) -> str:
    """Render what happens as the cell of a table, with the place in the object where there is one."""
    return f"{f'{cell(risk.field)}: ' if risk.field else ''}{cell(risk.message)}"


def _risks(difference: TreeDifference) -> list[tuple[str, Risk]]:
    found = [(one.application, risk) for one in difference.applications for risk in one.risks]
    return sorted(found, key=lambda entry: entry[1].level)


def _count_left_out(count: int) -> list[str]:
    return ["", f"and {count - _SHOWN} more"] if count > _SHOWN else []
