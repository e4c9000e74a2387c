"""Branches and pushes on bare repositories: nothing of the caller's is touched, nothing of others is lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops_stack.delivery.edits.helm_values import load_value, set_value
from gitops_stack.delivery.git_branch import (
    ATTEMPTS,
    Delivered,
    Destination,
    deliver,
)
from gitops_stack.delivery.git_command import GitFailure, run_git
from gitops_stack.delivery.git_remote import find_checkout, load_default_branch, load_remote_url
from gitops_stack.delivery.message import build_branch, build_message
from gitops_stack.delivery.plan import ImageChange, ImagePlan
from gitops_stack.errors import EnvironmentProblem
from tests.delivery.conftest import Remote
from tests.delivery.conftest import run_git as by_hand

Planner = Callable[[Path], ImagePlan]


def setting(application: str, tag: str) -> Planner:
    """Plan to write one tag into dev.yaml, as the image edits do."""

    def plan(tree: Path) -> ImagePlan:
        text = (tree / "dev.yaml").read_text()
        before = str(load_value(text, (application,), "dev.yaml"))
        if before == tag:
            return ImagePlan("dev")
        change = ImageChange(application, application, ".", (f"{application}:{before}",), f"{application}:{tag}")
        return ImagePlan("dev", (change,), {"dev.yaml": set_value(text, (application,), tag, "dev.yaml")})

    return plan


@dataclass(frozen=True)
class Change:
    """A change that is planned by a function, and rendered as the texts of its files."""

    planner: Planner

    def plan(self, tree: Path) -> ImagePlan:
        return self.planner(tree)

    def build_message(self, plan: ImagePlan) -> str:
        return build_message(plan)

    def build_branch(self, plan: ImagePlan) -> str:
        return build_branch(plan)

    def render(self, tree: Path, plan: ImagePlan) -> str:
        return "".join((tree / path).read_text() for path in plan.texts)

    def prove(self, _tree: Path, _plan: ImagePlan, _before: str | None, _after: str | None) -> list[str]:
        return []


def push(folder: Path, plan: Planner, **options: object) -> Delivered[ImagePlan, str]:
    return deliver(Destination(folder, **options), Change(plan))  # type: ignore[arg-type]


def test_a_change_goes_to_a_branch_of_its_own(remote: Remote) -> None:
    done = push(remote.clone, setting("web", "v2"))
    assert (done.branch, done.pushed) == ("gitops-stack/dev/web-v2", True)
    assert remote.text("dev.yaml", done.branch or "") == "web: v2\napi: v1\n"
    assert remote.log() == ["first"]
    assert remote.log(done.branch or "") == ["Set web to web v2 in dev", "first"]
    assert remote.log(done.branch or "", "%an <%ae>")[0] == "Ada <ada@example.org>"


def test_a_change_goes_straight_to_the_base_when_asked(remote: Remote) -> None:
    done = push(remote.clone, setting("web", "v2"), direct=True)
    assert (done.branch, remote.branches()) == ("main", ["main"])
    assert remote.text("dev.yaml") == "web: v2\napi: v1\n"
    assert remote.log(form="%H")[0] == done.commit


def test_any_branch_may_be_the_base(remote: Remote) -> None:
    by_hand(remote.clone, "push", "--quiet", "origin", "main:refs/heads/dev/ada")
    push(remote.clone, setting("web", "v2"), direct=True, base="dev/ada")
    assert (remote.text("dev.yaml", "dev/ada"), remote.text("dev.yaml")) == ("web: v2\napi: v1\n", "web: v1\napi: v1\n")


@pytest.mark.parametrize("direct", [True, False])
def test_without_a_change_nothing_is_committed(remote: Remote, direct: bool) -> None:
    done = push(remote.clone, setting("web", "v1"), direct=direct)
    assert (done.commit, done.branch, done.pushed, remote.branches(), remote.log()) == (
        None,
        None,
        False,
        ["main"],
        ["first"],
    )


def test_a_dry_run_pushes_nothing(remote: Remote) -> None:
    done = push(remote.clone, setting("web", "v2"), dry_run=True)
    assert (done.before, done.after) == ("web: v1\napi: v1\n", "web: v2\napi: v1\n")
    assert (remote.branches(), remote.log()) == (["main"], ["first"])


def test_the_caller_s_checkout_stays_as_it_is(remote: Remote, tmp_path: Path) -> None:
    (remote.clone / "dev.yaml").write_text("half: done\n")
    (remote.clone / "staged").write_text("x")
    by_hand(remote.clone, "add", "staged")
    (remote.clone / "untracked").write_text("x")
    states = [
        ("status", "--porcelain"),
        ("rev-parse", "HEAD"),
        ("branch", "--show-current"),
        ("for-each-ref", "refs/heads"),
    ]
    before = [by_hand(remote.clone, *state) for state in states]
    push(remote.clone, setting("web", "v2"), direct=True)
    assert [by_hand(remote.clone, *state) for state in states] == before
    assert (remote.clone / "dev.yaml").read_text() == "half: done\n"
    assert len(by_hand(remote.clone, "worktree", "list").splitlines()) == 1
    assert remote.text("dev.yaml") == "web: v2\napi: v1\n"
    del tmp_path


def test_the_worktree_is_removed_when_planning_fails(remote: Remote) -> None:
    seen: list[Path] = []

    def fail(tree: Path) -> ImagePlan:
        seen.append(tree)
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        push(remote.clone, fail)
    assert not seen[0].exists()
    assert not seen[0].parent.exists()
    assert len(by_hand(remote.clone, "worktree", "list").splitlines()) == 1


def test_the_newest_base_is_planned_on_not_the_clone_s(remote: Remote, tmp_path: Path) -> None:
    stale = remote.another(tmp_path / "stale")
    remote.commit({"dev.yaml": "web: v1\napi: v9\n"})
    push(stale, setting("web", "v2"), direct=True)
    assert remote.text("dev.yaml") == "web: v2\napi: v9\n"


def test_of_two_writers_at_once_both_end_in_history(remote: Remote, tmp_path: Path) -> None:
    other = remote.another(tmp_path / "other")
    calls: list[int] = []

    def overtaken(tree: Path) -> ImagePlan:
        calls.append(1)
        if len(calls) == 1:  # between this writer's fetch and its push
            push(other, setting("api", "v2"), direct=True)
        return setting("web", "v2")(tree)

    push(remote.clone, overtaken, direct=True)
    assert len(calls) == 2
    assert remote.text("dev.yaml") == "web: v2\napi: v2\n"
    assert remote.log() == ["Set web to web v2 in dev", "Set api to api v2 in dev", "first"]


def test_a_value_both_write_is_the_later_one_s_without_a_conflict(remote: Remote, tmp_path: Path) -> None:
    other = remote.another(tmp_path / "other")
    calls: list[int] = []

    def overtaken(tree: Path) -> ImagePlan:
        calls.append(1)
        if len(calls) == 1:
            push(other, setting("web", "v2"), direct=True)
        return setting("web", "v3")(tree)

    push(remote.clone, overtaken, direct=True)
    assert remote.text("dev.yaml") == "web: v3\napi: v1\n"
    assert remote.log() == ["Set web to web v3 in dev", "Set web to web v2 in dev", "first"]


def test_a_change_somebody_else_made_first_is_nothing_to_do(remote: Remote, tmp_path: Path) -> None:
    other = remote.another(tmp_path / "other")
    calls: list[int] = []

    def overtaken(tree: Path) -> ImagePlan:
        calls.append(1)
        if len(calls) == 1:
            plan = setting("web", "v2")(tree)
            push(other, setting("web", "v2"), direct=True, author=("Bob", "bob@example.org"))
            return plan
        return setting("web", "v2")(tree)

    assert push(remote.clone, overtaken, direct=True).commit is None
    assert remote.log() == ["Set web to web v2 in dev", "first"]


def test_racing_clones_all_end_in_history(remote: Remote, tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    clones = [remote.another(tmp_path / name) for name in names]
    together = threading.Barrier(len(names))
    failures: list[BaseException] = []

    def write(name: str, clone: Path) -> None:
        first = [True]

        def plan(tree: Path) -> ImagePlan:
            made = setting(name, "v2")(tree)
            if first.pop() if first else False:
                together.wait(30)  # all have planned on the same base before any of them pushes
            return made

        try:
            push(clone, plan, direct=True)
        except BaseException as failure:  # reported by the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=write, args=pair) for pair in zip(names, clones, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(remote.log())[:-1] == [f"Set {name} to {name} v2 in dev" for name in names]
    assert all(f"{name}: v2\n" in remote.text("dev.yaml") for name in names)


def test_who_is_always_overtaken_gives_up_and_says_so(remote: Remote) -> None:
    calls: list[int] = []

    def overtaken(tree: Path) -> ImagePlan:
        calls.append(1)
        remote.advance(f"other {len(calls)}")
        return setting("web", "v2")(tree)

    with pytest.raises(EnvironmentProblem) as refused:
        push(remote.clone, overtaken, direct=True)
    assert refused.value.findings == (
        "origin/main: others pushed first 10 times in a row; nothing was pushed, so run the command again",
    )
    assert len(calls) == ATTEMPTS
    assert remote.log() == [f"other {count}" for count in range(ATTEMPTS, 0, -1)] + ["first"]


def test_a_second_run_finds_the_branch_of_the_first(remote: Remote) -> None:
    first = push(remote.clone, setting("web", "v2"))
    second = push(remote.clone, setting("web", "v2"))
    assert (second.branch, second.commit, second.pushed) == (first.branch, first.commit, False)
    assert [change.after for change in second.plan.changes] == ["web:v2"]


def test_a_branch_on_an_older_base_is_brought_to_the_new_one(remote: Remote) -> None:
    first = push(remote.clone, setting("web", "v3"))
    remote.commit({"dev.yaml": "web: v2\napi: v2\n"})  # would be a conflict for a merge of texts
    second = push(remote.clone, setting("web", "v3"))
    assert (second.branch, second.pushed) == (first.branch, True)
    assert remote.text("dev.yaml", second.branch or "") == "web: v3\napi: v2\n"
    parents = by_hand(remote.bare, "log", "-1", "--format=%P", second.branch or "").split()
    assert parents == [remote.log(form="%H")[0], first.commit]
    by_hand(remote.clone, "fetch", "--quiet", "origin")
    by_hand(remote.clone, "merge", "--quiet", "--no-edit", f"origin/{second.branch}")
    assert (remote.clone / "dev.yaml").read_text() == "web: v3\napi: v2\n"


def test_what_people_added_to_the_branch_stays(remote: Remote) -> None:
    first = push(remote.clone, setting("web", "v2"))
    remote.commit({"note": "reviewed\n"}, "by a person", first.branch or "")
    remote.commit({"other": "x\n"})
    second = push(remote.clone, setting("web", "v2"))
    assert (second.branch, second.pushed) == (first.branch, False)
    assert remote.log(first.branch or "") == ["by a person", "Set web to web v2 in dev", "first"]


def test_a_merged_branch_is_used_again_after_a_revert(remote: Remote) -> None:
    first = push(remote.clone, setting("web", "v2"))
    by_hand(remote.clone, "fetch", "--quiet", "origin")
    by_hand(remote.clone, "merge", "--quiet", "--no-ff", "--no-edit", f"origin/{first.branch}")
    by_hand(remote.clone, "revert", "--mainline", "1", "--no-edit", "HEAD")
    by_hand(remote.clone, "push", "--quiet", "origin", "main")
    second = push(remote.clone, setting("web", "v2"))
    assert (second.branch, second.pushed) == (first.branch, True)
    ahead = by_hand(remote.bare, "log", "--format=%s", f"main..{second.branch}")
    assert ahead == "Set web to web v2 in dev"
    assert remote.text("dev.yaml", second.branch or "") == "web: v2\napi: v1\n"


def test_a_shallow_clone_will_do(remote: Remote, tmp_path: Path) -> None:
    for count in range(3):
        remote.commit({"count": str(count)})
    shallow = tmp_path / "shallow"
    by_hand(tmp_path, "clone", "--quiet", "--depth=1", f"file://{remote.bare}", str(shallow))
    push(shallow, setting("web", "v2"))
    remote.commit({"dev.yaml": "web: v1\napi: v2\n"})
    done = push(shallow, setting("web", "v2"))
    assert remote.text("dev.yaml", done.branch or "") == "web: v2\napi: v2\n"


def test_line_breaks_and_executable_bits_survive(remote: Remote) -> None:
    remote.commit({"run.sh": "#!/bin/sh\n"})
    (remote.clone / "run.sh").chmod(0o755)
    (remote.clone / "dev.yaml").write_bytes(b"web: v1\r\napi: v1\r\n")
    by_hand(remote.clone, "commit", "--quiet", "--all", "--message", "modes")
    by_hand(remote.clone, "push", "--quiet", "origin", "main")

    def plan(tree: Path) -> ImagePlan:
        text = (tree / "dev.yaml").read_bytes().decode()
        change = ImageChange("web", "web", ".", (), "web:v2")
        return ImagePlan("dev", (change,), {"dev.yaml": set_value(text, ("web",), "v2", "dev.yaml")})

    push(remote.clone, plan, direct=True)
    by_hand(remote.clone, "pull", "--quiet", "--ff-only", "origin", "main")
    assert (remote.clone / "dev.yaml").read_bytes() == b"web: v2\r\napi: v1\r\n"
    assert by_hand(remote.clone, "diff", "--name-only", "HEAD~1", "HEAD") == "dev.yaml"


def test_a_refusing_remote_is_reported_and_not_tried_again(remote: Remote) -> None:
    (remote.bare / "hooks").mkdir()
    hook = remote.bare / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho x >> tries\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(EnvironmentProblem) as refused:
        push(remote.clone, setting("web", "v2"), direct=True)
    assert refused.value.findings == (
        "origin/main: refuses the push: pre-receive hook declined; leave out --push to open a pull request",
    )
    assert (remote.bare / "tries").read_text() == "x\n"


def test_a_missing_identity_is_asked_for(remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    for name in ("EMAIL", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EnvironmentProblem, match="git: does not know who commits; give --author"):
        push(remote.clone, setting("web", "v2"))
    done = push(remote.clone, setting("web", "v2"), author=("Bot", "bot@example.org"))
    assert remote.log(done.branch or "", "%an %ae %cn %ce")[0] == "Bot bot@example.org Bot bot@example.org"


def test_a_hook_s_variables_do_not_lead_elsewhere(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    by_hand(tmp_path, "init", "--quiet", str(elsewhere))
    for name, value in {"GIT_DIR": ".git", "GIT_WORK_TREE": ".", "GIT_INDEX_FILE": "index"}.items():
        monkeypatch.setenv(name, str(elsewhere / value))
    push(remote.clone, setting("web", "v2"), direct=True)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    assert remote.text("dev.yaml") == "web: v2\napi: v1\n"


def test_what_is_not_there_is_named(remote: Remote, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"origin: has no branch gone; name one with --base$"):
        push(remote.clone, setting("web", "v2"), base="gone")
    with pytest.raises(EnvironmentProblem, match=r"has no remote upstream; known: origin$"):
        load_remote_url(remote.clone, "upstream")
    with pytest.raises(EnvironmentProblem, match=r"is in no checkout of a Git repository"):
        find_checkout(tmp_path)


def test_the_remote_says_what_its_default_branch_is(remote: Remote) -> None:
    assert load_default_branch(remote.clone, "origin") == "main"
    by_hand(remote.bare, "symbolic-ref", "HEAD", "refs/heads/gone")
    with pytest.raises(EnvironmentProblem, match=r"does not say its default branch; name one with --base$"):
        load_default_branch(remote.clone, "origin")


@pytest.mark.parametrize("direct", [True, False])
def test_a_relative_remote_is_found_from_the_checkout(remote: Remote, direct: bool) -> None:
    by_hand(remote.clone, "remote", "set-url", "origin", os.path.relpath(remote.bare, remote.clone))
    (remote.clone / "below").mkdir()
    head = by_hand(remote.clone, "rev-parse", "HEAD")
    done = push(remote.clone / "below", setting("web", "v2"), direct=direct)
    assert remote.log(done.branch or "", "%H")[0] == done.commit
    assert push(remote.clone, setting("web", "v2"), direct=direct).pushed is False
    assert by_hand(remote.clone, "rev-parse", "HEAD") == head
    assert not (remote.clone / ".git/FETCH_HEAD").exists()


def test_a_remote_that_is_not_there_is_named_with_the_checkout(remote: Remote) -> None:
    by_hand(remote.clone, "remote", "set-url", "origin", "../gone.git")
    with pytest.raises(EnvironmentProblem) as refused:
        push(remote.clone, setting("web", "v2"))
    assert refused.value.findings == (
        f"{remote.clone}: git fetch failed: fatal: '../gone.git' does not appear to be a git repository",
    )


@pytest.mark.parametrize("password", ["s3cret", "a@s3cret"])
def test_a_failure_shows_no_credentials(remote: Remote, password: str) -> None:
    with pytest.raises(GitFailure) as failed:
        run_git(remote.clone, "fetch", f"http://ada:{password}@127.0.0.1:1/x.git")
    assert "s3cret" not in f"{failed.value} {failed.value.output}"
    assert "git fetch failed: fatal: unable to access" in str(failed.value)
