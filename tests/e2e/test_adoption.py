"""Every road of docs/adopt.md: a living Argo CD is taken over, workloads keep running, nothing is lost."""

from __future__ import annotations

import copy
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube import ApiError
from lightkube.types import PatchType

from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.live.kinds import resource_class
from gitops_stack.live.reading import reference
from gitops_stack.manifests import Manifest
from tests.adoption import installations as made
from tests.e2e.scenario import STACK, Scenario, edit_stack, wait_for

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="the roads are told in kubectl's own words"),
]

OLD_COMMIT = "6d66c1b29e4f25dccfb5b0c7a939785b0071ef9a"  # v3.2.11
SHOP = "shop"


class Cluster:
    """kubectl against a scenario's lab, and the shop that must not notice anything."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    def kubectl(self, *arguments: str, given: str | None = None, check: bool = True) -> str:
        command = ["kubectl", "--kubeconfig", str(self.scenario.lab.state.kubeconfig), *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=120)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, manifests: list[Manifest], *options: str) -> None:
        definitions = [one for one in manifests if one["kind"] == "CustomResourceDefinition"]
        for some in (definitions, [one for one in manifests if one not in definitions]):
            if some:
                self.kubectl("apply", *options, "-f", "-", given=yaml.safe_dump_all(some))

    def start(self) -> None:
        """Start the living installation's controllers, and have them deploy the shop."""
        self.scenario.start_controllers()
        self.kubectl("create", "namespace", SHOP)
        shop = made.application(SHOP, path="gitops/workloads/guestbook/overlays/local")
        shop["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
        shop["spec"]["source"]["repoURL"] = self.scenario.settings.gitops.repo_url
        shop["spec"]["destination"]["namespace"] = SHOP
        shop["spec"]["syncPolicy"] = {"automated": {"prune": True, "selfHeal": True}}
        wait_for("argocd-server has made default", lambda: self.project("default"))
        self.kubectl("apply", "-f", "-", given=yaml.safe_dump(shop))
        wait_for("the shop runs", lambda: self.scenario.well(SHOP))

    def project(self, name: str) -> Manifest | None:
        return self.scenario.get("argoproj.io/v1alpha1", "AppProject", name, "argocd")

    def config_map(self, name: str) -> Manifest:
        return self.scenario.get("v1", "ConfigMap", name, "argocd") or {}

    def uids(self) -> dict[str, str]:
        listed = json.loads(self.kubectl("-n", SHOP, "get", "deployments,replicasets,pods,services", "-o", "json"))
        return {f"{one['kind']} {one['metadata']['name']}": one["metadata"]["uid"] for one in listed["items"]}

    def move_shop(self) -> None:
        """Give the shop the AppProject that `adopt --yes` wrote."""
        tree = self.scenario.workspace / self.scenario.settings.tree_path
        self.kubectl("apply", "-f", str(tree / "projects/adopted.yaml"))
        patch = json.dumps({"spec": {"project": "adopted"}})
        self.kubectl("-n", "argocd", "patch", f"application.argoproj.io/{SHOP}", "--type", "merge", "-p", patch)

    def adopt(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.scenario.cli("adopt", "--stack", STACK, *options, check=False)

    def take_over(self) -> None:
        """Hand over, bring the stack up, and wait for the certificate."""
        assert (found := self.adopt()).returncode == 0, found.stdout + found.stderr
        assert (found := self.adopt("--remove-managers", "--yes")).returncode == 0, found.stderr
        self.scenario.report.engine.up()
        self.scenario.start_controllers()
        self.scenario.wait_until_well()
        assert self.scenario.wait_until_handed_over().complete
        self.scenario.pulumi("preview", "--expect-no-changes")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Start a control plane for one road; its end takes everything along."""
    found = Scenario.create(tmp_path, {}, "v3.5.1")
    found.prepare()
    yield Cluster(found)
    found.close()


def upstream(scenario: Scenario, commit: str) -> list[Manifest]:
    """Render upstream's own manifests of a release, as people install them by hand."""
    folder = scenario.project.parent / f"upstream-{commit[:7]}"
    folder.mkdir(exist_ok=True)
    base = f"github.com/argoproj/argo-cd//manifests/cluster-install?ref={commit}&timeout=120s"
    kustomization = {"kind": "Kustomization", "namespace": "argocd", "resources": [base]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    return copy.deepcopy(load_manifests(folder))


def customized(manifests: list[Manifest]) -> list[Manifest]:
    """Return them with what somebody configured."""
    changed = made.changed(manifests, "ConfigMap", "argocd-cm", data={"url": "https://cd.example.com"})
    policy = {"policy.csv": "g, platform, role:admin\n", "policy.default": "role:readonly"}
    return made.changed(changed, "ConfigMap", "argocd-rbac-cm", data=policy)


def refused_by_the_api_server(scenario: Scenario) -> set[str]:
    """Apply the tree's render without storing it, and name the objects that the API server does not take."""
    refused = set()
    for manifest in load_manifests(scenario.workspace / scenario.settings.tree_path / "argocd"):
        found = reference(manifest)
        resource = resource_class(found.group, found.version, found.kind, bool(found.namespace))
        where: Any = {"namespace": found.namespace} if found.namespace else {}
        try:
            scenario.client.patch(
                resource,
                found.name,
                manifest,
                patch_type=PatchType.APPLY,
                field_manager="argocd-controller",
                force=True,
                dry_run=True,
                **where,
            )
        except ApiError:
            refused.add(found.text)
    return refused


def refused_objects(cluster: Cluster, rule: str) -> set[str]:
    """Name the objects of the findings whose words hold ``rule``."""
    report = json.loads(cluster.adopt("--output", "json").stdout)
    return {
        name
        for one in report["findings"]
        if one["level"] == "refused" and rule in one["found"]
        for name in one["objects"]
    }


def run_the_remedies(cluster: Cluster) -> None:
    """Run every kubectl command of the refusals, as a person would."""
    for line in cluster.adopt().stderr.splitlines():
        for commands in re.findall(r"`(kubectl [^`]+)`", line) if line.startswith("refused: ") else ():
            for command in commands.split(" && "):
                cluster.kubectl(*shlex.split(command)[1:])


def bring_shop_into_the_tree(cluster: Cluster) -> None:
    """Make the living Application a workload of the stack: same name, source and destination."""
    scenario = cluster.scenario
    workload = {"project": "storefront", "path": "gitops/workloads/guestbook/overlays/local", "namespace": SHOP}
    namespaces = [*scenario.settings.projects["storefront"].namespaces, SHOP]
    changes: dict[str, dict[str, Any]] = {
        "projects": {"storefront": {"namespaces": namespaces}},
        "workloads": {SHOP: workload},
    }
    edit_stack(scenario.workspace, changes)
    write_tree(scenario.settings, scenario.workspace / scenario.settings.tree_path)
    assert "is the stack's by source and destination, and taken over" in cluster.adopt().stdout
    scenario.push("Bring the shop into the tree")
    scenario.notify()
    scenario.wait_until_well()
    shop = scenario.application(SHOP) or {}
    assert shop["metadata"]["labels"]["gitops-stack/stack"] == STACK


def test_client_side_apply_of_an_older_release(cluster: Cluster) -> None:
    scenario = cluster.scenario
    cluster.kubectl("create", "namespace", "argocd")
    cluster.apply(customized(upstream(scenario, OLD_COMMIT)))
    cluster.start()
    uids = cluster.uids()
    found = cluster.adopt()
    assert found.returncode == 1
    assert "namespace argocd: Argo CD v3.2.11, kubectl apply's, objects named argocd-…" in found.stdout
    lost = [line for line in found.stderr.splitlines() if line.startswith("lost: ")]
    assert len(lost) == 4, found.stderr  # url, policy.csv, policy.default, default
    assert "0 refused, 4 would be lost; --yes writes what Git can keep" in found.stderr
    assert cluster.adopt("--yes").returncode == 1
    scenario.push("Take over what is configured")
    cluster.move_shop()
    cluster.take_over()
    assert cluster.uids() == uids
    assert cluster.config_map("argocd-cm")["data"]["url"] == "https://cd.example.com"
    roles = cluster.config_map("argocd-rbac-cm")
    assert "g, platform, role:admin" in roles["data"]["policy.csv"].splitlines()
    assert roles["data"]["policy.default"] == "role:readonly"
    assert scenario.well(SHOP)
    bring_shop_into_the_tree(cluster)
    assert cluster.uids() == uids


@pytest.mark.soak
@pytest.mark.parametrize("manager", ["kubectl", "pulumi-kubernetes-1a2b3c4d"])
def test_server_side_apply_by_kubectl_or_by_kustomize_directory(cluster: Cluster, manager: str) -> None:
    scenario = cluster.scenario
    cluster.kubectl("create", "namespace", "argocd")
    cluster.apply(upstream(scenario, scenario.settings.argocd.commit), "--server-side", "--field-manager", manager)
    cluster.start()
    uids = cluster.uids()
    cluster.adopt("--yes")
    scenario.push("A project for the shop")
    cluster.move_shop()
    cluster.take_over()
    assert cluster.uids() == uids


@pytest.mark.soak
def test_autopilot_whose_applications_sync_argocd_itself(cluster: Cluster) -> None:
    scenario = cluster.scenario
    cluster.kubectl("create", "namespace", "argocd")
    cluster.apply(upstream(scenario, scenario.settings.argocd.commit), "--server-side")
    cluster.start()
    uids = cluster.uids()
    managing = made.application("argo-cd", path=f"{scenario.settings.tree_path}/argocd")
    for one in (managing, made.application("root", path="gitops/workloads"), made.application("autopilot-bootstrap")):
        one["spec"]["source"]["repoURL"] = scenario.settings.gitops.repo_url
        one["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "argocd-autopilot"}
        cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump(one))
    wait_for("argo-cd has looked at Argo CD", lambda: "syncs 5" in cluster.adopt().stderr)
    found = cluster.adopt()
    assert "argocd-autopilot's" in found.stdout
    assert "refused: Application argocd/root: has the name of one of the stack's Applications" in found.stderr
    run_the_remedies(cluster)
    cluster.kubectl("-n", "argocd", "delete", "application.argoproj.io/autopilot-bootstrap")
    cluster.adopt("--yes")
    scenario.push("A project for the shop")
    cluster.move_shop()
    cluster.take_over()
    assert cluster.uids() == uids


@pytest.mark.soak
def test_helm_under_the_same_names(cluster: Cluster) -> None:
    scenario = cluster.scenario
    cluster.kubectl("create", "namespace", "argocd")
    chart = made.helm(upstream(scenario, scenario.settings.argocd.commit), "argocd")
    cluster.apply(made.unmanaged(chart), "--server-side", "--field-manager", "helm")
    cluster.start()
    uids = cluster.uids()
    refused = refused_objects(cluster, "the API server never changes it")
    assert len(refused) == 7
    assert refused == refused_by_the_api_server(scenario)
    run_the_remedies(cluster)
    assert refused_by_the_api_server(scenario) == set()
    cluster.adopt("--yes")
    scenario.push("Take over the chart's settings")
    cluster.move_shop()
    cluster.take_over()
    assert cluster.uids() == uids


@pytest.mark.soak
def test_helm_under_another_prefix(cluster: Cluster) -> None:
    scenario = cluster.scenario
    cluster.kubectl("create", "namespace", "argocd")
    chart = made.helm(upstream(scenario, scenario.settings.argocd.commit), "cd")
    cluster.apply(made.unmanaged(chart), "--server-side", "--field-manager", "helm")
    cluster.start()
    uids = cluster.uids()
    assert len(refused_objects(cluster, "two in one namespace")) == 7
    run_the_remedies(cluster)
    cluster.adopt("--yes")
    scenario.push("Take over the chart's settings")
    cluster.move_shop()
    left = [one for one in json.loads(cluster.adopt("--output", "json").stdout)["findings"] if "owner" in one["found"]]
    cluster.take_over()
    assert cluster.uids() == uids
    for name in left[0]["objects"]:
        kind, _, place = name.partition(" ")
        namespace, _, own = place.rpartition("/")
        group, _, kind = kind.rpartition("/")
        where = ("-n", namespace) if namespace else ()
        cluster.kubectl(*where, "delete", f"{kind}.{group}".rstrip(".").lower(), own)
    assert scenario.certificate().complete


@pytest.mark.soak
def test_the_operator(cluster: Cluster) -> None:
    scenario = cluster.scenario
    cluster.kubectl("create", "namespace", "argocd")
    render = upstream(scenario, scenario.settings.argocd.commit)
    cluster.apply(
        [*(one for one in render if one["kind"] == "CustomResourceDefinition"), made.OPERATOR_DEFINITION],
        "--server-side",
    )
    wait_for(
        "ArgoCD objects are served",
        lambda: "argocds" in cluster.kubectl("get", "--raw", "/apis/argoproj.io/v1beta1", check=False),
    )
    cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump(made.OPERATOR_OBJECT))
    uid = cluster.kubectl("-n", "argocd", "get", "argocds.argoproj.io/argocd", "-o", "jsonpath={.metadata.uid}")
    cluster.apply(made.unmanaged(made.operator(render, uid=uid)), "--server-side", "--field-manager", "manager")
    cluster.start()
    uids = cluster.uids()
    assert any("the Argo CD operator keeps this installation" in line for line in cluster.adopt().stderr.splitlines())
    run_the_remedies(cluster)  # takes the ArgoCD object away; its children stay
    assert "operator" not in cluster.adopt().stderr
    run_the_remedies(cluster)
    cluster.adopt("--yes")
    scenario.push("A project for the shop")
    cluster.move_shop()
    cluster.take_over()
    assert cluster.uids() == uids


@pytest.mark.soak
def test_the_certificate_names_what_a_removed_manager_left(cluster: Cluster) -> None:
    scenario = cluster.scenario
    scenario.report.engine.up()
    scenario.start_controllers()
    scenario.wait_until_well()
    assert scenario.wait_until_handed_over().complete
    left = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd"},
        "data": {"url": "https://left.example.com"},
    }
    scenario.apply(left, "kubectl")
    assert scenario.certificate().findings == ["ConfigMap argocd/argocd-cm: is also owned by kubectl (Apply)"]
    managers = cluster.config_map("argocd-cm")["metadata"]["managedFields"]
    number = next(index for index, one in enumerate(managers) if one["manager"] == "kubectl")
    removal = json.dumps([{"op": "remove", "path": f"/metadata/managedFields/{number}"}])
    cluster.kubectl("-n", "argocd", "patch", "configmap", "argocd-cm", "--type", "json", "-p", removal)
    assert scenario.certificate().findings == [
        "ConfigMap argocd/argocd-cm: has data.url, which no manager owns and Git does not have"
    ]
    assert cluster.adopt("--remove-managers").returncode == 1
    assert cluster.adopt("--remove-managers", "--yes").returncode == 0
    wait_for("Argo CD removes what Git does not have", lambda: "url" not in cluster.config_map("argocd-cm")["data"])
    assert scenario.wait_until_handed_over().complete
