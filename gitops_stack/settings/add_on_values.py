"""Values of an add-on's chart: `${name}` filled with what the stack knows, and what a person wrote laid over them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{(\w+)(\??)\}")


@dataclass(frozen=True)
class Unknown:
    """A text of which not all is known: ``names`` are what the stack's settings do not say."""

    text: str
    names: tuple[str, ...]

    def fill(self, stand_in: Callable[[str], str]) -> str:
        """Return the text with what ``stand_in`` returns for each name."""
        return _PLACEHOLDER.sub(lambda found: stand_in(found[1]), self.text)


def fill_values(value: Any, facts: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any YAML value
    """Fill `${name}` in all texts of ``value``; a text with a name that is not in ``facts`` becomes ``Unknown``.

    A text that is one name becomes its value, a list too. One with `${name?}` is left out when that is not known.
    """
    if isinstance(value, Mapping):
        filled = {key: fill_values(inner, facts) for key, inner in value.items() if not _is_dropped(inner, facts)}
        return {key: inner for key, inner in filled.items() if inner != {} or value[key] == {}}
    if isinstance(value, (list, tuple)):
        return [fill_values(inner, facts) for inner in value if not _is_dropped(inner, facts)]
    if not isinstance(value, str):
        return value
    if (whole := _PLACEHOLDER.fullmatch(value)) and whole[1] in facts:
        fact = facts[whole[1]]
        return list(fact) if isinstance(fact, tuple) else fact
    known = _PLACEHOLDER.sub(lambda found: str(facts[found[1]]) if found[1] in facts else found[0], value)
    lacking = tuple(name for name, _ in _PLACEHOLDER.findall(known))
    return Unknown(known, lacking) if lacking else known


def _is_dropped(value: object, facts: Mapping[str, Any]) -> bool:
    optional = (name for name, mark in _PLACEHOLDER.findall(value) if mark) if isinstance(value, str) else ()
    return any(name not in facts for name in optional)


def merge_values(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``above`` over ``below`` as helm does with two files: maps key by key, all else as a whole."""
    merged = dict(below)
    for key, value in above.items():
        own = merged.get(key)
        are_maps = isinstance(own, Mapping) and isinstance(value, Mapping)
        merged[key] = merge_values(own, value) if are_maps else value  # type: ignore[arg-type]
    return merged


def list_placeholders(value: object) -> Iterator[str]:
    """Yield the names in all texts of ``value`` that stand for what is known of a stack."""
    for _, text in list_texts(value):
        yield from (name for name, _ in _PLACEHOLDER.findall(text if isinstance(text, str) else text.text))


def list_texts(value: object, path: str = "") -> Iterator[tuple[str, str | Unknown]]:
    """Yield all texts in ``value``, each with its path: `settings.clusterName`."""
    if isinstance(value, (str, Unknown)):
        yield path, value
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from list_texts(inner, f"{path}.{key}" if path else str(key))


def list_unknown(value: object) -> Iterator[tuple[str, Unknown]]:
    """Yield what is not known in ``value``, each with its path."""
    yield from ((path, text) for path, text in list_texts(value) if isinstance(text, Unknown))


def find_value(values: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any YAML value
    """Return what ``values`` say at ``path``; none where they say nothing."""
    found: Any = values
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
