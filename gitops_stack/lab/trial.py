"""A start-up test: chosen applications of a working tree, synced by a real Argo CD in the lab.

Needs neither Pulumi nor AWS: what a stack's root application and its installation bring is applied here, and root,
`argocd` and `projects` themselves never are, so that Argo CD does not begin to manage itself. The chosen Applications
go in as the tree renders them, wave by wave; their repository's host is played (`git_host`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lightkube import Client

from gitops_stack import conventions
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.gitops_tree.manifest_set import object_name
from gitops_stack.lab.git_host import (
    build_git_variables,
    build_host_program,
    build_host_variables,
    is_https,
    write_git_configuration,
)
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.phases import Phases
from gitops_stack.lab.probes import wait_until
from gitops_stack.lab.processes import Program
from gitops_stack.lab.seed import seed_repository
from gitops_stack.lab.server_side_apply import FIELD_MANAGER, apply_objects
from gitops_stack.lab.start_up import Outcome, StartUp, terminate_syncs
from gitops_stack.lab.trial_manifests import (
    build_application,
    build_application_at,
    build_definitions,
    build_installation,
)
from gitops_stack.live.reading import connect, load_applications, reference
from gitops_stack.live.writing import delete, merge
from gitops_stack.manifests import Manifest
from gitops_stack.patterns import same_repository
from gitops_stack.rules.application_spec import Source
from gitops_stack.rules.fields import read_wave
from gitops_stack.rules.start_up import has_synced, is_followed
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import RenderedApplication, Tree

_NOTE = "try.json"  # whose lab it is, and what is installed in it
_NOTHING: Mapping[str, Any] = {"whose": "", "installed": "", "objects": ()}
_REMOVAL_SECONDS = 60.0
_APPLICATIONS = ("Application", "ApplicationSet")


@dataclass
class Trial(Phases):
    """One start-up test of ``chosen`` applications of ``tree``, rendered from the working tree of ``project``."""

    lab: Lab
    project: Path
    settings: StackSettings
    tree: Tree
    chosen: Sequence[RenderedApplication]
    commit: str = ""
    """What the lab's repository was seeded with."""
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Tell whether every chosen application is Synced and Healthy."""
        return len(self.outcomes) == len(self.chosen) and all(outcome.stage == "well" for outcome in self.outcomes)

    def run(self, progress: Progress, *, limit_seconds: float, keep: bool = False) -> None:
        """Run the whole test, each wave of Applications in at most ``limit_seconds``; a kept lab converges.

        Every process is stopped in the end, unless they are to be kept. Raises :class:`GitOpsStackError` for what the
        API server refuses of the installation, and :class:`EnvironmentProblem` for what the machine lacks.
        Applications that are not well are ``outcomes``.
        """
        with self.lab.state.alone():
            self.open_lab(progress)
            try:
                self.run_in_lab(progress, limit_seconds)
            finally:
                if not keep:
                    self.lab.down(progress)

    def run_in_lab(self, progress: Progress, limit_seconds: float, *, is_up: bool = False) -> None:
        """Run the test in a lab that was opened and is nobody else's; ``is_up`` says that its processes run."""
        if not is_up:
            with self.phase("control plane", progress):
                self.lab.up(progress)
                if self.plays_host:
                    self.lab.start_outside(self._outside, progress)
        with self.phase("repository", progress):
            self.commit = self._seed()
        with connect(self.lab.state.kubeconfig) as client:
            with self.phase("installation", progress):
                self._install(client)
            with self.phase("controllers", progress):
                self._start_controllers(progress)
            with self.phase("earlier applications", progress):
                self._remove_earlier(client)
            with self.phase("applications", progress):
                self._sync(client, progress, limit_seconds)

    @property
    def plays_host(self) -> bool:
        """Tell whether the host of the repository is played."""
        sources = (source for one in self.chosen for source in one.spec.sources)
        return can_play_host(self.settings.gitops.repo_url, sources)

    @property
    def _repository(self) -> Path:
        return self.lab.state.directory / "gitops.git"

    def open_lab(self, progress: Progress) -> bool:
        """Reuse this stack's running lab, and return True; else recreate it."""
        state = self.lab.state
        note, whose = self._read_note(), self._whose()
        if not note and (state.etcd.exists() or (state.directory / "workspace").exists()):
            raise EnvironmentProblem(
                Problem("is a lab of something else", "give --name another name", str(state.directory))
            )
        if note and (note["whose"] != whose or self._find_left(note) or not self.lab.processes()):
            self.lab.down(lambda line: progress(f"earlier lab: {line}"))
            shutil.rmtree(state.directory / "etcd", ignore_errors=True)
            for name in ("git-host.pem", _NOTE):
                (state.directory / name).unlink(missing_ok=True)
            shutil.rmtree(self._repository, ignore_errors=True)
            note = {}
        if not note:
            self._write_note("", ())
        return bool(note)

    def _whose(self) -> str:
        return f"{self.settings.stack} {self.settings.gitops.repo_url}"

    def _find_left(self, note: Mapping[str, Any]) -> set[str]:
        """Find what is installed in the lab and has left the tree: a quota or a kind that others would still meet."""
        there = {reference(found).text for found in self._build_installation()}
        return set(note["objects"]) - there - {object_name(astuple(found.name)) for found in self.tree.objects}

    def _read_note(self) -> Mapping[str, Any]:
        file = self.lab.state.directory / _NOTE
        if not file.exists():
            return {}
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            found = None  # of a run that was killed while it wrote
        return found if isinstance(found, dict) and found.keys() == _NOTHING.keys() else _NOTHING

    def _write_note(self, installed: str, objects: Iterable[Manifest]) -> None:
        names = [reference(found).text for found in objects]
        note = {"whose": self._whose(), "installed": installed, "objects": names}
        (self.lab.state.directory / _NOTE).write_text(json.dumps(note), encoding="utf-8")

    def _outside(self, ports: Mapping[str, int]) -> list[Program]:
        environment, url = self.lab.process_environment(), self.settings.gitops.repo_url
        return [build_host_program(self.lab.state, ports["git-host"], url, self._repository, environment)]

    def _seed(self) -> str:
        url, branch = self.settings.gitops.repo_url, self.settings.gitops.revision
        sources = [source for one in self.chosen for source in one.spec.sources]
        others = {str(source.options.get("targetRevision") or "") for source in sources}
        followed = {
            str(source.options.get("targetRevision") or "") for source in sources if is_followed(source, url, branch)
        }
        return seed_repository(self.project, self._repository, branch, sorted(others - followed))

    def _install(self, client: Client) -> None:
        wanted = list(self._build_installation())
        text = json.dumps(wanted, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        if self._read_note().get("installed") != digest:
            self._write_note("", wanted)  # some may be there though one is refused
            apply_objects(client, wanted)
            self._write_note(digest, wanted)

    def _build_installation(self) -> Iterator[Manifest]:
        yield from build_installation(self.project, self.settings, self.tree)
        yield from build_definitions(self.tree, self.chosen)

    def _start_controllers(self, progress: Progress) -> None:
        state, url = self.lab.state, self.settings.gitops.repo_url
        variables = load_git_environment()
        if self.plays_host:
            variables |= build_git_variables(url, self._repository, variables)
            variables |= build_host_variables(state, state.load_ports()["git-host"])
        else:
            sources = {source.repo_url for one in self.chosen for source in one.spec.sources}
            file = state.directory / "gitconfig"
            variables |= write_git_configuration(file, url, self._repository, variables, sources)
        if helm := shutil.which("helm"):  # not among the tools
            path = self.lab.process_environment()["PATH"]
            variables["PATH"] = os.pathsep.join([path, str(Path(helm).parent)])
        self.lab.start_argocd(namespace=self.settings.argocd.namespace, git_environment=variables, progress=progress)

    def _remove_earlier(self, client: Client) -> None:
        """Delete, with all they made, Applications of an earlier test that nobody asks for now."""
        namespace = self.settings.argocd.namespace
        chosen = {one.spec.name for one in self.chosen}
        earlier = [
            found
            for found in load_applications(client, namespace)
            if found["metadata"]["name"] not in chosen and _is_ours(found)
        ]
        names = {found["metadata"]["name"] for found in earlier}
        terminate_syncs(client, namespace, names)
        for found in earlier:
            # One that never synced made nothing, and may lack the project that a cascade asks for.
            finalizers = [conventions.RESOURCES_FINALIZER] if has_synced(found) else None
            merge(client, reference(found), {"metadata": {"finalizers": finalizers}}, FIELD_MANAGER)
            delete(client, reference(found))

        def are_gone() -> bool:
            return not names & {found["metadata"]["name"] for found in load_applications(client, namespace)}

        if not wait_until(are_gone, seconds=_REMOVAL_SECONDS):
            raise EnvironmentProblem(
                Problem(
                    f"of an earlier try, and not gone after {_REMOVAL_SECONDS:.0f} s",
                    f"start again with `gitops-stack lab down --name {self.lab.state.directory.name}`",
                    f"{', '.join(sorted(names))}",
                )
            )
        if earlier:  # whose kinds are gone with them, those that were installed a moment ago too
            apply_objects(client, build_definitions(self.tree, self.chosen))

    def _sync(self, client: Client, progress: Progress, limit_seconds: float) -> None:
        start_up = StartUp(client, self.settings, self.commit, self.lab.state, limit_seconds)

        def order(one: RenderedApplication) -> int:
            return read_wave(one.spec.object.manifest)

        for _, wave in groupby(sorted(self.chosen, key=order), key=order):
            self.outcomes += start_up.run([self._build_application(one) for one in wave], progress)

    def _build_application(self, one: RenderedApplication) -> Manifest:
        """Build an Application as the tree renders it; where no host is played, at the commit and not its branch."""
        return build_application(one) if self.plays_host else build_application_at(one, self.settings, self.commit)


def can_play_host(repo_url: str, sources: Iterable[Source]) -> bool:
    """Tell whether the host of a repository can be played, which answers for that repository and no other."""
    host = urlsplit(repo_url).hostname
    others = (source.repo_url for source in sources if not same_repository(source.repo_url, repo_url))
    return is_https(repo_url) and all(urlsplit(other).hostname != host for other in others)


def _is_ours(found: Manifest) -> bool:
    entries: Iterable[Manifest] = found["metadata"].get("managedFields") or ()
    return any((one.get("manager"), one.get("operation")) == (FIELD_MANAGER, "Apply") for one in entries)
