"""`update`: later template changes arrive by merge, changes of one's own stay, conflicts are said."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.scaffold import engine
from gitops_stack.scaffold.template_versions import VERSIONS
from gitops_stack.scaffold.update import update_project
from tests.scaffold.conftest import commit, snapshot

pytestmark = pytest.mark.usefixtures("real_git")


@pytest.fixture
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the shipped versions and add one to them that changes, adds and drops files."""
    folder = tmp_path_factory.mktemp("templates") / "versions"
    shutil.copytree(VERSIONS, folder)
    new = folder / "v2"
    shutil.copytree(folder / "v1", new)
    for answers in new.rglob("*answers_file*"):
        answers.write_text(answers.read_text().replace("'v1'", "'v2'"))
    check = new / "platform/.github/workflows/check.yml.jinja"
    check.write_text(check.read_text().replace("timeout-minutes: 15", "timeout-minutes: 20"))
    readme = new / "platform/README.md.jinja"
    readme.write_text(readme.read_text().replace("## Every day", "## Every working day"))
    stack = new / "platform/Pulumi.dev.yaml.jinja"
    stack.write_text(stack.read_text().replace("natGateways: 1", "natGateways: 3"))
    (new / "platform/CODEOWNERS.jinja").write_text("* @[[ repository.split('/')[0] ]]/platform\n")
    (new / "platform/.gitignore.jinja").unlink()
    return folder


def test_a_later_template_is_merged_and_one_s_own_changes_stay(laid_out: Path, versions: Path) -> None:
    check = laid_out / ".github/workflows/check.yml"
    check.write_text(check.read_text().replace("name: check\n", "name: checks\n"))
    (laid_out / "gitops/workloads/guestbook/base/service.yaml").unlink()
    stack = laid_out / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("10.20.0.0/16", "10.99.0.0/16"))
    commit(laid_out)
    before = snapshot(laid_out)
    found = update_project(laid_out, {}, defaults=True, versions=versions)
    assert (found.before, found.after, found.conflicts) == ("v1", "v2", ())
    wanted = {".copier-answers.yml", ".github/workflows/check.yml", ".gitignore", "CODEOWNERS", "README.md"}
    assert set(found.changed) == wanted
    assert "name: checks\n" in check.read_text()
    assert "timeout-minutes: 20" in check.read_text()
    assert (laid_out / "CODEOWNERS").read_text() == "* @acme/platform\n"
    assert not (laid_out / ".gitignore").exists()
    after = snapshot(laid_out)
    kept = {path for path in before if path.startswith(("gitops/", "Pulumi."))}
    assert {path for path in after if path.startswith(("gitops/", "Pulumi."))} == kept
    assert {path: after[path] for path in kept} == {path: before[path] for path in kept}, (
        "stacks and trees are the team's"
    )
    commit(laid_out)
    assert update_project(laid_out, {}, defaults=True, versions=versions).changed == ()


def test_remotes_of_a_person_s_own_settings_are_not_fetched(
    laid_out: Path, versions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text(f'[user]\nname = a\nemail = a@localhost\n[remote "other"]\nurl = {tmp_path}/nowhere.git\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    commit(laid_out)
    assert update_project(laid_out, {}, defaults=True, versions=versions).after == "v2"


def test_changes_that_meet_are_left_between_markers_and_named(laid_out: Path, versions: Path) -> None:
    readme = laid_out / "README.md"
    readme.write_text(readme.read_text().replace("## Every day", "## Daily"))
    commit(laid_out.parent)  # a folder of a larger repository; paths are told from the folder on
    found = update_project(laid_out, {}, defaults=True, versions=versions)
    assert found.conflicts == ("README.md",)
    assert "README.md" in found.changed
    text = readme.read_text()
    for part in ("<<<<<<< before updating", "## Daily", "## Every working day", ">>>>>>> after updating"):
        assert part in text
    status = subprocess.run(["git", "status", "--porcelain"], cwd=laid_out, capture_output=True, text=True, check=True)
    assert f"UU {laid_out.name}/README.md" in status.stdout


@pytest.mark.parametrize("edited", [False, True])
def test_a_file_with_windows_breaks_is_merged_line_by_line(laid_out: Path, versions: Path, edited: bool) -> None:
    readme = laid_out / "README.md"
    text = readme.read_text().replace("## Every day", "## Daily" if edited else "## Every day") + "Our own line.\n"
    readme.write_bytes(text.replace("\n", "\r\n").encode())
    commit(laid_out.parent if edited else laid_out)  # of a larger repository, too
    found = update_project(laid_out, {}, defaults=True, versions=versions)
    assert found.conflicts == (("README.md",) if edited else ())
    content = readme.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n")
    assert content.count(b"Our own line.") == 1
    assert b"## Every working day\r\n" in content
    assert (b"<<<<<<< before updating" in content) == edited
    assert not [*laid_out.glob(".merge_file*"), *laid_out.parent.glob(".merge_file*")]


def test_a_new_release_of_the_library_moves_the_pin(laid_out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(laid_out)
    for module in ("engine", "update"):
        monkeypatch.setattr(f"gitops_stack.scaffold.{module}.installed_version", lambda _: "9.9.9")
    found = update_project(laid_out, {}, defaults=True)
    assert (found.before, found.after) == ("v1", "v1")
    assert set(found.changed) == {".copier-answers.yml", "requirements.txt"}
    pin = (laid_out / "requirements.txt").read_text().splitlines()[-1]
    assert pin == "gitops-stack[rehearse]==9.9.9", "try and rehearse need the extra"


def test_a_dirty_worktree_is_refused_and_left_as_it_is(laid_out: Path, versions: Path) -> None:
    commit(laid_out)
    (laid_out / "README.md").write_text("mine\n")
    (laid_out / "new.txt").write_text("mine\n")
    before = snapshot(laid_out)
    with pytest.raises(GitOpsStackError) as raised:
        update_project(laid_out, {}, defaults=True, versions=versions)
    said = f"{laid_out}: has changes that are not committed: README.md, new.txt; commit or stash them, then update"
    assert raised.value.findings == (said,)
    assert snapshot(laid_out) == before


def test_no_git_repository_is_said(laid_out: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="is no git repository; `git init`, commit, and update again"):
        update_project(laid_out, {}, defaults=True)


def test_a_folder_that_init_did_not_make_is_said(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="works where `gitops-stack init` has worked"):
        update_project(tmp_path, {}, defaults=True)
    (tmp_path / engine.ANSWERS).write_text("<<<<<<<: [")
    with pytest.raises(GitOpsStackError, match="is not YAML; restore it from git"):
        update_project(tmp_path, {}, defaults=True)
    (tmp_path / engine.ANSWERS).write_text("_commit: v1\n_src_path: gh:acme/other\n")
    with pytest.raises(GitOpsStackError, match=r"found gh:acme/other; needs package://gitops-stack/template\.git"):
        update_project(tmp_path, {}, defaults=True)


def test_a_repository_made_by_a_later_release_is_refused(laid_out: Path) -> None:
    answers = laid_out / engine.ANSWERS
    answers.write_text(answers.read_text().replace("_commit: v1", "_commit: v7"))
    commit(laid_out)
    with pytest.raises(GitOpsStackError, match="was made from template v7, this gitops-stack knows v1; upgrade"):
        update_project(laid_out, {}, defaults=True)


def test_a_wrong_answer_is_said_before_anything_is_merged(laid_out: Path) -> None:
    commit(laid_out)
    before = snapshot(laid_out)
    with pytest.raises(GitOpsStackError, match="answers: colour: is not a known question"):
        update_project(laid_out, {"colour": "red"}, defaults=True)
    assert snapshot(laid_out) == before
