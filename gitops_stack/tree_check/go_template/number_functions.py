"""sprig's functions of numbers, with the conversions of spf13/cast."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import reduce
from typing import Any

from gitops_stack.tree_check.go_template.function import function
from gitops_stack.tree_check.go_template.values import Int64, IntList, format_value

_WHOLE = re.compile(r"[+-]?(0[xX](_?[0-9a-fA-F])+|0[bB](_?[01])+|0[oO]?(_?[0-7])+|0|[1-9](_?[0-9])*)")


def as_int(value: Any) -> int:
    """Turn a value into a whole number; 0 for what is not one."""
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, float):
        return int(value)
    if not isinstance(value, str):
        return 0
    text = re.sub(r"\.0+$", "", value)
    if not _WHOLE.fullmatch(text):
        return 0
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text.lstrip("+"))
    octal = len(digits) > 1 and digits.startswith("0") and digits.replace("_", "").isdigit()
    return int(sign + digits, 8 if octal else 0)


def as_float(value: Any) -> float:
    """Turn a value into a float; 0 for what is not one."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else 0.0
    except ValueError:
        return 0.0


def _quotient(first: Any, other: Any) -> Int64:
    return Int64(math.trunc(Decimal(as_int(first)) / Decimal(as_int(other))) if as_int(other) else 1 // 0)


def _remainder(first: Any, other: Any) -> Int64:
    return Int64(as_int(first) - as_int(other) * _quotient(first, other))


def _until(start: int, stop: int, step: int) -> IntList:
    return IntList(range(start, stop, step) if step else ())


def _decimals(operation: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., float]:
    def computed(first: Any, *others: Any) -> float:
        values = [Decimal(repr(as_float(value))) for value in (first, *others)]
        return float(reduce(operation, values)) + 0.0  # decimals have no -0

    return computed


@function("atoi", takes="string")
def _atoi(text: str) -> int:
    return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else 0


@function("seq", takes="int", variadic=True)
def _sequence(*numbers: int) -> str:
    if not numbers or len(numbers) > 3:  # noqa: PLR2004 - start, step, end
        return ""
    start, end = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[-1])
    sign = -1 if end < start else 1
    step = numbers[1] if len(numbers) == 3 else sign  # noqa: PLR2004 - as above
    if step * sign <= 0:
        return ""
    return " ".join(map(str, _until(start, end + sign, step)))


@function("round", takes="any int float", variadic=True)
def _round(value: Any, places: int, *options: float) -> float:
    power = 10.0**places
    digit = power * as_float(value)
    up = math.modf(digit)[0] >= (options[0] if options else 0.5)
    return (math.ceil(digit) if up else math.floor(digit)) / power


@function("toDecimal", takes="any")
def _octal(value: Any) -> Int64:
    text = format_value(value)
    return Int64(int(text, 8)) if re.fullmatch(r"[+-]?[0-7]+", text) else Int64(0)


function("int", takes="any")(as_int)
function("int64", takes="any")(lambda value: Int64(as_int(value)))
function("float64", takes="any")(as_float)
function("add1", takes="any")(lambda value: Int64(as_int(value) + 1))
function("add", takes="any", variadic=True)(lambda *values: Int64(sum(map(as_int, values))))
function("sub", takes="any any")(lambda first, other: Int64(as_int(first) - as_int(other)))
function("div", takes="any any")(_quotient)
function("mod", takes="any any")(_remainder)
function("mul", takes="any any", variadic=True)(lambda *values: Int64(math.prod(map(as_int, values))))
function("max", "biggest", takes="any any", variadic=True)(lambda *values: Int64(max(map(as_int, values))))
function("min", takes="any any", variadic=True)(lambda *values: Int64(min(map(as_int, values))))
function("maxf", takes="any any", variadic=True)(lambda *values: max(map(as_float, values)))
function("minf", takes="any any", variadic=True)(lambda *values: min(map(as_float, values)))
function("floor", takes="any")(lambda value: float(math.floor(as_float(value))))
function("ceil", takes="any")(lambda value: float(math.ceil(as_float(value))))
function("until", takes="int")(lambda count: _until(0, count, -1 if count < 0 else 1))
function("untilStep", takes="int int int")(_until)
function("add1f", takes="any")(lambda value: _decimals(lambda one, two: one + two)(value, 1))
function("addf", takes="any", variadic=True)(lambda *values: _decimals(lambda one, two: one + two)(0, *values))
function("subf", takes="any any", variadic=True)(_decimals(lambda one, two: one - two))
function("mulf", takes="any any", variadic=True)(_decimals(lambda one, two: one * two))
function("divf", takes="any any", variadic=True)(
    _decimals(lambda one, two: round(one / two, 16))  # shopspring/decimal, DivisionPrecision
)
