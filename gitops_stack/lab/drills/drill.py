"""What a drill is: the damage, the sign by which it is noticed, and the commands that mend it. Data only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitops_stack.lab.drills.site import Site

Act = Callable[[Site], None]

DOCUMENTED: Mapping[str, str] = {
    "stack": "dev",
    "namespace": "argocd",
    "branch": "main",
    "old": "https://github.com/acme/platform.git",
    "new": "https://gitlab.com/acme/platform.git",
}
"""What stands in the documents for the names in a command; a lab puts its own there."""


@dataclass(frozen=True)
class Command:
    """One line a person types, with names in braces, and ``why``.

    ``stand_in`` is what the lab does in its place: it has no kubectl, and Argo CD's controllers are no pods in it.
    ``then`` is what a cluster does by itself after it: pods start, or end.
    """

    text: str
    why: str = ""
    stand_in: Act | None = None
    then: Act | None = None


@dataclass(frozen=True)
class Sign:
    """A command that ``says`` something as soon as the damage shows."""

    text: str
    says: str


@dataclass(frozen=True)
class Drill:
    """One failure: ``happened`` and ``recovered`` are whole sentences for people, broken into lines anywhere."""

    name: str
    title: str
    happened: str
    damage: Act
    sign: Sign
    commands: tuple[Command, ...]
    recovered: str
    after: str = ""
    """Name of the drill whose end this one begins with."""
    rehearsed: bool = False
    """Whether a stack on EKS is drilled as well, on doubles: nothing that only AWS has is broken or mended."""
    keeps_workloads: bool = True
    """Whether workloads run on: Deployments and namespaces keep their UIDs."""


PROOF = (
    Command("gitops-stack status --stack {stack} --wait 5m", "all Synced and Healthy, the certificate complete"),
    Command("pulumi preview --stack {stack} --refresh --expect-no-changes"),
)
"""How every drill ends."""
