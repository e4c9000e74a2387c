"""What a tree renders, by application, for whoever writes it down or compares it."""

from __future__ import annotations

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.manifests import Manifest
from gitops_stack.tree_check.applications import Tree, label_applications

_UNSEEN = ("not-rendered", "application-set-not-expanded", "not-an-object", "dangling-path")


def build_sources(tree: Tree) -> tuple[dict[str, list[Manifest]], list[str]]:
    """Return the objects by application, and a sentence for all that was not rendered.

    Raises :class:`GitOpsStackError` for sources that do not render: what is missing would look removed.
    """
    if tree.lacking:
        raise EnvironmentProblem(*dict.fromkeys(tree.lacking))
    GitOpsStackError.raise_for(
        one.sentence
        for one in tree.findings
        if one.rule == "render-failed" or (one.rule == "not-an-object" and one.severity == "error")
    )
    labels = label_applications(tree.applications)
    sources: dict[str, list[Manifest]] = {}
    for one in tree.applications:
        found = [rendered.manifest for rendered in one.objects if rendered.name.name]  # generateName has no identity
        sources.setdefault(labels[one.spec.object.name], []).extend(found)
    return sources, [finding.sentence for finding in tree.findings if finding.rule in _UNSEEN]
