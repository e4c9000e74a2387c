"""sprig's functions of lists, and those that choose between values."""

from __future__ import annotations

import math
from typing import Any

from gitops_stack.tree_check.go_template.errors import TemplateError
from gitops_stack.tree_check.go_template.function import function
from gitops_stack.tree_check.go_template.number_functions import as_int
from gitops_stack.tree_check.go_template.text_functions import as_texts
from gitops_stack.tree_check.go_template.values import StringList, format_value, name_kind, name_type


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise TemplateError(f"Cannot {name} on type {name_kind(value)}")
    return list(value)


def same(first: Any, other: Any) -> bool:
    """Compare as reflect.DeepEqual does: 1 and 1.0 are two things."""
    if name_type(first) != name_type(other):
        return False
    if isinstance(first, dict):
        return first.keys() == other.keys() and all(same(value, other[key]) for key, value in first.items())
    if isinstance(first, list):
        return len(first) == len(other) and all(map(same, first, other))
    return bool(first == other)


def is_empty(value: Any) -> bool:
    """Tell whether sprig takes a value for empty."""
    return not value


def _find(wanted: Any, values: list[Any]) -> bool:
    return any(same(wanted, value) for value in values)


def _uniq(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if not _find(value, found):
            found.append(value)
    return found


function("list", "tuple", takes="any", variadic=True)(lambda *values: list(values))
function("append", "push", "mustAppend", "mustPush", takes="any any")(
    lambda values, value: [*_list(values, "push"), value]
)
function("prepend", "mustPrepend", takes="any any")(lambda values, value: [value, *_list(values, "prepend")])
function("first", "mustFirst", takes="any")(lambda values: next(iter(_list(values, "find first")), None))
function("last", "mustLast", takes="any")(lambda values: next(iter(_list(values, "find last")[::-1]), None))
function("rest", "mustRest", takes="any")(lambda values: _list(values, "find rest")[1:])
function("initial", "mustInitial", takes="any")(lambda values: _list(values, "find initial")[:-1])
function("reverse", "mustReverse", takes="any")(lambda values: _list(values, "find reverse")[::-1])
function("compact", "mustCompact", takes="any")(
    lambda values: [value for value in _list(values, "compact") if not is_empty(value)]
)
function("uniq", "mustUniq", takes="any")(lambda values: _uniq(_list(values, "find uniq")))
function("without", "mustWithout", takes="any any", variadic=True)(
    lambda values, *omitted: [one for one in _list(values, "find without") if not _find(one, list(omitted))]
)
function("has", "mustHas", takes="any any")(
    lambda wanted, values: values is not None and _find(wanted, _list(values, "find has"))
)
function("concat", takes="any", variadic=True)(
    lambda *lists: [value for values in lists for value in _list(values, "concat")]
)
function("default", takes="any any", variadic=True)(
    lambda instead, *given: given[0] if given and not is_empty(given[0]) else instead
)
function("empty", takes="any")(is_empty)
function("coalesce", takes="any", variadic=True)(
    lambda *values: next((value for value in values if not is_empty(value)), None)
)
function("all", takes="any", variadic=True)(lambda *values: not any(map(is_empty, values)))
function("any", takes="any", variadic=True)(lambda *values: not all(map(is_empty, values)))
function("ternary", takes="any any bool")(lambda yes, no, chosen: yes if chosen else no)
function("deepEqual", takes="any any")(same)
function("typeOf", takes="any")(name_type)
function("typeIs", takes="string any")(lambda name, value: name == name_type(value))
function("typeIsLike", takes="string any")(lambda name, value: name_type(value) in (name, f"*{name}"))
function("kindOf", takes="any")(name_kind)
function("kindIs", takes="string any")(lambda name, value: name == name_kind(value))


@function("sortAlpha", takes="any")
def _sort(values: Any) -> StringList:
    return StringList(sorted(as_texts(values), key=str.encode) if isinstance(values, list) else [format_value(values)])


@function("slice", "mustSlice", takes="any any", variadic=True)
def _slice(values: Any, *indexes: Any) -> Any:
    found = _list(values, "slice")
    if not found:
        return None
    start = as_int(indexes[0]) if indexes else 0
    end = as_int(indexes[1]) if len(indexes) > 1 else len(found)
    if not 0 <= start <= end <= len(found):
        raise TemplateError("reflect.Value.Slice: slice index out of bounds")
    return type(values)(found[start:end])


@function("chunk", "mustChunk", takes="int any")
def _chunk(size: int, values: Any) -> list[Any]:
    found = _list(values, "chunk")
    count = math.floor((len(found) - 1) / size) + 1
    return [found[number * size : (number + 1) * size] for number in range(count)]


@function("fail", takes="string")
def _fail(message: str) -> str:
    raise TemplateError(f"error calling fail: {message}")
