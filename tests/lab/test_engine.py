"""What the engine's last lines say."""

from __future__ import annotations

import pytest

from gitops_stack.lab.engine import _changes


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Resources:\n    + 71 to create\n", {"create": 71}),
        ("Resources:\n    71 unchanged\n", {"same": 71}),
        (
            "Resources:\n    + 2 to create\n    ~ 1 to update\n    - 3 to delete\n    +-4 to replace\n"
            "    10 changes. 61 unchanged\n",
            {"create": 2, "update": 1, "delete": 3, "replace": 4, "same": 61},
        ),
        ("Resources:\n    + 71 created\n\nDuration: 40s\n", {"create": 71}),
        (
            "Resources:\n    ~ 1 updated\n    - 3 deleted\n    +-4 replaced\n    8 changes. 61 unchanged\n",
            {"update": 1, "delete": 3, "replace": 4, "same": 61},
        ),
        ("Diagnostics:\n  9 created objects\n\nOutputs:\n    n: 5\n\nResources:\n    + 1 created\n", {"create": 1}),
    ],
    ids=["first preview", "nothing to do", "preview of all", "first up", "up of all", "words before"],
)
def test_changes_are_counted_by_operation(text: str, wanted: dict[str, int]) -> None:
    assert _changes(text) == wanted
