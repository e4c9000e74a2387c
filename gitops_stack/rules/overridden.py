"""Tell which settings an authored patch overrides: fields of generated patches that the render has otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_stack.manifests import Manifest

_KEYS = ("name", "mountPath", "containerPort", "port")  # what kustomize merges lists by, of those our patches have


def list_overridden(patch: Manifest, rendered: Mapping[str, Any]) -> Iterator[str]:
    """Yield the path of each field of a strategic merge ``patch`` that ``rendered`` does not have as it says."""
    for key, wanted in patch.items():
        if key not in ("apiVersion", "kind"):
            yield from _differing(wanted, rendered.get(key), key)


def has_field(document: object, path: str) -> bool:
    """Tell whether ``document`` says something about the field at ``path``, or about one above or below it."""
    return any(path == own or path.startswith(f"{own}.") or own.startswith(f"{path}.") for own in _leaves(document, ""))


def _differing(wanted: object, found: object, path: str) -> Iterator[str]:
    if isinstance(wanted, Mapping):
        if not wanted:
            return
        held = found if isinstance(found, Mapping) else {}
        for key, value in wanted.items():
            yield from _differing(value, held.get(key), f"{path}.{key}")
    elif isinstance(wanted, Sequence) and _is_merged(wanted):
        held_list = found if isinstance(found, Sequence) else ()
        for entry in wanted:
            key = _entry_key(entry)
            other = next((one for one in held_list if isinstance(one, Mapping) and one.get(key) == entry[key]), None)
            yield from _differing(entry, other, f"{path}.{entry[key]}")
    elif wanted != found:
        yield path


def _leaves(value: object, path: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, held in value.items():
            yield from _leaves(held, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and _is_merged(value):
        for entry in value:
            yield from _leaves(entry, f"{path}.{entry[_entry_key(entry)]}")
    else:
        yield path


def _is_merged(value: Sequence[Any]) -> bool:
    """Tell whether kustomize merges a list entry by entry; any other list is replaced as a whole."""
    return bool(value) and all(isinstance(entry, Mapping) and _entry_key(entry) for entry in value)


def _entry_key(entry: Mapping[str, Any]) -> str:
    return next((key for key in _KEYS if key in entry), "")
