"""Facts about releases of Argo CD that no manifest shows, and where they meet a stack. Pure but for its data file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from gitops_stack.manifests import Manifest
from gitops_stack.versions import Minor, parse_minor

_NAMED = 5


@dataclass(frozen=True)
class Fact:
    """One change of a minor release; ``places`` are where this stack meets it, empty for one that concerns everyone."""

    minor: str
    says: str
    places: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What changes, and where it is met."""
        more = f" and {len(self.places) - _NAMED} more" if len(self.places) > _NAMED else ""
        where = f": {', '.join(self.places[:_NAMED])}{more}" if self.places else ""
        return f"{self.minor}: {self.says}{where}"


@dataclass(frozen=True)
class FactTable:
    """The data file: as of when, from which pages, and what it knows by minor."""

    as_of: str
    minors: Mapping[Minor, Sequence[Mapping[str, Any]]]
    last_minors: Mapping[int, Minor]


@cache
def load_fact_table() -> FactTable:
    """Read the shipped table."""
    text = resources.files("gitops_stack.upgrade").joinpath("release_facts.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    return FactTable(
        str(document["asOf"]),
        {parse_minor(name): facts for name, facts in document["minors"].items()},
        {int(major): parse_minor(name) for major, name in document["lastMinors"].items()},
    )


def list_crossed(old: str, new: str, table: FactTable | None = None) -> list[Minor]:
    """List the minors of which the way from ``old`` to ``new`` takes the changes, oldest first; none for patches."""
    known = (table or load_fact_table()).minors
    return sorted(minor for minor in known if parse_minor(old) < minor <= parse_minor(new))


def find_facts(old: str, new: str, files: Mapping[str, str], installation: Iterable[Manifest]) -> Iterator[Fact]:
    """Yield what the way from ``old`` to ``new`` changes for this stack, and for everyone.

    ``files`` are the stack's own, path -> text; ``installation`` is what they render now.
    """
    rendered = list(installation)
    for minor in list_crossed(old, new):
        for fact in load_fact_table().minors[minor]:
            name = f"{minor[0]}.{minor[1]}"
            if "pattern" not in fact and "installation" not in fact:
                yield Fact(name, fact["says"])
                continue
            places = [*_in_files(fact.get("pattern"), files), *_in_objects(fact.get("installation"), rendered)]
            if places:
                yield Fact(name, fact["says"], tuple(places))


def _in_files(pattern: str | None, files: Mapping[str, str]) -> Iterator[str]:
    if pattern is None:
        return
    wanted = re.compile(pattern)
    for path, text in sorted(files.items()):
        for number, line in enumerate(text.splitlines(), start=1):
            if wanted.search(line.partition(" #")[0]) and not line.lstrip().startswith("#"):
                yield f"{path}:{number}"


def _in_objects(wanted: Mapping[str, str] | None, rendered: Iterable[Manifest]) -> Iterator[str]:
    if wanted is None:
        return
    for manifest in rendered:
        if (manifest["kind"], manifest["metadata"]["name"]) == (wanted["kind"], wanted["name"]):
            for key, value in (manifest.get("data") or {}).items():
                if re.search(wanted["pattern"], f"{key}: {value if isinstance(value, str) else json.dumps(value)}"):
                    yield f"{wanted['kind']} {wanted['name']} {key}"
