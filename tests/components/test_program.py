"""The whole program of every stack, under mocks: what is registered, under whom, in which order, with which options."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pulumi
import pytest
from pulumi.runtime.rpc import UNKNOWN

from gitops_stack.conventions import TRACKING_ID
from gitops_stack.manifests.cluster_metadata import produced_keys
from gitops_stack.settings import EksClusterSettings
from gitops_stack.testing import RegisteredResource, record_program
from tests.stacks import (
    STACKS,
    compare_golden,
    objects,
    record_stack,
    run_main,
    stack_config,
    stack_render,
    stack_settings,
)

pytestmark = pytest.mark.usefixtures("in_project")

EVERY = pytest.mark.parametrize("stack", STACKS)
KEPT = {"argocd", "argocd-secret", "argocd-notifications-secret", "in-cluster", "root"}
EKS = pytest.mark.parametrize("stack", ["dev", "prd"])


def handed_over(stack: str) -> list[RegisteredResource]:
    return [found for found in objects(record_stack(stack)) if found.ignore_changes]


def kept(stack: str) -> list[RegisteredResource]:
    return [found for found in objects(record_stack(stack)) if not found.ignore_changes]


def annotations_of(found: RegisteredResource) -> dict[str, str]:
    metadata = found.inputs["metadata"]
    given: dict[str, str] = metadata["annotations"]
    return given


def holds_unknown(value: object) -> bool:
    if isinstance(value, dict):
        return any(holds_unknown(one) for one in value.values())
    if isinstance(value, list):
        return any(holds_unknown(one) for one in value)
    return value == UNKNOWN


def eks_settings(stack: str) -> EksClusterSettings:
    settings = stack_settings(stack).eks
    assert settings is not None
    return settings


def names(resources: list[RegisteredResource]) -> set[str]:
    return {found.name for found in resources}


def urn_names(found: RegisteredResource) -> set[str]:
    return set(found.depends_on)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@EVERY
def test_the_program_registers_the_golden_resources(stack: str, preview: bool) -> None:
    lines = sorted(f"{found.type} {found.name} <- {found.parent or '-'}" for found in record_stack(stack, preview))
    compare_golden(f"{stack}-resources.txt", "\n".join(lines) + "\n")


@EVERY
def test_a_preview_registers_the_same_inputs_as_an_update(stack: str) -> None:
    preview, update = (
        {(found.type, found.name): dict(found.inputs) for found in record_stack(stack, flag)} for flag in (True, False)
    )
    assert preview.keys() == update.keys()
    for inputs in (*preview.values(), *update.values()):
        inputs.pop("dryRun", None)  # the guards judge a preview more mildly when the cluster does not answer
    for key, inputs in update.items():  # what only the cloud can tell is unknown until it is there
        assert {name: value for name, value in preview[key].items() if not holds_unknown(value)} == {
            name: value for name, value in inputs.items() if not holds_unknown(preview[key].get(name))
        }


@EVERY
def test_exactly_the_handed_over_objects_ignore_every_change(stack: str) -> None:
    credentials = {"gitops-repository"} if "credentials" in stack_config(stack)["gitops-stack:gitops"] else set()
    assert {found.inputs["metadata"]["name"] for found in kept(stack)} == KEPT | credentials
    assert {found.ignore_changes for found in handed_over(stack)} == {("*",)}
    assert len(handed_over(stack)) == len(stack_render(stack)) + 3


@EVERY
def test_field_managers_tell_who_owns_an_object(stack: str) -> None:
    managers = {
        manager: {annotations_of(found)["pulumi.com/patchFieldManager"] for found in resources}
        for manager, resources in (("argocd-controller", handed_over(stack)), ("gitops-stack", kept(stack)))
    }
    assert managers == {"argocd-controller": {"argocd-controller"}, "gitops-stack": {"gitops-stack"}}
    assert {annotations_of(found)["pulumi.com/patchForce"] for found in objects(record_stack(stack))} == {"true"}


@pytest.mark.parametrize(
    ("name", "tracking_id"),
    [
        ("gitops-stack-argocd/argocd-cm", "argocd:/ConfigMap:argocd/argocd-cm"),
        (
            "gitops-stack-argocd/argocd-application-controller",
            "argocd:apps/StatefulSet:argocd/argocd-application-controller",
        ),
        ("gitops-stack-argocd/argocd-server", "argocd:rbac.authorization.k8s.io/ClusterRole:argocd/argocd-server"),
        ("gitops-stack-app-of-apps/platform", "projects:argoproj.io/AppProject:argocd/platform"),
    ],
)
def test_tracking_ids_are_those_argo_cd_would_write(name: str, tracking_id: str) -> None:
    assert tracking_id in {annotations_of(found).get(TRACKING_ID) for found in handed_over("dev") if found.name == name}


@EVERY
def test_only_handed_over_objects_but_definitions_carry_a_tracking_id(stack: str) -> None:
    tracked = {found.name for found in objects(record_stack(stack)) if TRACKING_ID in annotations_of(found)}
    definitions = names(objects(record_stack(stack), ":CustomResourceDefinition"))
    assert tracked == names(handed_over(stack)) - definitions


@EVERY
def test_definitions_are_seeded_with_an_open_schema(stack: str) -> None:
    definitions = objects(record_stack(stack), ":CustomResourceDefinition")
    schemas = [version["schema"] for found in definitions for version in found.inputs["spec"]["versions"]]
    wanted = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    assert schemas == [wanted] * 3


@EVERY
def test_handed_over_objects_are_the_render_but_for_annotations_and_schemas(stack: str) -> None:
    registered = {annotations_of(found).get(TRACKING_ID): found.inputs for found in handed_over(stack)}
    for manifest in stack_render(stack):
        group = manifest["apiVersion"].rpartition("/")[0]
        name = manifest["metadata"]["name"]
        if manifest["kind"] != "CustomResourceDefinition":
            found = registered[f"argocd:{group}/{manifest['kind']}:argocd/{name}"]
            bare = {**found, "metadata": {**found["metadata"], "annotations": None}}
            assert bare == {**manifest, "metadata": {**manifest["metadata"], "annotations": None}}


EARLY = {
    "ConfigMap", "Service", "ServiceAccount", "NetworkPolicy", "Role", "RoleBinding", "ClusterRole",
    "ClusterRoleBinding",
}  # fmt: skip


@EVERY
def test_objects_wait_for_each_other_in_five_steps(stack: str) -> None:
    found = objects(record_stack(stack))
    namespace = {"gitops-stack-argocd/argocd"}
    guard, root_guard = {"gitops-stack-argocd/cluster-guard"}, {"gitops-stack-app-of-apps/cluster-guard"}
    secrets = names([one for one in found if one.type.endswith(":Secret")])
    definitions = names([one for one in found if one.type.endswith(":CustomResourceDefinition")])
    projects = names([one for one in found if one.type.endswith(":AppProject")])
    installed = names([one for one in found if one.name.startswith("gitops-stack-argocd/")])
    teardown = {"gitops-stack-argocd/teardown-guard"}
    for one in found:
        if one.type.endswith("/v1:Namespace"):
            wanted = guard
        elif one.type.endswith(":Secret"):
            # The cluster Secret carries what the AWS half makes, and the rest of them only texts.
            wanted = urn_names(one) if one.name == "gitops-stack-argocd/in-cluster" else namespace
            assert wanted >= namespace
        elif one.name in definitions:
            wanted = secrets
        elif one.name in projects:
            wanted = definitions | root_guard
        elif one.name == "gitops-stack-app-of-apps/root":
            wanted = projects | root_guard | teardown
        else:
            wanted = namespace if one.type.rpartition(":")[2] in EARLY else definitions
        assert urn_names(one) == wanted, one.name
    (last,) = (one for one in record_stack(stack) if one.name in teardown)
    assert urn_names(last) >= installed, "root waits for it, and it for everything"


@EVERY
def test_what_takes_everything_along_is_ended_by_its_guard_alone(stack: str) -> None:
    found = objects(record_stack(stack))
    kinds = {one.type.rpartition(":")[2] for one in found if one.retained}
    assert kinds == {"Namespace", "Secret", "CustomResourceDefinition", "AppProject", "Application"}
    secrets = {one.name.rpartition("/")[2] for one in found if one.retained and one.type.endswith(":Secret")}
    assert secrets == {"argocd-secret", "argocd-notifications-secret"}
    teardown = next(one for one in record_stack(stack) if one.name == "gitops-stack-app-of-apps/teardown-guard")
    assert teardown.inputs["limitSeconds"] == "900", "deleting root may take as long as workloads need"
    guard = next(one for one in record_stack(stack) if one.name == "gitops-stack-argocd/cluster-guard")
    assert [one[4] for one in guard.inputs["remains"]] == [
        "applications.argoproj.io", "applicationsets.argoproj.io", "appprojects.argoproj.io", "argocd"
    ]  # fmt: skip


@EVERY
def test_every_object_goes_through_the_stack_s_provider(stack: str) -> None:
    assert {found.provider.rpartition("::")[0].rpartition("::")[2] for found in objects(record_stack(stack))} == {
        "gitops-stack-cluster"
    }
    provider = next(found for found in record_stack(stack) if found.type == "pulumi:providers:kubernetes")
    assert provider.inputs["upsertExistingObjects"] == "true"
    assert provider.inputs.get("context") == stack_config(stack)["gitops-stack:cluster"].get("context")


def test_a_stale_tree_stops_the_program_before_anything_is_registered(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    (project / "gitops/dev/apps/argocd.yaml").unlink()
    registered: list[RegisteredResource] = []
    with pytest.raises(pulumi.RunError) as refused:
        record_program(run_main, stack="dev", config=stack_config("dev"), registered=registered)
    assert str(refused.value) == (
        "gitops/dev/apps/argocd.yaml: is missing; run `gitops-stack render --stack dev` and commit"
    )
    assert [found.type for found in registered] == ["pulumi:pulumi:Stack"]


def test_an_unknown_context_stops_the_program() -> None:
    config = {**stack_config("local"), "gitops-stack:cluster": {"provider": "existing", "context": "nowhere"}}
    with pytest.raises(pulumi.RunError, match=r"cluster\.context: found nowhere, which .* does not have"):
        record_program(run_main, stack="local", config=config)


def find(stack: str, kind: str, name: str, preview: bool = False) -> RegisteredResource:
    return next(one for one in record_stack(stack, preview) if one.type.endswith(f":{kind}") and one.name == name)


@EKS
def test_pods_start_after_nodes_registry_and_the_roles_they_get(stack: str) -> None:
    before = urn_names(find(stack, "ClusterGuard", "gitops-stack-argocd/cluster-guard"))
    registered = record_stack(stack)
    associations = names([one for one in registered if one.type.endswith(":PodIdentityAssociation")])
    nodes = names([one for one in registered if one.type.endswith(":NodeGroup")])
    caches = names([one for one in registered if one.type.endswith((":PullThroughCacheRule", "ecr:Repository"))])
    assert before >= associations | nodes | caches | {"gitops-stack-eks"}
    assert len(associations) >= 3


@EKS
def test_the_one_kubernetes_provider_leaves_before_the_access_policies(stack: str) -> None:
    providers = [one for one in record_stack(stack) if one.type == "pulumi:providers:kubernetes"]
    policies = names([one for one in record_stack(stack) if one.type.endswith(":AccessPolicyAssociation")])
    account = stack_config(stack)["gitops-stack:account"]["id"]
    assert [one.name for one in providers] == ["gitops-stack-cluster"]
    wanted = {f"gitops-stack-eks-access-{name}" for name in eks_settings(stack).access} | {
        "gitops-stack-eks-access-preview-platform"
    }
    assert urn_names(providers[0]) >= policies == wanted
    assert providers[0].inputs["clusterIdentifier"] == (
        f"arn:aws:eks:ap-northeast-1:{account}:cluster/gitops-stack-{stack}"
    )


@EKS
def test_argo_cd_goes_with_the_cluster_but_root_is_taken_down_first(stack: str) -> None:
    assert find(stack, "ArgoCD", "gitops-stack-argocd").deleted_with == "gitops-stack-eks"
    assert find(stack, "kubernetes", "gitops-stack-cluster").deleted_with == "gitops-stack-eks"
    assert find(stack, "AppOfApps", "gitops-stack-app-of-apps").deleted_with == ""
    assert find(stack, "Application", "gitops-stack-app-of-apps/root").deleted_with == ""


@EKS
def test_everything_in_aws_goes_through_one_provider_that_tags_it(stack: str) -> None:
    resources = [one for one in record_stack(stack) if one.type.startswith(("aws:", "eks:"))]
    assert {one.provider.rpartition("::")[0].rpartition("::")[2] for one in resources} == {"gitops-stack-aws"}
    provider = find(stack, "aws", "gitops-stack-aws")
    assert json.loads(provider.inputs["defaultTags"])["tags"] == {
        "team": "platform",
        "gitops-stack:stack": stack,
        "gitops-stack:project": "gitops-stack",
        "gitops-stack:region": "ap-northeast-1",
        "gitops-stack:managed-by": "pulumi",
    }
    assert json.loads(provider.inputs["allowedAccountIds"]) == [stack_config(stack)["gitops-stack:account"]["id"]]


@EVERY
def test_the_cluster_secret_has_exactly_what_the_contract_produces(stack: str) -> None:
    metadata = find(stack, "Secret", "gitops-stack-argocd/in-cluster").inputs["metadata"]
    carried = {
        key
        for part in ("labels", "annotations")
        for key in metadata[part]
        if "/" not in key  # Kubernetes' and the library's own
    }
    assert carried == produced_keys(stack_settings(stack))


def test_a_foreign_program_of_fifteen_lines_installs_argo_cd() -> None:
    source = Path(__file__).with_name("foreign.py")
    assert len([line for line in source.read_text().splitlines() if line.strip()]) <= 15
    found = record_program(lambda: runpy.run_path(str(source)), project="foreign", stack="any")
    rendered = [one for one in objects(found) if not one.type.endswith((":Secret", ":Namespace"))]
    assert len(rendered) == len(stack_render("dev"))
    assert {one.ignore_changes for one in objects(found)} == {()}
    assert not any(TRACKING_ID in annotations_of(one) for one in objects(found))
    definitions = objects(found, ":CustomResourceDefinition")
    full = [one["spec"] for one in stack_render("dev") if one["kind"] == "CustomResourceDefinition"]
    assert [one.inputs["spec"] for one in sorted(definitions, key=lambda one: one.name)] == full
