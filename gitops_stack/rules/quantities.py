"""Kubernetes quantities as numbers."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, ROUND_UP, Context, Decimal

_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:[eE]([+-]?[0-9]{1,19})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_LARGEST = Decimal(2**63 - 1)
_MOST_DIGITS = 1000  # a larger exponent changes nothing, as the cap and the rounding already decide
_NANO = Decimal("1e-9")
# Nothing that is written in Git may raise; the cap turns what is infinite into a number.
_ARITHMETIC = Context(prec=80, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def is_quantity(value: object) -> bool:
    """Tell whether the API server can read ``value`` as a quantity."""
    return _QUANTITY.fullmatch(str(value)) is not None


def parse_quantity(value: object) -> Decimal | None:
    """Read a quantity such as 1.5Gi or 100m; None for what is not a quantity.

    As the API server does (apimachinery, api/resource/quantity.go): at most ±(2**63 - 1), and rounded up to 1n.
    """
    found = _QUANTITY.fullmatch(str(value)) if isinstance(value, (str, int, float)) else None
    if found is None:
        return None
    suffix = found[3] or ""
    exponent = max(-_MOST_DIGITS, min(_MOST_DIGITS, int(found[2] or 0)))
    number = _ARITHMETIC.scaleb(Decimal(found[1]), exponent + _DECIMAL.get(suffix, 0))
    number = _ARITHMETIC.multiply(number, Decimal(2 ** _BINARY.get(suffix, 0)))
    capped = max(-_LARGEST, min(_LARGEST, number))
    return capped if capped == capped.to_integral_value() else capped.quantize(_NANO, ROUND_UP, _ARITHMETIC)
