"""The result of one check, and where it is kept: by the settings, and by what the command line knows without them.

Imports little on purpose: an unchanged tree is answered from here, before settings, schemas and renderers are imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gitops_stack.rules.finding import Finding, ObjectName
from gitops_stack.rules.known_rules import Profile
from gitops_stack.tree_check.inputs import Inputs, digest_paths, stamp_program
from gitops_stack.tree_check.result_cache import (
    entry_key,
    load_entry,
    load_result,
    prune_entries,
    write_entry,
    write_result,
)

_QUESTIONS, _KEPT = "questions", 200
_DECIDING = ("config", "gitops_tree", "manifests", "policies", "preview", "settings", "tree_check")
"""The packages beside this one whose source decides a result, next to the modules of the package root."""


@dataclass(frozen=True)
class CheckOptions:
    """How a check is asked for: which profile holds, globs of what is left out, folders with schemas from elsewhere."""

    profile: Profile = "strict"
    exclude: tuple[str, ...] = ()
    schemas: tuple[Path, ...] = ()

    @property
    def key(self) -> str:
        """What of a result depends on them."""
        return "\0".join((self.profile, "", *self.exclude, "", *(str(folder.absolute()) for folder in self.schemas)))


@dataclass(frozen=True)
class CheckResult:
    """The result of one check; ``place`` is the tree or folder, ``kubernetes_version`` what was validated for.

    ``covered`` lists those of the paths asked for that belong to the stack, ``lacking`` what could not be reached.
    """

    place: str
    stack: str
    kubernetes_version: str
    applications: int
    objects: int
    findings: tuple[Finding, ...]
    covered: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def unread(self) -> int:
        """Count the sources and sets of applications of which nothing was checked."""
        return sum(finding.rule in ("not-rendered", "application-set-not-expanded") for finding in self.findings)

    def count(self, severity: str) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)


def report_key(project: Path, settings: str, version: str, paths: Sequence[Path], options: CheckOptions) -> str:
    """Compute the key of a check's result; ``settings`` is their JSON, ``version`` that of Kubernetes."""
    return entry_key([*_circumstances(project, paths), settings, version, options.key])


def load_report(key: str) -> CheckResult | None:
    """Read the report kept under ``key``; none when there is none, or one of its inputs has changed."""
    kept = load_result(key)
    return None if kept is None else _read(kept)


def write_report(key: str, inputs: Inputs, started: float, report: CheckResult) -> None:
    """Keep a report with its inputs, unless one of them was written after the check ``started``."""
    write_result(key, inputs, started, asdict(report))


class Question:
    """A check as the command line is asked for it, answered without reading the settings when nothing has changed.

    The stack files stand for the settings, byte by byte: a stack's rules look at its siblings' files as well.
    """

    def __init__(
        self,
        project: Path,
        stack: str,
        kubernetes_version: str | None,
        paths: Sequence[Path],
        options: CheckOptions | None = None,
    ) -> None:
        self._project, self._paths, self._options = project, paths, options or CheckOptions()
        self._asked = (stack, kubernetes_version or "")
        self._key = self._compute()

    def load_report(self) -> CheckResult | None:
        """Read the report of an earlier answer; none when there is none, or anything it was made from has changed."""
        known = load_entry(_QUESTIONS, self._key)
        return load_report(known) if isinstance(known, str) else None

    def keep(self, settings: str, version: str) -> None:
        """Remember what the answer is kept under, unless a stack file was changed since the question was asked."""
        if self._compute() == self._key:
            write_entry(_QUESTIONS, self._key, report_key(self._project, settings, version, self._paths, self._options))
            prune_entries(_QUESTIONS, _KEPT)

    def _compute(self) -> str:
        stack_files = digest_paths(sorted(map(str, self._project.resolve().glob("Pulumi.*.yaml"))), [])
        return entry_key([*_circumstances(self._project, self._paths), *self._asked, stack_files, self._options.key])


def _circumstances(project: Path, paths: Sequence[Path]) -> Iterator[str]:
    """Yield what a result depends on beside settings and files: programs, installed packages, this library itself."""
    yield str(project.resolve())
    for path in paths:
        yield f"{path}\0{path.absolute()}"
    for name in ("kustomize", "kubectl", "helm", "jsonnet"):
        yield stamp_program(name)
    for name, value in sorted(os.environ.items()):  # which lead git and helm to another place, or not
        if name.startswith(("GIT_", "GITOPS_STACK_GIT", "HELM_")) or name.lower().endswith("_proxy"):
            yield f"{name}={value}"
    yield str(_changed(os.path.expanduser("~/.gitconfig")))  # noqa: PTH111 - as above
    for name in sys.path:
        yield from _distributions(name)
    own = Path(__file__).resolve().parent.parent
    folders = [own, *(own / name for name in _DECIDING)]
    yield digest_paths((str(file) for folder in folders for file in sorted(folder.glob("*.*")) if file.is_file()), [])


def _distributions(folder: str) -> Iterator[str]:
    """Yield what says which packages are installed in ``folder``: schemas, validator, policies of others."""
    folder = folder or os.curdir
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names are all that is asked for
    except OSError:  # an archive, or nothing
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            places = f"{folder}/{name}", f"{folder}/{name}/entry_points.txt"
            yield "\0".join((*places, *(str(_changed(place)) for place in places)))


def _changed(name: str) -> int:
    try:
        return os.stat(name).st_mtime_ns  # noqa: PTH116 - hundreds of them
    except OSError:
        return 0


def _read(kept: Any) -> CheckResult:  # noqa: ANN401 - from JSON
    findings = tuple(
        Finding(**{**one, "object": ObjectName(**one["object"]) if one["object"] else None}) for one in kept["findings"]
    )
    return CheckResult(
        **{**kept, "findings": findings, "covered": tuple(kept["covered"]), "lacking": tuple(kept["lacking"])}
    )
