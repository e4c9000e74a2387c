"""What an AppProject permits, as Argo CD decides it (pkg/apis/application/v1alpha1/app_project_types.go of v3.5).

One place differs from the manual: an entry `!x` permits everything but x, whatever else is listed, because the code
counts it as a match. The manual (user-guide/projects.md) asks for an entry that permits as well, as does the rule
`project-denial-opens`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from gitops_stack.manifests import Manifest
from gitops_stack.patterns import match_glob, match_namespace, match_path, match_repository
from gitops_stack.rules.fields import dig, mapping, sequence, text


def permits_repository(project: Manifest, url: str) -> bool:
    """Tell whether a source's repository is permitted: some entry matches, and no deny entry refuses."""
    permitted = False
    for entry in _texts(dig(project, "spec", "sourceRepos")):
        if is_denial(entry):
            if match_repository(entry[1:], url):
                return False
            permitted = True
        else:
            permitted = permitted or match_repository(entry, url)
    return permitted


def permits_destination(
    project: Manifest, server: str, cluster: str, namespace: str, others: Collection[str] = ()
) -> bool | None:
    """Tell whether a destination is permitted.

    ``server`` or ``cluster`` (the cluster's name) is empty when it is not known; ``others`` are servers and names of
    other clusters. None when the answer depends on what is not known, or on which clusters belong to the project.
    """
    entries = [mapping(entry) for entry in sequence(dig(project, "spec", "destinations"))]
    unknown = {key for key, value in (("server", server), ("name", cluster)) if not value}
    if any(text(entry.get(key)) not in ("", "*", *others) for entry in entries for key in unknown):
        return None
    permitted = _matches_destination(entries, server or "?", cluster or "?", namespace)
    return None if permitted and dig(project, "spec", "permitOnlyProjectScopedClusters") is True else permitted


def _matches_destination(entries: Iterable[object], server: str, cluster: str, namespace: str) -> bool:
    permitted = False
    for entry in map(mapping, entries):
        by_name, by_server, by_namespace = (text(entry.get(key)) for key in ("name", "server", "namespace"))
        name_fits, server_fits = _matches(by_name, cluster), _matches(by_server, server)
        namespace_fits = _matches(by_namespace, namespace)
        denied_by_server = not server_fits and is_denial(by_server) and namespace_fits
        denied_by_namespace = not namespace_fits and is_denial(by_namespace) and server_fits
        if (name_fits or server_fits) and namespace_fits:
            permitted = True
        elif (not name_fits and is_denial(by_name)) or denied_by_server or denied_by_namespace:
            return False  # a denied name refuses whatever the namespace: Go binds && before ||
    return permitted


def permits_kind(project: Manifest, group: str, kind: str, name: str, *, namespaced: bool) -> bool:
    """Tell whether a kind is permitted; cluster-wide kinds also by name, since Argo CD 3.3.

    Namespaced kinds are permitted unless the allow list is there and lacks them; cluster-wide ones only when it has
    them. An empty allow list of namespaced kinds permits none, an absent one all.
    """
    spec = mapping(project.get("spec"))
    scope = "namespace" if namespaced else "cluster"
    allowed, denied = spec.get(f"{scope}ResourceWhitelist"), spec.get(f"{scope}ResourceBlacklist")
    wanted = (group, kind, "" if namespaced else name)
    listed = (namespaced and allowed is None) or _lists(sequence(allowed), *wanted)
    return listed and not _lists(sequence(denied), *wanted)


def permits_application_namespace(project: Manifest, namespace: str, argocd_namespace: str) -> bool:
    """Tell whether Applications of the project may be in ``namespace``; in Argo CD's own they always may."""
    if namespace in ("", argocd_namespace):
        return True
    return any(_matches_text(entry, namespace) for entry in _texts(dig(project, "spec", "sourceNamespaces")))


def is_denial(entry: str) -> bool:
    """Tell whether an entry refuses instead of permitting."""
    return entry.startswith("!")


def _matches(pattern: str, value: str) -> bool:
    if is_denial(pattern):
        return not match_glob(pattern[1:], value)
    return match_namespace(pattern, value)


def _matches_text(entry: str, value: str) -> bool:
    if len(entry) > 1 and entry.startswith("/") and entry.endswith("/"):
        try:
            if re.search(entry[1:-1], value):
                return True
        except re.error:
            return False
    return match_glob(entry, value)


def _lists(entries: Iterable[object], group: str, kind: str, name: str) -> bool:
    return any(
        match_path(text(entry.get("kind")), kind)
        and match_path(text(entry.get("group")), group)
        and (not name or not text(entry.get("name")) or match_path(text(entry.get("name")), name))
        for entry in map(mapping, entries)
    )


def _texts(value: object) -> list[str]:
    return [entry for entry in sequence(value) if isinstance(entry, str)]
