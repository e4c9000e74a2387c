"""The sources of Applications in a manifest: found with the place they stand at, and changed there. Pure."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.edits.text_edit import apply_checked, mapping_of, rename_key, replace_value
from gitops_stack.edits.yaml_source import Path, Scalar, find_node, load_data, load_source
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.rules.fields import dig, mapping, sequence, text


@dataclass(frozen=True)
class ApplicationSource:
    """One source of an Application: ``options`` as it is written, at ``path`` of the file's document ``document``.

    ``kind`` is ApplicationSet where a set's template has it, and ``application`` the set's name then.
    """

    application: str
    document: int
    path: Path
    options: Map[str, Any]
    kind: str = "Application"

    @property
    def field(self) -> str:
        """Where it stands, as Kubernetes writes it."""
        return ".".join(map(str, self.path))

    def text(self, key: str) -> str:
        """Return what stands at a key; empty when nothing does."""
        return text(self.options.get(key))


_SPECS: dict[str, tuple[str, ...]] = {"Application": ("spec",), "ApplicationSet": ("spec", "template", "spec")}


def list_sources(content: str, place: str, kinds: Collection[str] = ("Application",)) -> list[ApplicationSource]:
    """List the sources of all Applications in a file, and of the templates of sets where ``kinds`` has ApplicationSet.

    Raises :class:`GitOpsStackError` for a text that is not YAML.
    """
    found = []
    for number, document in enumerate(load_data(content, place)):
        made = mapping(document)
        group, kind = text(made.get("apiVersion")).partition("/")[0], text(made.get("kind"))
        if group != ARGOCD_GROUP or kind not in kinds:
            continue
        at = _SPECS[kind]
        name, spec = text(mapping(made.get("metadata")).get("name")), mapping(dig(made, *at))
        several = sequence(spec.get("sources"))  # Argo CD ignores `source` beside them
        places: list[tuple[Path, Any]] = [((*at, "sources", index), one) for index, one in enumerate(several)]
        for path, one in places or [((*at, "source"), spec.get("source"))]:
            if isinstance(one, dict):
                found.append(ApplicationSource(name, number, path, one, kind))
    return found


def change_source(content: str, source: ApplicationSource, values: Map[str, str], place: str) -> str:
    """Write ``values`` over what stands at their keys in a source; `chart` and `path` take each other's place.

    Raises :class:`GitOpsStackError` where something else would change with it, such as what an anchor shares, and
    for a source with both `chart` and `path`.
    """
    nodes = [one for one in load_source(content, place) if not (isinstance(one, Scalar) and one.is_empty)]
    held = mapping_of(find_node(nodes[source.document], source.path))
    if held is None:
        raise GitOpsStackError(Problem("is an alias", "write it out in its own place", place, source.field))
    other = {"chart": "path", "path": "chart"}
    edits, renamed = [], {}
    for key, value in values.items():
        entry = held.entry(key)
        if entry is not None and key in other and held.entry(other[key]):
            raise GitOpsStackError(
                Problem(
                    "has chart and path",
                    "remove one, then run this again",
                    place,
                    f"{source.application}: {source.field}",
                )
            )
        if entry is None and key in other and (entry := held.entry(other[key])):
            renamed[other[key]] = key
            edits.append(rename_key(entry[0], key))
        if entry is None:
            raise GitOpsStackError(Problem(f"has no {key}", "add it, then run this again", place, source.field))
        edits.append(replace_value(content, entry[1], value))

    def intend(documents: list[Any]) -> None:
        at: Any = documents[source.document]
        for step in source.path:
            at = at[step]
        for old in renamed:
            del at[old]
        at.update(values)

    return apply_checked(content, edits, intend, place, what="the source")
