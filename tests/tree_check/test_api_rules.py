"""Hold the API server's rules against what kube-apiserver said to a corpus of objects, good and bad."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from gitops_stack.rules.api.check import checked_types
from gitops_stack.rules.api.field_values import FIELDS
from gitops_stack.rules.api.formats import FORMATS
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.references import check_selectors
from gitops_stack.tree_check.api_types import known_versions, load_definitions, shorten
from gitops_stack.tree_check.cel_rules import is_available
from gitops_stack.tree_check.schemas import SchemaSet
from tests.api_corpus import VERSIONED, Case, Versioned, build_definition, load_corpus

CASES = list(load_corpus())
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/checks.md"
_EVALUATED = [
    'validatingwebhook: webhooks.0.matchConditions=[{name: a, expression: "1 +"}]',
    'admissionpolicy: spec.validations.0.expression="object.spec.replicas <="',
    'crd: spec.versions.0.schema.openAPIV3Schema.properties.spec.x-kubernetes-validations=[{rule: "self.keep <"}]',
    "backup: spec.keep=200",
]
EXCEPTIONS = {
    "an address outside of the cluster's own range": ["service: spec.clusterIP=10.0.0.1"],
    "two address families on a cluster with one": ["service: spec.ipFamilyPolicy=RequireDualStack"],
    "another kind than PersistentVolumeClaim in a claim template": [
        "statefulset: spec.volumeClaimTemplates.0.kind=Secret"
    ],
    "a data source without a name": ["claim: spec.dataSource={kind: VolumeSnapshot}"],
    "an annotation without a value": ['serviceaccount: metadata.annotations.["eks.amazonaws.com/role-arn"]=null'],
    "a custom object under a schema without fields": [
        "backup: spec.empty={a: 1}",
        "backup: spec.empty={a: null}",
        "backup: spec.empties=[{}, {a: 1}]",
        "backup: spec.named={a: {b: 1}}",
        "backup: spec.anything={a: {b: 1}}",
        "backup: spec.part={a: {b: 1}, empty: {a: 1}}",
        "backup: spec.resource={apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {a: 1}}",
    ],
    "a null in a custom object": [
        "backup: spec.labels={a: null}",
        "backup: spec.labels=null",
        "backup: spec.list=null",
    ],
    "CEL": [
        "crd: spec.versions.0.schema.openAPIV3Schema.properties.spec.x-kubernetes-validations="
        '[{rule: "self.nothing < 1"}]',
        'admissionpolicy: spec.validations=[{expression: "true", messageExpression: "1"}]',
        *([] if is_available() else _EVALUATED),
    ],
}
"""Where the two differ, by the words under which docs/checks.md names it."""
DIFFERENT = {name for names in EXCEPTIONS.values() for name in names}


@cache
def schemas() -> SchemaSet:
    return SchemaSet("1.36", [build_definition()])


def refuses(case: Case) -> bool:
    namespace = case.manifest["metadata"].get("namespace") or ""
    found = RenderedObject(case.manifest, namespace, "a.yaml")
    findings = [*schemas().check([found]), *check_selectors([found])]
    return any(one.severity == "error" for one in findings)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_object_is_refused_as_kube_apiserver_refuses_it(case: Case) -> None:
    assert refuses(case) == (case.refused != (str(case) in DIFFERENT))


@pytest.mark.parametrize("case", VERSIONED, ids=str)
def test_a_rule_that_is_not_the_newest_s_follows_the_version(case: Versioned) -> None:
    found = RenderedObject(case.manifest, "shop", "a.yaml")
    before = [one for one in SchemaSet("1.35", []).check([found]) if one.severity == "error"]
    after = [one for one in SchemaSet("1.36", []).check([found]) if one.severity == "error"]
    assert (bool(before), bool(after)) == (case.refused_before, case.refused_since)


def test_what_argocd_vault_plugin_fills_in_is_not_judged() -> None:
    webhook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "a"},
        "webhooks": [
            {"name": "a.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
             "clientConfig": {"url": "https://example.com", "caBundle": "<path:secret/data/a#b | base64encode>"}}
        ],
    }  # fmt: skip
    assert list(schemas().check([RenderedObject(webhook, "", "a.yaml")])) == []
    webhook["webhooks"][0]["clientConfig"]["caBundle"] = "<path"  # type: ignore[index]
    (found,) = schemas().check([RenderedObject(webhook, "", "a.yaml")])
    assert (found.found, found.needs) == ("is not base64", "needs base64")


def test_the_corpus_is_as_large_as_is_said() -> None:
    kinds = {(case.manifest["apiVersion"], case.manifest["kind"]) for case in CASES if not case.refused}
    assert len(CASES) >= 1900
    assert len(kinds) >= 40
    assert {str(case) for case in CASES} >= DIFFERENT


@pytest.mark.parametrize("words", EXCEPTIONS)
def test_every_exception_is_in_the_manual(words: str) -> None:
    assert words.lower() in " ".join(DOCUMENT.read_text(encoding="utf-8").lower().split())


def test_every_type_and_format_of_the_tables_is_known() -> None:
    names = {shorten(name) for version in known_versions() for name in load_definitions(version)["$defs"]}
    assert checked_types() <= names
    assert {name for fields in FIELDS.values() for name in fields.values()} <= FORMATS.keys()
