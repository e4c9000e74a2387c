"""`gitops-stack try` on the command line: what it chooses, refuses and reports. The lab itself is in tests/e2e."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gitops_stack.cli import try_
from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.start_up import Outcome
from gitops_stack.lab.tools import Tools
from gitops_stack.lab.trial import Trial
from gitops_stack.lab.watched_trial import OnTried
from gitops_stack.tree_check.applications import load_tree
from gitops_stack.tree_check.working_tree import WorkingTree
from tests.cli.test_main import run
from tests.tree_check.test_trees import PROJECT, write_files

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LOG = Path("/lab/logs/argocd-application-controller.log")
WELL = Outcome("", "Synced", "Healthy", "well", 3.21, "", LOG)
REFUSED = Outcome("", "Unknown", "Unknown", "failing", 5.0, "InvalidSpecError: Application referencing project x", LOG)

CHART = {"path": None, "chart": "web", "repoURL": "https://charts.example.org", "targetRevision": "1.0.0"}


@pytest.fixture
def shop(repository: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a committed project whose stack dev has the applications guestbook and web."""
    monkeypatch.chdir(repository)
    write_files(
        repository,
        {
            "gitops/dev/projects/shop.yaml": [PROJECT],
            "gitops/dev/apps/web.yaml": [{"base": "application"}],
            "apps/web/web.yaml": [{"base": "configmap"}],
        },
    )
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "web")
    return repository


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Put a run without a lab in the place of the real one; returns what it was called with, and what it finds."""
    seen: dict[str, Any] = {"outcome": WELL}
    tools = Tools(tmp_path_factory.mktemp("tools"))
    monkeypatch.setattr(try_, "build_tools", lambda _step: tools)

    def fake(trial: Trial, _step: object, **options: object) -> None:
        names = [one.spec.name for one in trial.chosen]
        seen.update(names=names, options=options, lab=trial.lab.state.directory)
        trial.commit, trial.seconds = COMMIT, {"control plane": 6.0, "applications": 4.0}
        trial.outcomes = [replace(seen["outcome"], name=name) for name in names]

    monkeypatch.setattr(Trial, "run", fake)
    return seen


def edit(project: Path) -> None:
    write_files(project, {"apps/web/web.yaml": [{"base": "configmap", "data": {"color": "red"}}]})


def test_nothing_changed_is_said_and_starts_no_lab(
    shop: Path, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], git: Any
) -> None:
    head = git(shop, "rev-parse", "HEAD")
    assert run("try", "--stack", "dev", monkeypatch=monkeypatch) == 0
    said = f"no application of stack dev differs from main ({head[:10]}); nothing to try"
    assert capsys.readouterr().out.splitlines() == [said]
    assert "names" not in tried
    assert not (shop / ".lab").exists()


def test_a_change_that_is_not_committed_is_tried(
    shop: Path, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(shop)
    assert run("try", "--stack", "dev", monkeypatch=monkeypatch) == 0
    assert tried["names"] == ["web"]
    assert tried["options"] == {"limit_seconds": 300, "keep": False}
    assert tried["lab"] == shop / ".lab" / "try"
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "application  sync    health   seconds",
        "web          Synced  Healthy  3.2",
        "",
        "1 of 1 well at the working tree, 0123456789, in 10 s",
    ]


def test_a_commit_of_a_branch_is_tried_against_where_it_parted(
    shop: Path, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch, git: Callable[..., str]
) -> None:
    git(shop, "switch", "--quiet", "--create", "topic")
    edit(shop)
    git(shop, "commit", "--quiet", "--all", "--message", "red")
    assert run("try", "-s", "dev", monkeypatch=monkeypatch) == 0
    assert tried["names"] == ["web"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["guestbook"], ["guestbook"]),
        (["--all"], ["guestbook", "web"]),
        (["--base", "base"], ["web"]),
        (["--base", "HEAD"], None),
    ],
)
def test_what_is_asked_for_is_tried(
    arguments: list[str], names: list[str] | None, shop: Path, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.is_dir()
    assert run("try", "-s", "dev", *arguments, monkeypatch=monkeypatch) == 0
    assert tried.get("names") == names


def test_options_reach_the_run(shop: Path, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("try", "web", "-s", "dev", "--keep", "--timeout", "60", "--name", "mine", "--project", shop)
    assert run(*given, monkeypatch=monkeypatch) == 0
    assert tried["options"] == {"limit_seconds": 60, "keep": True}
    assert tried["lab"] == shop / ".lab" / "mine"


def test_an_application_that_is_not_well_leaves_with_1_its_reason_and_its_log(
    shop: Path, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.is_dir()
    tried["outcome"] = REFUSED
    assert run("try", "web", "-s", "dev", "--keep", monkeypatch=monkeypatch) == 1
    said = capsys.readouterr()
    assert f"error: web: InvalidSpecError: Application referencing project x; see {LOG}" in said.err.splitlines()
    assert said.out.splitlines()[-2:] == [
        "0 of 1 well at the working tree, 0123456789, in 10 s",
        'The lab runs: eval "$(gitops-stack lab env --name try)", gitops-stack lab down --name try',
    ]


def test_json_says_the_same(
    shop: Path, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.is_dir()
    tried["outcome"] = REFUSED
    assert run("try", "web", "-s", "dev", "--output", "json", monkeypatch=monkeypatch) == 1
    assert json.loads(capsys.readouterr().out) == {
        "stack": "dev",
        "base": "",
        "commit": COMMIT,
        "well": False,
        "applications": [{**vars(REFUSED), "name": "web", "log": str(LOG)}],
        "own": [],
        "gone": [],
        "seconds": {"control plane": 6.0, "applications": 4.0},
    }


KNOWN = "known are: guestbook, web"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["cart", "-s", "dev"], 2, f"APP: found cart, which is not an application of this tree; {KNOWN}"),
        (
            ["root", "-s", "dev"],
            2,
            f"APP: found root, which is not an application of teams but the library's own; {KNOWN}",
        ),
        (["-s", "nope"], 2, "{shop}/Pulumi.nope.yaml: is missing; stacks found here: dev, local, prd"),
        ([], 2, "--stack: is missing; stacks in {shop}: dev, local, prd"),
        (["-s", "dev", "--base", "nope"], 2, "--base: nope is not a revision here; fetch it, or correct its name"),
        (
            ["web", "-s", "dev", "--all"],
            2,
            "try: found APP and --all; each chooses applications, give one of them",
        ),
        (
            ["-s", "dev", "--all", "--base", "HEAD"],
            2,
            "try: found --base and --all; each chooses applications, give one of them",
        ),
    ],
)
def test_what_cannot_be_tried_is_one_sentence(
    arguments: list[str],
    code: int,
    said: str,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("try", *arguments, monkeypatch=monkeypatch) == code
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert errors == [f"error: {said.replace('{shop}', str(shop))}"]
    assert not (shop / ".lab").exists()


def test_a_tree_that_does_not_render_is_refused_before_a_lab_is_started(
    shop: Path, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "apps/web/web.yaml").write_text("a: [")
    assert run("try", "web", "-s", "dev", monkeypatch=monkeypatch) == 1
    assert "error: apps/web/web.yaml: is not YAML" in capsys.readouterr().err
    assert run("try", "guestbook", "-s", "dev", monkeypatch=monkeypatch) == 0, "which renders all the same"
    assert tried["names"] == ["guestbook"]


def test_a_folder_in_no_repository_is_refused(
    project: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert git(project, "--version")
    assert run("try", "--all", "-s", "dev", "-C", project, monkeypatch=monkeypatch) == 2
    said = f"error: {project}: is not in a Git repository, and Argo CD reads from one; run `git init` there"
    assert capsys.readouterr().err.splitlines() == [said]


def test_a_followed_commit_is_refused(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shop / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("platform.git\n", f"platform.git\n    revision: {COMMIT}\n"))
    assert run("try", "--all", "-s", "dev", monkeypatch=monkeypatch) == 2
    said = f"error: gitops.revision: found the commit {COMMIT}; a try can play a branch only"
    assert capsys.readouterr().err.splitlines() == [said]


def test_a_missing_library_is_named_with_its_remedy(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.is_dir()
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert run("try", "--all", "-s", "dev", monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: try: the played repository host needs a certificate; install what makes it with: "
        "pip install 'gitops-stack[lab]'"
    ]


def test_an_application_outside_of_argo_cd_s_namespace_is_refused(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(shop, {"gitops/dev/apps/web.yaml": [{"base": "application", "metadata": {"namespace": "shop"}}]})
    assert run("try", "web", "-s", "dev", monkeypatch=monkeypatch) == 1
    assert (
        "Application web: is in namespace shop; the lab's controllers look at argocd alone" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "edited",
    [
        {"apps/web/Chart.yaml": [{"apiVersion": "v2", "name": "web", "version": "0.1.0"}]},
        {"gitops/dev/apps/web.yaml": [{"base": "application", "spec": {"source": CHART}}]},
    ],
    ids=["here", "elsewhere"],
)
@pytest.mark.parametrize("helm", [False, True])
def test_a_chart_without_helm_is_refused_before_a_lab_is_started(
    edited: dict[str, Any],
    helm: bool,
    shop: Path,
    tried: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_files(shop, edited)
    which = shutil.which
    place = shop.parent / "helm"
    place.write_text("#!/bin/sh\n")
    place.chmod(0o755)
    found = str(place) if helm else None
    monkeypatch.setattr(shutil, "which", lambda name: found if name == "helm" else which(name))
    assert run("try", "web", "-s", "dev", monkeypatch=monkeypatch) == (0 if helm else 2)
    said = "PATH: no helm found, which Argo CD renders web with; install it, or name others"
    assert (said in capsys.readouterr().err) is not helm
    assert ("names" in tried) is helm


@pytest.mark.usefixtures("tried")
def test_what_the_machine_lacks_to_render_all_is_said(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = load_tree

    def load_lacking(folder: Path, settings: Any) -> Any:
        tree = load(folder, settings)
        tree.lacking.append("PATH: found no kustomize; install it")
        return tree

    monkeypatch.setattr(try_, "load_tree", load_lacking)
    assert run("try", "web", "-s", "dev", "-C", shop, monkeypatch=monkeypatch) == 0
    assert "not compared: PATH: found no kustomize; install it\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("programs", "built", "taken"),
    [(("kustomize",), True, False), (("kubectl",), False, False), (("kubectl",), True, True), ((), False, True)],
)
def test_the_lab_s_tools_render_what_kubectl_cannot_once_they_are_built(
    programs: tuple[str, ...], built: bool, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name if name in programs else None)
    monkeypatch.setattr(try_, "load_tool_cache", lambda: SimpleNamespace(missing=lambda: [] if built else ["helm"]))
    monkeypatch.setattr(try_, "build_tools", lambda _: Tools(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin")
    assert (try_.find_tools(print) is not None) is taken
    assert os.environ["PATH"].startswith(str(tmp_path)) is taken


def test_a_base_whose_stack_file_is_wrong_makes_everything_new(
    shop: Path, git: Callable[..., str], tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = (shop / "Pulumi.dev.yaml").read_text()
    (shop / "Pulumi.dev.yaml").write_text("config: {}\n")
    git(shop, "commit", "--quiet", "--all", "--message", "broken")
    (shop / "Pulumi.dev.yaml").write_text(good)
    assert run("try", "-s", "dev", monkeypatch=monkeypatch) == 0
    assert tried["names"] == ["guestbook", "web"]


@pytest.mark.usefixtures("tried")
def test_saved_files_are_tried_until_it_is_ended(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[Callable[[], object]] = [
        lambda: edit(shop),
        lambda: (shop / "Pulumi.dev.yaml").write_text("config: ["),
        lambda: (shop / "Pulumi.dev.yaml").write_text(written),
    ]
    written = (shop / "Pulumi.dev.yaml").read_text()

    def wait(_: object) -> bool:
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()
        return True

    names: list[list[str]] = []

    def fake(trials: Iterable[Trial], _step: object, report: OnTried, **options: object) -> None:
        assert options == {"limit_seconds": 300, "keep": False}
        for trial in trials:
            names.append([one.spec.name for one in trial.chosen])
            trial.commit = COMMIT
            trial.outcomes = [replace(WELL, name=name) for name in names[-1]]
            report(trial, GitOpsStackError("Namespace x: the API server refuses it") if len(names) > 1 else None)

    monkeypatch.setattr(try_, "run_trials", fake)
    monkeypatch.setattr(WorkingTree, "wait_for_change", wait)
    assert run("try", "--stack", "dev", "--watch", monkeypatch=monkeypatch) == 130
    assert names == [["web"], ["web"]]
    said = capsys.readouterr()
    assert "nothing to try" in said.out.splitlines()[0]
    assert said.out.count("1 of 1 well at the working tree") == 1
    assert said.err.count("not tried: Pulumi.dev.yaml") == 1
    assert said.err.count("error: Namespace x: the API server refuses it") == 1


@pytest.mark.usefixtures("shop")
def test_what_never_ends_is_no_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("try", "--stack", "dev", "--watch", "--output", "json", monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == "error: try: found --watch and --output json; give one of them\n"
