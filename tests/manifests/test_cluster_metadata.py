"""The metadata contract: what is produced by whom, and what an ApplicationSet may read of it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from gitops_stack.manifests.cluster_metadata import (
    build_cluster_secret,
    check_reads,
    produced_keys,
    render_metadata_schema,
)
from gitops_stack.settings import ClusterMetadata
from tests.components.test_aws_foundation import GOOD, settings
from tests.stacks import ROOT, minimal

PRODUCED = frozenset({"stack", "region", "accountId", "ecrHost", "clusterName", "vpcId", "argocdRoleArn"})
LABELS = "region, stack"
ANNOTATIONS = "accountId, argocdRoleArn, clusterName, ecrHost, vpcId"
OF_EKS = {"stack", "region", "accountId", "ecrHost", "clusterName", "vpcId", "argocdRoleArn"}
ADD_ONS: dict[str, Any] = {
    "externalSecrets": {"secrets": ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:acme/*"]},
    "loadBalancerController": {},
    "externalDns": {"hostedZoneIds": ["Z1"]},
}


def application_set(*texts: Any, generators: Any = ({"clusters": {}},)) -> dict[str, Any]:
    values = [{"name": f"value-{number}", "value": text} for number, text in enumerate(texts)]
    template = {"spec": {"source": {"helm": {"parameters": values}}}}
    listed = list(generators) if isinstance(generators, tuple) else generators
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "apps"},
        "spec": {"generators": listed, "template": template},
    }


def missing(kind: str, key: str) -> str:
    listed = LABELS if kind == "labels" else ANNOTATIONS
    return (
        f"ApplicationSet apps: found metadata.{kind}.{key}, which this stack's cluster Secret does not have; "
        f"it has: {listed}"
    )


def check(*texts: Any, generators: Any = ({"clusters": {}},)) -> list[str]:
    return list(map(str, check_reads(application_set(*texts, generators=generators), PRODUCED)))


@pytest.mark.parametrize(
    "text",
    [
        "{{metadata.annotations.vpcId}}",
        "{{ metadata.labels.stack }}",
        "{{.metadata.labels.stack}}",
        "{{ .metadata.labels.region | quote }}",
        "{{- .metadata.labels.region -}}",
        "{{ $.metadata.annotations.ecrHost }}/app",
        '{{ index .metadata.annotations "vpcId" }}',
        "{{ index .metadata.annotations `vpcId` }}",
        '{{ index $.metadata.labels "stack" }}',
        '{{ get .metadata.annotations "ecrHost" }}',
        '{{ .metadata.annotations.vpcId | default "x" }}',
        '{{ if eq .metadata.labels.stack "prd" }}a{{ else }}b{{ end }}',
        '{{ index .metadata.labels "argocd.argoproj.io/secret-type" }}',
        "{{metadata.labels.app.kubernetes.io/part-of}}",
        "{{name}} {{.server}} {{.values.revision}}",
    ],
)
def test_what_the_stack_writes_may_be_read(text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        ("{{metadata.annotations.vpcID}}", "annotations", "vpcID"),
        ("{{ metadata.labels.env }}", "labels", "env"),
        ("{{.metadata.labels.env}}", "labels", "env"),
        ("{{ $.metadata.labels.env }}", "labels", "env"),
        ("{{\n.metadata.labels.env\n}}", "labels", "env"),
        ('{{ index .metadata.annotations "vpc-id" }}', "annotations", "vpc-id"),
        ("{{ index .metadata.annotations `acme.io/vpc` }}", "annotations", "acme.io/vpc"),
        ('{{ index $.metadata.labels "env" }}', "labels", "env"),
        ('{{ get .metadata.labels "env" }}', "labels", "env"),
        ('{{ .metadata.annotations.zone | default "x" }}', "annotations", "zone"),
        ("{{ metadata.annotations.externalDnsRoleArn }}", "annotations", "externalDnsRoleArn"),
        ("{{ .metadata.labels.vpcId }}", "labels", "vpcId"),
        ("{{ .metadata.annotations.stack }}", "annotations", "stack"),
        ("{{ .metadata.annotations.argocd.argoproj.io/secret-type }}", "annotations", "argocd.argoproj.io/secret-type"),
    ],
)
def test_a_key_nobody_writes_is_named_with_those_that_are(text: str, kind: str, key: str) -> None:
    assert check(text) == [missing(kind, key)]


@pytest.mark.parametrize(
    "text",
    [
        "metadata.labels.env",
        "{{/* .metadata.labels.env */}}",
        "{{ /* first\n.metadata.labels.env */ }}",
        "{{ .path.metadata.labels.env }}",
        "{{ $cluster.metadata.labels.env }}",
        "{{ .metadata.namespace }}",
        "{{path.filenameNormalized}} {{.path.filenameNormalized}}",
    ],
    ids=["no template", "comment", "long comment", "of a path", "of a variable", "neither", "of a file"],
)
def test_what_is_no_read_of_the_cluster_secret_is_no_finding(text: str) -> None:
    assert check(text) == []


def test_braces_of_two_texts_are_no_template() -> None:
    assert check("{{", "metadata.labels.env", "}}") == []


def test_every_key_is_named_once() -> None:
    found = check(
        "{{metadata.labels.env}} {{.metadata.labels.env}} {{metadata.labels.tier}}", "{{metadata.labels.env}}"
    )
    assert found == [missing("labels", "env"), missing("labels", "tier")]


def test_a_stack_without_a_cloud_has_a_label_alone() -> None:
    found = list(check_reads(application_set("{{metadata.annotations.vpcId}}"), frozenset({"stack"})))
    assert [problem.needs for problem in found] == ["it has: none"]


@pytest.mark.parametrize(
    "generators",
    [
        ({"clusters": {}},),
        ({"clusters": None},),
        ({"clusters": {"selector": {"matchLabels": {"stack": "dev", "argocd.argoproj.io/secret-type": "cluster"}}}},),
        ({"clusters": {"selector": {"matchExpressions": [{"key": "region", "operator": "Exists"}]}}},),
        ({"clusters": {"selector": {"matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]}}},),
        ({"list": {"elements": []}}, {"clusters": {}}),
        ({"clusterDecisionResource": {"configMapRef": "placement"}},),
        ({"matrix": {"generators": [{"git": {}}, {"clusters": {}}]}},),
        ({"merge": {"mergeKeys": ["server"], "generators": [{"clusters": {}}, {"list": {}}]}},),
        ({"matrix": {"generators": [{"git": {}}, {"merge": {"generators": [{"clusters": {}}]}}]}},),
        (),
    ],
    ids=[
        "clusters",
        "empty",
        "own labels",
        "own label exists",
        "foreign label does not",
        "one of two",
        "decision",
        "matrix",
        "merge",
        "nested",
        "a patch without generators",
    ],
)
def test_generators_of_this_cluster_are_held_to_the_contract(generators: Any) -> None:
    assert check("{{metadata.labels.env}}", generators=generators) == [missing("labels", "env")]


@pytest.mark.parametrize(
    "generators",
    [
        ({"list": {"elements": [{"metadata": {"labels": {"env": "a"}}}]}},),
        ({"matrix": {"generators": [{"git": {}}, {"list": {}}]}},),
        ({"clusters": {"selector": {"matchLabels": {"env": "production"}}}},),
        ({"clusters": {"selector": {"matchExpressions": [{"key": "env", "operator": "In", "values": ["a"]}]}}},),
    ],
    ids=["list", "matrix", "foreign label", "foreign expression"],
)
def test_generators_of_others_may_read_others_keys(generators: Any) -> None:
    assert check("{{metadata.labels.env}}", generators=generators) == []


@pytest.mark.parametrize(
    "generators",
    [
        ({"matrix": ["wrong"]},),
        ({"matrix": {"generators": {"clusters": {}}}},),
        ("clusters",),
        ({"clusters": {"selector": {"matchExpressions": ["env"]}}},),
        ({"clusters": {"selector": ["env"]}},),
        {"clusters": {}},
    ],
)
def test_what_argo_cd_would_refuse_is_left_to_it(generators: Any) -> None:
    assert check("{{metadata.labels.stack}}", generators=generators) == []


def test_values_of_a_generator_are_templates_too() -> None:
    generators = ({"clusters": {"values": {"vpc": "{{metadata.annotations.vpc}}"}}},)
    assert check(generators=generators) == [missing("annotations", "vpc")]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (minimal(), {"stack"}),
        (
            settings(cluster={"provider": "existing"}, network=None),
            {"stack", "region", "accountId", "ecrHost"},
        ),
        (settings(), OF_EKS),
        (
            settings(addOns=ADD_ONS),
            OF_EKS | {"externalSecretsRoleArn", "loadBalancerControllerRoleArn", "externalDnsRoleArn"},
        ),
        (settings(addOns={"externalDns": ADD_ONS["externalDns"]}), OF_EKS | {"externalDnsRoleArn"}),
    ],
    ids=["existing", "existing with a registry", "eks", "every add-on", "one add-on"],
)
def test_produced_keys_follow_from_the_settings(given: Any, wanted: set[str]) -> None:
    assert produced_keys(given) == wanted
    assert produced_keys(given) <= vars(ClusterMetadata("any")).keys()


def test_labels_select_and_annotations_carry_the_rest() -> None:
    metadata = ClusterMetadata("dev", region="eu-central-1", vpcId="vpc-1")
    assert metadata.labels() == {"stack": "dev", "region": "eu-central-1"}
    assert metadata.annotations() == {"vpcId": "vpc-1"}


@pytest.mark.parametrize(
    "values", [{"region": "tokyo"}, {"accountId": "12"}, {"vpcId": "x"}, {"argocdRoleArn": "role/x"}, {"extra": "x"}]
)
def test_the_contract_refuses_other_shapes(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ClusterMetadata("dev", **values)


def test_the_cluster_secret_is_one_argo_cd_knows() -> None:
    built = build_cluster_secret("argocd", {"stack": "dev"}, {"vpcId": "vpc-1"})
    assert built["metadata"]["labels"] == {
        "app.kubernetes.io/name": "in-cluster",
        "app.kubernetes.io/part-of": "argocd",
        "argocd.argoproj.io/secret-type": "cluster",
        "stack": "dev",
    }
    assert built["metadata"]["annotations"] == {"vpcId": "vpc-1"}
    assert built["stringData"] == {
        "name": "in-cluster",
        "server": "https://kubernetes.default.svc",
        "config": '{"tlsClientConfig": {"insecure": false}}',
    }


def test_the_shipped_schema_is_the_generated_one() -> None:
    shipped = (ROOT / "gitops_stack" / "cluster-metadata.schema.json").read_text(encoding="utf-8")
    assert shipped == render_metadata_schema()


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({"stack": "dev"}, True),
        ({"stack": "dev", "region": GOOD["aws:region"], "accountId": "123456789012", "vpcId": "vpc-1"}, True),
        ({"region": GOOD["aws:region"]}, False),
        ({"stack": "dev", "accountId": "12"}, False),
        ({"stack": "dev", "vpcID": "vpc-1"}, False),
    ],
)
def test_the_schema_holds_what_the_contract_holds(document: dict[str, Any], valid: bool) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(render_metadata_schema()))
    assert validator.is_valid(document) is valid
