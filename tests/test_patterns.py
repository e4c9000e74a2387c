"""Repositories, servers and patterns are compared as Argo CD compares them, in settings as in `check`."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.conventions import IN_CLUSTER
from gitops_stack.patterns import match_namespace, match_repository, normalize_server, same_repository
from gitops_stack.policies.application_spec import read_application_spec
from gitops_stack.policies.finding import RenderedObject
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
