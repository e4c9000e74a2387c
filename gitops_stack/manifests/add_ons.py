"""Add-ons: an Application each, of a chart at one version, in a project that permits exactly what it needs.

One whose chart takes what only the running stack knows (its VPC, a queue) is made by an ApplicationSet, which reads it
from the cluster Secret. An ApplicationSet is Healthy when it has made its Application, so the next wave does not wait
for what that one deploys.

Every add-on has a project of its own, which stays in the cluster when the add-on is switched off. Argo CD deletes only
what the project permits at that moment (v3.5.1 controller/appcontroller.go, getPermittedAppLiveObjects), and sees
nothing else either (controller/state.go, IsLiveResourcePermitted). One project for all would lose the kinds and
namespaces of an add-on in the commit that switches it off, and Argo CD would leave there what it had deployed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.applications import RETRY
from gitops_stack.manifests.cluster_metadata import produced_keys
from gitops_stack.manifests.group_kinds import build_group_kind
from gitops_stack.settings import StackSettings
from gitops_stack.settings.add_on_charts import AddOnChart, find_add_on_project
from gitops_stack.settings.add_on_roles import find_facts, find_values, list_add_ons
from gitops_stack.settings.add_on_values import Unknown, list_unknown
from gitops_stack.settings.cluster_metadata import LABELS

_LITERAL = '{{ "{{" }}'  # what a template prints as `{{`
_HERE = {"app.kubernetes.io/name": conventions.IN_CLUSTER_NAME}


def build_add_ons(settings: StackSettings) -> dict[str, Manifest]:
    """Build the Applications and ApplicationSets of all add-ons, by name."""
    return {name: _build(settings, name, chart) for name, chart in list_add_ons(settings).items()}


def find_add_on_namespaces(settings: StackSettings) -> dict[str, str]:
    """Return the namespaces made for add-ons, all that no cluster has by itself, each with the project it belongs to.

    One that several add-ons share belongs to the project of the first of them.
    """
    owners: dict[str, str] = {}
    for name in list_add_ons(settings):
        owners.setdefault(find_facts(settings, name)["namespace"], find_add_on_project(name))
    return {one: project for one, project in owners.items() if one not in conventions.CLUSTER_NAMESPACES}


def check_add_on_values(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    """Yield (path as typed, found, what is needed) for each value that nothing of this stack tells."""
    produced = produced_keys(settings)
    for name in list_add_ons(settings):
        for path, unknown in list_unknown(find_values(settings, name)):
            for lacking in (one for one in unknown.names if one not in produced):
                needs = f"needs a value: nothing in this stack tells its {lacking}"
                yield f"addOnApplications.{name}.values.{path}", None, needs


def build_add_on_projects(settings: StackSettings) -> dict[str, dict[str, Any]]:
    """Build the specs of the AppProjects of add-ons, by the names of the projects."""
    return {
        find_add_on_project(name): _build_project(settings, name, chart)
        for name, chart in list_add_ons(settings).items()
    }


def _build_project(settings: StackSettings, name: str, chart: AddOnChart) -> dict[str, Any]:
    written = settings.add_on_applications[name]
    namespaces = {find_facts(settings, name)["namespace"], *chart.namespaces}
    return {
        "description": f"Add-on {name}, and nothing else.",
        "sourceRepos": [written.repo_url or chart.repository],
        "destinations": [{"server": conventions.IN_CLUSTER, "namespace": one} for one in sorted(namespaces)],
        "clusterResourceWhitelist": [
            build_group_kind(kind) for kind in sorted({*chart.cluster_kinds, *written.cluster_kinds})
        ],
        "namespaceResourceWhitelist": [build_group_kind(kind) for kind in sorted({*chart.kinds, *written.kinds})],
    }


def _build(settings: StackSettings, name: str, chart: AddOnChart) -> Manifest:
    values = find_values(settings, name)
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": settings.argocd.namespace,
        "labels": {conventions.STACK_LABEL: settings.stack},
        "annotations": {conventions.COMPARE_OPTIONS: "ServerSideDiff=true"},
        "finalizers": [conventions.RESOURCES_FINALIZER],
    }
    wave = {conventions.SYNC_WAVE: str(conventions.WAVE_BEFORE_ADD_ONS + chart.wave)}
    if not chart.reads_cluster:
        metadata["annotations"] = {**metadata["annotations"], **wave}
        spec = _build_spec(settings, name, chart, values)
        return {"apiVersion": conventions.ARGOCD_API_VERSION, "kind": "Application", "metadata": metadata, "spec": spec}
    template = {key: value for key, value in metadata.items() if key != "namespace"}
    spec = _build_spec(settings, name, chart, _map_texts(values, _write_template))
    return {
        "apiVersion": conventions.ARGOCD_API_VERSION,
        "kind": "ApplicationSet",
        "metadata": {
            "name": name,
            "namespace": settings.argocd.namespace,
            "labels": metadata["labels"],
            "annotations": wave,
        },
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [{"clusters": {"selector": {"matchLabels": _HERE}}}],
            "template": {"metadata": template, "spec": spec},
        },
    }


def _build_spec(settings: StackSettings, name: str, chart: AddOnChart, values: dict[str, Any]) -> dict[str, Any]:
    application = settings.add_on_applications[name]
    helm: dict[str, Any] = {"releaseName": name, "skipTests": True}
    if chart.skip_crds:
        helm["skipCrds"] = True
    ignored = [dict(one) for one in chart.ignore_differences]
    options = ["ServerSideApply=true", *chart.sync_options]
    policy: dict[str, Any] = {
        **({"automated": {"prune": True, "selfHeal": True}} if application.auto_sync else {}),
        "retry": RETRY,
        # What a chart makes anew at every render stays what it was at the first.
        "syncOptions": [*options, "RespectIgnoreDifferences=true"] if ignored else options,
    }
    return {
        "project": find_add_on_project(name),
        "source": {
            "repoURL": application.repo_url or chart.repository,
            "chart": chart.chart,
            "targetRevision": application.version or chart.version,
            "helm": {**helm, "valuesObject": values} if values else helm,
        },
        "destination": {"server": conventions.IN_CLUSTER, "namespace": find_facts(settings, name)["namespace"]},
        "syncPolicy": policy,
        **({"ignoreDifferences": ignored} if ignored else {}),
    }


def _write_template(text: str | Unknown) -> str:
    if isinstance(text, str):
        return text.replace("{{", _LITERAL)
    return text.fill(_read_metadata)


def _read_metadata(name: str) -> str:
    return f"{{{{.metadata.{'labels' if name in LABELS else 'annotations'}.{name}}}}}"


def _map_texts(value: Any, change: Callable[[str | Unknown], str]) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        return {change(key): _map_texts(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [_map_texts(inner, change) for inner in value]
    return change(value) if isinstance(value, (str, Unknown)) else value
