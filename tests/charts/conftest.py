from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.charts.packages import FakeHelm


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: Callable[..., str]) -> FakeHelm:
    """Put a helm on PATH that knows packages of the test's own, beside the real git."""
    del git
    return FakeHelm(tmp_path / "helm", monkeypatch)
