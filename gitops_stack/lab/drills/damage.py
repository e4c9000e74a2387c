"""What goes wrong, done to a lab on purpose."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.git_environment import build_settings_variables
from gitops_stack.gitops_tree.private_file import write_private_file
from gitops_stack.lab.drills.site import Site
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.git_host import build_git_variables, build_host_program, build_host_variables
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.probes import wait_until
from gitops_stack.lab.processes import Program
from gitops_stack.live.reading import ObjectReference, connect, load_objects
from gitops_stack.live.writing import delete

_GONE_SECONDS = 120.0
_TOKEN = "token.txt"  # noqa: S105 - a file's name


def lose_state(engine: Engine) -> None:
    """Delete the state backend with all copies of the state."""
    for folder in (engine.backend.folder, engine.backend.copies):
        shutil.rmtree(folder, ignore_errors=True)


def rebuild_cluster(lab: Lab, progress: Progress) -> None:
    """Make the cluster anew, empty, at the same address; Argo CD's controllers end with the old one."""
    lab.down(progress)
    shutil.rmtree(lab.state.etcd)
    lab.up(progress)


def delete_namespace(site: Site) -> None:
    """Delete Argo CD's namespace: its pods end first, so that nobody finishes what carries a finalizer."""
    site.stop_controllers()
    namespace, root = _namespace(site), _root(site)
    with connect(site.report.lab.state.kubeconfig) as client:
        delete(client, namespace)

        def is_going() -> bool:
            found = load_objects(client, [root])[root.text]
            return found is None or "deletionTimestamp" in found["metadata"]

        if not wait_until(is_going, seconds=_GONE_SECONDS):
            raise EnvironmentProblem(Problem("is not being deleted with its namespace", place=root.text))


def wait_until_namespace_is_gone(site: Site) -> None:
    """Wait as `kubectl wait --for=delete` does."""
    namespace = _namespace(site)
    with connect(site.report.lab.state.kubeconfig) as client:
        if not wait_until(lambda: load_objects(client, [namespace])[namespace.text] is None, seconds=_GONE_SECONDS):
            raise EnvironmentProblem(Problem(f"is not gone after {_GONE_SECONDS:.0f} s", place=namespace.text))


def move_repository(site: Site) -> None:
    """Switch the repository's host off; a new one, which asks for a token, has an empty repository."""
    report = site.report
    workspace, state, url = report.workspace, report.lab.state, site.names["new"]
    moved = replace(workspace, repository=state.directory / "moved.git")
    moved.make_repository(site.names["branch"])
    rotate_token(site)
    environment = report.lab.process_environment()

    def build(ports: Mapping[str, int]) -> Sequence[Program]:
        login = _login(site)
        return [build_host_program(state, ports["git-host"], url, moved.repository, environment, login=login)]

    site.outside = build
    site.start_outside()
    known = report.engine.git_environment
    report.repo_server = {
        **build_git_variables(url, moved.repository, known),
        **build_host_variables(state, state.load_ports()["git-host"]),
    }
    site.start_controllers()
    # People reach the new host by its name as well; in the lab that is a folder.
    place = {f"url.{moved.repository.as_uri()}.insteadOf": url}
    for key, value in place.items():
        workspace.git("config", key, value)
    report.engine = replace(report.engine, git_environment={**known, **build_settings_variables(place, known)})
    workspace.repository.rename(workspace.repository.with_suffix(".gone"))
    report.workspace = moved


def rotate_token(site: Site) -> None:
    """Have the repository's host accept another token than before; the new one lies in the clone's token.txt."""
    token = token_hex(16)
    write_private_file(_login(site), f"git:{token}\n")
    write_private_file(site.report.workspace.directory / _TOKEN, f"{token}\n")


def _login(site: Site) -> Path:
    return site.report.lab.state.directory / "git-login"


def _namespace(site: Site) -> ObjectReference:
    return ObjectReference("", "Namespace", "", site.names["namespace"], "v1")


def _root(site: Site) -> ObjectReference:
    return ObjectReference("argoproj.io", "Application", site.names["namespace"], "root", "v1alpha1")
