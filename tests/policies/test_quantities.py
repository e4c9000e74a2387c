"""Quantities as numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gitops_stack.policies.quantities import parse_quantity


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", 1), (2, 2), ("100m", Decimal("0.1")), ("1.5Gi", 3 * 2**29), ("1k", 1000), ("1e3", 1000),
        (".5", Decimal("0.5")), ("-.5", Decimal("-0.5")), ("2E", 2 * 10**18), ("1e3Ki", None),
        ("1Mi", 2**20), ("half", None), ("1KiB", None), (None, None), ([], None),
    ],
)  # fmt: skip
def test_quantities(written: object, number: object) -> None:
    assert parse_quantity(written) == number
