"""The table of docs/add-ons.md, made from what the library knows of each add-on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_stack.settings.add_on_charts import AddOnChart, list_add_on_charts, load_add_on_chart

_PLACE = re.compile(r"<!-- add-ons -->\n.*?<!-- /add-ons -->", re.DOTALL)


def write_add_ons(text: str) -> str:
    """Return the page with the add-ons as they are now, in the order of their waves."""
    assert len(_PLACE.findall(text)) == 1, "docs/add-ons.md has no place for the add-ons"
    made = "\n".join(_lines())
    return _PLACE.sub(lambda _: f"<!-- add-ons -->\n{made}\n<!-- /add-ons -->", text)


def _lines() -> Iterator[str]:
    yield "| name | what it is | namespace | wave | role | chart, version, and where that was seen |"
    yield "|---|---|---|---|---|---|"
    charts = [(name, load_add_on_chart(name)) for name in list_add_on_charts()]
    for name, chart in sorted(charts, key=lambda one: one[1].wave):
        pin = f"`{chart.version}` of `{chart.repository}`; {chart.source}; read {chart.read}"
        yield f"| `{name}` | {chart.description} | `{chart.namespace}` | {chart.wave} | {_describe(chart)} | {pin} |"


def _describe(chart: AddOnChart) -> str:
    if chart.role is None:
        return ""
    return (
        f"`addOns.{chart.role.add_ons}`" if chart.role.add_ons else "brought" if chart.role.statements else "`podRoles`"
    )
