"""Add-ons that Argo CD deploys: an Application each, of a chart whose particulars the library knows."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gitops_stack.settings.teams import KindName
from gitops_stack.settings.types import ChartRepository, DnsLabel, Flag, Settings, matching

ChartVersion = Annotated[
    str,
    matching(
        r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?",
        "one whole version, such as 1.2.3: a range would move by itself",
    ),
]


class AddOnApplicationSettings(Settings):
    """One add-on as an Application; `{}` is all it takes."""

    version: ChartVersion | None = Field(None, description="Version of the chart; default: the one the library knows.")
    repo_url: ChartRepository | None = Field(None, description="A mirror of the chart's repository.")
    namespace: DnsLabel | None = Field(
        None, description="Its namespace; default: as the library knows it, or as `addOns` says for its role."
    )
    values: dict[str, Any] = Field(
        default_factory=dict, description="Values of the chart, over those of the library; lists are replaced."
    )
    kinds: tuple[KindName, ...] = Field((), description="Namespaced kinds its values add.")
    cluster_kinds: tuple[KindName, ...] = Field((), description="Cluster-wide kinds its values add.")
    auto_sync: Flag = Field(True, description="Sync, prune and heal without being asked.")
