"""Which clusters are registered with Argo CD, and the Applications that are for one which is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.config import load_stack_file
from gitops_stack.gitops_tree.files import check_tree, write_tree
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.rules.finding import Finding
from gitops_stack.tree_check.applications import load_tree
from gitops_stack.tree_check.check import check_stack
from tests.tree_check.test_trees import write_files

AUTHORITY = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="
LEGACY = "https://0123ABCD.gr7.eu-west-1.eks.amazonaws.com"
TYPED = {"server": LEGACY, "caData": AUTHORITY, "clusterName": "legacy", "metadata": {"stack": "old", "vpcId": "vpc-1"}}
CLUSTERS = {
    "stage": {"stack": "stage", "labels": {"tier": "backend"}},
    "legacy": TYPED,
    "edge": {"external": True},
}


def change(project: Path, changes: dict[str, Any]) -> None:
    """Change settings of stack dev, by their paths, and write its tree."""
    file = project / "Pulumi.dev.yaml"
    document = yaml.safe_load(file.read_text())
    for path, value in changes.items():
        *head, last = f"gitops-stack:{path}".split(".")
        node = document["config"]
        for part in head:
            node = node.setdefault(part, {})
        node[last] = value
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    settings = load_stack_file(project, "dev")
    write_tree(settings, project / settings.tree_path)


def application(own: str, /, **destination: str) -> dict[str, Any]:
    spec = {"destination": {"server": None, "namespace": "storefront", **destination}, "project": "storefront"}
    source = {"repoURL": "https://github.com/acme/platform.git", "path": "apps/web", "targetRevision": "main"}
    return {"base": "application", "metadata": {"name": own}, "spec": {**spec, "source": source}}


@pytest.fixture
def hub(project: Path) -> Path:
    change(project, {"clusters": CLUSTERS, "projects.storefront.clusters": ["in-cluster", "stage", "legacy"]})
    return project


def check(project: Path, *rules: str) -> list[Finding]:
    report = check_stack(project, load_stack_file(project, "dev"))
    return [one for one in report.findings if one.rule in rules]


def sentences(project: Path, *rules: str) -> list[str]:
    return [f"{one.rule}: {one.object.name if one.object else ''}: {one.found}" for one in check(project, *rules)]


DESTINATION = ("cluster-unknown", "project-destination", "destination-unknown")
KNOWN = "name one of: in-cluster, stage, legacy, edge; or register it in `clusters` of the stack file, or list it in "


def test_a_generated_tree_with_more_clusters_has_no_findings(hub: Path) -> None:
    assert check_stack(hub, load_stack_file(hub, "dev")).findings == ()


@pytest.mark.parametrize(
    "destination",
    [{"name": "in-cluster"}, {"server": "https://kubernetes.default.svc"}, {"name": "stage"}, {"name": "legacy"}],
)
def test_a_registered_cluster_of_the_project_is_fine(destination: dict[str, str], hub: Path) -> None:
    write_files(hub, {"gitops/dev/apps/web.yaml": [application("web", **destination)]})
    assert sentences(hub, *DESTINATION) == []


def test_a_cluster_that_is_typed_is_known_by_its_server_too(hub: Path) -> None:
    # The project names it `legacy`, the Application by its address: only the settings tell that the two are one.
    write_files(hub, {"gitops/dev/apps/web.yaml": [application("web", server=f"{LEGACY}/")]})
    assert sentences(hub, *DESTINATION) == []


def test_a_cluster_that_nobody_registered_is_named_with_those_that_are(hub: Path) -> None:
    write_files(hub, {"gitops/dev/apps/web.yaml": [application("web", name="stgae")]})
    (finding,) = check(hub, "cluster-unknown")
    assert (finding.severity, finding.field) == ("error", "spec.destination")
    assert finding.found == "found stgae, which is not a registered cluster"
    assert finding.needs == f"{KNOWN}gitops/clusters.yaml when its Secret is made elsewhere"


def test_a_server_is_only_judged_where_every_server_is_known(project: Path) -> None:
    change(project, {"clusters": {"legacy": TYPED}})
    write_files(project, {"gitops/dev/apps/web.yaml": [application("web", server="https://10.0.0.1")]})
    assert sentences(project, "cluster-unknown") == [
        "cluster-unknown: web: found https://10.0.0.1, which is not a registered cluster"
    ]
    change(project, {"clusters": {"legacy": TYPED, "stage": {"stack": "stage"}}})  # it may be the one of stage
    assert sentences(project, "cluster-unknown") == []


def test_a_cluster_may_be_listed_or_have_its_secret_in_the_tree(hub: Path) -> None:
    secret = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "sea", "namespace": "argocd"},
        "spec": {
            "target": {
                "template": {
                    "metadata": {"labels": {"argocd.argoproj.io/secret-type": "cluster"}},
                    "data": {"name": "sea", "server": "https://sea.example.com"},
                }
            }
        },
    }
    write_files(
        hub,
        {
            "gitops/dev/apps/web.yaml": [application("web", name="air"), application("app", name="sea")],
            "gitops/dev/apps/sea.yaml": [secret],
        },
    )
    (hub / "gitops/clusters.yaml").write_text("- {name: air, server: 'https://air.example.com'}\n")
    assert sentences(hub, "cluster-unknown") == []
    (hub / "gitops/clusters.yaml").unlink()
    assert [one.partition(",")[0] for one in sentences(hub, "cluster-unknown")] == ["cluster-unknown: web: found air"]


def test_nothing_is_said_where_a_secret_in_the_tree_cannot_be_read(hub: Path) -> None:
    sealed = {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "sea", "namespace": "argocd"},
        "spec": {
            "encryptedData": {"name": "AgB", "server": "AgC"},
            "template": {"metadata": {"labels": {"argocd.argoproj.io/secret-type": "cluster"}}},
        },
    }
    files: dict[str, Any] = {"gitops/dev/apps/web.yaml": [application("web", name="sea")]}
    write_files(hub, {**files, "gitops/dev/apps/sea.yaml": [sealed]})
    assert sentences(hub, "cluster-unknown") == []


def test_a_project_permits_its_clusters_alone(hub: Path) -> None:
    write_files(hub, {"gitops/dev/apps/web.yaml": [application("web", name="edge")]})
    assert sentences(hub, *DESTINATION) == [
        "project-destination: web: found storefront of edge, which project storefront does not permit"
    ]


def test_one_object_in_two_clusters_has_two_owners_and_in_one_cluster_one(hub: Path) -> None:
    write_files(
        hub,
        {
            "gitops/dev/apps/web.yaml": [application("web", name="stage"), application("app", name="legacy")],
            "apps/web/settings.yaml": [{"base": "configmap", "metadata": {"namespace": "storefront"}}],
        },
    )
    assert sentences(hub, "shared-object") == []
    # One cluster by its name and by its address.
    write_files(
        hub,
        {"gitops/dev/apps/web.yaml": [application("web", server=LEGACY), application("app", name="legacy")]},
    )
    assert len(check(hub, "shared-object")) == 1


def test_projects_and_namespaces_are_written_for_each_cluster(hub: Path) -> None:
    settings = load_stack_file(hub, "dev")
    projects = {one["metadata"]["name"]: one["spec"]["destinations"] for one in build_app_projects(settings)}
    own = "https://kubernetes.default.svc"
    assert projects["storefront"] == [
        {"server": own, "namespace": "storefront"},
        {"name": "stage", "namespace": "storefront"},
        {"name": "legacy", "namespace": "storefront"},
    ]
    assert projects["platform"] == [
        {"server": own, "namespace": "argocd"},
        {"name": "stage", "namespace": "default"},
        {"name": "legacy", "namespace": "default"},
    ]
    namespace = yaml.safe_load((hub / "gitops/dev/clusters/stage/namespace-storefront.yaml").read_text())
    assert namespace == yaml.safe_load((hub / "gitops/dev/apps/namespace-storefront.yaml").read_text())
    made = yaml.safe_load((hub / "gitops/dev/apps/cluster-stage.yaml").read_text())
    assert made["spec"]["destination"] == {"name": "stage", "namespace": "default"}
    assert made["spec"]["source"]["path"] == "gitops/dev/clusters/stage"
    # Never pruned: its deletion would take the namespaces along, with all that is in them.
    assert made["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false"
    assert made["metadata"]["annotations"]["argocd.argoproj.io/compare-options"] == "IgnoreExtraneous"


def test_only_applications_of_the_hub_are_compared_on_the_server(hub: Path) -> None:
    change(hub, {"workloads.guestbook.cluster": "stage"})
    for name, wanted in (("argocd", "ServerSideDiff=true"), ("cluster-stage", "IgnoreExtraneous"), ("guestbook", None)):
        made = yaml.safe_load((hub / f"gitops/dev/apps/{name}.yaml").read_text())
        assert made["metadata"]["annotations"].get("argocd.argoproj.io/compare-options") == wanted


def test_a_cluster_that_leaves_takes_its_generated_files_along(hub: Path) -> None:
    change(hub, {"projects.storefront.clusters": ["stage"], "workloads.guestbook.cluster": "stage"})
    settings = load_stack_file(hub, "dev")
    assert not (hub / "gitops/dev/apps/namespace-storefront.yaml").exists()
    assert not list((hub / "gitops/dev/clusters").glob("legacy/*"))
    assert check_tree(settings, hub / settings.tree_path) == []


def test_a_set_for_clusters_makes_an_application_for_each(hub: Path) -> None:
    template = {
        "metadata": {"name": "web-{{name}}"},
        "spec": {**application("x")["spec"], "destination": {"name": "{{name}}", "namespace": "storefront"}},
    }
    selector = {"matchExpressions": [{"key": "stack", "operator": "In", "values": ["stage", "old", "dev"]}]}
    made = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "web", "namespace": "argocd"},
        "spec": {"generators": [{"clusters": {"selector": selector}}], "template": template},
    }
    write_files(hub, {"gitops/dev/apps/web.yaml": [made]})
    tree = load_tree(hub, load_stack_file(hub, "dev"), installed=False)
    found = {one.spec.name: (one.spec.cluster, one.spec.server) for one in tree.applications if "web-" in one.spec.name}
    assert found == {
        "web-in-cluster": ("in-cluster", "https://kubernetes.default.svc"),
        "web-stage": ("stage", ""),
        "web-legacy": ("legacy", LEGACY),
    }
    assert sentences(hub, *DESTINATION, "application-set-not-expanded") == []


@pytest.mark.parametrize(
    ("generator", "reason"),
    [
        (
            {"selector": {"matchLabels": {"region": "eu-west-1"}}},
            "it selects by label region, which only the stack of cluster stage says; list the cluster with it in "
            "gitops/clusters.yaml",
        ),
        (
            {"selector": {"matchLabels": {"tier": "backend"}}},
            "application web-stage needs <server>, known after `pulumi up`",
        ),
    ],
)
def test_what_only_another_stack_says_is_said_to_be_missing(generator: Any, reason: str, hub: Path) -> None:
    template = {
        "metadata": {"name": "web-{{name}}"},
        "spec": {**application("x")["spec"], "destination": {"server": "{{server}}", "namespace": "storefront"}},
    }
    made = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "web", "namespace": "argocd"},
        "spec": {"generators": [{"clusters": generator}], "template": template},
    }
    write_files(hub, {"gitops/dev/apps/web.yaml": [made]})
    (finding,) = check(hub, "application-set-not-expanded")
    assert finding.found == f"is not expanded: {reason}"
