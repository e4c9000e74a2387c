"""The lock: independent of formatting, and never silent about a difference."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.installation import load_installation, load_stack_installation
from gitops_stack.gitops_tree.lock import Lock, build_lock, check_lock, check_render, load_lock, render_lock
from gitops_stack.gitops_tree.manifest_set import digest, images
from gitops_stack.gitops_tree.yaml_text import load_documents, render_document
from gitops_stack.manifests import Manifest
from gitops_stack.settings import StackSettings
from tests.stacks import COMMIT, RENDERS, STACKS, stack_render, stack_settings, stack_tree

FILE = Path("lock.yaml")


@pytest.mark.parametrize("stack", STACKS)
def test_the_committed_lock_is_that_of_the_kept_render(stack: str) -> None:
    lock = build_lock(stack_settings(stack).argocd, stack_render(stack))
    assert render_lock(lock) == (stack_tree(stack) / "argocd" / "lock.yaml").read_text(encoding="utf-8")


def test_the_digest_depends_neither_on_order_nor_on_formatting() -> None:
    wanted = [found for found in stack_render("dev") if found["kind"] != "CustomResourceDefinition"]
    manifests = list(wanted)
    random.Random(1).shuffle(manifests)
    turned = [dict(reversed(manifest.items())) for manifest in manifests]
    read_again = load_documents("\n---\n".join(json.dumps(manifest, indent=3) for manifest in turned))
    assert manifests != wanted
    assert digest(read_again) == digest(wanted)


def test_the_digest_depends_on_every_value() -> None:
    manifests = copy.deepcopy(stack_render("dev"))
    manifests[0]["metadata"]["labels"] = {"a": "b"}
    assert digest(manifests) != digest(stack_render("dev"))


def test_images_are_listed_once_and_sorted() -> None:
    found = images([*stack_render("dev"), *stack_render("dev")])
    assert found == sorted(set(found))
    assert "quay.io/argoproj/argocd:v3.5.1" in found


def lock_with(**changes: Any) -> Lock:
    lock = build_lock(stack_settings("dev").argocd, stack_render("dev"))
    return Lock.model_validate({**lock.model_dump(by_alias=True), **changes})


REVIEW = "run `gitops-stack lock` and review what changes"
REVIEW_OF_STACK = "run `gitops-stack lock --stack dev` and review what changes"


@pytest.mark.parametrize(
    ("changes", "findings"),
    [
        ({}, []),
        ({"version": "v3.4.0"}, ["was made for v3.4.0, but argocd.version says v3.5.1"]),
        ({"commit": "a" * 40}, [f"was made for {'a' * 40}, but argocd.commit says {COMMIT}"]),
        (
            {"variant": "high-availability"},
            ["was made for high-availability, but argocd.highAvailability says standard"],
        ),
    ],
)
def test_a_lock_made_for_other_settings_is_refused(changes: dict[str, Any], findings: list[str]) -> None:
    found = list(map(str, check_lock(FILE, lock_with(**changes), stack_settings("dev").argocd)))
    assert found == [f"lock.yaml: {finding}; {REVIEW}" for finding in findings]


def _add(manifests: list[Manifest]) -> None:
    manifests.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new", "namespace": "argocd"}})


def _take(manifests: list[Manifest]) -> None:
    manifests.remove(next(found for found in manifests if found["metadata"]["name"] == "argocd-cmd-params-cm"))


def _change(manifests: list[Manifest]) -> None:
    next(found for found in manifests if found["kind"] == "StatefulSet")["spec"]["replicas"] = 3


def _change_all(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        manifest["metadata"]["labels"] = {"a": "b"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ([_add], "ConfigMap argocd/new (added)"),
        ([_take], "ConfigMap argocd/argocd-cmd-params-cm (gone)"),
        ([_change], "apps/StatefulSet argocd/argocd-application-controller (changed)"),
        (
            [_add, _take, _change],
            "ConfigMap argocd/argocd-cmd-params-cm (gone), ConfigMap argocd/new (added), "
            "apps/StatefulSet argocd/argocd-application-controller (changed)",
        ),
        (
            [_change_all],
            "ConfigMap argocd/argocd-cm (changed), ConfigMap argocd/argocd-cmd-params-cm (changed), "
            "ConfigMap argocd/argocd-gpg-keys-cm (changed), ConfigMap argocd/argocd-notifications-cm (changed), "
            "ConfigMap argocd/argocd-rbac-cm (changed) and 52 more",
        ),
    ],
)
def test_a_render_that_differs_names_the_objects(changes: list[Callable[[list[Manifest]], None]], named: str) -> None:
    manifests = copy.deepcopy(stack_render("dev"))
    for change in changes:
        change(manifests)
    lock = lock_with()
    assert list(map(str, check_render(FILE, lock, manifests))) == [
        f"lock.yaml: the render is {digest(manifests)[:19]}…, locked is {lock.digest[:19]}…; it differs in {named}; "
        "if that is meant, run `gitops-stack lock` and commit"
    ]


def test_an_edited_digest_is_told_from_a_changed_object() -> None:
    lock = lock_with(digest=f"sha256:{'0' * 64}")
    found = list(map(str, check_render(FILE, lock, stack_render("dev"))))
    assert len(found) == 1
    assert f"locked is sha256:{'0' * 12}…; no object differs: the digest itself was edited" in found[0]


LOCK_AGAIN = "run `gitops-stack lock` and commit it"


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (None, "is missing"),
        (b"", "is not a lock (version: Field required)"),
        (b"text", "is not a lock (Input should be a valid dictionary or instance of Lock)"),
        (b"\xff", "is not a lock ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte)"),
        (
            b"{a",
            'is not a lock (while parsing a flow mapping in "<unicode string>", line 1, column 1 did not find expected '
            "',' or '}' in \"<unicode string>\", line 2, column 1)",
        ),
        (b"version: stable", "is not a lock (version: Value error, needs a release such as v3.5.1; a branch name or "
         "'stable' would move)"),
    ],
)  # fmt: skip
def test_a_lock_that_cannot_be_read_is_refused(content: bytes | None, finding: str, tmp_path: Path) -> None:
    file = tmp_path / "lock.yaml"
    if content is not None:
        file.write_bytes(content)
    assert str(load_lock(file)) == f"{file}: {finding}; {LOCK_AGAIN}"


def _edit_lock(root: Path, **changes: Any) -> None:
    file = root / "argocd/lock.yaml"
    header = file.read_text().splitlines()[0]
    document = {**load_documents(file.read_text())[0], **changes}
    file.write_text(f"{header}\n{render_document(document)}")


def test_kept_content_is_held_against_the_lock(project: Path) -> None:
    root = project / "gitops/dev"
    _edit_lock(root, digest=f"sha256:{'0' * 64}")
    with pytest.raises(GitOpsStackError, match="the digest itself was edited"):
        load_stack_installation(stack_settings("dev"), root)
    with pytest.raises(GitOpsStackError, match="the digest itself was edited"):
        load_installation(root / "argocd")


def test_everything_wrong_with_a_tree_is_told_at_once(project: Path) -> None:
    root = project / "gitops/dev"
    _edit_lock(root, version="v3.4.0")
    (root / "apps/argocd.yaml").unlink()
    with pytest.raises(GitOpsStackError) as refused:
        load_stack_installation(stack_settings("dev"), root)
    assert refused.value.findings == (
        f"{root}/apps/argocd.yaml: is missing; run `gitops-stack render --stack dev` and commit",
        f"{root}/argocd/lock.yaml: was made for v3.4.0, but argocd.version says v3.5.1; {REVIEW_OF_STACK}",
    )


@pytest.mark.parametrize("version", ["v3.3.0", "v3.3.1", "v3.2.12"])
def test_a_release_known_to_be_bad_is_refused_before_its_render(version: str, project: Path) -> None:
    argocd = stack_settings("dev").argocd.model_copy(update={"version": version})
    settings: StackSettings = stack_settings("dev").model_copy(update={"argocd": argocd})
    with pytest.raises(GitOpsStackError) as refused:
        load_stack_installation(settings, project / "gitops/dev")
    assert refused.value.findings[0].startswith(f"argocd.version: {version} is known to be bad: ")


def test_a_missing_lock_is_refused_by_a_foreign_program_too(project: Path) -> None:
    file = project / "gitops/dev/argocd/lock.yaml"
    file.unlink()
    with pytest.raises(GitOpsStackError) as refused:
        load_installation(file.parent)
    assert refused.value.findings == (f"{file}: is missing; {LOCK_AGAIN}",)


def test_a_tag_that_was_refused_is_asked_for_again_although_the_render_is_kept(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(RENDERS, tmp_path / "cache/renders")
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    answers = [["the tag was moved"], ["the tag was moved"], []]
    monkeypatch.setattr("gitops_stack.gitops_tree.installation.check_release_tag", lambda _: answers.pop(0))
    for _ in range(2):
        with pytest.raises(GitOpsStackError, match="the tag was moved"):
            load_stack_installation(stack_settings("dev"), project / "gitops/dev")
    for _ in range(2):
        assert load_stack_installation(stack_settings("dev"), project / "gitops/dev")
    assert answers == [], "asked once more, and not again"
