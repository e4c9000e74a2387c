"""The guard's dynamic resources as Pulumi's plugin for Python runs them: in every preview and update, and in a destroy.

A dynamic resource, because nothing else sees the state, the settings and the cluster before the first write, and runs
in a destroy, which runs no program. A program imports this module only to name its classes: what judges, and the client
of the cluster with it, is imported in the plugin's process alone.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ResourceProvider,
    UpdateResult,
)

from gitops_stack.errors import GitOpsStackError

_OWN = "__provider"  # Pulumi's key for the class itself
# What programs of this process's run keep: one process serves a run, and a destroy checks nothing.
_KEPT_ON: set[tuple[str, ...]] = set()
# What a guard of a stack judges and does not keep.
_OF_THIS_RUN = ("dryRun", "shutEndpoint", "networkFirst")


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
    """Refuses settings under which an update would replace the cluster, or make one that nobody reaches."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Compare the facts of the stack with those of the last update."""
        from gitops_stack.guard.changes import check_facts, check_first_cluster  # noqa: PLC0415

        kept = {key: value for key, value in news.items() if key not in _OF_THIS_RUN}
        texts = {key: value for key, value in kept.items() if key != _OWN and isinstance(value, str)}
        return _result(kept, (*check_facts(_olds, texts), *check_first_cluster(_olds, news)))


class ClusterGuard(_GuardProvider):
    """Refuses a cluster that is not this stack's, and settings that would delete what is in it; claims it."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Look at the cluster and judge; see :func:`gitops_stack.guard.judgement.judge`."""
        from gitops_stack.guard.judgement import judge  # noqa: PLC0415

        _KEPT_ON.add(_identity(self, news))
        if news.get("question"):  # the program sees that this run asks: see gitops_stack.components.clearance
            Path(news["question"]).unlink(missing_ok=True)
        return _result(*judge(_olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Claim the cluster. Of two stacks that come at once, one is refused."""
        from gitops_stack.guard.judgement import claim  # noqa: PLC0415

        claim(props)
        return CreateResult(str(props.get("cluster") or "rendered"), dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Claim it again: another cluster, or other names."""
        from gitops_stack.guard.judgement import claim  # noqa: PLC0415

        claim(_news)
        return UpdateResult(dict(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """End what Pulumi retains and give the cluster back: the last step of a destroy, and of nothing else."""
        from gitops_stack.guard.judgement import release  # noqa: PLC0415

        if _identity(self, _props) not in _KEPT_ON:
            release(_props)


class TeardownGuard(_GuardProvider):
    """Goes first in a destroy: refuses what would hang or hit another cluster, then ends root."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Note how the cluster is reached; nothing is judged before a deletion."""
        from gitops_stack.guard.judgement import recall_connection  # noqa: PLC0415

        _KEPT_ON.add(_identity(self, news))
        return CheckResult(recall_connection(_olds, news), [])

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Look, refuse with names, or take root down. Raises :class:`GitOpsStackError`, which stops the destroy.

        Does nothing when this run checked a guard of the same root: `--replace`, `pulumi state taint`, another name of
        the component. The engine deletes the guard alone then, and every workload would go with root.
        """
        from gitops_stack.guard.judgement import say  # noqa: PLC0415
        from gitops_stack.guard.teardown import Teardown  # noqa: PLC0415

        if _identity(self, _props) in _KEPT_ON:
            say(f"{_props.get('root') or 'Argo CD'} stays: this run keeps it, and makes its guard anew")
        elif not _props.get("rendersTo"):
            Teardown.from_inputs(_props).run(say)


def _identity(guard: _GuardProvider, props: dict[str, Any]) -> tuple[str, ...]:
    return type(guard).__name__, *(str(props.get(key)) for key in ("project", "stack", "namespace", "root"))


def _result(inputs: dict[str, Any], findings: Iterable[str]) -> CheckResult:
    return CheckResult(inputs, [CheckFailure("", finding) for finding in findings])


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
