"""Applications, projects and namespaces: finalizers, waves and rights, which decide order and teardown."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest

from gitops_stack.conventions import RESOURCES_FINALIZER, SYNC_OPTIONS, SYNC_WAVE
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.applications import (
    build_projects_application,
    build_root_application,
    build_self_management_application,
    build_workload_application,
)
from gitops_stack.manifests.namespaces import build_argocd_namespace, build_project_namespaces
from gitops_stack.settings import StackSettings
from tests.stacks import STACKS, minimal, stack_settings


def team_stack(**workload: Any) -> StackSettings:
    return minimal(
        projects={
            "team": {
                "namespaces": ["team-b", "team-*", "team-a"],
                "clusterKinds": ["Namespace"],
                "kinds": ["apps/Deployment"],
            }
        },
        workloads={"app": {"project": "team", "path": "app", "namespace": "team-a", **workload}},
    )


@pytest.mark.parametrize(
    ("application", "wave", "finalizers", "path"),
    [
        (build_root_application(minimal()), None, [RESOURCES_FINALIZER], "gitops/test/apps"),
        (build_projects_application(minimal()), "-30", None, "gitops/test/projects"),
        (build_self_management_application(minimal()), "-20", None, "gitops/test/argocd"),
        (build_workload_application(team_stack(wave=7), "app"), "7", [RESOURCES_FINALIZER], "app"),
    ],
)
def test_wave_finalizer_and_path_of_each_application(
    application: Manifest, wave: str | None, finalizers: list[str] | None, path: str
) -> None:
    metadata = application["metadata"]
    assert metadata["annotations"].get(SYNC_WAVE) == wave
    assert metadata.get("finalizers") == finalizers
    assert application["spec"]["source"]["path"] == path


@pytest.mark.parametrize(
    ("stated", "selected"),
    [
        ({}, {"applications": ["*"]}),
        ({"applications": ["cart"]}, {"applications": ["cart"]}),
        ({"namespaces": ["team-*"]}, {"namespaces": ["team-*"]}),
        ({"applications": ["a"], "namespaces": ["b-*"]}, {"applications": ["a"], "namespaces": ["b-*"]}),
    ],
)
def test_a_sync_window_that_names_nothing_is_for_all_of_its_project(
    stated: dict[str, Any], selected: dict[str, Any]
) -> None:
    window = {"kind": "deny", "schedule": "0 22 * * 5", "duration": "60h", **stated}
    project = build_app_projects(minimal(projects={"team": {"namespaces": ["a"], "syncWindows": [window]}}))[-1]
    assert project["spec"]["syncWindows"] == [
        {
            "kind": "deny",
            "schedule": "0 22 * * 5",
            "duration": "60h",
            "timeZone": "UTC",
            **selected,
            "manualSync": False,
        }
    ]


def test_a_project_without_windows_has_no_such_field() -> None:
    assert all("syncWindows" not in project["spec"] for project in build_app_projects(team_stack()))


def test_retries_take_the_latest_commit() -> None:
    for built in (build_root_application(minimal()), build_workload_application(team_stack(), "app")):
        assert built["spec"]["syncPolicy"]["retry"]["refresh"] is True


@pytest.mark.parametrize("auto_sync", [True, False])
def test_a_workload_syncs_by_itself_only_when_it_may(auto_sync: bool) -> None:
    policy = build_workload_application(team_stack(autoSync=auto_sync), "app")["spec"]["syncPolicy"]
    assert ("automated" in policy) is auto_sync


@pytest.mark.parametrize(
    "application",
    [
        build_root_application(minimal()),
        build_self_management_application(minimal()),
        build_projects_application(minimal()),
        build_workload_application(team_stack(), "app"),
    ],
)
def test_every_application_applies_on_the_server(application: Manifest) -> None:
    assert "ServerSideApply=true" in application["spec"]["syncPolicy"]["syncOptions"]


def test_the_default_project_denies_everything() -> None:
    default = next(found for found in build_app_projects(minimal()) if found["metadata"]["name"] == "default")
    spec = default["spec"]
    assert (spec["sourceRepos"], spec["destinations"], spec.get("clusterResourceWhitelist")) == ([], [], None)
    assert spec["namespaceResourceBlacklist"] == [{"group": "*", "kind": "*"}]


@pytest.mark.parametrize("stack", STACKS)
def test_only_platform_reaches_argo_cd_s_namespace(stack: str) -> None:
    reaching = [
        project["metadata"]["name"]
        for project in build_app_projects(stack_settings(stack))
        for destination in project["spec"]["destinations"]
        if fnmatchcase("argocd", destination["namespace"])
    ]
    assert reaching == ["platform"]


def test_a_team_gets_exactly_what_its_project_lists() -> None:
    spec = build_app_projects(team_stack())[-1]["spec"]
    assert spec == {
        "sourceRepos": ["https://example.com/platform.git"],
        "destinations": [
            {"server": "https://kubernetes.default.svc", "namespace": name} for name in ("team-b", "team-*", "team-a")
        ],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
        "namespaceResourceWhitelist": [{"group": "apps", "kind": "Deployment"}],
    }


def test_literal_namespaces_are_made_and_outlive_a_project() -> None:
    made = build_project_namespaces(team_stack())
    assert [found["metadata"]["name"] for found in made] == ["team-a", "team-b"]
    assert {found["metadata"]["annotations"][SYNC_OPTIONS] for found in made} == {"Prune=false"}
    assert {found["metadata"]["annotations"][SYNC_WAVE] for found in made} == {"-10"}


def test_argo_cd_s_namespace_enforces_restricted_pods() -> None:
    labels = build_argocd_namespace(minimal())["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_project_s_roles_are_policies_on_all_of_it_and_its_tokens_are_argo_cd_s() -> None:
    role = {"permissions": ["applications/sync", "applications/action/apps/*"], "groups": ["dev"], "description": "CI"}
    settings = minimal(projects={"shop": {"namespaces": ["shop"], "roles": {"ci": role}}})
    (project,) = [one for one in build_app_projects(settings) if one["metadata"]["name"] == "shop"]
    assert project["spec"]["roles"] == [
        {
            "name": "ci",
            "description": "CI",
            "policies": [
                "p, proj:shop:ci, applications, sync, shop/*, allow",
                "p, proj:shop:ci, applications, action/apps/*, shop/*, allow",
            ],
            "groups": ["dev"],
        }
    ]
    (ignored,) = build_projects_application(settings)["spec"]["ignoreDifferences"]
    assert ignored["jqPathExpressions"] == [".spec.roles[]?.jwtTokens"]
    # Projects that people or `env` write have roles too, of which the settings know nothing.
    assert build_projects_application(minimal())["spec"]["ignoreDifferences"] == [ignored]
