"""What a release stands for, asked of a git that answers from a script."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.release import check_release, check_tag, load_tag_commit

A, B = "a" * 40, "b" * 40
SOURCE = "github.com/argoproj/argo-cd"
URL = f"https://{SOURCE}"


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a git on PATH; what is written to the returned file is what it does."""
    script = tmp_path / "git"
    script.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return script


@pytest.mark.parametrize(
    ("answer", "commit"),
    [
        (f"{A}\\trefs/tags/v3.5.1\\n", A),
        (f"{A}\\trefs/tags/v3.5.1\\n{B}\\trefs/tags/v3.5.1^{{}}\\n", B),
        (f"warning\\n{A}\\trefs/tags/v3.5.1\\n", A),
    ],
    ids=["lightweight tag", "annotated tag", "noise"],
)
def test_a_tag_gives_its_commit(answer: str, commit: str, git: Path) -> None:
    git.write_text(f"#!/bin/sh\nprintf '{answer}'\n")
    assert load_tag_commit(SOURCE, "v3.5.1") == commit


def test_the_remote_is_asked_for_this_tag_alone(git: Path) -> None:
    git.write_text(f'#!/bin/sh\necho "$*" > {git}.args\nprintf "{A}\\trefs/tags/v3.5.1\\n"\n')
    load_tag_commit(SOURCE, "v3.5.1")
    assert Path(f"{git}.args").read_text() == f"ls-remote {URL} refs/tags/v3.5.1 refs/tags/v3.5.1^{{}}\n"


@pytest.mark.parametrize(
    ("script", "version", "sentence", "environment"),
    [
        ("exit 0", "v9.9.9", f"argocd.version: {URL} has no tag v9.9.9; name one of its releases", False),
        (
            "exit 0",
            "stable",
            "argocd.version: found stable, which can move; name a release such as v3.5.1, not a branch or `stable`",
            False,
        ),
        (
            "echo 'fatal: unable to access: Could not resolve host: github.com' >&2; exit 128",
            "v3.5.1",
            f"argocd.source: {URL} cannot be read: fatal: unable to access: Could not resolve host: github.com; "
            "check the network, the URL and its login",
            True,
        ),
        (
            "exit 128",
            "v3.5.1",
            f"argocd.source: {URL} cannot be read: no message; check the network, the URL and its login",
            True,
        ),
        (
            "exec sleep 30",
            "v3.5.1",
            f"argocd.source: {URL} did not answer in 0.2 s; check the network or the mirror",
            True,
        ),
    ],
    ids=["unknown tag", "branch", "unreachable", "silent", "hanging"],
)
def test_a_tag_that_cannot_be_resolved(script: str, version: str, sentence: str, environment: bool, git: Path) -> None:
    git.write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(GitOpsStackError) as refused:
        load_tag_commit(SOURCE, version, timeout=0.2)
    assert refused.value.findings == (sentence,)
    assert isinstance(refused.value, EnvironmentProblem) is environment


def test_without_git_nothing_can_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem) as refused:
        load_tag_commit(SOURCE, "v3.5.1")
    assert refused.value.findings == ("PATH: no git found; install git",)


def test_a_moved_tag_is_told_with_both_commits() -> None:
    assert check_tag("v3.2.12", A, A) == []
    assert list(map(str, check_tag("v3.2.12", A, B))) == [
        f"argocd.commit: v3.2.12 is pinned to {A}, but the tag now points to {B}: it was moved, or the pin is wrong; "
        "compare the two, then take it with `gitops-stack lock --version v3.2.12`"
    ]


@pytest.mark.parametrize(
    ("version", "remedy"),
    [("v3.3.0", "take v3.3.2 or later"), ("v3.3.1", "take v3.3.2 or later"), ("v3.2.12", "take v3.2.11")],
)
def test_a_bad_release_is_refused_with_one_to_take(version: str, remedy: str) -> None:
    found = list(map(str, check_release(version)))
    assert len(found) == 1
    assert found[0].startswith(f"argocd.version: {version} is known to be bad: ")
    assert remedy in found[0]


@pytest.mark.parametrize("version", ["v2.14.21", "v3.1.16"])
def test_a_release_that_lacks_what_applications_have_is_refused(version: str) -> None:
    (found,) = map(str, check_release(version))
    assert found == (
        f"argocd.version: {version} is older than v3.2.0, the first release that knows the `retry.refresh` of "
        "Applications; take v3.2.0 or later"
    )


@pytest.mark.parametrize("version", ["v3.5.1", "v3.3.2", "v3.2.11", "v3.2.0"])
def test_other_releases_pass(version: str) -> None:
    assert check_release(version) == []
