"""Where an add-on of `addOnApplications` runs, as whom, and what AWS lets it do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_snake

from gitops_stack.settings.add_on_charts import AddOnChart, list_add_on_charts, load_add_on_chart
from gitops_stack.settings.add_on_values import fill_values, merge_values
from gitops_stack.settings.partitions import find_partition
from gitops_stack.settings.pod_roles import PodRoleSettings
from gitops_stack.settings.stack import StackSettings
from gitops_stack.settings.types import Settings


def list_add_ons(settings: StackSettings) -> dict[str, AddOnChart]:
    """Return the charts of the add-ons that are on, by their wave and name; those nobody knows are left out."""
    known = set(list_add_on_charts()) & settings.add_on_applications.keys()
    charts = {name: load_add_on_chart(name) for name in sorted(known)}
    return dict(sorted(charts.items(), key=lambda one: one[1].wave))


def find_role_settings(settings: StackSettings, chart: AddOnChart) -> Settings | None:
    """Return the section of `addOns` that makes the add-on's role; ``None`` without one."""
    if settings.add_ons is None or chart.role is None or chart.role.add_ons is None:
        return None
    found: Settings | None = getattr(settings.add_ons, to_snake(chart.role.add_ons))
    return found


def find_facts(settings: StackSettings, name: str) -> dict[str, Any]:
    """Return what is known of a stack, and of add-on ``name`` in it, by the names of placeholders."""
    chart, application = load_add_on_chart(name), settings.add_on_applications[name]
    facts: dict[str, Any] = {"stack": settings.stack, "namespace": application.namespace or chart.namespace}
    if chart.role is not None:
        facts["serviceAccount"] = chart.role.service_account
    if (role := find_role_settings(settings, chart)) is not None:
        facts |= role.model_dump(by_alias=True)
    if settings.account is not None and settings.region is not None:
        partition = find_partition(settings.region)
        facts |= {"region": settings.region, "accountId": settings.account.id, "partition": partition}
    if settings.eks is not None:
        facts["clusterName"] = settings.cluster_name
        if settings.network is not None and settings.network.vpc_id is not None:
            facts["vpcId"] = settings.network.vpc_id
    return facts


def find_values(settings: StackSettings, name: str) -> dict[str, Any]:
    """Return the values of add-on ``name``: the library's, and over them the stack file's."""
    chart = load_add_on_chart(name)
    values = fill_values(chart.values, find_facts(settings, name))
    for other, beside in chart.values_beside.items():
        if other in settings.add_on_applications:
            values = merge_values(values, beside)
    if settings.network is not None and settings.network.is_isolated:
        values = merge_values(values, chart.values_without_way_out)
    return merge_values(values, settings.add_on_applications[name].values)


def find_add_on_roles(settings: StackSettings) -> dict[str, PodRoleSettings]:
    """Return the roles that add-ons bring themselves: without those whose service account has one of `podRoles`."""
    if settings.eks is None:
        return {}
    own = {(role.namespace, role.service_account) for role in settings.pod_roles.values()}
    found = {}
    for name, chart in list_add_ons(settings).items():
        if chart.role is None or not chart.role.statements:
            continue
        facts = find_facts(settings, name)
        if "region" in facts and (facts["namespace"], facts["serviceAccount"]) not in own:
            found[name] = _build_role(chart.role.statements, facts)
    return found


def find_pod_roles(settings: StackSettings) -> dict[str, PodRoleSettings]:
    """Return all roles that are made as those of `podRoles` are: these, and those that add-ons bring."""
    return {**settings.pod_roles, **find_add_on_roles(settings)}


def _build_role(statements: tuple[Mapping[str, Any], ...], facts: Mapping[str, Any]) -> PodRoleSettings:
    written = {key: facts[key] for key in ("namespace", "serviceAccount")}
    return PodRoleSettings.model_validate({**written, "statements": fill_values(statements, facts)})
