"""A graph as a Mermaid flowchart, small enough for the places that draw it: forges, wikis, editors. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby

from gitops_stack.graph.graph import WORDS, Graph, GraphApplication

# Mermaid draws 500 edges and reads 50,000 characters (its settings maxEdges and maxTextSize), and forges leave it so.
_ONE_BY_ONE = 100
_SHOWN = 80
_UNSAFE = re.compile(r"[^\w .,:/@+=~()-]")
_STYLES = {
    "well": "stroke:#1a7f37",
    "waiting": "stroke:#0969da",
    "unwell": "stroke:#cf222e,stroke-width:3px",
    "missing": "stroke:#cf222e,stroke-dasharray:4",
    "stray": "stroke:#9a6700,stroke-dasharray:4",
    "removed": "stroke:#9a6700,stroke-dasharray:2",
    "touched": "fill:#fff3b0,color:#000000",
}


def render_mermaid(graph: Graph) -> str:
    """Render a flowchart: sources to applications, by parent and wave, to clusters.

    Above 100 applications those of one wave and project are one node with their count.
    """
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield "flowchart LR"
    yield f"  %% stack {_safe(graph.stack)}: {len(graph.applications)} applications"
    nodes: dict[str, str] = {}
    places: dict[tuple[str, str], str] = {}
    edges: dict[tuple[str, str], None] = {}
    classes: defaultdict[str, list[str]] = defaultdict(list)

    def place(kind: str, name: str) -> str:
        return places.setdefault((kind, name), f"{kind}{len(places)}")

    for number, (parent, wave, members) in enumerate(graph.groups):
        title = f"wave {wave}" + (f" of {parent}" if parent else "")
        yield f'  subgraph group{number}["{_safe(title)}"]'
        for index, (label, found) in enumerate(_split(members, merged=len(graph.applications) > _ONE_BY_ONE)):
            node = f"group{number}_{index}"
            nodes |= {one.label: node for one in found}
            yield f'    {node}["{_describe(label, found)}"]'
            edges |= {(place("source", name), node): None for name in _repositories(found)}
            edges |= {(node, place("cluster", one.cluster)): None for one in found}
            classes[next(state for state in WORDS if any(one.state == state for one in found))].append(node)
            if any(one.touched for one in found):
                classes["touched"].append(node)
        yield "  end"
        if parent in nodes:
            edges[nodes[parent], f"group{number}"] = None
    for (kind, name), node in places.items():
        begin, end = ("[(", ")]") if kind == "source" else ("{{", "}}")
        yield f'  {node}{begin}"{_safe(name)}"{end}'
    yield from (f"  {start} --> {end}" for start, end in edges)
    for name, members_of in classes.items():
        if name in _STYLES:
            yield f"  classDef {name} {_STYLES[name]}"
            yield f"  class {','.join(members_of)} {name}"


def _split(members: list[GraphApplication], merged: bool) -> Iterator[tuple[str, list[GraphApplication]]]:
    if not merged:
        yield from ((one.label, [one]) for one in members)
        return
    by_project = sorted(members, key=lambda one: (one.project, one.label))
    for project, grouped in groupby(by_project, key=lambda one: one.project):
        found = list(grouped)
        yield (found[0].label if len(found) == 1 else f"{len(found)} applications of {project}"), found


def _describe(label: str, found: list[GraphApplication]) -> str:
    states = [state for state in WORDS if state != "unknown" and any(one.state == state for one in found)]
    counts = {state: sum(one.state == state for one in found) for state in states}
    said = ", ".join(WORDS[state] if len(found) == 1 else f"{count} {WORDS[state]}" for state, count in counts.items())
    project = f"project {found[0].project}" if len(found) == 1 else ""
    return "<br>".join(_safe(part) for part in (label, project, said) if part)


def _repositories(found: list[GraphApplication]) -> list[str]:
    return sorted({source.repository for one in found for source in one.sources if source.repository})


def _safe(text: str) -> str:
    """Keep what cannot end a label or become markup of Mermaid, which reads HTML and entities in labels."""
    short = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return _UNSAFE.sub("_", short.replace("…", "...")).strip()
