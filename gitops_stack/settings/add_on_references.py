"""Rules between `addOnApplications` and the rest: one owner of everything, and a role where one is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack import conventions
from gitops_stack.patterns import match_namespace
from gitops_stack.settings.add_on_charts import AddOnChart, find_add_on_project, list_add_on_charts
from gitops_stack.settings.add_on_roles import find_facts, find_role_settings, find_values, list_add_ons
from gitops_stack.settings.add_on_values import find_value, list_texts
from gitops_stack.settings.stack import StackSettings

Finding = tuple[str, object, str]


def check_add_on_applications(settings: StackSettings) -> Iterator[Finding]:
    """Yield (path as typed, found, what is needed) for every rule that spans add-ons and other settings."""
    for name in settings.add_on_applications:
        if name not in list_add_on_charts():
            known = ", ".join(list_add_on_charts())
            yield f"addOnApplications.{name}", name, f"needs an add-on the library knows: {known}"
    for name, chart in list_add_ons(settings).items():
        path = f"addOnApplications.{name}"
        yield from _check_owners(settings, name, path, chart)
        yield from _check_namespace(settings, name, path, chart)
        yield from _check_role(settings, name, path, chart)
        values = find_values(settings, name)
        yield from _check_service_account(settings, name, path, chart, values)
        for need in chart.needs:
            if find_value(values, need.when) and need.value is None:
                yield f"{path}.values.{need.when}", "a value", f"needs to be left out: {need.why}"
            elif need.value is not None and find_value(values, need.when) and not find_value(values, need.value):
                yield f"{path}.values.{need.value}", None, f"needs a value beside {need.when}: {need.why}"
    # Also while the add-on is off: its project stays in the cluster, and removes with it what the add-on deployed.
    for name in list_add_on_charts():
        if (own := find_add_on_project(name)) in settings.projects:
            yield f"projects.{own}", own, f"needs another name: the project of addOnApplications.{name} has this one"


def _check_owners(settings: StackSettings, name: str, path: str, chart: AddOnChart) -> Iterator[Finding]:
    if name in settings.workloads:
        yield f"workloads.{name}", name, f"needs another name: {path} is an Application of this one"
    if settings.eks is None:
        return
    for addon in chart.eks_addons:
        if addon in settings.eks.addons:
            yield path, f"it beside cluster.addons.{addon}", "needs one owner: leave one of the two out"
    if settings.eks.compute.auto_mode and chart.auto_mode is not None:
        yield path, "it", f"needs to be left out beside autoMode, which {chart.auto_mode}"


def _check_namespace(settings: StackSettings, name: str, path: str, chart: AddOnChart) -> Iterator[Finding]:
    written, namespace = settings.add_on_applications[name].namespace, find_facts(settings, name)["namespace"]
    if written is not None and written != namespace and chart.role is not None:
        yield (
            f"{path}.namespace",
            written,
            f"needs to be left out: addOns.{chart.role.add_ons}.namespace is {namespace}",
        )
    if namespace == settings.argocd.namespace:
        yield f"{path}.namespace", namespace, "needs another one: who writes in Argo CD's namespace is its admin"
    for project, team in settings.projects.items():
        for pattern in team.namespaces:
            if match_namespace(pattern, namespace) and namespace not in conventions.CLUSTER_NAMESPACES:
                yield f"projects.{project}.namespaces", pattern, f"needs one owner: {path} is in {namespace}"


def _check_service_account(
    settings: StackSettings, name: str, path: str, chart: AddOnChart, values: Mapping[str, Any]
) -> Iterator[Finding]:
    """Pods get their role by the service account: one that `values` calls otherwise has none."""
    if settings.eks is None or chart.role is None:
        return
    account = find_facts(settings, name)["serviceAccount"]
    for place, text in list_texts(chart.values):
        if text == "${serviceAccount}" and (found := find_value(values, place)) != account:
            needs = f"needs to be left out: the role in AWS is for service account {account}"
            yield f"{path}.values.{place}", found or "another value above it", needs


def _check_role(settings: StackSettings, name: str, path: str, chart: AddOnChart) -> Iterator[Finding]:
    if settings.eks is None or chart.role is None or chart.role.add_ons is None:
        return
    facts = find_facts(settings, name)
    pods = (facts["namespace"], facts["serviceAccount"])
    own = {(role.namespace, role.service_account) for role in settings.pod_roles.values()}
    if find_role_settings(settings, chart) is None and pods not in own:
        needs = (
            f"needs a role in AWS: by addOns.{chart.role.add_ons}, or by podRoles for service account {'/'.join(pods)}"
        )
        yield path, f"it without addOns.{chart.role.add_ons}", needs
