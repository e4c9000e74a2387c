"""What all Applications of an installation ignore, as its ConfigMap says."""

from __future__ import annotations

import pytest

from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.made_values import MADE_ANEW_ENCODED, check_made_values
from gitops_stack.tree_check.installation_tools import read_ignored_differences


def config(name: str = "argocd-cm", **data: str) -> RenderedObject:
    keys = {f"resource.customizations.{key}".removesuffix("."): value for key, value in data.items()}
    return RenderedObject(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": keys}, "argocd", "k.yaml"
    )


def test_entries_are_read_for_their_kind() -> None:
    made = config(
        **{
            "ignoreDifferences.apps_Deployment": "jsonPointers: [/spec/replicas]\n",
            "ignoreDifferences.Secret": "jqPathExpressions: [.data]\n",
            "ignoreDifferences.all": "managedFieldsManagers: [kubectl]\n",
            "ignoreResourceUpdates.Secret": "jsonPointers: [/data]\n",
        }
    )
    assert read_ignored_differences([made], "argocd") == [
        {"jsonPointers": ["/spec/replicas"], "group": "apps", "kind": "Deployment"},
        {"jqPathExpressions": [".data"], "group": "", "kind": "Secret"},
        {"managedFieldsManagers": ["kubectl"], "group": "*", "kind": "*"},
    ]


OLD = """\
"*.example.com/*":
  ignoreDifferences: |
    jqPathExpressions: [.spec.ca]
apps/Deployment:
  health.lua: return {}
  ignoreDifferences: |
    jsonPointers: [/spec/paused]
Secret:
  ignoreDifferences: "jsonPointers: [/data]"
Service:
  ignoreDifferences: {jsonPointers: [/spec]}
all:
  ignoreDifferences: "a: ["
"""


def test_the_older_key_is_a_map_by_kind_whose_entries_newer_keys_replace() -> None:
    made = config(**{"ignoreDifferences.apps_Deployment": "jsonPointers: [/spec/replicas]\n", "": OLD})
    assert read_ignored_differences([made], "argocd") == [
        {"jqPathExpressions": [".spec.ca"], "group": "*.example.com", "kind": "*"},
        {"jsonPointers": ["/spec/replicas"], "group": "apps", "kind": "Deployment"},
        {"jsonPointers": ["/data"], "group": "", "kind": "Secret"},
    ]


def test_the_older_key_counts_for_values_made_anew() -> None:
    secret = RenderedObject(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": MADE_ANEW_ENCODED}},
        "",
        "f",
    )
    (ignored,) = check_made_values(None, secret, read_ignored_differences([config(**{"": OLD})], "argocd"))
    assert ignored.found == (
        "the chart makes it anew at every render, and ignoreDifferences alone does not stop a sync from writing it"
    )


@pytest.mark.parametrize("old", ["a: [", "- a\n", "7", "Secret: 7\n", "Secret: [a]\n", "\0"])
def test_an_older_key_that_is_no_map_says_nothing(old: str) -> None:
    assert read_ignored_differences([config(**{"": old})], "argocd") == []


def test_what_is_no_yaml_and_other_objects_say_nothing() -> None:
    broken = config(**{"ignoreDifferences.Secret": "a: ["})
    other = config("other", **{"ignoreDifferences.Secret": "jsonPointers: [/data]"})
    assert read_ignored_differences([other, broken], "argocd") == []
    assert read_ignored_differences([other], "argocd") == []
