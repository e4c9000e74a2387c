"""A graph as one SVG: a band per parent and wave, sources to the left of them, clusters to the right. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from gitops_stack.graph.graph import WORDS, Graph, GraphApplication

_CARD, _HEIGHT, _GAP = 190, 44, 10
_MOST_COLUMNS = 6
_PLACE = 230  # width of the columns of sources and clusters
_AISLE = 90  # between a column and the bands, where the lines run
_MARGIN, _HEADER, _TITLE = 16, 26, 40
_LETTER = 6.9  # width of a character in 12 px, on average
_STYLE = """
svg { --page:#ffffff; --text:#1f2328; --quiet:#59636e; --line:#8c959f; --card:#f6f8fa; --band:#d1d9e0;
  --well:#1a7f37; --waiting:#0969da; --bad:#cf222e; --odd:#9a6700; --touched:#fff3b0;
  font-family: system-ui, sans-serif; font-size: 12px; }
@media (prefers-color-scheme: dark) { svg { --page:#0d1117; --text:#e6edf3; --quiet:#9198a1; --line:#6e7681;
  --card:#161b22; --band:#3d444d; --well:#3fb950; --waiting:#58a6ff; --bad:#f85149; --odd:#d29922;
  --touched:#2b2500; } }
.page { fill: var(--page); } text { fill: var(--text); } .quiet { fill: var(--quiet); } .title { font-size: 16px; }
.band { fill: none; stroke: var(--band); } .card { fill: var(--card); stroke: var(--line); }
.touched { fill: var(--touched); } .line { fill: none; stroke: var(--line); opacity: .7; }
.well { stroke: var(--well); } .waiting { stroke: var(--waiting); } .unwell { stroke: var(--bad); stroke-width: 3; }
.missing { stroke: var(--bad); stroke-dasharray: 4; } .stray, .removed { stroke: var(--odd); stroke-dasharray: 4; }
"""


@dataclass(frozen=True)
class _Band:
    """Where a group stands: its applications lie in rows of ``columns`` below its heading."""

    parent: str
    wave: int
    members: Sequence[GraphApplication]
    top: int
    columns: int

    @property
    def height(self) -> int:
        rows = -(-len(self.members) // self.columns)
        return _HEADER + rows * (_HEIGHT + _GAP) + _GAP

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def render_svg(graph: Graph) -> str:
    """Render a picture that reads in light and dark; a card's tooltip says what is the matter with it."""
    largest = max((len(members) for _, _, members in graph.groups), default=1)
    columns = min(_MOST_COLUMNS, max(2, largest))
    left = _MARGIN + _PLACE + _AISLE
    width = columns * (_CARD + _GAP) + _GAP
    bands = _place_bands(graph, columns)
    bottom = bands[-1].top + bands[-1].height if bands else _TITLE
    sources = _place_column([name for band in bands for one in band.members for name in _repositories(one)], bottom)
    clusters = _place_column([one.cluster for band in bands for one in band.members], bottom)
    right = left + width + _AISLE
    total = right + _PLACE + _MARGIN
    height = round(max([bottom, *(y + _HEIGHT for y in (*sources.values(), *clusters.values()))])) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" width="{total}" height="{height}" '
        'role="img" aria-labelledby="title">',
        f'<title id="title">{_text(_headline(graph))}</title><style>{_STYLE}</style>',
        f'<rect class="page" width="{total}" height="{height}"/>',
        f'<text class="title" x="{_MARGIN}" y="{_TITLE - 14}">{_text(_headline(graph))}</text>',
        *_spine(bands, left),
    ]
    for band in bands:
        repositories = Counter(name for one in band.members for name in _repositories(one))
        reached = Counter(one.cluster for one in band.members)
        parts += [
            _line(_MARGIN + _PLACE, sources[name] + _HEIGHT / 2, left, band.middle, count)
            for name, count in sorted(repositories.items())
        ]
        parts += [
            _line(left + width, band.middle, right, clusters[name] + _HEIGHT / 2, count)
            for name, count in sorted(reached.items())
        ]
        parts += _draw_band(band, left, width)
    for x, said, places in ((_MARGIN, "source", sources), (right, "cluster", clusters)):
        for name, y in places.items():
            shown = name.removeprefix("https://").removesuffix(".git")
            parts.append(_card(x, y, _PLACE, shown, said, f"{said} {name}", "card"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _headline(graph: Graph) -> str:
    counts = [f"{count} {WORDS[state]}" for state, count in graph.counts().items() if state != "unknown"]
    touched = sum(one.touched for one in graph.applications)
    counts += [f"{touched} touched by the change since {graph.against}"] if graph.against else []
    return f"stack {graph.stack}: {len(graph.applications)} applications" + "".join(f", {one}" for one in counts)


def _place_bands(graph: Graph, columns: int) -> list[_Band]:
    bands: list[_Band] = []
    top = _TITLE
    for parent, wave, members in graph.groups:
        bands.append(_Band(parent, wave, members, top, columns))
        top += bands[-1].height + _GAP
    return bands


def _place_column(names: Sequence[str], bottom: int) -> dict[str, float]:
    """Spread places over the height, in the order they are first used: name -> y."""
    known = list(dict.fromkeys(names))
    step = max((bottom - _TITLE) / max(len(known), 1), _HEIGHT + _GAP)
    return {name: _TITLE + index * step + (step - _HEIGHT) / 2 for index, name in enumerate(known)}


def _repositories(one: GraphApplication) -> list[str]:
    return sorted({source.repository for source in one.sources if source.repository})


def _spine(bands: Sequence[_Band], left: int) -> Iterator[str]:
    """Draw the order of the bands, which is the order of a sync where they have one parent."""
    for above, below in pairwise(bands):
        x = left + 24
        yield f'<path class="line" d="M{x} {above.top + above.height}V{below.top}"/>'


def _draw_band(band: _Band, left: int, width: int) -> Iterator[str]:
    of = f" of {band.parent}" if band.parent else ""
    title = f"wave {band.wave}{of}: {len(band.members)}"
    yield f'<rect class="band" x="{left}" y="{band.top}" width="{width}" height="{band.height}" rx="8"/>'
    yield f'<text class="quiet" x="{left + _GAP}" y="{band.top + 18}">{_text(title)}</text>'
    for index, one in enumerate(band.members):
        row, column = divmod(index, band.columns)
        x = left + _GAP + column * (_CARD + _GAP)
        y = band.top + _HEADER + row * (_HEIGHT + _GAP)
        state = "" if one.state == "unknown" else f" · {WORDS[one.state]}"
        said = f"{one.label}, project {one.project}{state}" + (f": {one.reason}" if one.reason else "")
        said += "".join(f"\n{line}" for line in one.changes)
        kind = f"card {one.state}" + (" touched" if one.touched else "")
        yield _card(x, y, _CARD, one.label, f"{one.project}{state}", said, kind)


def _card(x: float, y: float, width: int, title: str, below: str, said: str, kind: str) -> str:
    return (
        f'<g><title>{_text(said)}</title><rect class="{kind}" x="{x:g}" y="{y:g}" width="{width}" height="{_HEIGHT}" '
        f'rx="6"/><text x="{x + 10:g}" y="{y + 18:g}">{_fit(title, width)}</text>'
        f'<text class="quiet" x="{x + 10:g}" y="{y + 34:g}">{_fit(below, width)}</text></g>'
    )


def _line(x: float, y: float, to_x: float, to_y: float, count: int) -> str:
    half = (x + to_x) / 2
    thick = min(1 + count.bit_length() / 2, 5)
    return (
        f'<path class="line" stroke-width="{thick:g}" '
        f'd="M{x:g} {y:g}C{half:g} {y:g} {half:g} {to_y:g} {to_x:g} {to_y:g}"/>'
    )


def _fit(text: str, width: int) -> str:
    most = int((width - 20) / _LETTER)
    return _text(text if len(text) <= most else f"{text[: most - 1]}…")


_CONTROL: Mapping[int, None] = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])


def _text(text: str) -> str:
    """Escape a text, without what XML cannot hold."""
    return escape(text.translate(_CONTROL).encode("utf-8", "replace").decode())
