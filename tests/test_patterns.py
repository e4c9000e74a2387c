"""Repositories, servers and patterns are compared as Argo CD compares them, in settings as in `check`."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gitops_stack.conventions import IN_CLUSTER
from gitops_stack.patterns import (
    is_version,
    match_namespace,
    match_repository,
    normalize_server,
    parse_version,
    same_repository,
)
from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.project_permissions import permits_repository
from gitops_stack.settings import StackSettings
from gitops_stack.settings.references import check_references
from tests.delivery.trees import stack


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("https://git.example.com/acme/*", "https://git.example.com/acme/x.git", True),
        ("https://git.example.com/acme/*", "https://git.example.com/acme/team/x.git", False),
        ("https://git.example.com/acme/**", "https://git.example.com/acme/team/x.git", True),
        ("https://git.example.com/{acme,other}/x", "https://git.example.com/other/x.git", False),  # Go escapes braces
        ("git@git.example.com:acme/x.git", "ssh://git@git.example.com/acme/x", True),
        ("https://git.example.com/acme/x", "https://git.example.com/acme/x/", False),
    ],
)
def test_an_entry_of_source_repos(pattern: str, url: str, fits: bool) -> None:
    assert match_repository(pattern, url) is fits
    assert _refused({"sourceRepos": [pattern], "namespaces": ["team"]}, url) is not fits


CHARTS = [
    "ghcr.io/acme/charts",
    "ghcr.io/acme/*",
    "registry:5000/charts",
    "registry.example.com:5000/a/b",
    "10.0.0.1/x",
]
NO_CHARTS = ["acme/charts", "ghcr.io", "ghcr.io/", "10.0.0.1:5000/x", "me:pw@ghcr.io/acme", "github.com/acme/x.git"]


@pytest.mark.parametrize("entry", CHARTS)
def test_source_repos_take_charts_of_an_oci_registry_as_argo_cd_writes_them(entry: str) -> None:
    assert not _refused(
        {"sourceRepos": [entry, "https://example.com/a"], "namespaces": ["team"]}, "https://example.com/a"
    )
    assert _refused({"sourceRepos": [entry], "namespaces": ["team"]}, "https://example.com/a")
    project, url = {"spec": {"sourceRepos": [entry]}}, entry.replace("*", "charts")
    assert permits_repository(project, url)
    assert not permits_repository(project, f"oci://{url}")


@pytest.mark.parametrize("entry", NO_CHARTS)
def test_source_repos_refuse_what_is_no_registry(entry: str) -> None:
    with pytest.raises(ValidationError, match="or host/path of OCI Helm charts"):
        _refused({"sourceRepos": [entry], "namespaces": ["team"]}, "https://example.com/a")


def _refused(project: dict[str, Any], url: str) -> bool:
    settings = stack("prd").model_dump(by_alias=True, mode="json") | {
        "projects": {"team": project},
        "workloads": {"web": {"project": "team", "namespace": "team", "path": "web", "repoUrl": url}},
    }
    made = StackSettings.model_validate(settings)
    return any(path == "workloads.web.repoUrl" for path, _, _ in check_references(made))


def test_a_star_alone_is_any_repository() -> None:
    assert match_repository("*", "https://git.example.com/acme/x.git")


@pytest.mark.parametrize(("pattern", "fits"), [("shop-*", True), ("*", True), ("shop", False)])
def test_an_entry_of_namespaces(pattern: str, fits: bool) -> None:
    assert match_namespace(pattern, "shop-dev") is fits


def test_a_workload_of_the_same_repository_follows_its_branch() -> None:
    settings = stack("prd", web={"path": "web", "repoUrl": "https://github.com/Acme/platform"})
    assert settings.workload_source("web") == ("https://github.com/Acme/platform", "main")
    assert same_repository("https://github.com/Acme/platform", settings.gitops.repo_url)


def test_a_slash_at_the_end_of_a_server_says_nothing() -> None:
    spec = {"destination": {"server": f"{IN_CLUSTER}/"}}
    manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "spec": spec}
    read = read_application_spec(RenderedObject(manifest, "argocd", "a.yaml"))
    assert (read.server, read.cluster) == (IN_CLUSTER, "in-cluster")
    assert normalize_server("https://10.0.0.1/") == "https://10.0.0.1"


@pytest.mark.parametrize(
    ("version", "parsed"),
    [
        ("1.2.3", (1, 2, 3, True)), ("v10.0.1+build.5", (10, 0, 1, True)), ("1.2.3-rc.1", (1, 2, 3, False)),
        ("1.2", None), ("01.2.3", None), ("^1.2.3", None), ("1.2.x", None), ("", None), ("1.2.3-", None),
    ],
)  # fmt: skip
def test_a_version_is_read_as_semver_org_has_it(version: str, parsed: tuple[int, int, int, bool] | None) -> None:
    assert parse_version(version) == parsed
    assert is_version(version) is (parsed is not None)
