"""What a look says of each kind of living installation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeAlias

import pytest

from gitops_stack import conventions
from gitops_stack.adoption import AdoptionReport, Living, Wanted, build_report, build_wanted
from gitops_stack.components.registration import annotate, tracking_id
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.namespaces import build_argocd_namespace
from tests.adoption import installations as made
from tests.stacks import stack_render, stack_settings

HOME: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
Road: TypeAlias = Callable[[list[Manifest]], list[Manifest]]


@cache
def wanted() -> Wanted:
    return build_wanted(stack_settings("local"), stack_render("local"))


def report(objects: list[Manifest], applications: tuple[Manifest, ...] = (), **more: Any) -> AdoptionReport:
    living = Living(**{"home": HOME, "objects": objects, "applications": applications, **more})
    return build_report(living, wanted())


def kubectl(kind: str = "", name: str = "", **change: Any) -> list[Manifest]:
    objects = made.kubectl_client_side(stack_render("local"))
    return made.changed(objects, kind, name, **change) if kind else objects


def test_an_empty_cluster_is_clear() -> None:
    found = build_report(Living(), wanted())
    assert found == AdoptionReport()
    assert found.clear


# Made when their test runs: every worker lists all tests.
@pytest.mark.parametrize(
    ("road", "kind", "source"),
    [
        (made.kubectl_client_side, "kubectl-client-side", ""),
        (made.kubectl_server_side, "kubectl-server-side", ""),
        (made.kustomize_directory, "pulumi", "field manager pulumi-kubernetes-1a2b3c4d (Apply)"),
        (partial(made.helm, release="argocd"), "helm", "release argocd, argo-cd-8.5.0"),
        (made.operator, "operator", "argocd"),
        (partial(made.managed, manager="argocd-controller", operation="Apply"), "self-managed", "Application "),
        (partial(made.managed, manager="flux", operation="Apply"), "unknown", "field managers flux (Apply)"),
    ],
)
def test_an_installation_is_known_by_its_objects(road: Road, kind: str, source: str) -> None:
    [found] = report(road(stack_render("local"))).installations
    assert (found.kind, found.source, found.namespace, found.prefix) == (kind, source, "argocd", "argocd")
    assert found.version == "v3.5.1"


def test_autopilot_is_known_by_its_application() -> None:
    bootstrap = made.application("autopilot-bootstrap")
    [found] = report(kubectl(), (bootstrap,)).installations
    assert found.kind == "autopilot"


@pytest.mark.parametrize("road", [made.kubectl_client_side, made.kubectl_server_side, made.kustomize_directory])
def test_the_same_manifests_by_another_hand_lose_nothing(road: Road) -> None:
    found = report(road(stack_render("local")), app_projects=[made.default_project()])
    assert (found.refusals, found.losses) == ([], [])
    assert found.notes == ["AppProject argocd/default: denies everything afterwards; no Application is in it"]


def test_helms_selectors_are_refused_with_the_command_that_clears_the_way() -> None:
    found = report(made.helm(stack_render("local"), "argocd"))
    [refused] = [one for one in found.findings if one.level == "refused"]
    assert len(refused.objects) == 7
    assert refused.found == "spec.selector differs from the tree's, and the API server never changes it"
    assert "`kubectl -n argocd delete deployment argocd-applicationset-controller" in refused.remedy
    assert "statefulset argocd-application-controller`" in refused.remedy


def test_the_charts_own_defaults_are_no_loss() -> None:
    found = report(made.helm(stack_render("local"), "argocd"))
    assert [one.sentence for one in found.findings if one.level == "lost"] == [
        "ConfigMap argocd/argocd-cm: url is not in the tree; `gitops-stack adopt --yes` writes what is there as a "
        "patch of the tree; look at it before you commit"
    ]


def test_helms_other_names_would_be_a_second_installation() -> None:
    found = report(made.helm(stack_render("local"), "cd"))
    [refused] = [one for one in found.findings if one.level == "refused"]
    assert refused.place == "namespace argocd"
    assert refused.found.startswith("has an Argo CD of other names (cd-argocd-server, v3.5.1)")
    assert "Deployment argocd/cd-argocd-server" in " ".join(refused.objects)


def test_an_operator_would_undo_everything() -> None:
    found = report(made.operator(stack_render("local")))
    assert any("the Argo CD operator keeps this installation (ArgoCD argocd)" in one for one in found.refusals)


def test_an_installation_of_another_namespace_is_refused_with_what_it_shares() -> None:
    objects = kubectl()
    for one in objects:
        if "namespace" in one["metadata"]:
            one["metadata"]["namespace"] = "cd"
        for subject in one.get("subjects") or ():
            subject["namespace"] = "cd"
    found = report(objects, home=None)
    assert [one.place for one in found.findings if one.level == "refused"] == [
        "namespace cd",
        ", ".join(
            f"rbac.authorization.k8s.io/ClusterRoleBinding argocd-{name}"
            for name in ("application-controller", "applicationset-controller", "server")
        ),
    ]
    assert all("set argocd.namespace to cd" in one for one in found.refusals)


def test_cluster_roles_that_nobody_uses_any_more_are_taken_over() -> None:
    bindings = [one for one in kubectl() if one["kind"] == "ClusterRoleBinding"]
    for one in bindings:
        one["subjects"][0]["namespace"] = "gone"
    found = report(bindings)
    assert found.clear
    assert "left over of an Argo CD in namespace gone" in found.notes[0]


@pytest.mark.parametrize(
    ("name", "change", "lost", "written"),
    [
        (
            "argocd-cm",
            {"resource.exclusions": "- kinds: [Event]\n", "url": "https://cd.example.com"},
            ["url is not in the tree and resource.exclusions differs from the tree's"],
            {"resource.exclusions": "- kinds: [Event]\n", "url": "https://cd.example.com"},
        ),
        (
            "argocd-notifications-cm",
            {"service.slack": "token: $slack-token\n"},
            ["service.slack is not in the tree"],
            {"service.slack": "token: $slack-token\n"},
        ),
        (
            "argocd-cmd-params-cm",
            {"server.insecure": "true", "controller.status.processors": "50", "server.rootpath": ""},
            ["controller.status.processors, server.insecure are not in the tree"],
            {"server.insecure": "true", "controller.status.processors": "50"},
        ),
        (
            "argocd-rbac-cm",
            {"policy.default": "role:readonly"},
            ["policy.default differs from the tree's"],
            {"policy.default": "role:readonly"},
        ),
        (
            "argocd-rbac-cm",
            {"policy.csv": "p, role:ops, applications, sync, */*, allow\ng,ops , role:ops\n# said\n"},
            ["policy.csv: not in the tree: p, role:ops, applications, sync, */*, allow · g, ops, role:ops"],
            {"policy.adopted.csv": "p, role:ops, applications, sync, */*, allow\ng, ops, role:ops\n"},
        ),
        (
            "argocd-tls-certs-cm",
            {"git.example.com": "-----BEGIN CERTIFICATE-----"},
            ["git.example.com is not in the tree"],
            {"git.example.com": "-----BEGIN CERTIFICATE-----"},
        ),
    ],
)
def test_keys_that_git_does_not_have_are_lost_and_kept(
    name: str, change: dict[str, str], lost: list[str], written: dict[str, str]
) -> None:
    found = report(kubectl("ConfigMap", name, data=change))
    assert [one.found for one in found.findings if one.level == "lost"] == lost
    [patch] = found.patches
    assert (patch["metadata"]["name"], patch["data"]) == (name, written)


def test_groups_with_a_built_in_role_become_settings() -> None:
    policy = 'g, platform, role:admin\ng, "cn=dev,dc=x", role:readonly\n'
    found = report(kubectl("ConfigMap", "argocd-rbac-cm", data={"policy.csv": policy}))
    assert found.rbac == (("cn=dev,dc=x", "readonly"), ("platform", "admin"))
    assert found.patches == ()
    assert len(found.losses) == 1


def test_a_switched_off_admin_becomes_a_setting() -> None:
    found = report(kubectl("ConfigMap", "argocd-cm", data={"admin.enabled": "false"}))
    assert found.admin_enabled is False
    assert "admin.enabled is false, the tree's true" in found.losses[0]


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("issuer: x\nclientSecret: abc123\n", True),
        ("connectors:\n- config:\n    bindPW: 'hunter2'\n", True),
        ("issuer: x\nclientSecret: $oidc.secret\n", False),
        ('issuer: x\nclientSecret: "$oidc.secret"\n', False),
    ],
)
def test_a_secret_in_plain_text_never_comes_to_git(value: str, secret: bool) -> None:
    found = report(kubectl("ConfigMap", "argocd-cm", data={"oidc.config": value}))
    assert bool(found.patches) is not secret
    assert ("holds a secret in plain text" in found.losses[0]) is secret
    assert "abc123" not in str(found.findings)
    assert "hunter2" not in str(found.findings)


def test_comments_and_quotes_of_a_value_are_no_difference() -> None:
    rendered = next(one for one in stack_render("local") if one["metadata"]["name"] == "argocd-cm")
    value = "# ours\n" + rendered["data"]["resource.exclusions"].replace("- Lease", "- 'Lease'")
    assert report(kubectl("ConfigMap", "argocd-cm", data={"resource.exclusions": value})).clear


@pytest.mark.parametrize("name", ["root", "argocd", "projects", "guestbook"])
def test_an_application_with_our_name_is_refused(name: str) -> None:
    found = report(kubectl(), (made.application(name, project="team"),))
    [refused] = found.refusals
    assert refused.startswith(f"Application argocd/{name}: has the name of one of the stack's Applications")
    assert ("workloads.guestbook" in refused) is (name == "guestbook")


def test_an_application_that_is_ours_by_source_is_taken_over() -> None:
    own = next(one for one in wanted().applications if one["metadata"]["name"] == "guestbook")
    living = copy.deepcopy(own)
    living["metadata"] = {"name": "guestbook", "namespace": "argocd"}
    living["spec"]["source"]["repoURL"] += ".git" if not living["spec"]["source"]["repoURL"].endswith(".git") else ""
    found = report(kubectl(), (living,))
    assert found.clear
    assert "Application argocd/guestbook: is the stack's by source and destination, and taken over" in found.notes


def test_an_application_that_syncs_argocd_itself_is_refused_parents_first() -> None:
    resources = [{"group": "apps", "kind": "Deployment", "namespace": "argocd", "name": "argocd-server"}]
    child = made.application("argo-cd", project="team")
    child["status"] = {"resources": resources}
    parent = made.application("bootstrap", project="team")
    parent["status"] = {
        "resources": [
            *resources,
            {"group": "argoproj.io", "kind": "Application", "namespace": "argocd", "name": "argo-cd"},
        ]
    }
    found = report(kubectl(), (child, parent))
    assert [one.place for one in found.findings if one.level == "refused"] == [
        "Application argocd/bootstrap", "Application argocd/argo-cd"
    ]  # fmt: skip


def test_an_application_set_with_our_name_is_refused() -> None:
    own = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "tenants", "namespace": "argocd"},
        "spec": {"generators": [{"list": {"elements": []}}]},
    }
    wanted = build_wanted(stack_settings("local"), stack_render("local"), [own])
    living = {**own, "spec": {"generators": []}}
    assert build_report(Living(HOME, kubectl(), application_sets=[own]), wanted).clear
    [refused] = build_report(Living(HOME, kubectl(), application_sets=[living]), wanted).refusals
    assert refused.startswith("ApplicationSet argocd/tenants: has the name of one of the stack's ApplicationSets")


@pytest.mark.parametrize("kind", ["Namespace", "CustomResourceDefinition"])
def test_what_is_being_deleted_is_refused(kind: str) -> None:
    objects, home = kubectl(), copy.deepcopy(HOME)
    found = home if kind == "Namespace" else next(one for one in objects if one["kind"] == kind)
    found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    [refused] = report(objects, home=home).refusals
    assert f"{kind} " in refused
    assert "is being deleted; wait until it has gone" in refused


def test_a_group_that_has_another_role_already_keeps_both() -> None:
    settings = stack_settings("local")
    argocd = settings.argocd.model_copy(update={"rbac": {"platform": "readonly"}})
    render = made.changed(
        stack_render("local"), "ConfigMap", "argocd-rbac-cm", data={"policy.csv": "g, platform, role:readonly\n"}
    )
    wanted = build_wanted(settings.model_copy(update={"argocd": argocd}), render)
    objects = kubectl("ConfigMap", "argocd-rbac-cm", data={"policy.csv": "g, platform, role:admin\n"})
    found = build_report(Living(HOME, objects), wanted)
    assert found.rbac == ()
    assert found.patches[0]["data"] == {"policy.adopted.csv": "g, platform, role:admin\n"}


def test_a_deletion_that_waits_for_a_controller_is_refused() -> None:
    waiting = made.application(
        "shop", project="team", deletionTimestamp="2026-01-01T00:00:00Z", finalizers=[conventions.RESOURCES_FINALIZER]
    )
    [refused] = report(kubectl(), (waiting,)).refusals
    assert "would delete its workloads as soon as it runs" in refused


def test_applications_in_default_are_named_and_get_a_project() -> None:
    shop, other = made.application("shop"), made.application("other", namespace="team")
    shop["status"] = {"resources": [{"kind": "Namespace", "name": "team"}]}
    found = report(kubectl(), (shop, other), app_projects=[made.default_project()])
    [lost] = found.losses
    assert lost.startswith("AppProject argocd/default: would deny everything, and Application argocd/shop, ")
    [project] = found.app_projects
    assert project["spec"]["sourceRepos"] == ["https://example.com/team.git"]
    assert project["spec"]["destinations"] == [{"server": conventions.IN_CLUSTER, "namespace": "team"}]
    assert project["spec"]["clusterResourceWhitelist"] == [{"group": "", "kind": "Namespace"}]
    assert project["spec"]["sourceNamespaces"] == ["team"]


def test_applications_without_any_controller_are_named() -> None:
    definitions = [one for one in kubectl() if one["kind"] == "CustomResourceDefinition"]
    found = report(definitions, (made.application("shop"),))
    assert found.clear
    assert any("no Argo CD runs in this cluster; the stack's will sync them" in note for note in found.notes)
    assert found.app_projects == ()


def test_a_team_project_of_the_same_name_is_not_narrowed_silently() -> None:
    project = made.default_project()
    project["metadata"]["name"] = "storefront"
    [lost] = report(kubectl(), app_projects=[project]).losses
    assert "AppProject argocd/storefront: has sourceRepos: *, destinations: */*, clusterResourceWhitelist: */*" in lost


@pytest.mark.parametrize(
    ("kind", "name", "change", "lost", "patched"),
    [
        (
            "ServiceAccount",
            "argocd-application-controller",
            {"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}}},
            "annotation eks.amazonaws.com/role-arn is not in the tree",
            True,
        ),
        ("Service", "argocd-server", {"spec": {"type": "LoadBalancer"}}, "spec.type is not in the tree", True),
    ],
)
def test_what_people_set_on_objects_is_lost_and_kept(
    kind: str, name: str, change: dict[str, Any], lost: str, patched: bool
) -> None:
    found = report(made.changed(made.kubectl_server_side(stack_render("local")), kind, name, **change))
    assert [one.found for one in found.findings if one.level == "lost"] == [lost]
    assert bool(found.patches) is patched


def test_flags_containers_and_variables_are_named() -> None:
    objects = kubectl()
    server = next(one for one in objects if (one["kind"], one["metadata"]["name"]) == ("Deployment", "argocd-server"))
    pod = server["spec"]["template"]["spec"]
    pod["containers"][0]["args"] = [*pod["containers"][0]["args"], "--insecure"]
    pod["containers"][0]["env"].append({"name": "HTTPS_PROXY", "value": "http://proxy"})
    pod["containers"].append({"name": "plugin", "image": "acme/plugin:v1"})
    server["spec"]["replicas"] = 3
    found = report(objects)
    assert [one.found for one in found.findings if one.level == "lost"] == [
        "argocd-server: --insecure, argocd-server: env HTTPS_PROXY, containers plugin are not in the tree"
    ]
    assert any("has 3 replicas, the tree's has 1" in note for note in found.notes)


def test_a_newer_release_is_not_replaced_silently() -> None:
    objects = kubectl()
    server = next(one for one in objects if (one["kind"], one["metadata"]["name"]) == ("Deployment", "argocd-server"))
    server["spec"]["template"]["spec"]["containers"][0]["image"] = "quay.io/argoproj/argocd:v3.6.0@sha256:ab"
    [lost] = report(objects).losses
    assert "runs Argo CD v3.6.0, newer than the stack's v3.5.1" in lost


def test_another_stacks_namespace_is_refused() -> None:
    home = build_argocd_namespace(stack_settings("dev"))
    [refused] = report([], home=home).refusals
    assert "namespace argocd: belongs to stack dev" in refused


def test_what_this_stack_put_there_is_no_adoption() -> None:
    settings = stack_settings("local")
    objects = [
        annotate(one, {conventions.TRACKING_ID: tracking_id(one, "argocd", "argocd")})
        for one in made.managed(stack_render("local"), "argocd-controller", "Apply")
    ]
    server = next(one for one in objects if one["metadata"]["name"] == "argocd-cm")
    server["data"] = {**server["data"], "url": "https://left.example.com"}
    living = Living(
        build_argocd_namespace(settings), objects, tuple(wanted().applications), build_app_projects(settings)
    )
    found = build_report(living, wanted())
    assert found.findings == ()
    assert [one.kind for one in found.installations] == ["ours"]
