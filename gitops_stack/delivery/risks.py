"""What a change of images would do beyond what its author sees: the verdicts of `gitops-stack diff`. Pure.

An image rarely has one. A Job has: its template cannot be changed, so the sync of a new image fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from gitops_stack.delivery.plan import Plan
from gitops_stack.delivery.rendered_diff import Snapshot
from gitops_stack.manifests import Manifest
from gitops_stack.policies.application_spec import ApplicationSpec, read_application_spec
from gitops_stack.policies.fields import dig, text
from gitops_stack.policies.finding import RenderedObject
from gitops_stack.policies.risks import ApplicationState, Risk, judge_application
from gitops_stack.policies.scope import build_custom_scopes, settle_namespaces
from gitops_stack.preview.markdown import code

_SHOWN = 50  # of each in a body, whose length forges limit; a line is at most some 700 characters


@dataclass(frozen=True)
class Judgement:
    """The verdicts as (application, risk), high ones first; ``unseen`` says what could not be judged, and why."""

    risks: tuple[tuple[str, Risk], ...] = ()
    unseen: tuple[str, ...] = ()


def judge(plan: Plan, before: Snapshot, after: Snapshot) -> Judgement:
    """Judge every application that ``plan`` changes on what it rendered before and after."""
    found, unseen = [], []
    for application, folder in dict.fromkeys((change.application, change.folder) for change in plan.changes):
        if not (folder in before.objects and folder in after.objects):
            unseen.append(after.unseen.get(folder) or before.unseen.get(folder) or f"{folder}: was not there before")
            continue
        made = after.applications[application]
        old, new = (_build_state(made, side.objects[folder], folder) for side in (before, after))
        found += [(application, risk) for risk in judge_application(old, new, {})]
    return Judgement(tuple(sorted(found, key=lambda one: one[1].level)), tuple(dict.fromkeys(unseen)))


def build_risks(judgement: Judgement) -> dict[str, object]:
    """Build the keys `risks` and `unseen` of a JSON document; a risk has the shape `gitops-stack diff` gives it."""
    return {
        "risks": [{"application": application, **asdict(risk)} for application, risk in judgement.risks],
        "unseen": list(judgement.unseen),
    }


def render_text(judgement: Judgement) -> Iterator[str]:
    """Yield a line per verdict, as `gitops-stack diff` prints them; one that says so where there is none."""
    for application, risk in judgement.risks:
        yield f"{risk.level} risk in {application}: {risk.verdict}: {risk.sentence}"
    yield from (f"risk not judged: {sentence}" for sentence in judgement.unseen)
    if not judgement.risks and not judgement.unseen:
        yield "no risk found"


def render_markdown(judgement: Judgement) -> str:
    """Render the part of a pull request's body that is about risks."""
    levels = [risk.level for _, risk in judgement.risks]
    worst = "high" if "high" in levels else "low" if levels else "not judged" if judgement.unseen else "none found"
    lines = [f"**Risk:** {worst}"]
    if judgement.risks:
        lines += ["", "| risk | verdict | application | object | what happens |", "| --- | --- | --- | --- | --- |"]
        lines += [
            f"| {risk.level} | `{risk.verdict}` | {application} | {_cell(str(risk.object))} "
            f"| {f'{_cell(risk.field)}: ' if risk.field else ''}{_cell(risk.message)} |"
            for application, risk in judgement.risks[:_SHOWN]
        ]
        lines += _count_left_out(len(judgement.risks))
    if judgement.unseen:
        lines += ["", *(f"- not judged: {code(sentence)}" for sentence in judgement.unseen[:_SHOWN])]
        lines += _count_left_out(len(judgement.unseen))
    return "\n".join(lines)


def _count_left_out(count: int) -> list[str]:
    return ["", f"and {count - _SHOWN} more"] if count > _SHOWN else []


def _build_state(application: Manifest, manifests: Sequence[Manifest], folder: str) -> ApplicationState:
    spec = _read_spec(application)
    scopes = build_custom_scopes(one for one in manifests if one["kind"] == "CustomResourceDefinition")
    objects = (
        RenderedObject(one, text(dig(one, "metadata", "namespace")), folder, spec.name, folder) for one in manifests
    )
    settled = settle_namespaces(objects, spec.namespace, scopes)
    return ApplicationState(spec, {found.name: found for found in settled})


def _read_spec(application: Manifest) -> ApplicationSpec:
    return read_application_spec(RenderedObject(application, text(dig(application, "metadata", "namespace")), ""))


def _cell(found: str) -> str:
    return code(found).replace("|", "\\|")  # code or not, a bar ends a cell
