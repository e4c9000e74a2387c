"""Where drills take place: whose lab is broken, and how a documented command is run in it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab.drills import site as module
from gitops_stack.lab.drills.damage import lose_state, rotate_token
from gitops_stack.lab.drills.drill import DOCUMENTED
from gitops_stack.lab.drills.site import Site, clear_earlier, keeping_log
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.state import LabState
from gitops_stack.lab.tools import Tools


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("l")
    return Lab(LabState.open(folder / "drill"), Tools(folder / "tools"))


@pytest.fixture
def site(lab: Lab) -> Site:
    clone = lab.state.directory / "workspace"
    clone.mkdir()
    engine = Engine(lab.state.directory, clone, "local", lab.tools.bin, {})
    report = SimpleNamespace(lab=lab, engine=engine, workspace=SimpleNamespace(directory=clone))
    return Site(cast("Any", report), lambda _line: None, {**DOCUMENTED, "stack": "local"})


def test_a_lab_of_something_else_is_never_broken(lab: Lab) -> None:
    lab.state.etcd.mkdir()
    with pytest.raises(
        EnvironmentProblem, match="is a lab that no drill made, and drills break their lab; give --name"
    ):
        clear_earlier(lab, lambda _line: None)
    assert lab.state.etcd.exists()


def test_the_lab_of_earlier_drills_is_made_anew(lab: Lab) -> None:
    for _ in range(2):
        clear_earlier(lab, lambda _line: None)
        assert not lab.state.etcd.exists()
        lab.state.etcd.mkdir()


def test_what_a_failed_drill_printed_outlives_its_lab(lab: Lab) -> None:
    clear_earlier(lab, lambda _line: None)
    lab.state.log("drill").write_text("$ pulumi up\n", encoding="utf-8")
    with keeping_log(lab):
        clear_earlier(lab, lambda _line: None)
        assert not lab.state.log("drill").exists()
    assert lab.state.log("drill").read_text(encoding="utf-8") == "$ pulumi up\n"


def test_a_failed_command_says_the_engines_errors(site: Site) -> None:
    printed = "  pulumi:pulumi:Stack (a):\\n    error: update failed\\n  b:\\n    error: no\\nDuration: 4s\\n"
    assert site.run(f"printf '{printed}'; exit 1").sentence == "no"
    assert site.run("echo late; exit 1").sentence == "late"


def test_a_command_runs_in_the_clone_with_the_labs_access_and_names(site: Site) -> None:
    ending = site.run(
        'echo "{stack} in $(basename "$PWD"): $KUBECONFIG $PULUMI_SKIP_CONFIRMATIONS" && read x || echo no'
    )
    kubeconfig = site.report.lab.state.kubeconfig
    assert (ending.code, ending.output) == (0, f"local in workspace: {kubeconfig} true\nno\n")
    assert site.log.read_text(encoding="utf-8").startswith('$ echo "local in ')


def test_the_first_command_of_a_line_that_fails_is_how_it_ends(site: Site) -> None:
    ending = site.run("false\necho late")
    assert (ending.code, ending.output) == (1, "")


def test_a_sign_is_waited_for_and_one_that_never_comes_is_a_sentence(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.notice("echo a >> seen; cat seen; test -e no", "a\na")
    monkeypatch.setattr(module, "_NOTICE_SECONDS", 0.2)
    with pytest.raises(GitOpsStackError, match=r"^`echo well` did not say `broken` in 0 s; see .*drill\.log$"):
        site.notice("echo well", "broken")


def test_a_lost_state_is_lost_with_its_copies(site: Site) -> None:
    backend = site.report.engine.backend
    for folder in (backend.folder, backend.copies):
        (folder / ".pulumi").mkdir(parents=True)
    lose_state(site.report.engine)
    assert not (backend.folder / ".pulumi").exists()
    assert not backend.copies.exists()


def test_another_token_is_with_the_host_and_with_the_person_and_nobody_else(site: Site) -> None:
    token, login = site.report.workspace.directory / "token.txt", site.report.lab.state.directory / "git-login"
    seen = set()
    for _ in range(2):
        rotate_token(site)
        given = token.read_text(encoding="utf-8").strip()
        assert login.read_text(encoding="utf-8") == f"git:{given}\n"
        assert [one.stat().st_mode & 0o777 for one in (token, login)] == [0o600, 0o600]
        seen.add(given)
    assert len(seen) == 2
