"""What is wrong with a source that does not render, and with a document that is no object: the findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from gitops_stack.policies.fields import dig, mapping, text
from gitops_stack.policies.finding import Finding


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
    """Build the finding of a document that is no object."""
    missing = [key for key in ("apiVersion", "kind") if not text(dig(document, key))]
    if not text(dig(document, "metadata", "name")):
        missing.append("metadata.name")
    found = "found a document without" if mapping(document) else "found a document that is no map, without"
    needs = "add them or remove the document"
    return Finding(
        "not-an-object", "error", file, None, missing[0], f"{found} {', '.join(missing)}", needs, application, folder
    )


def build_ignored(file: str, why: str, application: str, folder: str) -> Finding:
    """Build the warning about a file that Argo CD passes over."""
    found = f"{why}, so Argo CD passes over it"
    return Finding("not-an-object", "warning", file, None, "", found, "correct it or move it", application, folder)


def build_render_failure(sentence: str, folder: Path, application: str, tree: Shown, project: Path) -> Finding:
    """Build the finding of a source that does not render; its sentence begins with a place."""
    place, colon, rest = sentence.partition(": ")
    shown = tree.show(Path(place), project)
    inside = bool(colon) and (shown != place or Path(place).is_relative_to(project))
    file = shown if inside else tree.show(folder, project)
    found, semicolon, needs = (rest if inside else sentence).rpartition("; ")
    found = found if semicolon else needs
    needs = needs if semicolon else "correct it"
    return Finding("render-failed", "error", file, None, "", found, needs, application, tree.show(folder, project))
