"""The charts and jsonnet of a folder without a stack, with what its Applications say: values, names, variables.

Kustomizations and manifests are rendered by themselves; a chart alone is not what anybody deploys.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import load_yaml_file
from gitops_stack.rules.application_spec import ApplicationSpec
from gitops_stack.rules.fields import mapping
from gitops_stack.rules.finding import Finding
from gitops_stack.tree_check.source import Request, SourceTools
from gitops_stack.tree_check.source_location import Located, SourceLocator
from gitops_stack.tree_check.source_roots import SourceRoots, choose_repositories

_RELEASE = re.compile(r"[a-z]([-a-z0-9]{0,51}[a-z0-9])?")  # a Service takes no other name, and most charts make one


@dataclass(frozen=True)
class Asked:
    """What Applications ask for: sources to render, and what is said about those that are not here.

    ``folders`` are those that decided it, by being there or not.
    """

    requests: tuple[Request, ...]
    findings: tuple[Finding, ...]
    folders: tuple[Path, ...]


def list_asked(specs: Iterable[ApplicationSpec], project: Path, tools: SourceTools) -> Asked:
    """List the charts, and the folders with jsonnet, that Applications read in this repository."""
    known = list(specs)
    named = [(project / one.path, one.repo_url) for spec in known for one in spec.sources if one.path]
    here = [url for folder, url in named if os.path.isdir(folder)]  # noqa: PTH112 - a name may be too long for Path
    roots = SourceRoots.at_hand(project, choose_repositories(project, here))
    locator = SourceLocator(roots, _guess_namespace(known), tools)
    requests: list[Request] = []
    findings: list[Finding] = []
    for spec in known:
        for located in locator.locate(spec):
            findings += [_mild(one) for one in located.findings if one.rule in ("not-rendered", "dangling-path")]
            if located.request is not None and (located.kinds == {"helm"} or _has_jsonnet(located)):
                requests.append(located.request)
    return Asked(tuple(requests), tuple(findings), tuple(folder for folder, _ in named))


def _guess_namespace(specs: Sequence[ApplicationSpec]) -> str:
    """Return the namespace that is most likely Argo CD's own: OpenShift's, for one, is called openshift-gitops."""
    names = [spec.object.namespace for spec in specs]
    return "argocd" if "argocd" in names or not names else max(names, key=names.count)


def _mild(finding: Finding) -> Finding:
    """Judge a folder that is not here as one that was not read: nothing tells which branch the files at hand are."""
    if finding.rule == "not-rendered":
        return finding
    said = f"{finding.found}; nothing of it was checked"
    return replace(finding, rule="not-rendered", severity="warning", found=said, needs="")


def _has_jsonnet(located: Located) -> bool:
    if located.request is None or located.kinds != {"directory"}:
        return False
    deep = mapping(located.source.options.get("directory")).get("recurse") is True
    return next(located.request.folder.glob("**/*.jsonnet" if deep else "*.jsonnet"), None) is not None


def list_unasked(charts: Iterable[Path], asked: Iterable[Request], tools: SourceTools) -> list[Request]:
    """List the charts that no Application reads, each to be rendered with its own values. Libraries render nothing."""
    read = {request.folder.resolve() for request in asked}
    left = [chart for chart in charts if chart.resolve() not in read and not _is_library(chart)]
    return [Request(one, {}, one.name if _RELEASE.fullmatch(one.name) else "release-name", tools=tools) for one in left]


def _is_library(chart: Path) -> bool:
    with suppress(GitOpsStackError):  # said when it is rendered
        documents = load_yaml_file(chart / "Chart.yaml")
        return mapping(documents[0] if documents else None).get("type") == "library"
    return False
