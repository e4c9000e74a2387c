"""The functions of text/template itself (funcs.go)."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote_plus

from gitops_stack.tree_check.go_template.errors import TemplateError, UnsupportedTemplateError
from gitops_stack.tree_check.go_template.function import function
from gitops_stack.tree_check.go_template.values import (
    MISSING,
    StringMap,
    basic_kind,
    format_value,
    is_true,
    name_type,
    print_values,
    quote,
)

_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<verb>.|$)", re.DOTALL)
_RARE = {"int": "qUO", "string": "xX", "float": "bxXF"}  # verbs that Go knows for a kind, and nobody uses

function("and", "or", takes="value value", variadic=True)(lambda *values: values)  # the engine evaluates them


@function("not", takes="value")
def _not(value: Any) -> bool:
    return not is_true(value)


@function("len", takes="value")
def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if not isinstance(value, (list, dict)):
        raise TemplateError(f"len of type {name_type(value)}")
    return len(value)


@function("index", takes="value value", variadic=True)
def _index(item: Any, *indexes: Any) -> Any:
    if item is None or item is MISSING:
        raise TemplateError("index of untyped nil")
    for index in indexes:
        if item is None:
            raise TemplateError("index of nil pointer")
        if isinstance(item, dict):
            if not isinstance(index, str):
                raise TemplateError(f"value has type {name_type(index)}; should be string")
            item = item.get(index, "" if isinstance(item, StringMap) else None)
        elif isinstance(item, (list, str)):
            item = item.encode() if isinstance(item, str) else item
            place = _place(index, len(item))
            if place == len(item):
                raise TemplateError(f"index out of range: {place}")
            item = item[place]
        else:
            raise TemplateError(f"can't index item of type {name_type(item)}")
    return item


def _place(index: Any, length: int) -> int:
    if not isinstance(index, int) or isinstance(index, bool):
        raise TemplateError(f"cannot index slice/array with type {name_type(index)}")
    if not 0 <= index <= length:
        raise TemplateError(f"index out of range: {index}")
    return int(index)


@function("eq", takes="value value", variadic=True)
def _equal(first: Any, *others: Any) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(first: Any, other: Any) -> bool:
    nothing = (None, MISSING)
    if first in nothing or other in nothing:
        return first in nothing and other in nothing
    if basic_kind(first) != basic_kind(other):
        raise TemplateError("incompatible types for comparison")
    if not basic_kind(first):
        raise TemplateError(f"non-comparable type {name_type(first)}")
    return bool(first == other)


@function("ne", takes="value value")
def _unequal(first: Any, other: Any) -> bool:
    return not _same(first, other)


def _less(first: Any, other: Any) -> bool:
    kinds = basic_kind(first), basic_kind(other)
    if "" in kinds or kinds == ("bool", "bool"):
        raise TemplateError("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise TemplateError(f"incompatible types for comparison: {name_type(first)} and {name_type(other)}")
    return bool(first < other)


function("lt", takes="value value")(_less)
function("le", takes="value value")(lambda first, other: _less(first, other) or _same(first, other))
function("gt", takes="value value")(lambda first, other: not (_less(first, other) or _same(first, other)))
function("ge", takes="value value")(lambda first, other: not _less(first, other))
function("print", takes="any", variadic=True)(lambda *values: print_values(values))
function("println", takes="any", variadic=True)(lambda *values: " ".join(map(format_value, values)) + "\n")


def _print_arguments(values: tuple[Any, ...]) -> str:
    return print_values("<no value>" if value is None else value for value in values)


@function("html", takes="any", variadic=True)
def _html(*values: Any) -> str:
    return html.escape(_print_arguments(values)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


function("urlquery", takes="any", variadic=True)(lambda *values: quote_plus(_print_arguments(values), safe="~"))


@function("js", takes="any", variadic=True)
def _js(*_: Any) -> str:
    raise UnsupportedTemplateError("function js is not evaluated here")


@function("printf", takes="string any", variadic=True)
def _printf(pattern: str, *values: Any) -> str:
    left = list(values)

    def replaced(found: re.Match[str]) -> str:
        if found["verb"] == "%":
            return "%"
        if not found["verb"]:
            return "%!(NOVERB)"
        if found["verb"] in "[*" or {"#", " "} & set(found["flags"]):
            raise UnsupportedTemplateError(f"{found[0]} in a pattern of printf is not evaluated here")
        if not left:
            return f"%!{found['verb']}(MISSING)"
        return _pad(_format_verb(found, left.pop(0)), found)

    printed = _VERB.sub(replaced, pattern)
    if left:
        extra = ["<nil>" if value is None else f"{name_type(value)}={format_value(value)}" for value in left]
        printed += f"%!(EXTRA {', '.join(extra)})"
    return printed


def _format_verb(found: re.Match[str], value: Any) -> str:
    verb = found["verb"]
    if verb == "v":
        return format_value(value)
    if verb == "T":
        return name_type(value)
    rare = verb in _RARE.get(basic_kind(value), "") or (found["precision"] is not None and basic_kind(value) == "int")
    if isinstance(value, (list, dict)) or rare:
        raise UnsupportedTemplateError(f"%{verb} of a {name_type(value)} is not evaluated here")
    written = _format_basic(verb, found["precision"], found["flags"], value)
    if written is not None:
        return written
    return f"%!{verb}(<nil>)" if value is None else f"%!{verb}({name_type(value)}={format_value(value)})"


def _format_basic(verb: str, precision: str | None, flags: str, value: Any) -> str | None:
    kind = basic_kind(value)
    if kind == "string" and verb in "sq":
        kept = value if precision is None else value[: int(precision or 0)]
        return kept if verb == "s" else quote(kept)
    if kind == "bool" and verb == "t":
        return format_value(value)
    if kind == "float" and verb in "feEgG":
        whole = verb in "gG" and precision is None
        written = format_value(value) if whole else f"{value:.{precision or (6 if precision is None else 0)}{verb}}"
    elif kind == "int" and verb in "dxXobc":
        written = chr(value) if verb == "c" else format(int(value), verb)
    else:
        return None
    return f"+{written}" if "+" in flags and written[:1] != "-" else written


def _pad(printed: str, found: re.Match[str]) -> str:
    width = int(found["width"] or 0)
    if "-" in found["flags"]:
        return printed.ljust(width)
    if "0" in found["flags"]:
        sign = printed[:1] if printed[:1] in "+-" and found["verb"] not in "sqv" else ""
        return sign + printed[len(sign) :].rjust(width - len(sign), "0")
    return printed.rjust(width)
