"""The gates of a promotion: what has to be green, on the tree with the new images in it, before anything is pushed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from gitops_stack.config import load_stack_file
from gitops_stack.delivery.announcement import is_image
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem, last_line, shorten
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig, mapping, sequence
from gitops_stack.scaffold.promotion import Gate

_COMMAND_SECONDS = 3600.0
_NAMED = 3


@dataclass(frozen=True)
class Promoted:
    """What is promoted from stack ``origin`` to ``stack``: application -> ``images``, which are in ``project``.

    ``charts``: application -> what a source of it says in ``origin`` of each chart that is promoted.
    """

    project: Path
    stack: str
    origin: str
    images: Mapping[str, Sequence[str]]
    charts: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The applications that are promoted."""
        return list(dict.fromkeys([*self.images, *self.charts]))


def run_gates(gates: Sequence[Gate], promoted: Promoted, tree: Path) -> list[str]:
    """Run gates in their order; returns a line for each. Raises :class:`GitOpsStackError` at the first red one.

    A command runs in ``tree``, the root of the repository, by `sh`.
    """
    passed = []
    for gate in gates:
        if gate.name in ("check", "try") and not promoted.project.absolute().is_relative_to(tree):
            raise EnvironmentProblem(
                Problem(
                    f"{promoted.project} does not hold the new images, which are in --repository",
                    "use a command instead",
                    f"gate {gate.name}",
                )
            )
        began = time.monotonic()
        reasons = _run_command(gate.command, tree) if gate.command else list(_GATES[gate.name](promoted))
        GitOpsStackError.raise_for(
            f"gate {gate.name}: {reason}; nothing is promoted to {promoted.stack}" for reason in reasons
        )
        passed.append(f"{gate.name}: green, {time.monotonic() - began:.0f} s")
    return passed


def _check(promoted: Promoted) -> Iterator[str]:
    from gitops_stack.tree_check.check import check_stack  # noqa: PLC0415 - only for a stack with this gate

    report = check_stack(promoted.project, load_stack_file(promoted.project, promoted.stack))
    errors = [found.sentence for found in report.findings if found.severity == "error"]
    yield from errors[:_NAMED]
    if len(errors) > _NAMED:
        yield f"and {len(errors) - _NAMED} more errors"
    if report.lacking:
        raise EnvironmentProblem(*report.lacking)


def _status(promoted: Promoted) -> Iterator[str]:
    """Ask the cluster of the stack that the images come from whether they run there and are well.

    Argo CD lists the images of the Pods in an application's tree (controller/cache/info.go, `populatePodInfo`). An
    application may be well without the promoted one: when Git is ahead of the cluster, or the image never was there.
    """
    from gitops_stack.cli.connection import open_cluster  # noqa: PLC0415 - as above
    from gitops_stack.live.reading import load_app_projects, load_applications, read_applications  # noqa: PLC0415

    settings = load_stack_file(promoted.project, promoted.origin)
    with open_cluster("promote", settings, promoted.project, kubeconfig=None, context=None, role_arn=None) as client:
        namespace = settings.argocd.namespace
        living = load_applications(client, namespace)
        found = read_applications(living, load_app_projects(client, namespace))
    applications = {one["metadata"]["name"]: one for one in living}
    running = {one["metadata"]["name"]: sequence(dig(one, "status", "summary", "images")) for one in living}
    known = {one.name: one for one in found}
    for name in promoted.names:
        one = known.get(name)
        if one is None:
            yield f"{name} is not in the cluster of {promoted.origin}"
        elif not one.well:
            yield f"{name} of {promoted.origin} is {one.sync} and {one.health}: {one.reason}"
        for source in promoted.charts.get(name, ()) if one and one.well else ():
            if not any(source.items() <= synced.items() for synced in _list_synced(applications[name])):
                wanted = " ".join(source.values())
                yield f"{name} of {promoted.origin} is not synced to {wanted}; wait for Argo CD, or look at its status"
        for image in promoted.images.get(name, ()) if one and one.well else ():
            if not any(is_image(own, image) for own in running[name]):
                runs = ", ".join(map(str, running[name][:_NAMED])) or "no image"
                yield f"no Pod of {name} in {promoted.origin} runs {image}; it runs {runs}"


def _list_synced(application: Manifest) -> list[Mapping[str, Any]]:
    """Return the sources that the cluster was last compared to (SyncStatus.comparedTo of v3.5.1)."""
    compared = mapping(dig(application, "status", "sync", "comparedTo"))
    return [mapping(one) for one in (compared.get("source"), *sequence(compared.get("sources")))]


def _try(promoted: Promoted) -> Iterator[str]:
    from gitops_stack.cli.try_ import try_applications  # noqa: PLC0415 - as above

    try:
        try_applications(list(promoted.names), stack=promoted.stack, project=promoted.project)
    except typer.Exit:  # which has said of each why
        yield f"{', '.join(promoted.names)} did not become Synced and Healthy in the lab"


_GATES: dict[str, Callable[[Promoted], Iterator[str]]] = {"check": _check, "status": _status, "try": _try}


def _run_command(command: str, tree: Path) -> list[str]:
    try:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tree,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"did not end in {_COMMAND_SECONDS:.0f} s"]
    if done.returncode == 0:
        return []
    return [f"left with {done.returncode}: {shorten(last_line(done.stderr or done.stdout))}"]
