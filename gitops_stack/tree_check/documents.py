"""What is wrong with a source that does not render, and with a document that is not an object: the findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from gitops_stack.errors import Problem
from gitops_stack.rules.fields import dig, mapping, text
from gitops_stack.rules.finding import Finding


class Shown(Protocol):
    """Whoever knows how a file is shown: a tree."""

    def show(self, path: Path, project: Path) -> str:
        """Return the path relative to the project."""


def is_object(document: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Tell whether a document can be an object at all."""
    metadata = mapping(dig(document, "metadata"))
    named = text(metadata.get("name")) or text(metadata.get("generateName"))
    return bool(text(dig(document, "apiVersion")) and text(dig(document, "kind")) and named)


def build_no_object(file: str, application: str, folder: str, document: Any) -> Finding:  # noqa: ANN401 - any YAML value
    """Build the finding of a document that is not an object."""
    values = {
        "apiVersion": dig(document, "apiVersion"),
        "kind": dig(document, "kind"),
        "metadata.name": dig(document, "metadata", "name"),
    }
    missing = [key for key, value in values.items() if value is None or value == ""]
    other = [key for key, value in values.items() if key not in missing and not text(value)]
    field = (*missing, *other)[0]
    found, needs = [], []
    if missing:
        said = "found a document without" if mapping(document) else "found a document that is not a map, without"
        found.append(f"{said} {', '.join(missing)}")
        needs.append("add them or remove the document")
    for key in other:
        said = f"is there, but YAML reads it as {_describe(values[key])}, not as text"
        found.append(said if key == field else f"{key} {said}")
        remedy = "write a text for" if isinstance(values[key], (dict, list)) else "put quotes around"
        needs.append(f"{remedy} {'it' if key == field else key}")
    return Finding(
        "not-an-object", "error", file, None, field, ", and ".join(found), ", and ".join(needs), application, folder
    )


def _describe(value: object) -> str:
    if isinstance(value, bool):
        return "true or false (as it does y, n, yes, no, on and off)"
    if isinstance(value, (int, float)):
        return "a number"
    return "a map" if isinstance(value, dict) else "a list" if isinstance(value, list) else "something else"


def build_ignored(file: str, why: str, application: str, folder: str) -> Finding:
    """Build the warning about a file that Argo CD passes over."""
    found = f"{why}, so Argo CD passes over it"
    return Finding("not-an-object", "warning", file, None, "", found, "correct it or move it", application, folder)


def build_render_failure(problem: Problem, folder: Path, application: str, tree: Shown, project: Path) -> Finding:
    """Build the finding of a source that does not render, at the problem's place where that is in the tree."""
    place, home = problem.place, tree.show(folder, project)
    shown = tree.show(Path(place), project) if place else home
    inside = shown != place or Path(place).is_relative_to(project)
    found = problem.found if inside else f"{place}: {problem.found}"
    needs = problem.remedy or "correct it"
    return Finding(
        "render-failed", "error", shown if inside else home, None, problem.field, found, needs, application, home
    )
