"""References between objects that the API server would not tell: names taken twice, owners, selectors, `$ref`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gitops_stack.policies.application_spec import ApplicationSpec
from gitops_stack.policies.fields import dig, mapping, sequence
from gitops_stack.policies.finding import Finding, ObjectName, RenderedObject
from gitops_stack.policies.pods import pod_template

_HOOK = "argocd.argoproj.io/hook"


def check_sources(application: ApplicationSpec) -> Iterator[Finding]:
    """Check that each source is one, and that each `$ref` names another source of the Application."""
    made = application.object
    refs = {source.ref for source in application.sources if source.ref}
    if not application.sources:
        yield made.finding("spec.source", "is missing", "name a repository and a path", rule="incomplete-source")
    for source in application.sources:
        if not (source.path or source.chart or source.ref):
            yield made.finding(
                source.field, "found neither path, chart nor ref", "add a path", rule="incomplete-source"
            )
        for index, name in enumerate(source.value_files):
            ref = name.partition("/")[0].removeprefix("$")
            if name.startswith("$") and ref not in refs:
                yield made.finding(
                    f"{source.field}.helm.valueFiles[{index}]",
                    f"found ${ref}, but no source has ref {ref}",
                    f"add `ref: {ref}` to a source; sources have: {', '.join(sorted(refs)) or 'none'}",
                    rule="dangling-ref",
                )


def check_application_names(applications: Iterable[ApplicationSpec]) -> Iterator[Finding]:
    """Check that no two Applications have one name in one namespace."""
    seen: dict[ObjectName, RenderedObject] = {}
    for application in applications:
        made = application.object
        first = seen.setdefault(made.name, made)
        if first is not made:
            yield made.finding(
                "metadata.name",
                f"found {application.name}, which is also in {first.file}",
                "rename one of the two",
                rule="duplicate-application",
            )


def check_owners(objects: Mapping[str, Sequence[RenderedObject]]) -> Iterator[Finding]:
    """Check that every object of one cluster has one owner; ``objects`` maps an application to what it renders."""
    owners: dict[ObjectName, dict[str, RenderedObject]] = defaultdict(dict)
    for application, rendered in objects.items():
        for found in rendered:
            if not found.name.name:  # generateName: every sync makes another one
                continue
            if application in owners[found.name]:
                yield found.finding(
                    "metadata.name", "is rendered twice", "remove one of the two", rule="duplicate-object"
                )
            owners[found.name].setdefault(application, found)
    for owned in owners.values():
        first, *others = owned.values()
        for other in others:
            yield other.finding(
                "metadata.name",
                f"is also rendered by application {first.application} ({first.file})",
                "leave it in one of the two",
                rule="shared-object",
            )


def check_selectors(objects: Sequence[RenderedObject]) -> Iterator[Finding]:
    """Check the selectors of one application's workloads and Services."""
    pods = [
        (found.namespace, mapping(dig(pod_template(found), "metadata", "labels")))
        for found in objects
        if pod_template(found) is not None
    ]
    for found in objects:
        if found.kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet") and found.group == "apps":
            yield from _check_own_selector(found)
        elif (found.group, found.kind) == ("", "Service"):
            selector = mapping(found.spec.get("selector"))
            fits = any(ns == found.namespace and selector.items() <= labels.items() for ns, labels in pods)
            if selector and pods and not fits:
                shown = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
                yield found.finding(
                    "spec.selector", f"found {shown}, which no pod of the application has", "correct the selector",
                    rule="service-without-pods",
                )  # fmt: skip


def _check_own_selector(found: RenderedObject) -> Iterator[Finding]:
    selector = mapping(dig(found.spec, "selector", "matchLabels"))
    labels = mapping(dig(found.spec, "template", "metadata", "labels"))
    for key, value in sorted(selector.items()):
        if labels.get(key) != value:
            yield found.finding(
                f"spec.selector.matchLabels.{key}",
                f"found {value}, but the template's label is {labels.get(key, 'missing')}",
                "make the two equal",
                rule="selector-mismatch",
            )


def is_hook(found: RenderedObject) -> bool:
    """Tell whether an object is a hook: made anew by every sync, owned by none."""
    return _HOOK in found.annotations or "helm.sh/hook" in found.annotations


def budgets(objects: Iterable[RenderedObject]) -> list[tuple[RenderedObject, Mapping[str, object]]]:
    """List the PodDisruptionBudgets with the labels they select; an expression selects by its keys' presence."""
    found = [one for one in objects if (one.group, one.kind) == ("policy", "PodDisruptionBudget")]
    return [(one, mapping(dig(one.spec, "selector", "matchLabels"))) for one in found]


def selects_by_expression(budget: RenderedObject) -> bool:
    """Tell whether a budget selects by expressions, which are not evaluated here."""
    return bool(sequence(dig(budget.spec, "selector", "matchExpressions")))
