"""Hold other versions of charts against what a stack renders before and after: nothing else of it may change."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.delivery.announcement import RenderedWorkloads, describe_more, find_changes
from gitops_stack.delivery.charts.plan import ChartChange, ChartPlan
from gitops_stack.errors import GitOpsStackError
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import mapping, sequence, text


def prove_charts(
    plan: ChartPlan, before: RenderedWorkloads, after: RenderedWorkloads, failed: Mapping[str, str]
) -> list[str]:
    """Hold ``plan`` against all Applications of its stack. Returns warnings; raises with everything else.

    What the charts themselves make may change in any way: that is for the reviewer, who sees it. ``failed``: why
    Applications do not render with the change.
    """
    announced = {change.application: change.place for change in plan.changes}
    findings = [str(one) for one in _check_others(plan.changes, before, after, announced)]
    warnings = []
    for name, place in announced.items():
        if why := failed.get(name):
            findings.append(f"{place}: {name}: does not render with the new version: {why}")
        elif name not in after.objects and name not in after.unseen:
            findings.append(f"{place}: {name}: is not in what {plan.stack} renders; no Application reads the file")
        elif why := before.unseen.get(name) or after.unseen.get(name):
            warnings.append(f"{name}: not all that changes was looked at: {why}")
    GitOpsStackError.raise_for(findings)
    return warnings


def _check_others(
    changes: Sequence[ChartChange], before: RenderedWorkloads, after: RenderedWorkloads, announced: Mapping[str, str]
) -> Iterator[object]:
    for name in dict.fromkeys([*before.objects, *after.objects]):
        if name in announced:
            continue
        old = _expect(before.objects.get(name, ()), changes)
        new = after.objects.get(name, ())
        if found := find_changes(old, new):
            yield describe_more(name, "the chart", found, "nothing is committed")


def _expect(objects: Sequence[Manifest], changes: Sequence[ChartChange]) -> list[Manifest]:
    """Return objects with what is announced done to them: one version in the sources of one Application."""
    return [_expect_application(one, changes) if _is_application(one) else one for one in objects]


def _is_application(made: Manifest) -> bool:
    return made.get("kind") == "Application" and text(made.get("apiVersion")).partition("/")[0] == ARGOCD_GROUP


def _expect_application(made: Manifest, changes: Sequence[ChartChange]) -> Manifest:
    own = [one for one in changes if one.application == mapping(made.get("metadata")).get("name")]
    if not own:
        return made
    expected: dict[str, Any] = copy.deepcopy(dict(made))
    spec = expected.get("spec", {})
    for source in [spec.get("source"), *sequence(spec.get("sources"))]:
        for change in own if isinstance(source, dict) else ():
            if source.get("chart", change.name) == change.name and change.replaced.items() <= source.items():
                source.update(change.source)
    return expected
