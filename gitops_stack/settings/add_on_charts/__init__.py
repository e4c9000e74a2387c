"""What is known of each add-on's chart: one YAML file each, so that another add-on is one more file.

In values and in statements of roles `${name}` stands for what is known of the stack: a key of the metadata contract,
`namespace`, `serviceAccount`, `partition`, or a setting of the add-on's role in `addOns`. `${name?}` is left out when
it is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import Field

from gitops_stack import conventions
from gitops_stack.settings.add_on_values import list_placeholders
from gitops_stack.settings.cluster_metadata import ClusterMetadata
from gitops_stack.settings.teams import KindName
from gitops_stack.settings.types import ChartRepository, DnsLabel, Flag, Settings

_PACKAGE = "gitops_stack.settings.add_on_charts"
# The keys of the metadata contract that not every stack's settings tell.
_OF_RUNNING_STACKS = {one.name for one in fields(ClusterMetadata)} - {"stack", "region", "accountId", "clusterName"}


class ChartNeed(Settings):
    """What the values must say ``when`` they say something else; without ``value`` they must not say ``when``."""

    when: str
    value: str | None = None
    why: str


class ChartRole(Settings):
    """Whom AWS's role of the add-on is for, and what makes it: ``add_ons`` of that name, or ``statements``."""

    service_account: DnsLabel
    add_ons: str | None = None
    statements: tuple[Mapping[str, Any], ...] = ()


class AddOnChart(Settings):
    """One add-on: its chart at a version that exists, and what it takes to run it with Argo CD.

    ``source`` says where the version was seen, ``read`` when. ``wave`` is 1 to 9, all before the workloads.
    ``namespaces`` are those it writes to beside its own. ``values_beside`` lie over ``values`` while the add-on they
    are listed under is on too; what they make the chart render is always among the kinds, so that it can be pruned.
    ``values_without_way_out`` do where the VPC has no NAT gateway: they switch off calls of services without endpoint.
    """

    description: str
    chart: str
    repository: ChartRepository
    version: str
    read: date
    source: str
    namespace: DnsLabel
    wave: int = Field(ge=1, le=9)
    values: Mapping[str, Any]
    values_beside: Mapping[str, Mapping[str, Any]] = {}
    values_without_way_out: Mapping[str, Any] = {}
    cluster_kinds: tuple[KindName, ...]
    kinds: tuple[KindName, ...]
    namespaces: tuple[DnsLabel, ...] = ()
    role: ChartRole | None = None
    eks_addons: tuple[str, ...] = ()
    auto_mode: str | None = None
    needs: tuple[ChartNeed, ...] = ()
    ignore_differences: tuple[Mapping[str, Any], ...] = ()
    sync_options: tuple[str, ...] = ()
    skip_crds: Flag = False

    @property
    def reads_cluster(self) -> bool:
        """Whether an ApplicationSet makes the Application: the chart takes a value that the cluster Secret tells.

        The chart decides it and no setting does. Where one became the other, the root application would prune the
        ApplicationSet, whose Application goes with it (its owner reference), and with that all that it deployed.
        """
        return any(name in _OF_RUNNING_STACKS for name in list_placeholders(self.values))


@cache
def list_add_on_charts() -> tuple[str, ...]:
    """List the names of all add-ons there are."""
    files = (file.name for file in resources.files(_PACKAGE).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml")))


def find_add_on_project(name: str) -> str:
    """Return the name of the AppProject of add-on ``name``."""
    return f"{conventions.ADD_ON_PROJECTS}{name}"


@cache
def load_add_on_chart(name: str) -> AddOnChart:
    """Read what is known of add-on ``name``, one of :func:`list_add_on_charts`."""
    text = resources.files(_PACKAGE).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return AddOnChart.model_validate(yaml.safe_load(text))
