"""Sources rendered by the library and by the code of Argo CD's repo-server: equal objects, or both refuse."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.manifest_file import is_manifest
from gitops_stack.lab.tools import build_tools
from gitops_stack.tree_check.bounds import list_outside_links
from gitops_stack.tree_check.directory import flatten
from gitops_stack.tree_check.json_form import NotJSONError, build_json_form
from gitops_stack.tree_check.render import render_source
from gitops_stack.tree_check.source import Request, SourceTools
from tests.cases import load_cases
from tests.e2e.repo_server import render_by_argo_cd
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e

CASES = load_cases("sources")
REPOSITORY = "https://git.example.com/acme/platform"
KUBERNETES = "1.35.2"


def write_repository(case: dict[str, Any], root: Path) -> None:
    """Write the repository of a case; whoever renders may edit it."""
    (root / ".git").mkdir(parents=True)
    for name, text in {**case["files"], **case.get("also", {})}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    for name, target in case.get("links", {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)


def build_source(case: dict[str, Any]) -> dict[str, Any]:
    return {"repoURL": REPOSITORY, "path": "app", **case.get("source", {})}


def build_question(case: dict[str, Any], root: Path) -> dict[str, Any]:
    """Build what Argo CD's code is asked."""
    return {
        "Root": str(root), "App": case.get("app", "web"), "Namespace": "shop", "Project": "team",
        "Source": build_source(case), "Several": case.get("several", False),
        "Refs": {name: str(root / place) for name, place in case.get("refs", {}).items()},
        "BuildOptions": case.get("buildOptions", ""), "KubeVersion": KUBERNETES,
        "Disabled": case.get("disabled", []),
    }  # fmt: skip


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Put the lab's kustomize, helm and jsonnet first on PATH, beside a cache of this run's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
        folder = tmp_path_factory.mktemp("home")
        for name in ("CACHE", "CONFIG", "DATA"):
            patch.setenv(f"HELM_{name}_HOME", str(folder / name))
        yield build_caller_environment()


@pytest.fixture(scope="module")
def answers(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Render every case with Argo CD's code, in one process."""
    questions = {}
    for parameter in CASES:
        root = tmp_path_factory.mktemp("repository")
        case = parameter.values[0]
        write_repository(case, root / "source")
        questions[str(parameter.id)] = build_question(case, root / "source")
    made = render_by_argo_cd(list(questions.values()), environment)
    return dict(zip(questions, made, strict=True))


def canonical(objects: list[Any]) -> list[str]:
    """Order objects and write numbers as Go's JSON reader sees them: 1.0 is 1."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return build_json_form({key: plain(inner) for key, inner in value.items()})
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            return float(value)
        return int(value) if isinstance(value, float) and abs(value) < 2**63 and value.is_integer() else value

    return sorted(json.dumps(plain(one), sort_keys=True, default=str) for one in objects)


def is_readable(document: Any) -> bool:
    """Tell whether an object is one; `check` says what is wrong with another, which fails the source in Argo CD."""
    try:
        return is_manifest(build_json_form(document))
    except NotJSONError:
        return False


@pytest.mark.parametrize("case", CASES)
def test_a_source_renders_as_in_argo_cd(
    case: dict[str, Any],
    request: pytest.FixtureRequest,
    answers: dict[str, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    root = tmp_path / "source"
    write_repository(case, root)
    theirs = answers[request.node.callspec.id]
    source = build_source(case)
    folder = root / source["path"]
    if not folder.is_dir():
        assert theirs["error"]
        return
    tools = SourceTools(
        case.get("buildOptions", ""),
        frozenset(kind.lower() for kind in case.get("disabled", [])),
        KUBERNETES,
        versions=frozenset(),
    )
    refs = tuple((name, root / place) for name, place in case.get("refs", {}).items())
    app = case.get("app", "web")
    request_of_ours = Request(
        folder, source, app.rpartition("_")[2], "shop", instance=app, project="team", root=root, refs=refs,
        several=case.get("several", False), tools=tools,
    )  # fmt: skip
    ours = render_source(request_of_ours)
    assert ours.skipped == ""
    assert not list(root.rglob("kustomization.yaml.bak"))
    (root / ".git").rmdir()  # no clone: a link counts wherever it is
    assert bool(list_outside_links(root)) == ("out of bounds symlink" in theirs["error"])
    objects = [document for _, document in flatten(ours.documents)]
    refused = bool(ours.failed or list_outside_links(root)) or not all(map(is_readable, objects))
    answer = "refused" if refused else canonical(objects)
    if "differs" in case:
        assert answer != ("refused" if theirs["error"] else canonical(theirs["objects"]))
        return
    assert refused == bool(theirs["error"]), (ours.failed, theirs["error"])
    assert refused or answer == canonical(theirs["objects"])


def test_rendering_leaves_the_repository_as_it_was(environment: dict[str, str], tmp_path: Path) -> None:
    assert shutil.which("kustomize", path=environment["PATH"])
    case = next(one.values[0] for one in CASES if one.id == "kustomize: all at once")
    write_repository(case, tmp_path / "source")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    request = Request(tmp_path / "source/app", build_source(case), "web", "shop", root=tmp_path / "source")
    assert render_source(request).documents
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
