"""What several modules of lab tests need around their own fixture `scenario`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.scenario import Scenario


@pytest.fixture
def settings_back(scenario: Scenario) -> Iterator[None]:
    """Put the stack file and the tree back after a test that changes them."""
    yield
    for command in (("checkout", "--quiet", "."), ("clean", "--quiet", "-fd")):
        scenario.report.workspace.git(*command)
