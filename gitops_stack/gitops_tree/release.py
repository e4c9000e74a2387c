"""What a release of Argo CD stands for: the commit of its tag, and the releases not to install."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING

from gitops_stack.errors import COMMAND, EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.git_environment import build_caller_environment, load_git_environment
from gitops_stack.gitops_tree.git_program import GitTimeout, start_git
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.patterns import is_commit, release_order

if TYPE_CHECKING:  # the guard asks for a branch's head in every run, and settings take as long to import as all else
    from gitops_stack.settings import ArgoCDSettings

TIMEOUT_SECONDS = 30.0
_OLDEST = (3, 2, 0)
_RELEASE = re.compile(r"v\d+\.\d+\.\d+(-rc\d+)?", re.ASCII)


def load_tag_commit(source: str, version: str, timeout: float = TIMEOUT_SECONDS) -> str:
    """Ask the remote which commit the tag ``version`` of ``source`` stands for, at most ``timeout`` seconds.

    Raises :class:`GitOpsStackError` for a name that is not a release or not there, :class:`EnvironmentProblem` for a
    remote that does not answer.
    """
    if not _RELEASE.fullmatch(version):
        raise GitOpsStackError(
            Problem(
                f"found {version}, which can move",
                "name a release such as v3.5.1, not a branch or `stable`",
                "argocd.version",
            )
        )
    url = f"https://{source}" if source.startswith("github.com/") else source
    tag = f"refs/tags/{version}"
    commits = _list_remote("argocd.source", url, (tag, f"{tag}^{{}}"), timeout)
    commit = commits.get(f"{tag}^{{}}") or commits.get(tag)  # an annotated tag names its commit with ^{}
    if commit is None:
        raise GitOpsStackError(Problem(f"{url} has no tag {version}", "name one of its releases", "argocd.version"))
    return commit


class NoRevisionError(EnvironmentProblem):
    """A repository has no such branch or tag."""


def load_head(
    url: str, revision: str, timeout: float = TIMEOUT_SECONDS, environment: Mapping[str, str] | None = None
) -> str:
    """Ask a repository which commit a branch or tag stands for now; a commit stands for itself.

    ``environment`` is git's; default: the caller's. Raises :class:`NoRevisionError` when it has no such branch,
    :class:`EnvironmentProblem` when it does not answer.
    """
    if is_commit(revision):
        return revision
    names = [revision] if revision.startswith("refs/") else [f"refs/heads/{revision}", f"refs/tags/{revision}"]
    commits = _list_remote("gitops.repoUrl", url, (*names, *(f"{name}^{{}}" for name in names)), timeout, environment)
    found = next((commits[name] for name in [f"{names[-1]}^{{}}", *names] if name in commits), None)
    if found is None:
        raise NoRevisionError(f"gitops.revision: {url} has no branch or tag {revision}; push it, or name another")
    return found


def _list_remote(
    place: str, url: str, names: tuple[str, ...], timeout: float, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Ask a remote for some of its references: name -> commit. ``place`` is the setting with its URL."""
    own = environment or {**build_caller_environment(), **load_git_environment()}
    try:
        done = start_git(None, "ls-remote", url, *names, environment=own, seconds=timeout)
    except GitTimeout:
        raise EnvironmentProblem(
            Problem(f"{url} did not answer in {timeout:g} s", "check the network or the mirror", place)
        ) from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise EnvironmentProblem(
            Problem(f"{url} cannot be read: {last}", "check the network, the URL and its login", place)
        )
    return {ref: commit for commit, _, ref in (line.partition("\t") for line in done.stdout.splitlines())}


def check_release(version: str) -> list[Problem]:
    """Return a problem when ``version`` is on the list of releases known to be bad, or older than what is written.

    Every Application has `retry.refresh`, which the API server refuses before 3.2.0: the CRD does not have it
    (RetryStrategy in pkg/apis/application/v1alpha1/types.go).
    """
    if release_order(version) < _OLDEST:
        oldest = f"v{'.'.join(map(str, _OLDEST))}"
        found = f"{version} is older than {oldest}, the first release that knows the `retry.refresh` of Applications"
        return [Problem(found, f"take {oldest} or later", "argocd.version")]
    reason = _known_bad().get(version)
    if reason is None:
        return []
    return [Problem(f"{version} is known to be bad: {reason['found']}", reason["needs"], "argocd.version")]


def check_release_tag(argocd: ArgoCDSettings) -> list[Problem]:
    """Ask the remote where the release's tag points, and return a problem when the settings say otherwise."""
    return check_tag(argocd.version, argocd.commit, load_tag_commit(argocd.source, argocd.version))


def check_tag(version: str, commit: str, tag_commit: str) -> list[Problem]:
    """Return a problem when the tag stands for another commit than the settings say."""
    if tag_commit == commit:
        return []
    found = (
        f"{version} is pinned to {commit}, but the tag now points to {tag_commit}: it was moved, or the pin is wrong"
    )
    needs = f"compare the two, then take it with {COMMAND}"
    return [Problem(found, needs, "argocd.commit", command=f"gitops-stack lock --version {version}")]


def _known_bad() -> dict[str, dict[str, str]]:
    text = resources.files("gitops_stack.gitops_tree").joinpath("known_bad_releases.yaml").read_text(encoding="utf-8")
    listed: dict[str, dict[str, str]] = load_documents(text)[0]
    return listed
