"""Kubernetes quantities as numbers."""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:[eE]([+-]?[0-9]+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def is_quantity(value: object) -> bool:
    """Tell whether the API server can read ``value`` as a quantity."""
    return _QUANTITY.fullmatch(str(value)) is not None


def parse_quantity(value: object) -> Decimal | None:
    """Read a quantity such as 1.5Gi or 100m; none for what is no quantity."""
    found = _QUANTITY.fullmatch(str(value)) if isinstance(value, (str, int, float)) else None
    if found is None:
        return None
    number = Decimal(found[1]) * Decimal(10) ** int(found[2] or 0)
    suffix = found[3] or ""
    return number * (Decimal(2) ** _BINARY[suffix] if suffix in _BINARY else Decimal(10) ** _DECIMAL[suffix])
