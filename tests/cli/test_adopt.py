"""`adopt` on the command line: read-only, exit codes, both forms of output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from gitops_stack import adoption
from gitops_stack.adoption import Living, build_report, build_wanted, hand_over
from gitops_stack.adoption.hand_over import HandOver
from gitops_stack.cli import adopt
from gitops_stack.manifests import Manifest
from tests.adoption import installations as made
from tests.cli.test_main import run
from tests.stacks import stack_render, stack_settings


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> list[Manifest]:
    """Give the objects of a cluster, which a test may change."""
    found = made.kubectl_client_side(stack_render("local"))
    wanted = build_wanted(stack_settings("local"), stack_render("local"))
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    monkeypatch.setattr(adopt, "open_cluster", lambda *_, **__: nullcontext())
    monkeypatch.setattr(adoption, "look", lambda *_: build_report(Living(home, found), wanted))
    return found


def set_url(objects: list[Manifest]) -> None:
    next(one for one in objects if one["metadata"]["name"] == "argocd-cm")["data"]["url"] = "https://cd.example.com"


def contents(project: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}


def test_a_living_installation_that_loses_nothing_is_named(
    objects: list[Manifest], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert objects
    assert run("adopt", "--stack", "local", "--project", project, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "namespace argocd: Argo CD v3.5.1, kubectl apply's, objects named argocd-…" in said
    assert "nothing is refused and nothing would be lost" in said


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_loss_leaves_with_one_and_writes_nothing(
    options: tuple[str, ...],
    objects: list[Manifest],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_url(objects)
    before = contents(project)
    assert run("adopt", "--stack", "local", "--project", project, *options, monkeypatch=monkeypatch) == 1
    said = capsys.readouterr().err
    assert "lost: ConfigMap argocd/argocd-cm: url is not in the tree" in said
    assert "0 refused, 1 would be lost; --yes writes what Git can keep" in said
    assert contents(project) == before


def test_json_has_the_same_findings(
    objects: list[Manifest], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_url(objects)
    options = ("--project", project, "--output", "json")
    assert run("adopt", "--stack", "local", *options, monkeypatch=monkeypatch) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["clear"], document["written"]) == (False, [])
    assert [one["level"] for one in document["findings"]] == ["lost"]
    assert document["installations"][0]["kind"] == "kubectl-client-side"


def test_yes_and_dry_run_exclude_each_other(
    objects: list[Manifest], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert objects
    options = ("--project", project, "--yes", "--dry-run")
    assert run("adopt", "--stack", "local", *options, monkeypatch=monkeypatch) == 2
    assert "adopt: --yes writes and --dry-run does not; give one of them" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "code", "handed"), [((), 1, False), (("--yes",), 0, True)])
def test_managers_are_listed_or_removed(
    options: tuple[str, ...],
    code: int,
    handed: bool,
    objects: list[Manifest],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert objects
    called: list[str] = []

    def answer(name: str) -> Any:
        def found(_: object, references: Sequence[object]) -> list[HandOver]:
            called.append(name)
            assert references
            return [HandOver("ConfigMap argocd/argocd-cm", ("kubectl (Apply)",), ("data.url",))]

        return found

    monkeypatch.setattr(hand_over, "find_hand_overs", answer("list"))
    monkeypatch.setattr(hand_over, "hand_over_fields", answer("write"))
    monkeypatch.setattr("gitops_stack.live.reading.load_applications", lambda *_: [])
    arguments: tuple[str | Path, ...] = ("--stack", "local", "--project", project, "--remove-managers", *options)
    assert run("adopt", *arguments, monkeypatch=monkeypatch) == code
    assert called == ["write" if handed else "list"]
    assert (
        "ConfigMap argocd/argocd-cm: owned by kubectl (Apply) too; data.url not in Git, and removed by the next sync"
        in capsys.readouterr().out
    )


def test_managers_are_not_removed_while_something_would_be_lost(
    objects: list[Manifest], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_url(objects)
    options = ("--project", project, "--remove-managers", "--yes")
    assert run("adopt", "--stack", "local", *options, monkeypatch=monkeypatch) == 1
    assert "error: ConfigMap argocd/argocd-cm: url is not in the tree" in capsys.readouterr().err
