"""Hold what a first update would install against what lives in the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lightkube import Client

from gitops_stack.adoption import Wanted, build_report, load_living
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.lock import Lock, load_lock
from gitops_stack.gitops_tree.tree import LOCK
from gitops_stack.guard.cluster import Cluster
from gitops_stack.guard.root_application import load_tree_documents
from gitops_stack.manifests import Manifest


def check_adoption(client: Client, cluster: Cluster, news: Mapping[str, Any]) -> Iterator[str]:
    """Yield what cannot be taken over, and what would be lost unless ``takeOver`` names the cluster.

    ``news`` are the inputs of a cluster guard; one with neither a tree nor manifests looks for nothing.
    """
    wanted = _build_wanted(news)
    if wanted is None:
        return
    report = build_report(load_living(client, wanted), wanted)
    yield from report.refusals
    if news.get("takeOver") != cluster.uid:
        for loss in report.losses:
            yield (
                f"{loss}; write it into Git with `gitops-stack adopt --stack {news['stack']} --yes`, or set `takeOver: "
                f"{cluster.uid}` to lose it on purpose"
            )


def _build_wanted(news: Mapping[str, Any]) -> Wanted | None:
    tree = Path(news["tree"]) if news.get("tree") else None
    if tree is not None and (tree / "argocd").is_dir():
        lock = load_lock(tree / LOCK)
        version = lock.version if isinstance(lock, Lock) else ""
        manifests = load_manifests(tree / "argocd")
        projects = [one for one in load_tree_documents(tree / "projects") if one.get("kind") == "AppProject"]
        applications = [
            one for one in load_tree_documents(tree / "apps") if one.get("kind") in ("Application", "ApplicationSet")
        ]
        return Wanted(news["stack"], news["namespace"], version, manifests, projects, [*applications, _root(news)])
    if news.get("manifests"):
        given: list[Manifest] = json.loads(Path(news["manifests"]).read_text(encoding="utf-8"))
        return Wanted(news["stack"], news["namespace"], "", given)
    return None


def _root(news: Mapping[str, Any]) -> Manifest:
    metadata = {"name": news.get("root") or "root", "namespace": news["namespace"]}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": {}}
