"""The gates of a promotion: what `requires:` may say, and that a red one stops it before anything is pushed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from gitops_stack.cli import connection, gates, try_
from gitops_stack.cli.gates import Promoted, run_gates
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.live import reading
from gitops_stack.manifests import Manifest
from gitops_stack.scaffold.promotion import Gate, load_gates
from tests.cli.test_delivery import ENTRY, IMAGE, NAME, PRD
from tests.cli.test_delivery import platform as platform_of_a_delivery
from tests.cli.test_main import run
from tests.delivery.conftest import Remote, run_git
from tests.graph.trees import build_manifest, with_status

platform = platform_of_a_delivery
PROMOTED = ("promote", "guestbook", "--from", "dev", "--to", "prd", "--push")


def require(platform: Remote, *written: str) -> None:
    text = "order: [dev, prd]\nrequires:\n  prd:\n" + "".join(f"    - {one}\n" for one in written)
    platform.commit({"gitops/promotion.yaml": text}, "gates")


@pytest.fixture
def deployed(platform: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Remote:
    run("image", "set", f"guestbook={IMAGE}", "--stack", "dev", "--push", monkeypatch=monkeypatch)
    capsys.readouterr()
    return platform


def test_green_gates_let_it_through_and_are_told(
    deployed: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    require(
        deployed,
        "{command: 'grep -q agnhost gitops/workloads/guestbook/overlays/prd/kustomization.yaml && touch left'}",
    )
    assert run(*PROMOTED, monkeypatch=monkeypatch) == 0
    assert "gate `grep -q agnhost" in capsys.readouterr().err
    assert deployed.text(PRD).endswith(ENTRY), "the command saw the new image"
    assert "left" not in run_git(deployed.bare, "ls-tree", "--name-only", "main").split(), "and left nothing behind"


def test_what_a_gate_commits_is_not_pushed(deployed: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    known = "-c user.name=gate -c user.email=gate@localhost"
    require(deployed, f"{{command: 'echo junk > junk; git add -A; git {known} commit -qm gate'}}")
    assert run(*PROMOTED, monkeypatch=monkeypatch) == 0
    assert deployed.text(PRD).endswith(ENTRY)
    assert "gate" not in deployed.log()
    assert "junk" not in run_git(deployed.bare, "log", "--all", "--name-only", "--format=").split()


def test_a_gate_sees_the_new_images_as_a_change_of_its_own_clone(
    deployed: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(deployed, f"{{command: 'test \"$(git diff --name-only)\" = {PRD}'}}")
    assert run(*PROMOTED, monkeypatch=monkeypatch) == 0


def test_a_red_gate_stops_it_with_its_reason_and_nothing_is_pushed(
    deployed: Remote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    require(deployed, "{command: 'true'}", "{command: 'echo the basket is empty >&2; exit 3'}")
    before = deployed.log()
    assert run(*PROMOTED, monkeypatch=monkeypatch) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: gate `echo the basket is empty >&2; exit 3`: left with 3: the basket is empty; "
        "nothing is promoted to prd"
    )
    assert deployed.log() == before
    assert deployed.branches() == ["main"]


def test_stacks_without_gates_need_none(deployed: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "order: [dev, prd]\nrequires: {dev: [{command: 'false'}]}\n"
    deployed.commit({"gitops/promotion.yaml": text}, "gates")
    assert run(*PROMOTED, monkeypatch=monkeypatch) == 0


REQUIRES = [
    ("requires: {prd: [check, status, try, {command: make smoke}]}", ["check", "status", "try", "`make smoke`"]),
    ("requires: {dev: [check]}", []),
    ("", []),
]


@pytest.mark.parametrize(("written", "names"), REQUIRES)
def test_gates_are_read_in_their_order(written: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / "gitops").mkdir()
    (tmp_path / "gitops/promotion.yaml").write_text(f"order: [dev, prd]\n{written}\n")
    assert [gate.name for gate in load_gates(tmp_path, "prd")] == names


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{prd: check}", "requires: needs a list for each stack, such as {prd: [check, status]}"),
        ("[check]", "requires: needs a list for each stack, such as {prd: [check, status]}"),
        ("{prod: [check]}", "requires.prod: is not a stack of order: [dev, prd]; correct the name"),
        ("{dev: [{command: ' '}]}", "requires.dev: found an empty command; needs one such as {command: ./smoke.sh}"),
        ("{dev: [smoke]}", "requires.dev: found 'smoke'; needs check, try, status, or {command: ./smoke.sh}"),
        (
            "{prd: [{command: 1}]}",
            "requires.prd: found {'command': 1}; needs check, try, status, or {command: ./smoke.sh}",
        ),
    ],
)
def test_what_is_no_gate_is_refused(written: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "gitops").mkdir()
    file = tmp_path / "gitops/promotion.yaml"
    file.write_text(f"order: [dev, prd]\nrequires: {written}\n")
    with pytest.raises(GitOpsStackError) as raised:
        load_gates(tmp_path, "prd")
    assert str(raised.value) == f"{file}: {said}"


@pytest.fixture
def living(monkeypatch: pytest.MonkeyPatch) -> list[Manifest]:
    """Have the cluster answer with these Applications."""

    @contextmanager
    def opened(*_: object, **__: object) -> Iterator[None]:
        yield

    found: list[Manifest] = []
    monkeypatch.setattr(connection, "open_cluster", opened)
    monkeypatch.setattr(reading, "load_applications", lambda *_: found)
    monkeypatch.setattr(reading, "load_app_projects", lambda *_: [])
    return found


def running(name: str, *images: str) -> Manifest:
    made = with_status(build_manifest(name))
    made["status"]["summary"] = {"images": list(images)}
    return made


def test_the_status_of_the_stack_before_is_asked(project: Path, living: list[Manifest]) -> None:
    crashed = build_manifest("guestbook", project="storefront")
    living += [with_status(crashed, health="Degraded", message="a pod crashes"), running("web", IMAGE)]
    images = {"guestbook": [IMAGE], "web": [IMAGE], "cart": [IMAGE]}
    with pytest.raises(GitOpsStackError) as raised:
        run_gates([Gate("status")], Promoted(project, "prd", "dev", images), project)
    assert raised.value.findings == (
        "gate status: guestbook of dev is Synced and Degraded: a pod crashes; nothing is promoted to prd",
        "gate status: cart is not in the cluster of dev; nothing is promoted to prd",
    )
    (line,) = run_gates([Gate("status")], Promoted(project, "prd", "dev", {"web": [IMAGE]}), project)
    assert line.startswith("status: green, ")


def test_an_image_that_never_ran_in_the_stack_before_is_red(project: Path, living: list[Manifest]) -> None:
    living += [running("web", f"{NAME}:2.53", "docker.io/library/nginx:1"), with_status(build_manifest("cart"))]
    images = {"web": [IMAGE, "nginx:1", f"{NAME}:2.53"], "cart": ["nginx:1"]}
    with pytest.raises(GitOpsStackError) as raised:
        run_gates([Gate("status")], Promoted(project, "prd", "dev", images), project)
    runs = f"{NAME}:2.53, docker.io/library/nginx:1"
    assert raised.value.findings == (
        f"gate status: no Pod of web in dev runs {IMAGE}; it runs {runs}; nothing is promoted to prd",
        "gate status: no Pod of cart in dev runs nginx:1; it runs no image; nothing is promoted to prd",
    )


def test_a_chart_that_the_stack_before_is_not_synced_to_is_red(project: Path, living: list[Manifest]) -> None:
    lone, several = running("web"), running("cart")
    lone["status"]["sync"]["comparedTo"] = {"source": {"chart": "web", "targetRevision": "1.0.0"}}
    several["status"]["sync"]["comparedTo"] = {"sources": [{"ref": "values"}, {"path": "charts/cart/2.0.0"}]}
    living += [lone, several]
    charts = {"web": [{"targetRevision": "1.1.0"}], "cart": [{"path": "charts/cart/2.0.0"}]}
    with pytest.raises(GitOpsStackError) as raised:
        run_gates([Gate("status")], Promoted(project, "prd", "dev", {}, charts), project)
    assert raised.value.findings == (
        "gate status: web of dev is not synced to 1.1.0; wait for Argo CD, or look at its status; nothing is promoted "
        "to prd",
    )


def test_the_gate_asks_for_the_images_that_are_promoted(
    deployed: Remote, living: list[Manifest], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    require(deployed, "status")
    living.append(running("guestbook", f"{NAME}:2.53"))
    assert run(*PROMOTED, monkeypatch=monkeypatch) == 1
    assert f"no Pod of guestbook in dev runs {IMAGE}; it runs {NAME}:2.53; " in capsys.readouterr().err
    living[:] = [running("guestbook", IMAGE)]
    assert run(*PROMOTED, monkeypatch=monkeypatch) == 0
    assert deployed.text(PRD).endswith(ENTRY)


def test_the_checks_of_the_stack_it_goes_to_are_asked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    promoted = Promoted(Path(), "dev", "local", {"guestbook": []})
    assert run_gates([Gate("check")], promoted, project)
    (project / "gitops/dev/apps/broken.yaml").write_text("apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n")
    with pytest.raises(
        GitOpsStackError, match=r"^gate check: gitops/dev/apps/broken\.yaml: .*; nothing is promoted to dev"
    ):
        run_gates([Gate("check")], promoted, project)


@pytest.mark.parametrize("name", ["check", "try"])
def test_what_renders_the_project_is_refused_where_the_images_are_elsewhere(
    name: str, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("repository")
    with pytest.raises(EnvironmentProblem) as raised:
        run_gates([Gate(name)], Promoted(project, "prd", "dev", {"guestbook": []}), elsewhere)
    said = f"gate {name}: {project} does not hold the new images, which are in --repository; use a command instead"
    assert str(raised.value) == said


def test_a_try_that_fails_is_red(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def fail(names: list[str], **options: object) -> None:
        asked.update(options, names=names)
        raise typer.Exit(1)

    monkeypatch.setattr(try_, "try_applications", fail)
    with pytest.raises(GitOpsStackError, match=r"^gate try: guestbook did not become Synced and Healthy in the lab"):
        run_gates([Gate("try")], Promoted(project, "prd", "dev", {"guestbook": []}), project)
    assert asked == {"names": ["guestbook"], "stack": "prd", "project": project}


def test_a_command_that_never_ends_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "_COMMAND_SECONDS", 0.05)
    with pytest.raises(GitOpsStackError, match="did not end in 0 s"):
        run_gates([Gate("`sleep 9`", "exec sleep 9")], Promoted(tmp_path, "prd", "dev", {}), tmp_path)
