"""The guard's dynamic resources as Pulumi's plugin for Python runs them: in every preview and update, and in a destroy.

A dynamic resource, because nothing else sees the state, the settings and the cluster before the first write, and runs
in a destroy, which runs no program. Runs in the plugin's process: imports nothing of ``components``.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightkube import Client
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.runtime.rpc import UNKNOWN

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.guard import applications, changes, ownership, presence
from gitops_stack.guard.adoption import check_adoption
from gitops_stack.guard.claim_store import release_claim, write_claim
from gitops_stack.guard.cluster import Claim, Cluster, Connection, connect_provider, load_cluster
from gitops_stack.guard.teardown import Teardown, unless_gone
from gitops_stack.live_state import AccessDenied, load_applications

_OWN = "__provider"  # Pulumi's key for the class itself
# Judged at every run and not kept: they differ between machines, or from run to run.
_PASSING = ("dryRun", "tree", "manifests", "registered")


_ADMITTED_SECONDS = 60.0
_POLL_SECONDS = 1.0
_CONNECTION = ("kubeconfig", "context", "rendersTo")


class _GuardProvider(ResourceProvider):
    """What all guards share: nothing secret in the code, sentences instead of tracebacks, changes by value."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002 - Pulumi's signature
        """Have the plugin answer an expected failure with its sentence alone; it answers any with a traceback."""
        _speak_plainly()

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare by value, Pulumi's own key left out; a guard is never replaced."""
        old, new = ({key: one for key, one in given.items() if key != _OWN} for given in (_olds, _news))
        return DiffResult(changes=old != new)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Note the inputs."""
        return CreateResult("guard", dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Note the inputs."""
        return UpdateResult(dict(_news))


class StackGuard(_GuardProvider):
    """Refuses settings under which an update would replace the cluster, before anything is registered."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Compare the facts of the stack with those of the last update."""
        return CheckResult(news, [CheckFailure("", found) for found in changes.check_facts(_olds, _plain(news))])


class ClusterGuard(_GuardProvider):
    """Refuses a cluster that is not this stack's, and settings that would delete what is in it; claims it.

    Its inputs carry what it found on: `cluster` (UID), `address`, and `restored`, a counter for each object that was
    missing; objects are registered with their counter as replacement trigger.
    """

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Look at the cluster and judge; an input that is not known yet means there is no cluster to look at."""
        news = _recall_connection(_olds, news)
        kept = {key: value for key, value in news.items() if key not in _PASSING}
        known: dict[str, Any] = {key: _olds[key] for key in ("cluster", "address", "restored") if key in _olds}
        if news.get("rendersTo") or any(news.get(key) == UNKNOWN for key in _CONNECTION):
            return CheckResult({"restored": {}, **kept, **known}, [])
        try:
            with connect_provider(news.get("kubeconfig"), news.get("context")) as connection:
                first = not news.get("dryRun") and "cluster" not in _olds
                cluster = _load_once_admitted(connection) if first else load_cluster(connection)
                return self._judge(connection.client, cluster, _olds, news, kept)
        except EnvironmentProblem as problem:
            if news.get("dryRun"):
                _say(f"not compared with the cluster: {problem}")
                return CheckResult({"restored": {}, **kept, **known}, [])
            return CheckResult(kept, [CheckFailure("", str(problem))])

    def _judge(
        self, client: Client, cluster: Cluster, olds: Mapping[str, Any], news: dict[str, Any], kept: dict[str, Any]
    ) -> CheckResult:
        recorded = ownership.Recorded(olds.get("cluster", ""), olds.get("address", ""), olds.get("namespace", ""))
        wanted = Claim(news["project"], news["stack"], news["namespace"])
        findings = list(ownership.check_cluster(wanted, cluster, recorded, news.get("takeOver", "")))
        rebuilt = ownership.is_rebuilt(cluster, recorded)
        if not findings and recorded.uid and not rebuilt:
            findings += _check_settings(client, olds, news)
        if not findings and (not recorded.uid or rebuilt) and cluster.claim is None:
            findings += check_adoption(client, cluster, news)
        restored = dict(olds.get("restored") or {})
        if not findings and recorded.uid:
            restored = self._note_missing(client, cluster, recorded, news, restored)
        found = {"cluster": cluster.uid, "address": cluster.address, "restored": restored}
        return CheckResult({**kept, **found}, [CheckFailure("", finding) for finding in findings])

    def _note_missing(
        self,
        client: Client,
        cluster: Cluster,
        recorded: ownership.Recorded,
        news: Mapping[str, Any],
        restored: dict[str, str],
    ) -> dict[str, str]:
        registered = [presence.Registered.from_input(one) for one in news.get("registered") or ()]
        try:
            missing, healing = presence.load_missing(client, registered, news["namespace"])
        except AccessDenied as problem:  # a pipeline that previews need not read Secrets
            _say(f"not looked for what is missing: {problem}")
            return restored
        if cluster.uid != recorded.uid:
            _say(f"cluster {cluster.address}: was made anew since the last update; everything is created in it again")
        elif missing:
            names = changes.name_some(one.name for one in missing)
            healed = [one for one in missing if one.handed_over] if healing else []
            how = "Argo CD restores them" if len(healed) == len(missing) else "the update creates what is missing"
            _say(f"missing in the cluster: {names}; {how}")
        return presence.count_restored(restored, presence.choose_restored(missing, healing=healing))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Claim the cluster. Of two stacks that come at once, one is refused."""
        _claim(props)
        return CreateResult(str(props.get("cluster") or "rendered"), dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Claim it again: another cluster, or other names."""
        _claim(_news)
        return UpdateResult(dict(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Give the cluster back, the last step of a destroy."""
        if not _props.get("releases") or _props.get("rendersTo"):
            return
        with unless_gone(_say), connect_provider(_props.get("kubeconfig"), _props.get("context")) as connection:
            release_claim(connection, f"{_props['project']}/{_props['stack']}")


class TeardownGuard(_GuardProvider):
    """Goes first in a destroy: refuses what would hang or hit another cluster, then ends root."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Note how the cluster is reached; nothing is judged before a deletion."""
        return CheckResult(_recall_connection(_olds, news), [])

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Look, refuse with names, or take root down. Raises :class:`GitOpsStackError`, which stops the destroy."""
        if not _props.get("rendersTo"):
            Teardown.from_inputs(_props).run(_say)


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


def _recall_connection(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
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


def _claim(props: Mapping[str, Any]) -> None:
    if props.get("rendersTo"):
        return
    claim = Claim(props["project"], props["stack"], props["namespace"], props["cluster"], props.get("takeOver", ""))
    with connect_provider(props.get("kubeconfig"), props.get("context")) as connection:
        write_claim(connection, claim)


def _plain(given: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in given.items() if isinstance(value, str) and key != _OWN and value != UNKNOWN}


def _say(text: str) -> None:
    """Print where the engine shows it: the plugin's standard error becomes its diagnostics."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _speak_plainly() -> None:
    """Replace the traceback of an expected failure by its sentence, in the plugin's process alone.

    `pulumi.dynamic` answers every exception with `traceback.format_exc()` and offers no other way to say no.
    """
    original = traceback.format_exc
    if getattr(original, "speaks_plainly", False):
        return

    def format_exc(*args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - the original's
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, GitOpsStackError) else original(*args, **kwargs)

    format_exc.speaks_plainly = True  # type: ignore[attr-defined]
    traceback.format_exc = format_exc
