"""Quantities as numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gitops_stack.rules.quantities import parse_quantity

LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", 1), (2, 2), ("100m", Decimal("0.1")), ("1.5Gi", 3 * 2**29), ("1k", 1000), ("1e3", 1000),
        (".5", Decimal("0.5")), ("-.5", Decimal("-0.5")), ("2E", 2 * 10**18), ("1e3Ki", None),
        (10**29, LARGEST), ("1E30", LARGEST), ("1e1000000", LARGEST), ("-1e999999999999", -LARGEST), ("10E", LARGEST),
        ("1e-1000000", Decimal("1e-9")), ("1e99999999999999999999", None), ("9" * 5000, LARGEST), (1e30, LARGEST),
        ("1Mi", 2**20), ("half", None), ("1KiB", None), (None, None), ([], None),
    ],
)  # fmt: skip
def test_quantities(written: object, number: object) -> None:
    assert parse_quantity(written) == number
