"""What all Applications of an installation ignore, as its ConfigMap says."""

from __future__ import annotations

from gitops_stack.policies.finding import RenderedObject
from gitops_stack.tree_check.installation_tools import read_ignored_differences


def config(name: str = "argocd-cm", **data: str) -> RenderedObject:
    keys = {f"resource.customizations.{key}": value for key, value in data.items()}
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


def test_what_is_no_yaml_and_other_objects_say_nothing() -> None:
    broken = config(**{"ignoreDifferences.Secret": "a: ["})
    other = config("other", **{"ignoreDifferences.Secret": "jsonPointers: [/data]"})
    assert read_ignored_differences([other, broken], "argocd") == []
    assert read_ignored_differences([other], "argocd") == []
