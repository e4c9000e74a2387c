"""Judge in place of a guard that the engine did not ask: `--target` and `--exclude` leave resources out.

For a resource that is left out the engine answers with what its state has and calls no provider, so the guard's `check`
does not run, and the objects that are named would be written unjudged (tests/e2e/test_targets.py). The program misses
the answer then, and judges with the same functions.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor

from gitops_stack.components.ordering import Registered
from gitops_stack.guard.changes import check_facts

# What a guard keeps, and is judged by in the next run.
_RECORDED = ("project", "namespace", "takeOver", "source", "root", "cluster", "address", "restored")
_CONNECTION = ("kubeconfig", "context", "clusterEntry", "rendersTo")
# What only an update of everything can answer: what is missing, and what a first one would take over.
_WHOLE = ("registered", "definitions", "manifests")


def open_question() -> str | None:
    """Make a file that the guard, in the plugin's process, removes when it is asked; under mocks nobody is."""
    if isinstance(get_monitor(), MockMonitor):
        return None
    descriptor, name = tempfile.mkstemp(prefix="gitops-stack-", suffix=".asked")
    os.close(descriptor)
    atexit.register(Path(name).unlink, missing_ok=True)
    return name


def clear_cluster(guard: pulumi.Resource, given: Mapping[str, Any]) -> list[Registered]:
    """Return ``guard`` for `depends_on`, once it has judged this run, or once its inputs were judged here."""
    question = given["question"]

    def look(_urn: str) -> Any:  # noqa: ANN401 - a resource, or an output of one
        if question is None or not Path(question).exists():
            return guard
        recorded = {key: getattr(guard, key) for key in (*_RECORDED, *_CONNECTION) if hasattr(guard, key)}
        wanted = {key: value for key, value in given.items() if key not in _WHOLE}
        return pulumi.Output.all(recorded=recorded, given=wanted).apply(judge)

    def judge(values: dict[str, Any]) -> pulumi.Resource:
        from gitops_stack.guard.judgement import judge as judge_inputs  # noqa: PLC0415 - the cluster's client with it

        known = {key: value for key, value in values["recorded"].items() if value is not None}
        # As in a preview: a cluster that does not answer is not written to either.
        _, findings = judge_inputs(known, {**values["given"], "dryRun": True})
        _refuse(findings)
        return guard

    cleared: Any = guard.urn.apply(look)
    return [cleared]


def clear_facts(guard: pulumi.Resource, facts: Mapping[str, str]) -> list[Registered]:
    """Return ``guard`` for `depends_on`, once the facts that its state has were compared with ``facts``."""

    def judge(recorded: dict[str, Any]) -> pulumi.Resource:
        _refuse(check_facts({key: value or "" for key, value in recorded.items()}, facts))
        return guard

    cleared: Any = pulumi.Output.all(**{key: getattr(guard, key) for key in facts}).apply(judge)
    return [cleared]


def _refuse(findings: Iterable[str]) -> None:
    if said := "; ".join(findings):
        raise pulumi.RunError(said)
