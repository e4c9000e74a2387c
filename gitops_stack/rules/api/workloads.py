"""Deployments and their kin: selectors, strategies, restart policies, schedules (apps and batch validation)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from gitops_stack.rules.api.formats import FORMATS, percentage
from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, show, whole
from gitops_stack.rules.api.pod_volumes import check_volumes
from gitops_stack.rules.api.selectors import selects
from gitops_stack.rules.api.storage import check_source
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.settings.cron import parse_schedule
from gitops_stack.settings.sync_windows import time_zones

_TEMPLATE = "template.spec"
_DESCRIPTORS = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
_EVERY = re.compile(r"@every ([0-9.]+(ns|us|µs|ms|s|m|h))+")
_MOST_PARALLEL = 100_000
_CONTROLLER_UID = "batch.kubernetes.io/controller-uid"


def _prefixed(place: str, violations: Iterator[Violation]) -> Iterator[Violation]:
    yield from ((f"{place}.{inner}", found, needs) for inner, found, needs in violations)


def _check_selector(part: Part) -> Iterator[Violation]:
    selector, labels = part.get("selector"), mapping(dig(part, "template", "metadata", "labels"))
    if not any(mapping(selector).get(key) for key in ("matchLabels", "matchExpressions")):
        yield "selector", "is missing or empty", "needs the labels of the template"
    elif sequence(dig(selector, "matchExpressions")) and not selects({**mapping(selector), "matchLabels": {}}, labels):
        yield "selector.matchExpressions", "does not select the template's labels", "correct the selector or the labels"


def _check_always(part: Part) -> Iterator[Violation]:
    policy = dig(part, "template", "spec", "restartPolicy")
    if policy in ("OnFailure", "Never"):
        yield f"{_TEMPLATE}.restartPolicy", f"found {policy}", "needs Always"
    if is_set(mapping(dig(part, "template", "spec")), "activeDeadlineSeconds"):
        yield f"{_TEMPLATE}.activeDeadlineSeconds", "found it in a workload that never ends", "remove it"


def _is_zero(value: object) -> bool:
    return value == 0 or percentage(value) == 0


def check_deployment(part: Part) -> Iterator[Violation]:
    """Check a Deployment's spec."""
    yield from _check_selector(part)
    yield from _check_always(part)
    yield from _prefixed(_TEMPLATE, check_volumes(mapping(dig(part, "template", "spec"))))
    strategy = mapping(part.get("strategy"))
    rolling = mapping(strategy.get("rollingUpdate"))
    if strategy.get("type") == "Recreate" and is_set(strategy, "rollingUpdate"):
        yield "strategy.rollingUpdate", "found it beside type Recreate", "remove it"
    if _is_zero(rolling.get("maxSurge")) and _is_zero(rolling.get("maxUnavailable")):
        yield "strategy.rollingUpdate", "found 0 for both maxSurge and maxUnavailable", "one of them needs more than 0"
    deadline = part.get("progressDeadlineSeconds")
    if whole(deadline, 600) <= whole(part.get("minReadySeconds")):
        yield "progressDeadlineSeconds", f"found {show(deadline)}", "needs more than minReadySeconds"


def check_replica_set(part: Part) -> Iterator[Violation]:
    """Check a ReplicaSet's spec."""
    yield from _check_selector(part)
    yield from _check_always(part)
    yield from _prefixed(_TEMPLATE, check_volumes(mapping(dig(part, "template", "spec"))))


def check_replication_controller(part: Part) -> Iterator[Violation]:
    """Check a ReplicationController's spec, whose selector is a map of labels."""
    selector = mapping(part.get("selector"))
    if selector and not selects({"matchLabels": selector}, mapping(dig(part, "template", "metadata", "labels"))):
        yield "selector", "does not select the template's labels", "make the two equal"
    yield from _check_always(part)
    yield from _prefixed(_TEMPLATE, check_volumes(mapping(dig(part, "template", "spec"))))


def check_daemon_set(part: Part) -> Iterator[Violation]:
    """Check a DaemonSet's spec."""
    yield from _check_selector(part)
    yield from _check_always(part)
    yield from _prefixed(_TEMPLATE, check_volumes(mapping(dig(part, "template", "spec"))))
    rolling = mapping(dig(part, "updateStrategy", "rollingUpdate"))
    surge, away = rolling.get("maxSurge", 0), rolling.get("maxUnavailable", 1)
    if _is_zero(surge) and _is_zero(away):
        yield "updateStrategy.rollingUpdate.maxUnavailable", "found 0 without maxSurge", "needs more than 0"
    if not _is_zero(surge) and not _is_zero(away) and surge is not None:
        yield (
            "updateStrategy.rollingUpdate.maxSurge",
            f"found {show(surge)} beside maxUnavailable",
            "set maxUnavailable: 0, or remove it",
        )


def check_stateful_set(part: Part) -> Iterator[Violation]:
    """Check a StatefulSet's spec."""
    yield from _check_selector(part)
    yield from _check_always(part)
    claims = [text(dig(found, "metadata", "name")) for _, found in parts(part, "volumeClaimTemplates")]
    pod = mapping(dig(part, "template", "spec"))
    yield from _prefixed(_TEMPLATE, check_volumes(pod, frozenset(claims)))
    for place, found in parts(part, "volumeClaimTemplates"):
        name = dig(found, "metadata", "name")
        if not name or not FORMATS["label"].fits(name):
            yield f"{place}.metadata.name", f"found {show(name or '')}", FORMATS["label"].needs
        # The API server drops such a source of a claim alone, and keeps it here.
        yield from check_source(mapping(dig(found, "spec", "dataSource")), f"{place}.spec.dataSource")
    strategy = mapping(part.get("updateStrategy"))
    if strategy.get("type") == "OnDelete" and is_set(strategy, "rollingUpdate"):
        yield "updateStrategy.rollingUpdate", "found it beside type OnDelete", "remove it"


def check_job_labels(part: Part) -> Iterator[Violation]:
    """Check that a Job's pods have no labels that the API server makes, with other values."""
    name, labels = text(dig(part, "metadata", "name")), mapping(dig(part, "spec", "template", "metadata", "labels"))
    if dig(part, "spec", "manualSelector") is True:
        return
    for key in ("job-name", "batch.kubernetes.io/job-name"):
        if name and labels.get(key) not in (None, name):
            yield (
                f'spec.template.metadata.labels["{key}"]',
                f"found {show(labels[key])}",
                f"needs {name}, or to be removed",
            )
    for key in ("controller-uid", _CONTROLLER_UID):
        if is_set(labels, key):
            yield f'spec.template.metadata.labels["{key}"]', "found it", "remove it: the API server makes it"


def check_job(part: Part) -> Iterator[Violation]:
    """Check a Job's spec."""
    pod = mapping(dig(part, "template", "spec"))
    policy = pod.get("restartPolicy")
    if policy in (None, "", "Always"):
        said = "is missing" if not policy else f"found {policy}"
        yield f"{_TEMPLATE}.restartPolicy", said, "needs Never or OnFailure"
    yield from _prefixed(_TEMPLATE, check_volumes(pod))
    manual = part.get("manualSelector") is True
    if manual and not mapping(part.get("selector")):
        yield "selector", "is missing", "manualSelector needs it"
    if not manual and mapping(part.get("selector")) and _CONTROLLER_UID not in str(part["selector"]):
        yield "selector", "found one without manualSelector", "remove it: the API server makes it"
    yield from _check_indexes(part)
    yield from _check_failures(part, policy)


def _check_indexes(part: Part) -> Iterator[Violation]:
    indexed = part.get("completionMode") == "Indexed"
    if indexed and not is_set(part, "completions"):
        yield "completions", "is missing", "completionMode Indexed needs it"
    if not indexed and is_set(part, "backoffLimitPerIndex"):
        yield "backoffLimitPerIndex", "found it without completionMode Indexed", "remove one of the two"
    if not indexed and mapping(part.get("successPolicy")):
        yield "successPolicy", "found it without completionMode Indexed", "remove one of the two"
    yield from _check_success(part)
    if (manager := text(part.get("managedBy"))) and "/" not in manager:
        yield "managedBy", f"found {show(manager)}", "needs a path with a domain, such as example.com/queue"


def _check_success(part: Part) -> Iterator[Violation]:
    completions, limit = whole(part.get("completions")), part.get("maxFailedIndexes")
    if is_set(part, "maxFailedIndexes") and not is_set(part, "backoffLimitPerIndex"):
        yield "backoffLimitPerIndex", "is missing", "maxFailedIndexes needs it"
    if completions and whole(limit) > completions:
        yield "maxFailedIndexes", f"found {show(limit)}", f"needs at most the completions, {completions}"
    if part.get("completionMode") == "Indexed" and whole(part.get("parallelism")) > _MOST_PARALLEL:
        yield "parallelism", f"found {show(part['parallelism'])}", f"needs at most {_MOST_PARALLEL}"
    for place, rule in parts(mapping(part.get("successPolicy")), "rules"):
        indexes, count = text(rule.get("succeededIndexes")), rule.get("succeededCount")
        if not indexes and count is None:
            yield f"successPolicy.{place}", "is empty", "add succeededIndexes or succeededCount"
        highest = max((int(one) for one in re.findall(r"[0-9]+", indexes)), default=-1)
        if completions and highest >= completions:
            yield f"successPolicy.{place}.succeededIndexes", f"found {show(indexes)}", f"needs less than {completions}"
        if completions and whole(count) > completions:
            yield f"successPolicy.{place}.succeededCount", f"found {show(count)}", f"needs at most {completions}"


def _check_failures(part: Part, policy: object) -> Iterator[Violation]:
    if mapping(part.get("podFailurePolicy")) and part.get("podReplacementPolicy") == "TerminatingOrFailed":
        yield "podReplacementPolicy", "found TerminatingOrFailed", "podFailurePolicy needs Failed"
    for place, rule in parts(mapping(part.get("podFailurePolicy")), "rules"):
        if rule.get("action") == "FailIndex" and not is_set(part, "backoffLimitPerIndex"):
            yield f"podFailurePolicy.{place}.action", "found FailIndex", "needs backoffLimitPerIndex"
        codes = mapping(rule.get("onExitCodes"))
        if codes.get("operator") == "In" and 0 in sequence(codes.get("values")):
            yield f"podFailurePolicy.{place}.onExitCodes.values", "found 0", "needs failures only"
        values = [one for one in sequence(codes.get("values")) if isinstance(one, int)]
        if values != sorted(values):
            yield f"podFailurePolicy.{place}.onExitCodes.values", "found them out of order", "sort them"
        name = codes.get("containerName")
        pod = mapping(dig(part, "template", "spec"))
        listed = chain.from_iterable(parts(pod, key) for key in ("containers", "initContainers"))
        if name and name not in {found.get("name") for _, found in listed}:
            yield (
                f"podFailurePolicy.{place}.onExitCodes.containerName",
                f"found {show(name)}",
                "needs a container of the pod",
            )
    if mapping(part.get("podFailurePolicy")) and policy not in (None, "", "Never"):
        yield f"{_TEMPLATE}.restartPolicy", f"found {show(policy)}", "podFailurePolicy needs Never"


def check_cron_job(part: Part) -> Iterator[Violation]:
    """Check a CronJob's spec."""
    schedule, zone = text(part.get("schedule")), part.get("timeZone")
    if schedule and (said := find_schedule_problem(schedule)):
        yield (
            "schedule",
            f"found {show(schedule)}: {said}",
            "needs five cron fields such as '0 4 * * 1-5' (0 is Sunday)",
        )
    if isinstance(zone, str) and (zone in ("", "Local") or (time_zones() and zone not in time_zones())):
        yield "timeZone", f"found {show(zone)}", "needs a time zone of the IANA database, such as Europe/Berlin"
    if mapping(dig(part, "jobTemplate", "spec", "selector")):
        yield "jobTemplate.spec.selector", "found one", "remove it: the API server makes it"


def find_schedule_problem(schedule: str) -> str:
    """Say what the CronJob controller cannot read in ``schedule`` (robfig/cron with descriptors); "" for nothing."""
    if "TZ=" in schedule:
        return "it names a time zone, which belongs into timeZone"
    if schedule.startswith("@"):
        return "" if schedule in _DESCRIPTORS or _EVERY.fullmatch(schedule) else "it is not a known descriptor"
    try:
        parse_schedule(schedule, never=True)
    except ValueError as error:
        return f"it has {error}"
    return ""
