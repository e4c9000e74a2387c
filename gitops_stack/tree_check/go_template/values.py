"""Go's values in Python: what is true, empty, comparable, and how each is printed.

int is Go's int, :class:`Int64` int64, float float64, dict map[string]any, list []any. YAML and JSON give every number
as a float64, so 1000000 prints as 1e+06.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


class Int64(int):
    """An int64, which Go does not take for an int."""


class StringMap(dict[str, str]):
    """A map[string]string, which Go does not take for a map[string]any."""


class StringList(list[str]):
    """A []string."""


class IntList(list[int]):
    """A []int."""


class Missing:
    """The zero reflect.Value: a key that a map does not have, or nil behind a pipeline."""


MISSING = Missing()


def name_type(value: object) -> str:
    """Return the Go name of a value's type."""
    names = (
        (bool, "bool"), (Int64, "int64"), (int, "int"), (float, "float64"), (str, "string"),
        (StringMap, "map[string]string"), (dict, "map[string]interface {}"),
        (StringList, "[]string"), (IntList, "[]int"), (list, "[]interface {}"),
    )  # fmt: skip
    return next((name for kind, name in names if isinstance(value, kind)), "<nil>")


def name_kind(value: object) -> str:
    """Return the Go name of a value's kind."""
    name = name_type(value)
    return "map" if name.startswith("map") else "slice" if name.startswith("[]") else name.replace("<nil>", "invalid")


def is_true(value: object) -> bool:
    """Tell whether `if` takes the value for true: what is not empty."""
    return not (value is None or value is MISSING) and bool(value)


def basic_kind(value: object) -> str:
    """Return what Go compares by: bool, int, float, string; nothing for all else."""
    name = name_type(value)
    return {"int64": "int", "float64": "float"}.get(name, name) if name in _BASIC else ""


_BASIC = ("bool", "int", "int64", "float64", "string")


_SMALLEST, _POSITIONAL = -4, 6  # the exponents strconv's %g writes without one


def format_float(value: float) -> str:
    """Print as %v does."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"  # noqa: PLR0124
    sign, digits, exponent = split_float(value)
    if _SMALLEST <= exponent < _POSITIONAL:
        return sign + _positional(digits, exponent)
    return sign + _scientific(digits, exponent)


def split_float(value: float) -> tuple[str, str, int]:
    """Return sign, the shortest digits that mean the value, and the exponent of the first."""
    written = repr(abs(value))
    mantissa, _, power = written.partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    exponent = len(whole) - 1 + int(power or 0)
    if whole == "0":
        exponent = int(power or 0) - (len(fraction) - len(fraction.lstrip("0"))) - 1
    sign = "-" if str(value).startswith("-") else ""
    return sign, digits.rstrip("0") or "0", exponent if digits else 0


def format_json_number(value: float) -> str:
    """Write a number as encoding/json does."""
    sign, digits, exponent = split_float(value)
    if -7 < exponent < 21:  # noqa: PLR2004 - encoding/json, floatEncoder
        return sign + _positional(digits, exponent)
    return sign + _scientific(digits, exponent).replace("e-0", "e-")


def _positional(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return f"{whole}.{digits[exponent + 1 :]}" if digits[exponent + 1 :] else whole


def _scientific(digits: str, exponent: int) -> str:
    mantissa = digits[0] + (f".{digits[1:]}" if digits[1:] else "")
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def format_value(value: object) -> str:
    """Print a value as %v does."""
    if value is None or value is MISSING:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format_float(value)
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{format_value(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(format_value, value)) + "]"
    return str(value)


def quote(value: str) -> str:
    """Quote a text as strconv.Quote does."""

    def escaped(found: re.Match[str]) -> str:
        character = found[0]
        known = {'"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r"}
        known |= {"\t": "\\t", "\v": "\\v"}
        code = ord(character)
        return known.get(character) or (f"\\x{code:02x}" if character.isascii() else f"\\u{code:04x}")

    return '"' + re.sub(r'["\\\x00-\x1f\x7f\u200b-\u200f\u2028\u2029\ufeff]', escaped, value) + '"'


def as_go(value: Any) -> Any:
    """Turn what YAML or JSON gives into what Go reads of it: every number a float64, every key a text."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, dict):
        return {key if isinstance(key, str) else format_value(key): as_go(inner) for key, inner in value.items()}
    return [as_go(inner) for inner in value] if isinstance(value, (list, tuple)) else str(value)


def stringify_keys(value: Any) -> Any:
    """Turn a YAML value into one that JSON can hold: keys such as `on` or 404 are texts."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else format_value(key): stringify_keys(one) for key, one in value.items()}
    return [stringify_keys(one) for one in value] if isinstance(value, list) else value


def print_values(values: Iterable[object]) -> str:
    """Print as fmt.Sprint does: a space between two of which neither is a text."""
    printed, before = "", True
    for number, value in enumerate(values):
        is_text = isinstance(value, str)
        printed += (" " if number and not is_text and not before else "") + format_value(value)
        before = is_text
    return printed
