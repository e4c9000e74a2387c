"""Take root down before anything else of a stack goes, or refuse with names: what `pulumi destroy` does first.

Argo CD deletes in its operation queue, where a sync that retries comes before a deletion
(controller/appcontroller.go processAppOperationQueueItem), and nobody finishes a finalizer once its controller is gone.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lightkube import Client

from gitops_stack import conventions
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.guard.cluster import Claim, Cluster, load_cluster, open_connection
from gitops_stack.guard.finalizers import Holders, find_strangers
from gitops_stack.guard.operations import stop_operation
from gitops_stack.guard.waiting import explain
from gitops_stack.live.reading import AccessDenied, ObjectReference, load_namespaced, load_objects
from gitops_stack.live.writing import delete, merge
from gitops_stack.manifests import Manifest

_MANAGER = conventions.PULUMI_PROJECT
_GRACE_SECONDS = 5.0  # what the same destroy deletes beside this has a deletion timestamp by then
_ANSWER_SECONDS = 60.0  # a controller that has just started reads its cluster first
_REPORT_SECONDS = 15.0
_POLL_SECONDS = 0.5
Say = Callable[[str], None]


@dataclass(frozen=True)
class Teardown:
    """The end of one stack in one cluster; ``root`` is empty where no root application belongs to it."""

    owner: Claim
    root: str
    provider: Mapping[str, Any]
    """How the cluster is reached: see :func:`open_connection`."""
    limit_seconds: float

    @classmethod
    def from_inputs(cls, given: Mapping[str, Any]) -> Teardown:
        """Read the inputs of the guard's resource."""
        owner = Claim(given["project"], given["stack"], given["namespace"], given.get("cluster") or "")
        limit = float(given.get("limitSeconds") or 900)
        return cls(owner, given.get("root") or "", given, limit)

    def run(self, say: Say) -> None:
        """Refuse what would hang, then end root. Raises :class:`GitOpsStackError` with all that is in the way."""
        with unless_gone(say), open_connection(self.provider) as connection:
            GitOpsStackError.raise_for(check_owner(self.owner, load_cluster(connection)))
            self._take_down(connection.client, say)

    def _take_down(self, client: Client, say: Say) -> None:
        holders = self._settled(client)
        root = self._load_root(client)
        GitOpsStackError.raise_for(find_strangers(holders, self.root if root else "", self.owner.namespace))
        if root is None:
            return
        self._check_controller(client, root, say)
        delete(client, self._reference(self.root))
        self._wait(client, say)

    def _settled(self, client: Client) -> Holders:
        """Read what has finalizers, once what this destroy deletes at the same time has begun to go."""
        deadline = time.monotonic() + _GRACE_SECONDS
        while True:
            holders = load_holders(client)
            root = self.root if self._load_root(client) else ""
            if not list(find_strangers(holders, root, self.owner.namespace)) or time.monotonic() > deadline:
                return holders
            time.sleep(_POLL_SECONDS)

    def _check_controller(self, client: Client, root: Manifest, say: Say) -> None:
        """Ask for a refresh of root: a controller that lives takes the request away."""
        metadata = root["metadata"]
        if not metadata.get("finalizers") or metadata.get("deletionTimestamp"):
            return
        merge(
            client, self._reference(self.root), {"metadata": {"annotations": {conventions.REFRESH: "normal"}}}, _MANAGER
        )
        began, said, asked = time.monotonic(), 0.0, max(map(_reconciled, self._living(client)), default="")
        while (waited := time.monotonic() - began) < _ANSWER_SECONDS:
            found = self._load_root(client)
            if found is None or conventions.REFRESH not in (found["metadata"].get("annotations") or {}):
                return
            # A queue of hundreds, or a repository that does not answer, is not a dead controller: others are looked at.
            if any(_reconciled(one) > asked for one in self._living(client)):
                return
            if waited - said > _REPORT_SECONDS:
                said = waited
                say(f"waiting for Argo CD's application controller to look at {self.root}: {waited:.0f} s")
            time.sleep(_POLL_SECONDS)
        raise GitOpsStackError(
            Problem(
                f"no application controller looked at it in {_ANSWER_SECONDS:.0f} s, and only that one "
                "can take its workloads down; nothing was deleted",
                "start Argo CD's controllers and run the destroy again, or keep the workloads: "
                "docs/recover.md, Finalizers are stuck",
                f"Application {self.owner.namespace}/{self.root}",
            )
        )

    def _wait(self, client: Client, say: Say) -> None:
        began, reported = time.monotonic(), 0.0
        while (root := self._load_root(client)) is not None:
            waited = time.monotonic() - began
            going = [root, *self._going(client)]
            for application in going:
                stop_operation(client, application, say)
            if waited - reported > _REPORT_SECONDS:
                reported = waited
                say(f"waiting {waited:.0f} s for {explain(client, going)}")
            if waited > self.limit_seconds:
                raise GitOpsStackError(
                    Problem(
                        f"is not gone after {waited:.0f} s: {explain(client, going)}",
                        "remove the cause and run the destroy again",
                        f"Application {self.owner.namespace}/{self.root}",
                    )
                )
            time.sleep(_POLL_SECONDS)

    def _going(self, client: Client) -> list[Manifest]:
        named = ((one, one["metadata"]) for one in self._living(client))
        return [one for one, metadata in named if metadata.get("deletionTimestamp") and metadata["name"] != self.root]

    def _living(self, client: Client) -> list[Manifest]:
        return load_namespaced(client, conventions.ARGOCD_API_VERSION, "Application", "*")

    def _load_root(self, client: Client) -> Manifest | None:
        if not self.root:
            return None
        found = self._reference(self.root)
        return load_objects(client, [found])[found.text]

    def _reference(self, name: str) -> ObjectReference:
        return ObjectReference(conventions.ARGOCD_GROUP, "Application", self.owner.namespace, name, "v1alpha1")


@contextlib.contextmanager
def unless_gone(say: Say) -> Iterator[None]:
    """Let a cluster that does not answer pass when PULUMI_K8S_DELETE_UNREACHABLE says that it is gone for good."""
    try:
        yield
    except AccessDenied:  # it answers, so it is not gone
        raise
    except EnvironmentProblem as problem:
        if os.environ.get("PULUMI_K8S_DELETE_UNREACHABLE") != "true":  # as the Kubernetes provider reads it
            raise EnvironmentProblem(
                Problem(
                    str(problem),
                    "for a cluster that is gone for good, run the destroy with PULUMI_K8S_DELETE_UNREACHABLE=true",
                )
            ) from None
        say(f"the cluster is taken for gone: {problem}")


def check_owner(owner: Claim, cluster: Cluster) -> list[str]:
    """Return why this stack may delete nothing in ``cluster``; nothing when it may."""
    known = cluster.text
    if owner.cluster and owner.cluster != cluster.uid:
        return [
            f"{known}: is another cluster than the one stack {owner.owner} was made in (kube-system {owner.cluster}); "
            "nothing was deleted; use the kubeconfig and context of that one"
            + (
                ""
                if cluster.claim
                else ", or, if this one was made anew, run `pulumi up` first, or `pulumi stack rm --force`"
            )
        ]
    if cluster.claim is not None and cluster.claim.owner != owner.owner:
        return [
            f"{known}: belongs to stack {cluster.claim.owner} now, which took it over from {owner.owner}; nothing was "
            "deleted; forget this stack's state with `pulumi stack rm --force`"
        ]
    return []


def _reconciled(application: Manifest) -> str:
    return (application.get("status") or {}).get("reconciledAt") or ""


def load_holders(client: Client) -> Holders:
    """Read every Application, ApplicationSet and AppProject of the cluster."""
    kinds: dict[str, Sequence[Manifest]] = {
        kind: load_namespaced(client, conventions.ARGOCD_API_VERSION, kind, "*")
        for kind in ("Application", "ApplicationSet", "AppProject")
    }
    return Holders(kinds)
