"""Repository and clone before a run: nothing of a person's is deleted, and nothing older than Git is installed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.repository import SEED_MESSAGE, Preparation, keep_touched_clone, restore_clone
from gitops_stack.lab.workspace import Workspace
from tests.stacks import ROOT

Git = Callable[..., str]
STACK = "local"
MADE: dict[str, Any] = {"type": "kubernetes:core/v1:ConfigMap", "custom": True, "id": "argocd/argocd-cm"}


@dataclass
class Place:
    """A project, a lab's folder beside it, and a `pulumi` that salts new stacks as the real one does."""

    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def state(self) -> Path:
        return self.folder / "lab"

    @property
    def workspace(self) -> Workspace:
        return Workspace.under(self.state, STACK)

    def prepare(self) -> None:
        engine = Engine(self.state, self.workspace.directory, STACK, self.folder / "bin", {})
        cluster = (self.state / "kubeconfig", "lab")
        Preparation(self.workspace, engine, self.project, cluster, self.said.append).run()

    def write_state(self, *resources: dict[str, Any]) -> None:
        file = self.state / "pulumi/.pulumi/stacks/gitops-stack/local.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        latest = {"secrets_providers": {"state": {"salt": "v1:kept"}}, "resources": list(resources)}
        file.write_text(json.dumps({"checkpoint": {"latest": latest}}), encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.workspace.directory / name).read_text(encoding="utf-8")

    def push_from_elsewhere(self, git: Git) -> str:
        other = self.folder / "other"
        git(self.folder, "clone", "--quiet", str(self.workspace.repository), str(other))
        (other / "theirs").write_text("theirs\n", encoding="utf-8")
        git(other, "add", "--all")
        git(other, "commit", "--quiet", "--message", "Theirs")
        git(other, "push", "--quiet", "origin", "HEAD")
        return git(other, "rev-parse", "HEAD")


@pytest.fixture
def place(tmp_path: Path, git: Git) -> Place:
    assert git(tmp_path, "--version")
    made = Place(tmp_path)
    made.project.mkdir()
    for name in ("Pulumi.yaml", "__main__.py", "Pulumi.local.yaml"):
        shutil.copy(ROOT / name, made.project)
    shutil.copytree(ROOT / "gitops", made.project / "gitops")
    (tmp_path / "lab").mkdir()
    (tmp_path / "bin").mkdir()
    pulumi = tmp_path / "bin/pulumi"
    stack = made.state / "pulumi/.pulumi/stacks/gitops-stack/local.json"
    pulumi.write_text(
        f"#!/bin/sh\ntest -e {stack} || echo 'encryptionsalt: v1:new' >> Pulumi.local.yaml\n", encoding="utf-8"
    )
    pulumi.chmod(0o755)
    return made


@pytest.fixture
def seeded(place: Place) -> Place:
    place.prepare()
    place.write_state(MADE)
    return place


def commit(git: Git, place: Place, name: str = "mine") -> str:
    (place.workspace.directory / name).write_text(f"{name}\n", encoding="utf-8")
    git(place.workspace.directory, "add", "--all")
    git(place.workspace.directory, "commit", "--quiet", "--message", name)
    return git(place.workspace.directory, "rev-parse", "HEAD")


def test_the_first_seed_is_pushed_with_its_salt(place: Place, git: Git) -> None:
    place.prepare()
    assert git(place.workspace.directory, "log", "--format=%s", "origin/main") == SEED_MESSAGE
    assert "encryptionsalt: v1:new\n" in place.read("Pulumi.local.yaml")
    assert git(place.workspace.directory, "status", "--porcelain") == ""


def test_a_project_with_a_space_in_its_path_is_seeded(place: Place) -> None:
    state = place.folder / "a lab"
    state.mkdir()
    workspace = Workspace.under(state, STACK)
    engine = Engine(state, workspace.directory, STACK, place.folder / "bin", {})
    Preparation(workspace, engine, place.project, (state / "kubeconfig", "lab"), place.said.append).run()
    assert workspace.settings().gitops.repo_url == f"file://{place.folder}/a%20lab/gitops.git"


def test_a_clone_outlives_the_repository_beside_it(seeded: Place, git: Git) -> None:
    pushed = commit(git, seeded, "pushed")
    git(seeded.workspace.directory, "push", "--quiet", "origin", "HEAD")
    own = commit(git, seeded)
    (seeded.workspace.directory / "untracked").write_text("untracked\n", encoding="utf-8")
    shutil.rmtree(seeded.workspace.repository)
    seeded.prepare()
    assert git(seeded.workspace.repository, "rev-parse", "main") == pushed, "as Argo CD knows it"
    assert git(seeded.workspace.directory, "rev-parse", "HEAD") == own
    assert seeded.read("untracked") == "untracked\n"
    assert "was missing; it is made again from the clone beside it" in seeded.said[0]
    assert seeded.said[-1].endswith("has 1 commit(s) that are not pushed")


def test_files_that_are_no_clone_are_refused_and_kept(place: Place) -> None:
    place.workspace.directory.mkdir()
    (place.workspace.directory / "notes").write_text("notes\n", encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r"workspace: holds files and no commit, .* move it away"):
        place.prepare()
    assert place.read("notes") == "notes\n"


def test_a_clone_that_is_missing_is_cloned_again(seeded: Place, git: Git) -> None:
    shutil.rmtree(seeded.workspace.directory)
    seeded.prepare()
    assert git(seeded.workspace.directory, "log", "--format=%s") == SEED_MESSAGE
    assert [line for line in seeded.said if "is cloned there again" in line]


def test_both_missing_are_seeded_with_the_salt_of_the_state(seeded: Place) -> None:
    shutil.rmtree(seeded.workspace.directory)
    shutil.rmtree(seeded.workspace.repository)
    with pytest.raises(EnvironmentProblem, match="run `gitops-stack lab bootstrap --name lab` to create both again"):
        restore_clone(seeded.workspace, seeded.said.append)
    seeded.prepare()
    assert seeded.read("Pulumi.local.yaml").endswith("\nencryptionsalt: v1:kept\n")


def test_a_half_made_seed_is_made_again_and_kept_aside(place: Place) -> None:
    (place.project / "__main__.py").rename(place.project / "gone.py")
    with pytest.raises(EnvironmentProblem, match=r"__main__\.py: is missing"):
        place.prepare()
    (place.project / "gone.py").rename(place.project / "__main__.py")
    place.prepare()
    assert place.workspace.seeded
    assert (place.state / "unfinished-1/Pulumi.yaml").is_file()
    assert not (place.state / "seeding").exists()


def test_what_was_pushed_by_others_is_taken(seeded: Place, git: Git) -> None:
    commit = seeded.push_from_elsewhere(git)
    (seeded.workspace.directory / "__main__.py").write_text("# mine\n", encoding="utf-8")
    seeded.prepare()
    assert git(seeded.workspace.directory, "rev-parse", "HEAD") == commit
    assert seeded.read("__main__.py") == "# mine\n"
    assert [line.partition(": ")[2] for line in seeded.said] == [
        f"took {commit[:12]}, which was pushed to main",
        f"{seeded.workspace.directory} has uncommitted changes in __main__.py: `pulumi up` reads it, Argo CD does not",
    ]


@pytest.mark.parametrize("own", ["commit", "change"])
def test_a_clone_that_cannot_take_what_argo_cd_follows_is_refused(seeded: Place, git: Git, own: str) -> None:
    theirs = seeded.push_from_elsewhere(git)
    if own == "commit":
        commit(git, seeded)
    else:
        (seeded.workspace.directory / "theirs").write_text("mine\n", encoding="utf-8")
    with pytest.raises(EnvironmentProblem) as refused:
        seeded.prepare()
    (said,) = refused.value.findings
    assert said.startswith(f"{seeded.workspace.directory}: lacks commit {theirs[:12]} of main, which Argo CD follows")
    assert "`git pull --rebase`" in said


def test_an_untouched_clone_of_which_nothing_was_made_follows_the_project(place: Place, git: Git) -> None:
    place.prepare()
    place.write_state({"type": "pulumi:pulumi:Stack"})
    (place.project / "__main__.py").write_text("# mended\n", encoding="utf-8")
    place.prepare()
    assert place.read("__main__.py") == "# mended\n"
    assert "encryptionsalt: v1:kept\n" in place.read("Pulumi.local.yaml")
    assert git(place.workspace.repository, "log", "--format=%s", "main") == SEED_MESSAGE


@pytest.mark.parametrize("touched", ["untracked", "commit", "branch", "made", "lost state"])
def test_a_clone_that_was_used_is_not_seeded_again(place: Place, git: Git, touched: str) -> None:
    place.prepare()
    clone = place.workspace.directory
    if touched == "untracked":
        (clone / "notes").write_text("notes\n", encoding="utf-8")
    elif touched == "commit":
        commit(git, place)
    elif touched == "branch":
        git(clone, "checkout", "--quiet", "-b", "other")
        commit(git, place)
        git(clone, "checkout", "--quiet", "main")
    else:
        place.write_state(MADE)
    if touched == "lost state":
        place.prepare()
        shutil.rmtree(place.state / "pulumi")
    (place.project / "__main__.py").write_text("# mended\n", encoding="utf-8")
    before = git(clone, "for-each-ref")
    place.prepare()
    assert git(clone, "for-each-ref") == before
    assert "# mended" not in place.read("__main__.py")


def test_a_broken_project_takes_nothing_away(place: Place) -> None:
    place.prepare()
    (place.project / "Pulumi.local.yaml").write_text("config: {}\n", encoding="utf-8")
    with pytest.raises(GitOpsStackError):
        place.prepare()


def test_another_stack_s_clone_is_refused(seeded: Place) -> None:
    other = Workspace(seeded.workspace.repository, seeded.workspace.directory, "dev")
    engine = Engine(seeded.state, other.directory, "dev", seeded.folder / "bin", {})
    with pytest.raises(EnvironmentProblem, match="is a clone for stack local, and a lab holds one stack"):
        Preparation(other, engine, seeded.project, None, seeded.said.append).run()


@pytest.mark.parametrize("worked", [True, False])
def test_a_clone_that_somebody_worked_in_is_moved_out_of_a_folder_that_goes(
    seeded: Place, git: Git, worked: bool
) -> None:
    if worked:
        commit(git, seeded)
    with (seeded.workspace.directory / "Pulumi.local.yaml").open("a", encoding="utf-8") as file:
        file.write("# as a rehearsal does\n")
    keep_touched_clone(seeded.workspace, seeded.folder / "kept", seeded.said.append)
    assert (seeded.folder / "kept-1/mine").is_file() == worked
    assert seeded.workspace.directory.exists() != worked
