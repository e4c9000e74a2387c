"""References between objects that the API server would not tell: names taken twice, owners, selectors, `$ref`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gitops_stack.patterns import is_version
from gitops_stack.rules.application_spec import ApplicationSpec, Source
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.finding import Finding, ObjectName, RenderedObject
from gitops_stack.rules.pods import pod_template
from gitops_stack.rules.source_sections import drop_empty_sections

_HOOK = "argocd.argoproj.io/hook"


# Variables of the build, which Argo CD fills into the value files of a lone source (reposerver, newEnv).
_VARIABLE = re.compile(
    r"\$(\{(?=\w+\}))?ARGOCD_APP_(NAME|NAMESPACE|PROJECT_NAME|REVISION(_SHORT(_8)?)?|"
    r"SOURCE_(REPO_URL|PATH|TARGET_REVISION))(?!\w)",
    re.ASCII,
)
_TOOLS = ("kustomize", "helm", "directory", "plugin")


def check_sources(application: ApplicationSpec) -> Iterator[Finding]:
    """Check that each source is one, that each `$ref` names another source, and that there is one destination.

    After Argo CD's util/argo, ValidatePermissions, and ApplicationSource.ExplicitType.
    """
    made = application.object
    refs = {source.ref for source in application.sources if source.ref}
    if not application.sources:
        yield made.finding("spec.source", "is missing", "name a repository and a path", rule="incomplete-source")
    for source in application.sources:
        for key, found, needs in _check_source(source):
            place = f"{source.field}.{key}".rstrip(".")
            yield made.finding(place, found, needs, rule="incomplete-source")
        version = text(source.options.get("targetRevision"))
        if source.chart and version and not is_version(version):
            said = f"found {version}, a range: its newest version is taken, and no commit says so"
            needs = "name one version; `gitops-stack chart set` and Renovate bring the next one"
            yield made.finding(f"{source.field}.targetRevision", said, needs, rule="chart-not-pinned")
        for index, name in enumerate(source.value_files):
            ref = name.partition("/")[0].removeprefix("$")
            filled_in = len(application.sources) == 1 and _VARIABLE.match(name)
            if name.startswith("$") and ref not in refs and not filled_in:
                yield made.finding(
                    f"{source.field}.helm.valueFiles[{index}]",
                    f"found ${ref}, but no source has ref {ref}",
                    f"add `ref: {ref}` to a source; sources have: {', '.join(sorted(refs)) or 'none'}",
                    rule="dangling-ref",
                )
    yield from _check_destination(made)


def _check_source(source: Source) -> Iterator[tuple[str, str, str]]:
    several = source.field.startswith("spec.sources[")
    if not source.repo_url:
        yield "repoURL", "is missing", "add it"
    if not (source.path or source.chart or (source.ref and several)):
        if source.ref:
            yield "", "found a ref and neither path nor chart", "a single source needs a path or a chart"
        else:
            yield "", "found neither path, chart nor ref", "add a path"
    if source.chart and not source.options.get("targetRevision"):
        yield "targetRevision", "is missing", "a chart needs its version"
    if not several and source.field.endswith("drySource"):
        return
    options = source.options if several else drop_empty_sections(source.options)
    tools = [tool for tool in _TOOLS if mapping(options.get(tool))]
    if len(tools) > 1:
        yield tools[1], f"found it beside {tools[0]}", "a source has options of one tool; remove the others"


def _check_destination(made: RenderedObject) -> Iterator[Finding]:
    destination = mapping(made.spec.get("destination"))
    given = [key for key in ("server", "name") if destination.get(key)]
    if len(given) != 1:
        found = "found name and server" if given else "found neither server nor name"
        needs = "remove one of the two" if given else "add server: https://kubernetes.default.svc, or another cluster's"
        yield made.finding("spec.destination", found, needs, rule="destination-invalid")


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
            fits = any(
                same_namespace(namespace, found.namespace) and selector.items() <= labels.items()
                for namespace, labels in pods
            )
            if selector and pods and not fits:
                shown = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
                yield found.finding(
                    "spec.selector", f"found {shown}, which no pod of the application has", "correct the selector",
                    rule="service-without-pods",
                )  # fmt: skip


def same_namespace(one: str, other: str) -> bool:
    """Tell whether two objects can be in one namespace: that of one without is whatever it is applied to."""
    return one == other or not one or not other


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
