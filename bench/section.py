"""Parts of results.md: each with its own figures, targets, date and load, so that one can be measured alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_HEAD = "# Benchmark\n\nWritten by `make bench`; every part says when and on what it was measured.\n"
_FAILED = "**Not measured on "
_LONGEST = 400


@dataclass(frozen=True)
class Target:
    """A limit, and what was measured. ``unit`` follows both numbers."""

    what: str
    limit: float
    found: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Tell whether the limit was kept."""
        return self.found >= self.limit if self.at_least else self.found <= self.limit


@dataclass(frozen=True)
class Section:
    """What one part measured: Markdown lines, and the targets it has."""

    title: str
    lines: Sequence[str]
    targets: Sequence[Target] = ()
    circumstances: Mapping[str, str] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Tell whether all limits were kept."""
        return all(target.met for target in self.targets)


def render_section(section: Section, circumstances: Mapping[str, str]) -> str:
    """Render a part as Markdown; ``circumstances`` are those every part has."""
    lines = [f"## {section.title}", "", *section.lines, ""]
    if section.targets:
        head = ["target", "limit", "measured", ""]
        rows = [
            [
                target.what,
                f"{'at least' if target.at_least else 'at most'} {target.limit:g}{target.unit}",
                f"{target.found:.3g}{target.unit}",
                "met" if target.met else "**missed**",
            ]
            for target in section.targets
        ]
        lines += [*render_table(head, rows), ""]
    known = {**circumstances, **section.circumstances}
    lines += [f"Measured {'; '.join(f'{what} {value}' for what, value in known.items())}."]
    return "\n".join(lines)


def render_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Render a table, one line an entry."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def write_sections(file: Path, made: Mapping[str, str], order: Sequence[str]) -> str:
    """Replace the parts in ``made`` and leave the others as they are. Returns the whole text."""
    parts = {**_load_parts(file), **made}
    text = "\n".join(
        [_HEAD, *(f"<!-- part {name} -->\n{parts[name]}\n<!-- end -->\n" for name in order if name in parts)]
    )
    file.write_text(text, encoding="utf-8")
    return text


def write_failure(file: Path, name: str, error: Exception, when: str, order: Sequence[str]) -> str:
    """Say above the figures of a part that it could not be measured: they are older. Returns the whole text."""
    said = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
    failure = f"{_FAILED}{when}: {said}** What follows, if anything, is older."
    older = _load_parts(file).get(name, "")
    if older.startswith(_FAILED):
        older = older.partition("\n\n")[2]
    return write_sections(file, {name: f"{failure}\n\n{older}".rstrip()}, order)


def _load_parts(file: Path) -> dict[str, str]:
    old = file.read_text(encoding="utf-8") if file.is_file() else ""
    return dict(re.findall(r"<!-- part (\w+) -->\n(.*?)\n<!-- end -->", old, re.DOTALL))
