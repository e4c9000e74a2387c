"""State files: copied while they are whole, mended when a full disk or a kill has torn them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.backend import Backend, has_made, load_salt

SALT = {"type": "passphrase", "state": {"salt": "v1:salt"}}


def state(time: str, *resources: dict[str, Any]) -> str:
    latest = {"manifest": {"time": time}, "secrets_providers": SALT, "resources": list(resources)}
    return json.dumps({"version": 3, "checkpoint": {"latest": latest}})


CONFIG = {"type": "kubernetes:core/v1:ConfigMap", "custom": True, "id": "argocd/argocd-cm"}


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    stacks = tmp_path / "pulumi/.pulumi/stacks/acme"
    stacks.mkdir(parents=True)
    (stacks / "local.json").write_text(state("2026-01-02", CONFIG), encoding="utf-8")
    return Backend(tmp_path / "pulumi", tmp_path / "copies")


def file(backend: Backend) -> Path:
    return backend.folder / ".pulumi/stacks/acme/local.json"


def test_a_state_is_read_without_the_engine(backend: Backend) -> None:
    deployment = backend.load_deployment("local")
    assert has_made(deployment)
    assert load_salt(deployment) == "v1:salt"
    assert backend.load_deployment("dev") == {}
    assert backend.find_stacks() == ["local"]


def test_a_stack_of_providers_and_components_has_made_nothing() -> None:
    provider = {"type": "pulumi:providers:kubernetes", "custom": True, "id": "1"}
    assert not has_made({"resources": [{"type": "pulumi:pulumi:Stack"}, provider]})
    assert has_made({"pending_operations": [{"type": "creating"}]})


@pytest.mark.parametrize("torn", ["", '{"version": 3, "checkpoint": {"lat', "[]"], ids=["empty", "half", "other"])
def test_a_torn_state_is_its_newest_whole_copy_again(backend: Backend, torn: str) -> None:
    backend.keep()
    newer = state("2026-01-03", CONFIG)
    file(backend).with_name("local.json.bak").write_text(newer, encoding="utf-8")
    file(backend).write_text(torn, encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        backend.load_deployment("local")
    assert backend.mend() == [f"{file(backend)}: was torn, and is its copy of 2026-01-03 again"]
    assert file(backend).read_text(encoding="utf-8") == newer
    assert backend.mend() == []


def test_a_torn_backup_does_not_win_over_the_copy_from_before_the_run(backend: Backend) -> None:
    kept = file(backend).read_text(encoding="utf-8")
    backend.keep()
    file(backend).with_name("local.json.bak").write_text("{", encoding="utf-8")
    file(backend).write_text("", encoding="utf-8")
    assert len(backend.mend()) == 1
    assert file(backend).read_text(encoding="utf-8") == kept


def test_a_torn_state_is_never_kept_over_a_whole_copy(backend: Backend) -> None:
    backend.keep()
    file(backend).write_text("{", encoding="utf-8")
    backend.keep()
    assert has_made(backend.load_copy("local"))


def test_a_state_without_any_whole_copy_is_moved_aside(backend: Backend) -> None:
    file(backend).write_text("{", encoding="utf-8")
    (said,) = backend.mend()
    assert "so is every copy; it was renamed to local.json.torn" in said
    assert not file(backend).exists()
    assert backend.load_deployment("local") == {}


def test_backups_of_earlier_runs_are_bounded(backend: Backend) -> None:
    backups = backend.folder / ".pulumi/backups/acme/local"
    backups.mkdir(parents=True)
    for number in range(100, 130):
        (backups / f"local.{number}.json").write_text("{}", encoding="utf-8")
        (backups / f"local.{number}.json.attrs").write_text("{}", encoding="utf-8")
    backend.keep()
    left = sorted(found.name for found in backups.iterdir())
    assert left[0] == "local.110.json"
    assert len(left) == 40
