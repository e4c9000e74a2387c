"""A value that a chart makes anew is named by object and field, with what helps, until its Application ignores it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.made_values import MADE_ANEW, MADE_ANEW_ENCODED, check_made_values

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "web"},
    "data": {"tls.key": MADE_ANEW_ENCODED, "user": "YQ=="},
}
HOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "web", "annotations": {"checksum/ca": MADE_ANEW}},
    "webhooks": [{"clientConfig": {"url": "u"}}, {"clientConfig": {"caBundle": MADE_ANEW_ENCODED}}],
}
RESPECT = "and RespectIgnoreDifferences=true to its syncPolicy.syncOptions"
MADE = "the chart makes it anew at every render"


def sentences(
    manifest: dict[str, Any], application: str = "", varying: tuple[Any, ...] = (), everywhere: tuple[Any, ...] = ()
) -> list[str]:
    spec = read_application_spec(
        RenderedObject({"metadata": {"name": "web"}, "spec": yaml.safe_load(application) or {}}, "argocd", "")
    )
    namespace = "shop" if manifest["kind"] == "Secret" else ""
    found = RenderedObject(manifest, namespace, "c/Chart.yaml", "web", "c", varying)
    return [one.sentence for one in check_made_values(spec, found, everywhere)]


def test_a_secret_is_named_with_both_remedies() -> None:
    assert sentences(SECRET) == [
        f"c/Chart.yaml: Secret shop/web: data.tls.key: {MADE}; name a Secret of your own in the chart's values, or add "
        f"{{kind: Secret, name: web, jsonPointers: [/data/tls.key]}} to the Application's ignoreDifferences {RESPECT} "
        "[value-made-anew]"
    ]


def test_what_is_no_secret_is_named_with_its_place_in_lists_and_its_group() -> None:
    entry = "{group: admissionregistration.k8s.io, kind: ValidatingWebhookConfiguration, name: web, jsonPointers: "
    place = "c/Chart.yaml: admissionregistration.k8s.io/ValidatingWebhookConfiguration web: "
    assert sentences(HOOK) == [
        f"{place}metadata.annotations.checksum/ca: {MADE}; add {entry}[/metadata/annotations/checksum~1ca]}} to the "
        f"Application's ignoreDifferences {RESPECT} [value-made-anew]",
        f"{place}webhooks[1].clientConfig.caBundle: {MADE}; add {entry}[/webhooks/1/clientConfig/caBundle]}} to the "
        f"Application's ignoreDifferences {RESPECT} [value-made-anew]",
    ]


def test_a_name_made_anew_cannot_be_ignored() -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "web-x7f"}}
    assert sentences(job, varying=(("metadata", "name"),)) == [
        f"c/Chart.yaml: batch/Job web-x7f: metadata.name: {MADE}; give it a name in the chart's values "
        "[value-made-anew]"
    ]


def test_a_field_without_a_placeholder_is_named_too() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 4711}]}}
    (said,) = sentences(service, varying=(("spec", "ports", 0, "port"),))
    assert said.startswith(f"c/Chart.yaml: Service web: spec.ports[0].port: {MADE}; add {{kind: Service, ")


@pytest.mark.parametrize("annotation", ["helm.sh/hook", "argocd.argoproj.io/hook"])
def test_a_hook_is_not_compared(annotation: str) -> None:
    assert sentences({**SECRET, "metadata": {"name": "web", "annotations": {annotation: "pre-install"}}}) == []


BOTH = "ignoreDifferences: [{kind: Secret, %s}]\nsyncPolicy: {syncOptions: [RespectIgnoreDifferences=true]}\n"


@pytest.mark.parametrize(
    "entry",
    [
        "jsonPointers: [/data/tls.key]",
        "jsonPointers: [/data]",
        "name: web, namespace: shop, jsonPointers: [/data]",
        """jqPathExpressions: ['.data["tls.key"]']""",
        """jqPathExpressions: ['.data."tls.key"?']""",
        "jqPathExpressions: ['.data | to_entries | .[] | select(.key == env.X)']",  # it may: nobody can tell here
    ],
)
def test_what_the_application_ignores_and_respects_is_fine(entry: str) -> None:
    assert sentences(SECRET, BOTH % entry) == []


@pytest.mark.parametrize(
    "entry",
    [
        "jsonPointers: [/data/user]",
        "jsonPointers: [/data/tls.key/more]",
        "jsonPointers: ['']",
        "name: other, jsonPointers: [/data]",
        "namespace: other, jsonPointers: [/data]",
        "group: apps, jsonPointers: [/data]",
        "jqPathExpressions: [.data.user]",
        "managedFieldsManagers: [kubectl]",
    ],
)
def test_an_entry_about_something_else_does_not_help(entry: str) -> None:
    assert len(sentences(SECRET, BOTH % entry)) == 1


def test_lists_and_groups_are_matched_by_patterns() -> None:
    entry = "ignoreDifferences: [{group: '*', kind: '*Webhook*', jsonPointers: [/metadata/annotations/checksum~1ca], "
    entry += "jqPathExpressions: ['.webhooks[]?.clientConfig.caBundle']}]\n"
    assert sentences(HOOK, f"{entry}syncPolicy: {{syncOptions: [RespectIgnoreDifferences=true]}}\n") == []
    other = entry.replace("[]?", "[0]")
    assert len(sentences(HOOK, f"{other}syncPolicy: {{syncOptions: [RespectIgnoreDifferences=true]}}\n")) == 1


def test_to_ignore_it_is_not_enough() -> None:
    assert sentences(SECRET, "ignoreDifferences: [{kind: Secret, jsonPointers: [/data]}]") == [
        f"c/Chart.yaml: Secret shop/web: data.tls.key: {MADE}, and ignoreDifferences alone does not stop a sync from "
        "writing it; add RespectIgnoreDifferences=true to the Application's syncPolicy.syncOptions [value-made-anew]"
    ]


def test_the_data_of_a_secret_is_ignored_where_the_cluster_has_it() -> None:
    secret = {**SECRET, "data": {}, "stringData": {"password": MADE_ANEW}}
    (said,) = sentences(secret)
    assert "stringData.password: " in said
    assert "jsonPointers: [/data/password]" in said
    assert sentences(secret, BOTH % "jsonPointers: [/data/password]") == []


def test_the_whole_installation_may_ignore_it() -> None:
    options = "syncPolicy: {syncOptions: [RespectIgnoreDifferences=true]}"
    everywhere = ({"group": "", "kind": "Secret", "jsonPointers": ["/data"]},)
    assert sentences(SECRET, options, everywhere=everywhere) == []
