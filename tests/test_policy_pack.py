"""The rules of `check` on what a program registers: the same sentences, and only where they have something to say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.policy_pack import Registered, Violation, judge_resources

URN = "urn:pulumi:dev::shop::kubernetes:apps/v1:Deployment::web"
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        },
    },
}
SERVERS_OWN = {"uid": "1", "resourceVersion": "2", "managedFields": [], "creationTimestamp": "2026-01-01T00:00:00Z"}


def rules(*resources: Registered, version: str | None = "1.36") -> list[tuple[str, str]]:
    found = judge_resources(resources, version)
    return sorted((one.severity, one.sentence.rpartition(" [")[2].rstrip("]")) for one in found)


def deployment(urn: str = URN, **changes: Any) -> Registered:
    return Registered(urn, "kubernetes:apps/v1:Deployment", {**DEPLOYMENT, **changes})


def test_an_object_of_a_program_is_judged_as_one_of_the_tree() -> None:
    found = list(judge_resources([deployment()], "1.36"))
    image = "spec.template.spec.containers[0].image: found nginx: no tag, which means latest; name a version's tag or a"
    assert Violation(URN, "error", f"{image} digest [image-not-pinned]") in found
    assert ("warning", "capabilities-not-dropped") in rules(deployment())


def test_what_the_api_server_would_refuse_is_found_before_it_is_asked() -> None:
    spec = {**DEPLOYMENT["spec"], "replicas": "two"}
    assert ("error", "schema-invalid") in rules(deployment(spec=spec))
    assert ("error", "selector-mismatch") in rules(
        deployment(spec={**spec, "selector": {"matchLabels": {"app": "other"}}})
    )


def test_what_the_server_has_added_to_a_resource_that_is_there_says_nothing() -> None:
    living: dict[str, Any] = {
        "metadata": {**DEPLOYMENT["metadata"], **SERVERS_OWN},
        "status": {"replicas": "?"},
        "__fieldManager": "x",
    }
    assert rules(deployment(**living)) == rules(deployment())


@pytest.mark.parametrize(
    "urn",
    [
        "urn:pulumi:dev::shop::gitops-stack:index:ArgoCD$kubernetes:apps/v1:Deployment::argocd/argocd-server",
        "urn:pulumi:dev::p::gitops-stack:index:GitOpsStack$gitops-stack:index:ArgoCD$kubernetes:apps/v1:Deployment::a",
    ],
)
def test_what_the_library_registers_is_the_locks_and_not_the_programs(urn: str) -> None:
    assert rules(deployment(urn)) == []


def test_a_rule_about_git_says_nothing_of_a_program() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"password": "hunter2"}}
    assert rules(Registered("urn", "kubernetes:core/v1:Secret", secret)) == []


class _Unknown(Mapping[str, Any]):
    """Properties of which a preview does not know one, as pulumi-policy hands them out."""

    def __getitem__(self, key: str) -> Any:
        if key == "spec":
            raise LookupError(key)
        return DEPLOYMENT[key]

    def __iter__(self) -> Iterator[str]:
        return iter(DEPLOYMENT)

    def __len__(self) -> int:
        return len(DEPLOYMENT)


def test_what_a_preview_does_not_know_is_left_to_the_update_and_stops_no_other_judgement() -> None:
    unknown = Registered("urn:unknown", "kubernetes:apps/v1:Deployment", _Unknown())
    assert rules(unknown, deployment()) == rules(deployment())


STATEMENT = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("kind", "key"), [("aws:iam/policy:Policy", "policy"), ("aws:iam/rolePolicy:RolePolicy", "policy")]
)
@pytest.mark.parametrize("written", [json.dumps, dict], ids=["text", "map"])
def test_a_policy_document_is_held_to_the_rules_of_ours(kind: str, key: str, written: Any) -> None:
    resource = Registered("urn", kind, {key: written({"Version": "2012-10-17", "Statement": [STATEMENT]})})
    (found,) = judge_resources([resource])
    assert (found.urn, found.severity) == ("urn", "error")
    assert "s3:*" in found.sentence


@pytest.mark.parametrize("document", [None, "not JSON", ""])
def test_a_document_that_cannot_be_read_is_aws_to_refuse(document: str | None) -> None:
    assert list(judge_resources([Registered("urn", "aws:iam/policy:Policy", {"policy": document})])) == []


def test_other_resources_are_passed_over() -> None:
    assert rules(Registered("urn", "aws:s3/bucket:Bucket", {"acl": "public-read"})) == []
    assert rules(Registered("urn", "kubernetes:helm.sh/v3:Release", {"chart": "x"})) == []
    part = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": "two"}}
    assert rules(Registered("urn", "kubernetes:apps/v1:DeploymentPatch", part)) == []
    several = {"apiVersion": "apps/v1", "kind": "DeploymentList", "items": [part]}
    assert rules(Registered("urn", "kubernetes:apps/v1:DeploymentList", several)) == []


def test_a_version_without_schemas_is_one_sentence() -> None:
    with pytest.raises(EnvironmentProblem, match=r"found 1\.2; needs one of"):
        rules(deployment(), version="1.2")
