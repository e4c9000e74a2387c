"""`gitops/clusters.yaml`: clusters whose Secrets are in no tree, for ApplicationSets to be expanded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gitops_stack.conventions import SECRET_TYPE
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import load_yaml_file
from gitops_stack.rules.fields import mapping, text
from gitops_stack.tree_check.application_sets.clusters import Cluster
from gitops_stack.tree_check.go_template.values import stringify_keys

CLUSTERS_FILE = "gitops/clusters.yaml"
_TEXTS, _MAPS = ("name", "server", "project"), ("labels", "annotations")


def load_clusters(project: Path) -> tuple[Cluster, ...] | None:
    """Read the declared clusters of a project: a list of name, server, project, labels and annotations.

    None without the file. Raises :class:`GitOpsStackError` with every finding.
    """
    file = project / CLUSTERS_FILE
    if not file.is_file():
        return None
    documents = load_yaml_file(file, CLUSTERS_FILE)
    entries = stringify_keys(documents[0] if documents else [])
    if not isinstance(entries, list):
        raise GitOpsStackError(
            Problem("found no list", "needs a list of clusters, each with name and server", CLUSTERS_FILE)
        )
    GitOpsStackError.raise_for(
        f"{CLUSTERS_FILE}: [{index}]{sentence}" for index, one in enumerate(entries) for sentence in _check(one)
    )
    return tuple(_read(mapping(one)) for one in entries)


def _check(entry: Any) -> Iterator[str]:  # noqa: ANN401 - any YAML value
    if not isinstance(entry, dict):
        yield ": found no map; needs name and server"
        return
    for key in sorted(set(entry) - {*_TEXTS, *_MAPS}):
        yield f".{key}: is not a known key; known here: {', '.join((*_TEXTS, *_MAPS))}"
    for key in _TEXTS:
        if not text(entry.get(key)) and (key in entry or key != "project"):
            yield f".{key}: found {entry.get(key, 'nothing')}; needs text in quotes"
    for kind in _MAPS:
        found = entry.get(kind)
        values = found.values() if isinstance(found, dict) else () if found is None else (found,)
        if not all(isinstance(value, str) for value in values):
            yield f".{kind}: needs a map of texts; put quotes around numbers and true or false"


def _read(entry: dict[str, Any] | Any) -> Cluster:  # noqa: ANN401 - checked above
    labels = {SECRET_TYPE: "cluster", **mapping(entry.get("labels"))}
    annotations = mapping(entry.get("annotations"))
    return Cluster(entry["name"], entry["server"], text(entry.get("project")), labels, annotations)
