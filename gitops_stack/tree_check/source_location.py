"""Find the folder of each source of an Application, or say why it is not here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gitops_stack.errors import GitOpsStackError
from gitops_stack.rules.application_spec import ApplicationSpec, Source
from gitops_stack.rules.fields import dig, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.tree_check.bounds import is_inside
from gitops_stack.tree_check.source import Request, SourceTools
from gitops_stack.tree_check.source_roots import Root, SourceRoots, UnreadError
from gitops_stack.tree_check.source_type import find_kind


@dataclass
class Located:
    """One source: the ``request`` to render it, or why there is none in ``findings``.

    ``complete`` is false when the answer may change without a change of the files that are read.
    """

    source: Source
    request: Request | None = None
    findings: list[Finding] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    complete: bool = True


class SourceLocator:
    """Find sources of Applications in ``roots``; ``tools`` go into the requests."""

    def __init__(self, roots: SourceRoots, argocd_namespace: str, tools: SourceTools) -> None:
        """Take the Application's own namespace into its name unless it is ``argocd_namespace``."""
        self._roots, self._home, self._tools = roots, argocd_namespace, tools

    def locate(self, spec: ApplicationSpec) -> Iterator[Located]:
        """Yield the sources of an Application, each with its request or its findings."""
        found = [(source, *self._find_root(spec.object, source)) for source in spec.sources]
        refs = tuple((source.ref, root.folder) for source, root, _ in found if source.ref and root is not None)
        for source, root, located in found:
            if root is None or not (source.path or source.chart):
                yield located
                continue
            folder = root.folder if source.chart else root.folder / source.path
            if not _holds_files(folder) or not is_inside(folder, root.folder):
                located.complete = False  # a folder that appears later is in no list of inputs
                located.findings.append(_dangling(spec.object, source, root, folder))
            else:
                located.request = self._request(spec, source, folder, root, refs)
                with suppress(GitOpsStackError):  # said when it is rendered
                    located.kinds.add(find_kind(located.request))
            yield located

    def _find_root(self, made: RenderedObject, source: Source) -> tuple[Root | None, Located]:
        located = Located(source)
        revision = text(source.options.get("targetRevision"))
        try:
            found = self._roots.find_chart(source.repo_url, source.chart, revision)
            root = found if found or source.chart else self._roots.find(source.repo_url, revision)
        except UnreadError as error:
            said = f"is not rendered: {error}; nothing of it was checked"
            needs = "fetch the revision"
            finding = made.finding(
                f"{source.field}.targetRevision", said, needs, rule="not-rendered", severity="warning"
            )
            located.findings.append(finding)
            located.complete = False
            return None, located
        if root is None:
            shown = source.chart or source.path or source.ref
            located.kinds |= {"helm"} if source.chart or "helm" in source.options else set()
            said = f"found {shown} of {source.repo_url}, which is not here"
            located.findings.append(made.finding(source.field, said, "", rule="not-rendered"))
        elif root.label:
            located.complete = False  # a branch moves without a change here
        return root, located

    def _request(
        self, spec: ApplicationSpec, source: Source, folder: Path, root: Root, refs: tuple[tuple[str, Path], ...]
    ) -> Request:
        own = spec.object.namespace
        return Request(
            folder,
            source.options,
            spec.name,
            spec.namespace,
            instance=spec.name if own in ("", self._home) else f"{own}_{spec.name}",
            project=spec.project,
            root=root.top,
            refs=refs,
            several="sources" in (dig(spec.object.manifest, "spec") or {}),
            tools=self._tools,
        )


def _holds_files(folder: Path) -> bool:
    """Tell whether a folder is there once it is committed: Git keeps no folder without a file."""
    walk = os.walk(folder)  # which lists a link to a folder among the folders
    return any(names or any(Path(place, one).is_symlink() for one in folders) for place, folders, names in walk)


def _dangling(made: RenderedObject, source: Source, root: Root, folder: Path) -> Finding:
    where = f"in {root.label.rstrip(':')}" if root.label else "here"
    said = f"found {source.path}, which is not a folder {where}"
    if os.path.isdir(folder) and not _holds_files(folder):  # noqa: PTH112 - a name may be too long for Path
        said = f"found {source.path}, a folder without a file, which Git does not keep"
    return made.finding(f"{source.field}.path", said, "correct the path", rule="dangling-path")
