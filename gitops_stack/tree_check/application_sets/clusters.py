"""The clusters a clusters generator knows: those whose Secrets the stack or its tree makes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_stack.conventions import IN_CLUSTER, IN_CLUSTER_NAME, SECRET_TYPE
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.tree_check.application_sets.errors import NotExpandableError
from gitops_stack.tree_check.application_sets.filling import Filling, Parameters
from gitops_stack.tree_check.application_sets.parameters import append_values
from gitops_stack.tree_check.application_sets.selectors import is_selected
from gitops_stack.tree_check.go_template import StringMap
from gitops_stack.tree_check.go_template.text_functions import sanitize_name

# Kinds that become a Secret in the cluster, and where they hold what it will be.
_TEMPLATES: dict[str, tuple[str, ...]] = {
    "Secret": (),
    "SealedSecret": ("spec", "template"),
    "ExternalSecret": ("spec", "target", "template"),
}


UNKNOWN = re.compile(r"<\w+>")
"""What stands for a value that only `pulumi up` knows."""


@dataclass(frozen=True)
class Cluster:
    """One cluster Secret."""

    name: str
    server: str
    project: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    hidden: bool = False
    """Whether name or server are encrypted, or come from elsewhere: ``name`` is the Secret's then."""

    @property
    def is_reachable(self) -> bool:
        """Tell whether its server is known here, and not only to `pulumi up`."""
        return not UNKNOWN.fullmatch(self.server)


def read_clusters(manifests: Iterable[Mapping[str, Any]]) -> Iterator[Cluster]:
    """Yield the cluster Secrets among ``manifests``, and what becomes one."""
    for manifest in manifests:
        place = _TEMPLATES.get(text(manifest.get("kind")))
        if place is None:
            continue
        secret = mapping(dig(manifest, *place))
        labels = mapping(dig(secret, "metadata", "labels"))
        if labels.get(SECRET_TYPE) != "cluster":
            continue
        annotations = mapping(dig(secret, "metadata", "annotations"))
        data = {key: _decode(text(value)) for key, value in mapping(secret.get("data")).items()}
        data |= mapping(secret.get("stringData"))
        name, server = text(data.get("name")), text(data.get("server"))
        hidden = not name or not server or "{{" in name + server
        own = text(dig(manifest, "metadata", "name"))
        yield Cluster(own if hidden else name, server, text(data.get("project")), labels, annotations, hidden)


def _decode(written: str) -> str:
    try:
        return base64.b64decode(written, validate=True).decode()
    except (binascii.Error, ValueError):
        return written  # a template's value is plain


def generate_from_clusters(
    generator: Mapping[str, Any], clusters: Sequence[Cluster] | None, filling: Filling
) -> list[Parameters]:
    """Return the parameters of a clusters generator. Raises :class:`NotExpandableError` for what is not known."""
    if clusters is None:
        raise NotExpandableError(
            "it selects clusters, and nothing here tells which there are; list them in gitops/clusters.yaml"
        )
    selector = mapping(generator.get("selector"))
    _refuse_unknown_labels(selector, clusters)
    selects = bool(mapping(selector.get("matchLabels"))) or bool(selector.get("matchExpressions"))
    chosen = [one for one in clusters if is_selected(selector, one.labels, of_labels=True)]
    if hidden := [one.name for one in chosen if one.hidden]:
        raise NotExpandableError(f"it selects cluster Secret {', '.join(hidden)}, whose name or server is not readable")
    found = [_parameters(one, filling) for one in chosen]
    if not selects and not any(one.server == IN_CLUSTER for one in clusters):
        local = {"name": IN_CLUSTER_NAME, "nameNormalized": IN_CLUSTER_NAME, "server": IN_CLUSTER, "project": ""}
        found.append(local)
    found = [append_values(one, generator.get("values"), filling) for one in found]
    return [{"clusters": found}] if generator.get("flatList") is True else found


def _refuse_unknown_labels(selector: Mapping[str, Any], clusters: Iterable[Cluster]) -> None:
    keys = {*mapping(selector.get("matchLabels")), *(text(dig(one, "key")) for one in _expressions(selector))}
    for cluster in clusters:
        if unknown := sorted(key for key in keys if UNKNOWN.fullmatch(cluster.labels.get(key, ""))):
            raise NotExpandableError(
                f"it selects by label {', '.join(unknown)}, which only the stack of cluster {cluster.name} says; list "
                "the cluster with it in gitops/clusters.yaml"
            )


def _expressions(selector: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from map(mapping, sequence(selector.get("matchExpressions")))


def _parameters(cluster: Cluster, filling: Filling) -> Parameters:
    known: Parameters = {"name": cluster.name, "nameNormalized": sanitize_name(cluster.name)}
    known |= {"server": cluster.server, "project": cluster.project}
    metadata = {"annotations": cluster.annotations, "labels": cluster.labels}
    if filling.go_template:
        return {**known, "metadata": {kind: StringMap(pairs) for kind, pairs in metadata.items() if pairs}}
    return known | {f"metadata.{kind}.{key}": value for kind, pairs in metadata.items() for key, value in pairs.items()}
