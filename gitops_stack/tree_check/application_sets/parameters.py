"""Parameters of a generator: flattened for the plain language and for selectors, extended, and combined."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.rules.fields import mapping, text
from gitops_stack.tree_check.application_sets.errors import RefusedError
from gitops_stack.tree_check.application_sets.filling import Filling, Parameters
from gitops_stack.tree_check.go_template import StringList, StringMap, TemplateError, format_value
from gitops_stack.tree_check.go_template.map_functions import merge_maps


def flatten(parameters: Mapping[str, Any], *, string_maps: bool = True) -> dict[str, str]:
    """Flatten to dotted names and texts; without ``string_maps`` a map of texts is one value, as before Argo CD 3.4."""
    return {name: format_value(value) for name, value in _walk(parameters, "", string_maps)}


def _walk(value: Any, prefix: str, string_maps: bool) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    opaque = isinstance(value, StringList) or (isinstance(value, StringMap) and not string_maps)
    if isinstance(value, Mapping) and not opaque:
        for key, inner in value.items():
            yield from _walk(inner, f"{prefix}.{key}" if prefix else key, string_maps)
    elif isinstance(value, list) and not opaque:
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{prefix}.{index}", string_maps)
    else:
        yield prefix, value


def append_values(parameters: Parameters, values: object, filling: Filling) -> Parameters:
    """Add a generator's `values`, whose placeholders see the generator's own parameters."""
    filled = {key: filling.fill_text(text(value), parameters) for key, value in mapping(values).items()}
    if not filled:
        return parameters
    if filling.go_template:
        return {**parameters, "values": StringMap(filled)}
    return {**parameters, **{f"values.{key}": value for key, value in filled.items()}}


def combine(first: Parameters, second: Parameters, *, go_template: bool) -> Parameters:
    """Combine a matrix's two: the first wins in Go templates, in the plain language they must agree."""
    if go_template:
        return override(copy.deepcopy(second), first)
    combined = {key: format_value(value) for key, value in first.items()}
    for key, value in second.items():
        written = format_value(value)
        if combined.setdefault(key, written) != written:
            raise RefusedError(f"both generators of its matrix give {key}: {combined[key]} and {written}")
    return combined


def override(target: Parameters, source: Parameters) -> Parameters:
    """Merge ``source`` over ``target``, which changes."""
    try:
        return merge_maps(target, copy.deepcopy(source), override=True)
    except TemplateError as error:
        raise RefusedError(f"its parameters do not merge: {error}") from None
