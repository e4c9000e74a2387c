"""What somebody set on a living Application without a commit: whose it is, what and since when. Pure.

An environment's image may be set so, for a while; on every other Application Git says what runs. Root applies on the
server's side, which leaves a field that Git does not have to whoever set it: nothing would ever take it back, and the
Application is Synced all the while (argo-cd#22797).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.managed_fields import FieldPath, foreign_entries, not_argocds_fields, place

_SOURCES = (("f:spec", "f:source"), ("f:spec", "f:sources"))


@dataclass(frozen=True)
class Override:
    """One override; ``by`` is empty where nobody noted it, ``permitted`` tells whether it is an environment's."""

    application: str
    what: str
    by: str
    since: str
    permitted: bool

    @property
    def sentence(self) -> str:
        """Who set what since when, and how it is undone."""
        who = f" by {self.by}" if self.by else ""
        said = f"{self.application}: {self.what} was set{who} without a commit, {self.since or 'nobody knows when'}"
        return f"{said}; " + (
            "`gitops-stack env reset` takes it back"
            if self.permitted
            else "only an environment may: commit it, or take it out of the Application"
        )


def find_overrides(applications: Iterable[Manifest]) -> list[Override]:
    """Find every override among living Applications of the tree, by name."""
    return sorted(
        (one for found in applications for one in _find(found)), key=lambda one: (one.permitted, one.application)
    )


def _find(found: Manifest) -> Iterator[Override]:
    metadata = mapping(found.get("metadata"))
    annotations, name = mapping(metadata.get("annotations")), text(metadata.get("name"))
    if text(dig(metadata, "labels", conventions.ENVIRONMENT_LABEL)):
        images = [text(one) for one in sequence(dig(found, "spec", "source", "kustomize", "images"))]
        if since := text(annotations.get(conventions.OVERRIDDEN_AT)):
            by = text(annotations.get(conventions.OVERRIDDEN_BY))
            yield Override(name, f"image {', '.join(images) or 'of before'}", by, f"since {since}", permitted=True)
        return
    if metadata.get("managedFields") and (fields := [place(path) for path in _list_set(found)]):
        entries = [one for one in foreign_entries(found) if any(dig(one, "fieldsV1", *path) for path in _SOURCES)]
        by = ", ".join(sorted({text(one.get("manager")) for one in entries}))
        since = max((text(one.get("time")) for one in entries), default="")
        yield Override(name, ", ".join(fields), by, f"since {since}" if since else "", permitted=False)


def _list_set(found: Manifest) -> Iterator[FieldPath]:
    """Yield the fields of sources that Git does not have, of an Application that root applied."""
    yield from (path for path in not_argocds_fields(found) if path[:2] in _SOURCES)


def check_kept_overrides(found: RenderedObject) -> Iterator[Finding]:
    """Check that an ApplicationSet lets Git say what its Applications read, unless it is an environment's."""
    if (found.group, found.kind) != (conventions.ARGOCD_GROUP, "ApplicationSet"):
        return
    if conventions.ENVIRONMENT_LABEL in found.labels:
        return
    for index, one in enumerate(map(mapping, sequence(found.spec.get("ignoreApplicationDifferences")))):
        pointers = [text(value) for value in sequence(one.get("jsonPointers"))]
        expressions = [text(value) for value in sequence(one.get("jqPathExpressions"))]
        kept = [value for value in pointers if f"{value}/".startswith(("/spec/source/", "/spec/sources/"))]
        kept += [value for value in pointers if value == "/spec"]
        kept += [value for value in expressions if value.startswith((".spec.source", ".spec.sources"))]
        if kept:
            yield found.finding(
                f"spec.ignoreApplicationDifferences[{index}]",
                f"found {', '.join(kept)}: what somebody sets there outlives every merge",
                "take it out, or set images in an environment (`gitops-stack env`)",
                rule="override-kept",
            )
