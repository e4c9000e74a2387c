"""What a look at a living installation says: data first, sentences from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gitops_stack.manifests import Manifest

Level = Literal["refused", "lost", "note"]
Kind = Literal[
    "ours", "operator", "helm", "autopilot", "pulumi", "kubectl-client-side", "kubectl-server-side", "self-managed",
    "unknown",
]  # fmt: skip

KIND_WORDS: dict[Kind, str] = {
    "ours": "this stack's own",
    "operator": "the Argo CD operator's",
    "helm": "Helm's chart argo-cd",
    "autopilot": "argocd-autopilot's",
    "pulumi": "a Pulumi program's (kustomize.Directory, ConfigGroup or the like)",
    "kubectl-client-side": "kubectl apply's",
    "kubectl-server-side": "kubectl apply --server-side's",
    "self-managed": "synced by an Application of its own",
    "unknown": "of unknown origin",
}
_NAMED = 6


@dataclass(frozen=True)
class Installation:
    """One Argo CD in the cluster. ``prefix`` begins its objects' names (`argocd`); ``source`` is a release or manager.

    ``version`` is empty when no image says it.
    """

    kind: Kind
    namespace: str
    prefix: str
    version: str
    source: str = ""

    @property
    def sentence(self) -> str:
        """The installation in one line."""
        source = f" ({self.source})" if self.source else ""
        return (
            f"namespace {self.namespace}: Argo CD {self.version or 'of unknown version'}, {KIND_WORDS[self.kind]}"
            f"{source}, objects named {self.prefix}-…"
        )


@dataclass(frozen=True)
class AdoptionFinding:
    """One finding: `refused` cannot work, `lost` would be overwritten or dropped silently, `note` is good to know."""

    level: Level
    place: str
    found: str
    remedy: str = ""
    objects: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The whole finding in one sentence."""
        return f"{self.place}: {self.found}{f'; {self.remedy}' if self.remedy else ''}"


@dataclass(frozen=True)
class AdoptionReport:
    """The living installations, the findings about them, and what Git has to take over so that nothing is lost.

    ``patches`` are strategic merge patches for the tree's `argocd/patches`, ``app_projects`` objects for its
    `projects`, ``rbac`` (group -> role) and ``admin_enabled`` settings of the stack file.
    """

    installations: tuple[Installation, ...] = ()
    findings: tuple[AdoptionFinding, ...] = ()
    patches: tuple[Manifest, ...] = ()
    app_projects: tuple[Manifest, ...] = ()
    rbac: tuple[tuple[str, str], ...] = ()
    admin_enabled: bool | None = None

    @property
    def refusals(self) -> list[str]:
        """What cannot work, as sentences."""
        return self._sentences("refused")

    @property
    def losses(self) -> list[str]:
        """What would be overwritten or dropped silently, as sentences."""
        return self._sentences("lost")

    @property
    def notes(self) -> list[str]:
        """What is good to know, as sentences."""
        return self._sentences("note")

    @property
    def clear(self) -> bool:
        """Tell whether the stack can be brought up without asking anybody."""
        return not self.refusals and not self.losses

    @property
    def writable(self) -> bool:
        """Tell whether there is something that Git can take over."""
        return bool(self.patches or self.app_projects or self.rbac) or self.admin_enabled is not None

    def _sentences(self, level: Level) -> list[str]:
        return [found.sentence for found in self.findings if found.level == level]


def list_names(names: Iterable[str]) -> str:
    """List names in a sentence; of many the first ones and a count."""
    found = list(names)
    if len(found) <= _NAMED + 1:
        return ", ".join(found)
    return f"{', '.join(found[:_NAMED])} and {len(found) - _NAMED} more"
