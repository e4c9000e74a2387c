"""Patches whose object or container a release no longer has."""

from __future__ import annotations

from typing import Any

from gitops_stack.upgrade.patch_targets import check_patches


def deployment(name: str, *containers: str, init: tuple[str, ...] = ()) -> dict[str, Any]:
    pod = {"containers": [{"name": one} for one in containers], "initContainers": [{"name": one} for one in init]}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": {"spec": pod}}}


OLD = [deployment("server", "server", "proxy", init=("copy",)), deployment("dex", "dex")]
PATCH = """\
kind: Deployment
metadata: {name: server}
spec:
  template:
    spec: {containers: [{name: proxy, args: [x]}, {name: mine, image: x}], initContainers: [{name: copy}]}
"""


def test_an_object_that_is_gone_is_named_with_every_patch_of_it() -> None:
    patches = {
        "b.yaml": "kind: Deployment\nmetadata: {name: dex}\n",
        "a.yaml": "kind: Deployment\nmetadata: {name: dex}\n$patch: delete\n",
    }
    said = "patches Deployment dex, which the new release does not have; remove the patch"
    assert check_patches(patches, OLD, OLD[:1]) == [f"a.yaml: {said}", f"b.yaml: {said}"]


def test_a_patch_of_the_settings_is_taken_out_there() -> None:
    [finding] = check_patches({"p/00-mine.yaml": "kind: Deployment\nmetadata: {name: dex}\n"}, OLD, OLD[:1])
    assert finding.endswith(
        "take it out of argocd.patches; if it is not there, this version of gitops-stack does not fit the release"
    )


def test_a_container_that_is_gone_is_named_and_one_the_patch_adds_is_not() -> None:
    new = [deployment("server", "server"), OLD[1]]
    said = "of Deployment server, which the new release does not have; it would be added without an image"
    assert check_patches({"a.yaml": PATCH}, OLD, new) == [
        f"a.yaml: patches container {name} {said}" for name in ("proxy", "copy")
    ]


def test_what_keeps_its_target_and_what_never_had_one_is_left_alone() -> None:
    patches = {
        "a.yaml": PATCH,
        "b.yaml": "kind: Deployment\nmetadata: {name: other}\n",
        "c.yaml": "- {op: replace, path: /x, value: 1}\n",
        "d.yaml": "a: [",
        "e.yaml": "kind: Deployment\nmetadata: text\n",
    }
    assert check_patches(patches, OLD, OLD) == []
