"""Kinds that no schema is known of: what is wrong with them, or that nothing of them was validated."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.tree_check.api_types import find_groups, find_served, list_groups, list_kinds
from gitops_stack.tree_check.crd_schemas import SchemaKey

_NAMED_KINDS = 5


def build_unknown(found: RenderedObject, key: SchemaKey, ours: str, custom: Iterable[SchemaKey]) -> Finding:
    """Build the finding of an object whose kind has no schema: which versions, groups and kinds there are instead."""
    group, _, version = key[0].rpartition("/")
    if served := find_served(ours, group, key[1]):
        wanted = " or ".join(f"{group}/{one}".lstrip("/") for one in served)
        said = f"found {key[0]}, which Kubernetes {ours} does not serve for {key[1]}"
        return found.finding("apiVersion", said, f"needs {wanted}", rule="version-not-served")
    if others := sorted(one for one, kind in custom if kind == key[1] and one.rpartition("/")[0] == group):
        said = f"found {key[0]}, which the CRD of {key[1]} does not serve"
        return found.finding("apiVersion", said, f"needs {' or '.join(others)}", rule="crd-version-missing")
    if group in list_groups() or "." not in group:
        said = f"found {key[1]} of {key[0]}, which Kubernetes {ours} does not have"
        return found.finding("kind", said, _suggest(ours, group, key[1]), rule="kind-unknown")
    return found.finding(
        "apiVersion",
        f"found {key[1]} of {key[0]}, which Kubernetes {ours}, CRDs and schemas/ do not know",
        f"put its CRD in the tree, or its schema at schemas/{group or 'core'}/{key[1].lower()}_{version}.json",
        rule="schema-missing",
    )


def _suggest(version: str, group: str, kind: str) -> str:
    if elsewhere := find_groups(version, kind):
        return f"needs apiVersion {' or '.join(elsewhere)}"
    known = sorted({name for found, _, name in list_kinds(version) if found == group})
    if close := difflib.get_close_matches(kind, known, 1):
        return f"did you mean {close[0]}?"
    shown = ", ".join([*known[:_NAMED_KINDS], "…"] if len(known) > _NAMED_KINDS else known)
    return f"the group has {shown}" if known else "Kubernetes has no such group; the group of a custom kind has a dot"
