"""When the host of a stack's repository is played, and what of a tree comes before its applications."""

from __future__ import annotations

import pytest

from gitops_stack.lab.trial import can_play_host
from gitops_stack.policies.application_spec import Source

OWN = "https://github.com/acme/platform.git"


def source(url: str) -> Source:
    return Source("spec.source", url, "apps/web", "", "", {"repoURL": url})


@pytest.mark.parametrize(
    ("own", "others", "played"),
    [
        (OWN, [], True),
        (OWN, [OWN.upper().replace("HTTPS", "https"), "https://github.com/Acme/platform"], True),
        (OWN, ["https://charts.example.com", "registry.example.com/charts"], True),
        (OWN, ["https://GitHub.com/acme/values.git"], False),
        ("git@github.com:acme/platform.git", [], False),
        ("file:///srv/platform.git", [], False),
    ],
)
def test_a_host_is_played_when_nothing_else_is_read_from_it(own: str, others: list[str], played: bool) -> None:
    assert can_play_host(own, [source(own), *map(source, others)]) is played
