"""Judge a cluster for a component: what its guard is told, what it finds, and what is kept of both in the state."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightkube import Client
from pulumi.runtime.rpc import UNKNOWN

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.guard import applications, changes, ownership, presence
from gitops_stack.guard.claim_store import release_claim, write_claim
from gitops_stack.guard.cluster import Claim, Cluster, Connection, connect_provider, load_cluster
from gitops_stack.guard.registered import Registered
from gitops_stack.guard.teardown import unless_gone
from gitops_stack.live_state import AccessDenied, load_applications

# Judged at every run and not kept: they differ between machines, or from run to run.
_PASSING = ("dryRun", "tree", "manifests", "registered")
_FOUND = ("cluster", "address", "restored")
_CONNECTION = ("kubeconfig", "context", "rendersTo")
_ADMITTED_SECONDS = 60.0
_POLL_SECONDS = 1.0


def judge(olds: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Judge the inputs of a cluster guard. Returns the inputs to keep, and a sentence for each refusal.

    ``olds`` are those the last update kept, ``given`` those of this one. Kept is also what was found: `cluster` (UID),
    `address`, and `restored`, a counter for each object that was missing; objects are registered with their counter as
    replacement trigger. A connection that is not known yet means that there is no cluster to look at; in a preview one
    that does not answer is a note.
    """
    news = recall_connection(olds, given)
    kept = {key: value for key, value in news.items() if key not in _PASSING}
    known = {"restored": {}, **kept, **{key: olds[key] for key in _FOUND if key in olds}}
    if news.get("rendersTo") or any(news.get(key) == UNKNOWN for key in _CONNECTION):
        return known, []
    try:
        with connect_provider(news.get("kubeconfig"), news.get("context")) as connection:
            first = not news.get("dryRun") and "cluster" not in olds
            cluster = _load_once_admitted(connection) if first else load_cluster(connection)
            restored, findings = _judge(connection.client, cluster, olds, news)
            return {**kept, "cluster": cluster.uid, "address": cluster.address, "restored": restored}, findings
    except EnvironmentProblem as problem:
        if news.get("dryRun"):
            say(f"not compared with the cluster: {problem}")
            return known, []
        return kept, [str(problem)]


def _judge(
    client: Client, cluster: Cluster, olds: Mapping[str, Any], news: Mapping[str, Any]
) -> tuple[dict[str, str], list[str]]:
    recorded = ownership.Recorded(olds.get("cluster", ""), olds.get("address", ""), olds.get("namespace", ""))
    wanted = Claim(news["project"], news["stack"], news["namespace"])
    findings = list(ownership.check_cluster(wanted, cluster, recorded, news.get("takeOver", "")))
    rebuilt = ownership.is_rebuilt(cluster, recorded)
    if not findings and recorded.uid and not rebuilt:
        findings += _check_settings(client, olds, news)
    if not findings and (not recorded.uid or rebuilt) and cluster.claim is None and news.get("releases"):
        # As long as the rest of this process's imports, and only a first update needs it.
        from gitops_stack.guard.adoption import check_adoption  # noqa: PLC0415

        findings += check_adoption(client, cluster, news)
    restored = dict(olds.get("restored") or {})
    if not findings and recorded.uid:
        restored = _note_missing(client, cluster, recorded, news, restored)
    return restored, findings


def _note_missing(
    client: Client,
    cluster: Cluster,
    recorded: ownership.Recorded,
    news: Mapping[str, Any],
    restored: dict[str, str],
) -> dict[str, str]:
    registered = [Registered.from_input(one) for one in news.get("registered") or ()]
    try:
        missing, healing = presence.load_missing(client, registered, news["namespace"])
    except AccessDenied as problem:  # a pipeline that previews need not read Secrets
        say(f"not looked for what is missing: {problem}")
        return restored
    if cluster.uid != recorded.uid:
        say(f"cluster {cluster.address}: was made anew since the last update; everything is created in it again")
    elif missing:
        names = changes.name_some(one.name for one in missing)
        healed = [one for one in missing if one.handed_over] if healing else []
        how = "Argo CD restores them" if len(healed) == len(missing) else "the update creates what is missing"
        say(f"missing in the cluster: {names}; {how}")
    return presence.count_restored(restored, presence.choose_restored(missing, healing=healing))


def claim(props: Mapping[str, Any]) -> None:
    """Claim the cluster that was judged; do nothing for a provider that renders to a folder."""
    if props.get("rendersTo"):
        return
    wanted = Claim(props["project"], props["stack"], props["namespace"], props["cluster"], props.get("takeOver", ""))
    with connect_provider(props.get("kubeconfig"), props.get("context")) as connection:
        write_claim(connection, wanted)


def release(props: Mapping[str, Any]) -> None:
    """Give the cluster back, unless another guard of the same stack does."""
    if not props.get("releases") or props.get("rendersTo"):
        return
    with unless_gone(say), connect_provider(props.get("kubeconfig"), props.get("context")) as connection:
        release_claim(connection, f"{props['project']}/{props['stack']}")


def _load_once_admitted(connection: Connection) -> Cluster:
    """Read a cluster that may have been made a moment ago: EKS takes some time to let a new access entry in.

    EKS user guide, "Grant IAM users access to Kubernetes with EKS access entries": access entries are eventually
    consistent, and may take several seconds to be effective.
    """
    deadline = time.monotonic() + _ADMITTED_SECONDS
    while True:
        try:
            return load_cluster(connection)
        except AccessDenied:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)


def recall_connection(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what a preview does not know of the provider with what the last update knew.

    In a preview Pulumi reports a property that was left out as unknown.
    """
    if not olds.get("project"):
        return {key: value for key, value in news.items() if not (key == "rendersTo" and value == UNKNOWN)}
    unknown = [key for key in _CONNECTION if news.get(key) == UNKNOWN]
    known = {key: value for key, value in news.items() if key not in unknown}
    return {**known, **{key: olds[key] for key in unknown if key in olds}}


def _check_settings(client: Client, olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    if olds.get("namespace") == news["namespace"] and olds.get("source", "") == news.get("source", ""):
        return []
    living = load_applications(client, olds["namespace"])
    root = next((found for found in living if found["metadata"]["name"] == news.get("root")), None)
    tree = news.get("tree")
    written = applications.load_written(Path(tree)) if tree else []
    return [
        *changes.check_namespace(olds["namespace"], news["namespace"], applications.describe_stakes(living)),
        *changes.check_source(
            olds.get("source", ""), news.get("source", ""), applications.find_children(root), written
        ),
    ]


def say(text: str) -> None:
    """Print where the engine shows it: the plugin's standard error becomes its diagnostics."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
