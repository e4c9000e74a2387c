"""Commit messages, branch names, and commits that are known again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitops_stack.delivery.message import build_branch, build_message, build_title, is_own_commit
from gitops_stack.delivery.plan import ImageChange, ImagePlan
from tests.delivery.conftest import Remote, run_git
from tests.delivery.trees import ECR, A, B


def change(application: str, after: str, name: str = "web") -> ImageChange:
    return ImageChange(application, name, f"gitops/{application}", (f"{name}:v1",), after)


ONE = ImagePlan("dev", (change("web", f"{ECR}/web@{A}"),))
TWO = ImagePlan("prd", (change("web", f"{ECR}/web:v2@{A}"), change("api", "acme/api:v3", "api")), promoted_from="dev")


def test_a_message_ends_with_trailers_git_reads(tmp_path: Path, git_on_path: None) -> None:
    del git_on_path
    message = build_message(TWO, "0" * 40)
    assert message == (
        "Promote web, api from dev in prd\n\n"
        f"web: web:v1 -> {ECR}/web:v2@{A}\napi: api:v1 -> acme/api:v3\n\n"
        "Gitops-Stack-Application: web\nGitops-Stack-Application: api\n"
        f"Gitops-Stack-Image: {ECR}/web:v2@{A}\nGitops-Stack-Image: acme/api:v3\n"
        f"Gitops-Stack-Stack: prd\nGitops-Stack-Promoted-From: dev\nGitops-Stack-Source-Revision: {'0' * 40}\n"
    )
    parse = ["git", "-C", str(tmp_path), "interpret-trailers", "--parse"]
    read = subprocess.run(parse, input=message, capture_output=True, text=True, check=True)
    assert read.stdout == message.split("\n\n")[-1]


@pytest.mark.parametrize(
    ("plan", "title", "branch"),
    [
        (ONE, "Set web to web sha256:aaaaaaaaaaaa in dev", "gitops-stack/dev/web-aaaaaaaaaaaa"),
        (
            ImagePlan("dev", (change("web", "acme/web:v1.2"),)),
            "Set web to web v1.2 in dev",
            "gitops-stack/dev/web-v1.2",
        ),
        (
            ImagePlan("prd", ONE.changes, promoted_from="dev"),
            "Promote web from dev to web sha256:aaaaaaaaaaaa in prd",
            "gitops-stack/prd/web-aaaaaaaaaaaa",
        ),
        (ImagePlan("dev", (change("web", "web:v1."),)), "Set web to web v1. in dev", "gitops-stack/dev/web-v1-"),
        (ImagePlan("dev", (change("web", "web:a..b"),)), "Set web to web a..b in dev", "gitops-stack/dev/web-a-b"),
        (
            ImagePlan("dev", (change("web", "web:a.lock"),)),
            "Set web to web a.lock in dev",
            "gitops-stack/dev/web-a-lock",
        ),
    ],
)
def test_titles_and_branches_say_what_changes(plan: ImagePlan, title: str, branch: str, remote: Remote) -> None:
    assert (build_title(plan), build_branch(plan)) == (title, branch)
    run_git(remote.clone, "check-ref-format", "--branch", branch)


def test_one_application_is_named_however_long_its_name() -> None:
    names = [f"{'a' * 50}-{end}" for end in ("one", "two")]
    branches = [build_branch(ImagePlan("dev", (change(name, "acme/web:v2"),))) for name in names]
    assert branches == [f"gitops-stack/dev/{name}-v2" for name in names]


def test_branches_of_several_changes_differ_with_what_they_set() -> None:
    other = ImagePlan("prd", (TWO.changes[0], change("api", f"acme/api@{B}", "api")))
    names = {build_branch(TWO), build_branch(other)}
    assert len(names) == 2
    assert all(name.startswith("gitops-stack/prd/web-api-") for name in names)
    many = ImagePlan("dev", tuple(change(f"application-{count}", "web:v1") for count in range(9)))
    assert build_branch(many).startswith("gitops-stack/dev/9-applications-")
    assert build_title(many) == "Set 9 applications in dev"


@pytest.mark.parametrize(
    ("message", "own"),
    [
        (build_message(ONE), True),
        (build_message(TWO), True),
        (f"Set web (#7)\n\n* {build_message(ONE)}\n\nCo-authored-by: Ada <ada@example.org>\n", True),
        (f'Revert "{build_title(ONE)}"\n\nThis reverts commit {"1" * 40}.\n', False),
        ("Say what Gitops-Stack-Application: means\n", False),
        ("Fix\n\nGitops-Stack-Application:\n", False),
        ("", False),
    ],
)
def test_own_commits_are_known_by_their_trailer(message: str, own: bool) -> None:
    assert is_own_commit(message) is own
