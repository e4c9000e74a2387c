"""What an AppProject permits: held against what Argo CD's own code answered, and against rules written down anew."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_stack.patterns import match_glob, match_path, normalize_repository, same_repository
from gitops_stack.rules.project_permissions import (
    permits_application_namespace,
    permits_destination,
    permits_kind,
    permits_repository,
)
from tests.cases import FIXTURES


@cache
def _answers() -> dict[str, list[list[Any]]]:
    """Read what argo-cd v3.2.11's own functions answered to questions drawn at random: questions, then the answer.

    glob and path: util/glob Match without and with separator, filepath.Match; url: NormalizeGitURL; source,
    destination, kind: AppProject's IsSourcePermitted, IsDestinationPermitted, IsGroupKindPermitted.
    """
    answers: dict[str, list[list[Any]]] = json.loads((FIXTURES / "argocd-permissions.json").read_text(encoding="utf-8"))
    return answers


def test_globs_match_as_gobwas_glob_does() -> None:
    wrong = [
        (pattern, value)
        for pattern, value, plain, separated in _answers()["glob"]
        if (match_glob(pattern, value), match_glob(pattern, value, "/")) != (plain, separated)
    ]
    assert wrong == []


def test_kinds_match_as_filepath_match_does() -> None:
    answers = _answers()["path"]
    assert [(pattern, value) for pattern, value, wanted in answers if match_path(pattern, value) is not wanted] == []


def test_repositories_are_normalized_as_argocd_does() -> None:
    assert {url: normalize_repository(url) for url, _ in _answers()["url"]} == dict(_answers()["url"])


def test_sources_are_permitted_as_argocd_does() -> None:
    answers = _answers()["source"]
    assert {wanted for _, _, wanted in answers} == {True, False}
    assert [
        (repos, url)
        for repos, url, wanted in answers
        if permits_repository({"spec": {"sourceRepos": repos}}, url) is not wanted
    ] == []


def test_destinations_are_permitted_as_argocd_does() -> None:
    answers = _answers()["destination"]
    assert {wanted for *_, wanted in answers} == {True, False}
    assert [
        (destinations, server, name, namespace)
        for destinations, server, name, namespace, wanted in answers
        if permits_destination({"spec": {"destinations": destinations}}, server, name, namespace) is not wanted
    ] == []


def test_kinds_are_permitted_as_argocd_does() -> None:
    answers = _answers()["kind"]
    assert {wanted for *_, wanted in answers} == {True, False}
    assert [
        (spec, group, kind, namespaced)
        for spec, group, kind, namespaced, wanted in answers
        if permits_kind({"spec": spec}, group, kind, "any", namespaced=namespaced) is not wanted
    ] == []


# The oracle: the manual's words (user-guide/projects.md), on patterns simple enough to be matched by hand.
NAMES = st.text("ab-", min_size=1, max_size=4)
PATTERNS = st.one_of(NAMES, NAMES.map(lambda name: f"{name}*"), NAMES.map(lambda name: f"*{name}"), st.just("*"))
ENTRIES = st.lists(
    st.one_of(PATTERNS, PATTERNS.filter(lambda entry: entry != "*").map(lambda entry: f"!{entry}")), max_size=4
)


def matches(pattern: str, value: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def permitted_by_the_manual(entries: list[str], value: str) -> bool:
    allowed = [entry for entry in entries if not entry.startswith("!")]
    denied = [entry[1:] for entry in entries if entry.startswith("!")]
    return any(matches(entry, value) for entry in allowed) and not any(matches(entry, value) for entry in denied)


@settings(max_examples=150, deadline=None)
@given(ENTRIES, NAMES)
def test_sources_follow_the_manual_where_a_star_permits_or_nothing_denies(entries: list[str], value: str) -> None:
    if any(entry.startswith("!") for entry in entries):
        entries = ["*", *entries]
    project = {"spec": {"sourceRepos": entries}}
    assert permits_repository(project, value) is permitted_by_the_manual(entries, value)


@settings(max_examples=150, deadline=None)
@given(ENTRIES, NAMES)
def test_namespaces_follow_the_manual_where_a_star_permits_or_nothing_denies(entries: list[str], value: str) -> None:
    if any(entry.startswith("!") for entry in entries):
        entries = ["*", *entries]
    project = {"spec": {"destinations": [{"server": "*", "namespace": entry} for entry in entries]}}
    assert permits_destination(project, "https://a", "a", value) is permitted_by_the_manual(entries, value)


@settings(max_examples=100, deadline=None)
@given(ENTRIES, NAMES, st.randoms(use_true_random=False))
def test_the_order_of_entries_decides_nothing(entries: list[str], value: str, random: Any) -> None:
    shuffled = random.sample(entries, len(entries))
    assert permits_repository({"spec": {"sourceRepos": entries}}, value) is permits_repository(
        {"spec": {"sourceRepos": shuffled}}, value
    )


@settings(max_examples=100, deadline=None)
@given(ENTRIES, NAMES, PATTERNS)
def test_a_denial_never_permits_what_it_denies(entries: list[str], value: str, denied: str) -> None:
    project = {"spec": {"sourceRepos": [*entries, f"!{denied}"]}}
    assert not (matches(denied, value) and permits_repository(project, value))


KINDS = st.fixed_dictionaries({"group": st.sampled_from(["", "apps", "*"]), "kind": st.sampled_from(["A", "B", "*"])})
LISTS = st.one_of(st.none(), st.lists(KINDS, max_size=3))


@settings(max_examples=150, deadline=None)
@given(LISTS, LISTS, st.sampled_from(["", "apps"]), st.sampled_from(["A", "B"]), st.booleans())
def test_kinds_follow_the_manual(allowed: Any, denied: Any, group: str, kind: str, namespaced: bool) -> None:
    scope = "namespace" if namespaced else "cluster"
    lists = {f"{scope}ResourceWhitelist": allowed, f"{scope}ResourceBlacklist": denied}
    spec = {key: value for key, value in lists.items() if value is not None}

    def listed(entries: Any) -> bool:
        return any(entry["group"] in ("*", group) and entry["kind"] in ("*", kind) for entry in entries or ())

    wanted = (listed(allowed) or (namespaced and allowed is None)) and not listed(denied)
    assert permits_kind({"spec": spec}, group, kind, "x", namespaced=namespaced) is wanted


@pytest.mark.parametrize(
    ("entry", "name", "permitted"),
    [("", "a", True), ("team-*", "team-a", True), ("team-*", "other", False), ("team-a", "team-b", False)],
)
def test_cluster_wide_kinds_can_be_listed_by_name(entry: str, name: str, permitted: bool) -> None:
    item = {"group": "", "kind": "Namespace", **({"name": entry} if entry else {})}
    project = {"spec": {"clusterResourceWhitelist": [item]}}
    assert permits_kind(project, "", "Namespace", name, namespaced=False) is permitted
    opened = {"spec": {"clusterResourceWhitelist": [{"group": "*", "kind": "*"}], "clusterResourceBlacklist": [item]}}
    assert permits_kind(opened, "", "Namespace", name, namespaced=False) is not permitted


@pytest.mark.parametrize(
    ("entries", "namespace", "permitted"),
    [
        ([], "argocd", True),
        ([], "", True),
        ([], "shop", False),
        (["shop"], "shop", True),
        (["s*"], "shop", True),
        (["/^sh/"], "shop", True),
        (["/^op/"], "shop", False),
        (["/[/"], "shop", False),
        ([7, None], "shop", False),
    ],
)
def test_the_namespaces_of_applications(entries: list[Any], namespace: str, permitted: bool) -> None:
    project = {"spec": {"sourceNamespaces": entries}}
    assert permits_application_namespace(project, namespace, "argocd") is permitted


@pytest.mark.parametrize(
    ("destinations", "server", "cluster", "permitted"),
    [
        ([{"server": "https://a", "namespace": "*"}], "https://a", "", True),
        ([{"server": "https://a", "namespace": "*"}], "https://b", "", False),
        ([{"name": "a", "namespace": "*"}], "https://a", "", None),
        ([{"name": "*", "namespace": "*"}], "https://a", "", True),
        ([{"server": "https://a", "namespace": "*"}], "", "a", None),
        ([{"name": "a", "namespace": "*"}], "", "a", True),
        ([], "", "", False),
        ("nonsense", "https://a", "a", False),
    ],
)
def test_a_cluster_known_by_half_is_judged_by_that_half(
    destinations: Any, server: str, cluster: str, permitted: bool | None
) -> None:
    assert permits_destination({"spec": {"destinations": destinations}}, server, cluster, "shop") is permitted


def test_project_scoped_clusters_are_not_known_here() -> None:
    spec = {"destinations": [{"server": "*", "namespace": "*"}], "permitOnlyProjectScopedClusters": True}
    assert permits_destination({"spec": spec}, "https://a", "a", "shop") is None
    assert permits_destination({"spec": {**spec, "destinations": []}}, "https://a", "a", "shop") is False


def test_two_spellings_of_one_repository() -> None:
    assert same_repository("git@github.com:acme/x.git", "ssh://git@GitHub.com/acme/x")
    assert not same_repository("https://github.com/acme/x", "https://github.com/acme/y")
