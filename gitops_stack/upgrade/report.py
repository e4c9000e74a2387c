"""What an upgrade of Argo CD says: as text, as a commit, as a pull request, as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_stack.delivery.message import RELEASE, STACK
from gitops_stack.delivery.pull_request import BODY_LIMIT
from gitops_stack.preview.markdown import Section, cell, code, fence, fit
from gitops_stack.upgrade.argocd_upgrade import ArgoCDUpgrade
from gitops_stack.upgrade.release_path import is_downgrade

_ELSEWHERE = "`gitops-stack upgrade argocd --dry-run` shows all of it."


Parts = Sequence[tuple[str, Sequence[str]]]
"""Title and sentences of each part, in the order they matter."""


def render_parts(parts: Parts) -> Iterator[str]:
    """Yield the parts that have sentences, line by line."""
    for title, entries in parts:
        if entries:
            yield f"{title}:"
            yield from (f"  {entry}" for entry in entries)


def render_parts_markdown(parts: Parts) -> Iterator[str]:
    """Yield the parts that have sentences, as Markdown in which every sentence stays text."""
    for title, entries in parts:
        if entries:
            yield from ("", f"**{title}**", "", fence("\n".join(" ".join(entry.split()) for entry in entries)))


def build_title(plan: ArgoCDUpgrade) -> str:
    """Build the commit's first line, which is the pull request's title too."""
    verb = "Downgrade" if is_downgrade(plan.old, plan.new) else "Upgrade"
    return f"{verb} Argo CD {plan.old} to {plan.new} in {plan.stack}"


def build_message(plan: ArgoCDUpgrade) -> str:
    """Build the whole commit message, trailers last."""
    counted = ", ".join(f"{number} {change}" for change, number in count_changes(plan).items() if number)
    trailers = [f"{RELEASE}: {plan.new}", f"{STACK}: {plan.stack}"]
    return (
        "\n".join([build_title(plan), "", f"Objects of the installation: {counted or 'none changed'}.", "", *trailers])
        + "\n"
    )


def build_branch(plan: ArgoCDUpgrade) -> str:
    """Name the branch: the same release in the same stack always gets the same name."""
    return f"gitops-stack/{plan.stack}/argocd-{plan.new}"


def count_changes(plan: ArgoCDUpgrade) -> dict[str, int]:
    """Count the objects that are changed, added and removed."""
    found = [one.change for one in plan.difference.objects]
    return {change: found.count(change) for change in ("changed", "added", "removed")}


def render_text(plan: ArgoCDUpgrade) -> Iterator[str]:
    """Yield what the upgrade meets, line by line."""
    counted = ", ".join(f"{number} {change}" for change, number in count_changes(plan).items())
    yield f"{build_title(plan)} ({plan.commit[:12]}); objects: {counted}"
    yield from render_parts(_list_parts(plan))


def render_differences(plan: ArgoCDUpgrade) -> Iterator[str]:
    """Yield the difference of every object."""
    for one in plan.difference.objects:
        yield f"{one.change}: {one.name}"
        yield from one.lines


def build_body(plan: ArgoCDUpgrade) -> str:
    """Build the pull request's Markdown body."""
    counted = " | ".join(str(number) for number in count_changes(plan).values())
    lines = [
        f"Argo CD in stack {code(plan.stack)}, after the merge synced by Argo CD itself.",
        "",
        "| now | then | commit | objects changed | added | removed |",
        "| --- | --- | --- | --- | --- | --- |",
        f"| {cell(plan.old)} | {cell(plan.new)} | {cell(plan.commit)} | {counted} |",
    ]
    lines += render_parts_markdown(_list_parts(plan))
    lines += ["", "Read upstream's upgrade notes of each minor in between. Upstream describes no way back.", ""]
    objects = [
        f"{one.change}: {code(str(one.name))}\n\n{fence(chr(10).join(one.lines), 'diff')}"
        for one in plan.difference.objects
    ]
    return fit("\n".join(lines), [Section("Rendered difference", "objects", objects)], BODY_LIMIT, _ELSEWHERE)


def build_report(plan: ArgoCDUpgrade) -> dict[str, object]:
    """Build the part of the JSON document that says what the upgrade meets; its keys are part of the interface."""
    return {
        "stack": plan.stack,
        "from": plan.old,
        "to": plan.new,
        "commitOfRelease": plan.commit,
        "objects": [{"name": str(one.name), "change": one.change} for one in plan.difference.objects],
        "resources": list(plan.difference.resources),
        "parameters": list(plan.difference.parameters),
        "images": list(plan.difference.images),
        "facts": [{"minor": one.minor, "says": one.says, "places": list(one.places)} for one in plan.facts],
        "files": sorted(plan.texts),
        "warnings": list(plan.warnings),
    }


def _list_parts(plan: ArgoCDUpgrade) -> Parts:
    difference = plan.difference
    return [
        ("Look at first", plan.warnings),
        ("Met by this stack's own files", [fact.sentence for fact in plan.facts if fact.places]),
        ("Set here and no longer read", difference.parameters),
        ("Custom resource definitions", difference.resources),
        ("Pulled anew", difference.images),
        ("Changed for everyone", [fact.sentence for fact in plan.facts if not fact.places]),
    ]
