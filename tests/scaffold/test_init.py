"""`init`: what is laid out works at once, and nothing that exists is ever overwritten."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from pathlib import Path

import jsonschema
import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.files import check_tree, write_tree
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.scaffold.answers import load_answers
from gitops_stack.scaffold.init import init_project
from gitops_stack.scaffold.promotion import load_promotion_order
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.schema import render_schema
from gitops_stack.testing import record_program
from tests.scaffold.conftest import snapshot
from tests.stacks import ROOT

pytestmark = pytest.mark.usefixtures("real_git")

LAYOUTS: dict[str, dict[str, object]] = {
    "monorepo": {"layout": "monorepo"},
    "gitlab": {"layout": "monorepo", "forge": "gitlab"},
    "existing": {"provider": "existing", "stacks": "[dev, prd]", "sample": "false"},
    "local": {"stacks": ["local"], "forge": "gitlab", "team": "shop"},
}


def yaml_files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*.y*ml") if "chart" not in file.parts]


def check_stacks(folder: Path, stacks: list[str]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(render_schema()))
    assert sorted(file.name for file in folder.glob("Pulumi.*.yaml")) == sorted(
        f"Pulumi.{name}.yaml" for name in stacks
    )
    for stack in stacks:
        settings = load_stack_file(folder, stack)
        assert check_tree(settings, folder / settings.tree_path) == []
        document = load_documents((folder / f"Pulumi.{stack}.yaml").read_text())[0]
        assert [error.message for error in validator.iter_errors(document)] == []
        for workload in settings.workloads.values():
            assert (folder / workload.path / "kustomization.yaml").is_file()


def test_the_defaults_give_fresh_trees_and_stack_files_of_the_schema(made: Path) -> None:
    check_stacks(made, ["local", "dev", "prd"])
    assert load_promotion_order(made) == ["dev", "prd"]
    assert {file.name for file in (made / ".github/workflows").iterdir()} == {
        "check.yml", "promote.yml", "up.yml",
    }  # fmt: skip
    assert not (made / ".gitlab-ci.yml").exists()
    assert not (made / "apps").exists()


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_whole(name: str, tmp_path: Path) -> None:
    layout = init_project(tmp_path / "new", LAYOUTS[name], defaults=True)
    check_stacks(tmp_path / "new", list(layout.stacks))
    gitlab = LAYOUTS[name].get("forge") == "gitlab"
    assert (tmp_path / "new/.gitlab-ci.yml").exists() == gitlab
    assert (tmp_path / "new/.github").exists() != gitlab
    assert (tmp_path / "new/apps").exists() == (LAYOUTS[name].get("layout") == "monorepo")
    for file in yaml_files(tmp_path / "new"):
        assert load_documents(file.read_text()), file
    leftovers = [path for path, text in snapshot(tmp_path / "new").items() if b"[[ " in text or b"[%" in text]
    assert leftovers == []


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_an_application_repository_has_pipelines_and_no_stacks(forge: str, tmp_path: Path) -> None:
    answers = {"layout": "application", "forge": forge, "repository": "acme/cart"}
    layout = init_project(tmp_path, answers, defaults=True)
    pipeline = {"github": ".github/workflows/image.yml", "gitlab": ".gitlab-ci.yml"}[forge]
    assert set(layout.written) == {".copier-answers.yml", ".gitignore", "README.md", pipeline}
    text = (tmp_path / pipeline).read_text()
    assert 'gitops-stack image set "cart=$DIGEST" --stack dev' in text
    assert "acme/platform" in text
    assert load_documents(text)


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_a_repository_of_a_chart_has_the_chart_and_a_pipeline_that_proposes_its_version(
    forge: str, tmp_path: Path
) -> None:
    answers = {"layout": "chart", "forge": forge, "repository": "acme/cart"}
    layout = init_project(tmp_path, answers, defaults=True)
    pipeline = {"github": ".github/workflows/chart.yml", "gitlab": ".gitlab-ci.yml"}[forge]
    chart = {f"chart/{name}" for name in ("Chart.yaml", "values.yaml")}
    chart |= {f"chart/templates/{name}.yaml" for name in ("deployment", "disruption-budget", "service")}
    assert set(layout.written) == {".copier-answers.yml", ".gitignore", "README.md", "publish.sh", pipeline, *chart}
    text = (tmp_path / pipeline).read_text()
    (call,) = re.findall(r'gitops-stack chart set "cart=\$VERSION" --stack dev.*\n? *--.*', text)
    assert '--source-revision "$' in call
    assert "--author " in call
    assert load_documents(text)
    assert load_documents((tmp_path / "chart/Chart.yaml").read_text())[0]["name"] == "cart"
    assert "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/charts/cart" in (tmp_path / "README.md").read_text()


def test_a_promotion_by_hand_builds_and_rolls_out_nothing_at_gitlab(tmp_path: Path) -> None:
    init_project(tmp_path, {"layout": "monorepo", "forge": "gitlab"}, defaults=True)
    jobs = load_documents((tmp_path / ".gitlab-ci.yml").read_text())[0]
    for name in ("image", "propose"):  # `changes` is true in a pipeline that no push started
        assert [rule["if"] for rule in jobs[name]["rules"]] == [
            '$CI_COMMIT_BRANCH == "main" && $CI_PIPELINE_SOURCE == "push"'
        ]
    assert jobs["up"]["rules"][0] == {"if": "$APPLICATION", "when": "never"}
    assert jobs["promote"]["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "web" && $APPLICATION'}]


@pytest.mark.parametrize("layout", ["platform", "monorepo", "application"])
@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_pipelines_that_commit_say_who_commits(forge: str, layout: str, tmp_path: Path) -> None:
    made = init_project(tmp_path, {"layout": layout, "forge": forge}, defaults=True)  # a runner's git knows nobody
    texts = [(tmp_path / name).read_text().replace("\\\n", " ") for name in made.written if name.endswith(".yml")]
    calls = [call for text in texts for call in re.findall(r"gitops-stack (?:image set|promote) .*(?:\n +--.*)*", text)]
    verbs = {"platform": {"promote"}, "monorepo": {"image", "promote"}, "application": {"image", "promote"}}[layout]
    assert {call.split()[1] for call in calls} == (verbs if forge == "gitlab" or layout != "application" else {"image"})
    author = {"github": '"github-actions[bot] <', "gitlab": "$GITLAB_USER_NAME <$GITLAB_USER_EMAIL>"}[forge]
    assert all("--author " in call for call in calls)
    assert sum(text.count(author) for text in texts) == len(calls)


def test_the_program_runs_under_mocks(laid_out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed, stack = ROOT / "gitops/local/argocd", laid_out / "Pulumi.local.yaml"
    argocd = "gitops-stack:argocd"
    text, ours = StackText.load(stack), StackText.load(ROOT / "Pulumi.local.yaml")
    for key in ("accounts", "rbac", "notifications"):  # what this project's own stack shows
        text.set((argocd, key), ours.value(argocd, key))
    text.write(stack)
    settings = load_stack_file(laid_out, "local")
    write_tree(settings, laid_out / settings.tree_path)
    for file in committed.rglob("*.yaml"):  # the kept render and its lock belong to these very bytes
        if file.name != "lock.yaml":
            assert (laid_out / file.relative_to(ROOT)).read_bytes() == file.read_bytes(), file
    shutil.copy(committed / "lock.yaml", laid_out / "gitops/local/argocd")
    monkeypatch.chdir(laid_out)
    config = load_documents((laid_out / "Pulumi.local.yaml").read_text())[0]["config"]
    registered = record_program(
        lambda: runpy.run_path(str(laid_out / "__main__.py")), stack="local", config=config, preview=True
    )
    assert {"root", "argocd"} <= {found.inputs.get("metadata", {}).get("name") for found in registered}


def test_program_and_declared_settings_are_this_project_s(made: Path) -> None:
    for name in ("__main__.py", "Pulumi.yaml"):
        assert (made / name).read_text() == (ROOT / name).read_text(), f"{name}: the template's copy is older"


def test_a_second_init_has_nothing_to_do(laid_out: Path) -> None:
    before = snapshot(laid_out)
    layout = init_project(laid_out, {}, defaults=True)
    assert layout.written == layout.kept == ()
    assert snapshot(laid_out) == before


def test_files_in_the_way_are_named_in_one_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("ours\n")
    (tmp_path / "Pulumi.yaml").mkdir()
    (tmp_path / "gitops").write_text("a file\n")
    before = snapshot(tmp_path)
    with pytest.raises(GitOpsStackError) as raised:
        init_project(tmp_path, {"stacks": "[dev]"}, defaults=True)
    (finding,) = raised.value.findings
    assert finding.startswith(
        f"{tmp_path}: has files that init would write otherwise: Pulumi.yaml, README.md, gitops/dev/"
    )
    assert finding.endswith("; nothing was written; move them away, or keep them with --only-missing")
    assert snapshot(tmp_path) == before


def test_only_missing_keeps_what_is_there_and_writes_the_rest(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("ours\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/code.py").write_text("1\n")
    layout = init_project(tmp_path, {}, defaults=True, only_missing=True)
    assert layout.kept == ("README.md",)
    assert (tmp_path / "README.md").read_text() == "ours\n"
    assert "src/code.py" not in layout.written
    check_stacks(tmp_path, ["local", "dev", "prd"])


def test_only_missing_leaves_the_tree_of_a_stack_file_that_is_there_to_render(laid_out: Path) -> None:
    shutil.rmtree(laid_out / "gitops/dev")
    file = laid_out / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("storefront", "shop"))
    layout = init_project(laid_out, {}, defaults=True, only_missing=True)
    assert layout.kept == ("Pulumi.dev.yaml",)
    assert not (laid_out / "gitops/dev").exists()


def test_other_files_of_an_existing_repository_are_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text("package main\n")
    init_project(tmp_path, {"layout": "application"}, defaults=True)
    assert (tmp_path / "main.go").read_text() == "package main\n"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"layuot": "monorepo"}, "answers: layuot: is not a known question; known here: layout, forge, "),
        ({"dev_account": "12"}, "needs the 12 digits of an AWS account"),
        ({"team": "platform"}, "needs another name: this one is reserved"),
        ({"layout": "triple"}, "triple"),
        ({"sample": "maybe"}, "answers: sample: found maybe; needs true or false"),
        ({"stacks": "3"}, "answers: stacks: found 3; needs a list of local, dev, prd, as local,dev,prd"),
        ({"stacks": 3}, "answers: stacks: found 3; needs a list of local, dev, prd, as local,dev,prd"),
        ({"stacks": "[qa]"}, "answers: stacks: found [qa]; needs a list of local, dev, prd, as local,dev,prd"),
        ({"stacks": "[dev"}, "answers: stacks: found [dev; needs a list of local, dev, prd, as local,dev,prd"),
        ({"stacks": []}, "answers: stacks: found []; needs a list of local, dev, prd, as local,dev,prd"),
        ({"stacks": "dev,"}, "answers: stacks: found dev,; needs a list of local, dev, prd, as local,dev,prd"),
        ({"team": None}, "answers: team: found None; needs one value"),
        ({"team": ["a"]}, "answers: team: found ['a']; needs one value"),
        (
            {"app": "cart"},
            "answers: app: is asked only where layout in ['application', 'chart']; leave it out, or change that answer",
        ),
        (
            {"stacks": "local", "provider": "eks"},
            "answers: provider: is asked only where layout not in ['application', 'chart'] and stacks != ['local']; "
            "leave it out",
        ),
        ({"repository": "platform"}, "needs OWNER/NAME"),
        (
            {"argocd_version": "3.5", "argocd_commit": "abc"},
            "Pulumi.local.yaml: gitops-stack:argocd.version: found 3.5",
        ),
    ],
)
def test_a_wrong_answer_is_said_and_nothing_is_written(answers: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(GitOpsStackError) as raised:
        init_project(tmp_path / "new", answers, defaults=True)
    assert said in str(raised.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("typed", ["dev,prd", "prd, dev", "[dev, prd]", '["dev","prd"]'])
def test_stacks_may_be_typed_as_the_other_commands_take_them(typed: str, tmp_path: Path) -> None:
    layout = init_project(tmp_path / "new", {"stacks": typed, "sample": "no"}, defaults=True)
    assert layout.stacks == ("dev", "prd")
    assert not (tmp_path / "new/gitops/workloads").exists()


def test_questions_without_a_terminal_end_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "input").open("w+") as closed:
        monkeypatch.setattr("sys.stdin", closed)
        with pytest.raises(EnvironmentProblem, match=r"init: there is no terminal to ask on; give --defaults"):
            init_project(tmp_path / "new", {}, defaults=False)


def test_answers_come_from_a_file_without_the_engine_s_own_keys(tmp_path: Path, made: Path) -> None:
    recorded = load_answers(made / ".copier-answers.yml")
    assert recorded["stacks"] == ["local", "dev", "prd"]
    assert not {"_commit", "_src_path", "library_version"} & recorded.keys()
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(GitOpsStackError, match="found no map"):
        load_answers(tmp_path / "list.yaml")
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        load_answers(tmp_path / "none.yaml")


def test_init_needs_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    layout = init_project(tmp_path / "new", {"layout": "application"}, defaults=True)
    assert ".copier-answers.yml" in layout.written
