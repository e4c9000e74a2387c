"""One source to render, and what came out of it. The edges that render are beside this module, one per source type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops_stack.errors import Problem
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.tree_check.bounds import find_root

# Rendering an unborn commit: only what prints the revision would see it, and equal texts make no difference.
_REVISION = "0" * 40
_NUMBERS = re.compile(r"\s*v?((?:0|[1-9][0-9]*)(?:\.[0-9]+)+)")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[^}]*)\}|(?P<special>[*#$@!?\-0-9])|(?P<name>\w+)|(?P<bad>\{))", re.ASCII)


@dataclass(frozen=True)
class SourceTools:
    """How an installation renders: the keys of argocd-cm that decide it.

    ``build_options`` are kustomize's; None where nothing says which, ``guessed`` where some file says so, of whatever
    Argo CD. ``disabled`` are source types that are switched off, ``versions`` those of kustomize that argocd-cm names,
    None where there is none. ``kubernetes_version`` is what charts are told; empty leaves it to helm.
    """

    build_options: str | None = None
    disabled: frozenset[str] = frozenset()
    kubernetes_version: str = ""
    guessed: bool = False
    versions: frozenset[str] | None = None


@dataclass(frozen=True)
class Request:
    """One source to render: ``options`` is the source as the Application writes it.

    ``name`` and ``namespace`` are the Application's name and its destination's namespace; ``instance`` is what Argo CD
    calls it, with its own namespace where that is not Argo CD's. ``refs`` are roots of the sources that `$ref/…` names,
    ``several`` says that the Application has a list of sources.
    """

    folder: Path
    options: dict[str, Any]
    name: str = ""
    namespace: str = ""
    instance: str = ""
    project: str = ""
    root: Path | None = None
    refs: tuple[tuple[str, Path], ...] = ()
    several: bool = False
    tools: SourceTools = field(default_factory=SourceTools)

    @property
    def repository(self) -> Path:
        """The root of the repository the source is in."""
        return self.root or find_root(self.folder)

    @property
    def is_link(self) -> bool:
        """Whether the folder itself is a link: Argo CD then looks for nothing in it (Go's filepath.Walk)."""
        return self.folder.is_symlink() and self.folder.resolve() != self.repository.resolve()

    @property
    def kubernetes_version(self) -> str:
        """The version that charts are told: the numbers of the source's own, else that of the check."""
        sections = (mapping(self.options.get(kind)) for kind in ("helm", "kustomize"))
        own = next((said for one in sections if (said := text(one.get("kubeVersion")))), "")
        return (read_numbers(own) if own else None) or self.tools.kubernetes_version

    @property
    def api_versions(self) -> list[str]:
        """The API versions that charts are told are there."""
        named = (sequence(mapping(self.options.get(kind)).get("apiVersions")) for kind in ("helm", "kustomize"))
        return [text(one) for one in next(filter(None, named), ())]

    @property
    def environment(self) -> dict[str, str]:
        """The variables Argo CD sets for a build (docs/user-guide/build-environment.md)."""
        texts = {key: str(self.options.get(key) or "") for key in ("repoURL", "path", "targetRevision")}
        return {
            "ARGOCD_APP_NAME": self.instance or self.name,
            "ARGOCD_APP_NAMESPACE": self.namespace,
            "ARGOCD_APP_PROJECT_NAME": self.project,
            "ARGOCD_APP_REVISION": _REVISION,
            "ARGOCD_APP_REVISION_SHORT": _REVISION[:7],
            "ARGOCD_APP_REVISION_SHORT_8": _REVISION[:8],
            "ARGOCD_APP_SOURCE_REPO_URL": texts["repoURL"],
            "ARGOCD_APP_SOURCE_PATH": texts["path"],
            "ARGOCD_APP_SOURCE_TARGET_REVISION": texts["targetRevision"],
        }

    def substitute(self, text: str) -> str:
        """Replace variables in a text as Argo CD does: by Go's os.Expand, an unknown one by nothing, `$$` by `$`."""

        def value(found: re.Match[str]) -> str:
            if found["special"] == "$" or found["braced"] == "$":
                return "$"
            return self.environment.get(found["braced"] or found["name"] or "", "")

        return _VARIABLE.sub(value, text)


def read_numbers(version: str) -> str | None:
    """Read the numbers of a Kubernetes version; None if Argo CD cannot (k8s.io/apimachinery, ParseGeneric)."""
    found = _NUMBERS.match(version)
    return ".".join(str(int(one)) for one in found[1].split(".")) if found else None


@dataclass(frozen=True)
class ChartProblem(Problem):
    """What helm ``said`` about a chart; ``mendable`` tells whether other values than the chart's own may help."""

    said: str = ""
    mendable: bool = False


@dataclass(frozen=True)
class Render:
    """What came out: documents with their files; or why it ``failed``, or why it was ``skipped``.

    ``skipped`` beside documents is about a part of the source. ``lacking`` is what this machine could not reach or
    does not have, ``ignored`` files that are no manifests to Argo CD and look as if they should be: (file, why).
    ``links`` are the folders that a kustomization reads by another name than their own, ``hosts`` those that are not
    known here and without which it does not render. ``varying``: of objects by kind and name, the fields that are other
    ones at every render, as far as no placeholder stands there.
    """

    documents: tuple[tuple[str, Any], ...] = ()
    failed: tuple[Problem, ...] = ()
    skipped: str = ""
    lacking: str = ""
    ignored: tuple[tuple[str, str], ...] = ()
    files: tuple[Path, ...] = ()
    links: tuple[Path, ...] = ()
    varying: Mapping[tuple[str, str], Sequence[tuple[str | int, ...]]] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    pinned: bool = True
    kustomized: bool = False

    def list_varying(self, document: Any) -> tuple[tuple[str | int, ...], ...]:  # noqa: ANN401 - any YAML value
        """List the fields of one of the documents that are other ones at every render and have no placeholder."""
        named = mapping(mapping(document).get("metadata"))
        return tuple(self.varying.get((text(mapping(document).get("kind")), text(named.get("name"))), ()))
