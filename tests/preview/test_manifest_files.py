"""Objects of two commits, one by one: what is added, removed, changed, and never a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.preview.manifest_files import build_differences, load_manifest_files, write_manifest_files
from tests.preview.samples import manifest
from tests.stacks import stack_render


def test_equal_renders_do_not_differ_whatever_the_order() -> None:
    render = stack_render("dev")
    assert build_differences({"argocd": render}, {"argocd": list(reversed(render))}) == []


def test_added_removed_and_changed_objects_are_told_by_name() -> None:
    base = [manifest("ConfigMap", "gone", data={"a": "1"}), manifest("ConfigMap", "kept", data={"a": "1", "b": "2"})]
    head = [manifest("ConfigMap", "kept", data={"b": "2", "a": "9"}), manifest("Service", "new")]
    found = build_differences({"apps": base}, {"apps": head})
    shown = [(str(one.object.name), one.object.change, one.object.count("+"), one.object.count("-")) for one in found]
    assert shown == [
        ("ConfigMap argocd/gone", "removed", 0, 7),
        ("ConfigMap argocd/kept", "changed", 1, 1),
        ("Service argocd/new", "added", 5, 0),
    ]
    assert found[1].object.lines == (
        "@@ -1,6 +1,6 @@", " apiVersion: v1", " data:", "-  a: '1'", "+  a: '9'", "   b: '2'", " kind: ConfigMap",
        " metadata:",
    )  # fmt: skip


def test_keys_that_are_no_texts_are_shown_as_texts() -> None:
    base, head = ([manifest("ConfigMap", "web", data={10: "a", "b": value, True: "c"})] for value in "uv")
    (found,) = build_differences({"apps": base}, {"apps": head})
    assert list(found.object.lines[2:7]) == [" data:", "   '10': a", "-  b: u", "+  b: v", "   'true': c"]


def test_the_same_name_in_two_sources_is_two_objects() -> None:
    same = manifest("ConfigMap", "web")
    assert [one.source for one in build_differences({"a": [same]}, {"a": [same], "b": [same]})] == ["b"]


SECRETS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"data": {"p": "bGVhazE="}}, {"data": {"p": "bGVhazI="}}, ["-  p: (secret, before)", "+  p: (secret, after)"]),
    ({"data": {"p": "bGVhazE="}}, {"data": {"p": "bGVhazE=", "q": "bGVhazM="}}, ["+  q: (secret, after)"]),
    ({"stringData": {"p": "leak1"}}, {"stringData": {"p": "leak1"}, "type": "Opaque"}, ["+type: Opaque"]),
]


@pytest.mark.parametrize(("old", "new", "said"), SECRETS)
def test_a_secret_shows_that_it_changes_and_nothing_else(
    old: dict[str, Any], new: dict[str, Any], said: list[str]
) -> None:
    sides = [{"apps": [manifest("Secret", "login", **fields)]} for fields in (old, new)]
    lines = build_differences(*sides)[0].object.lines
    diff = "\n".join(lines)
    assert [line for line in lines if line[0] in "+-"] == said
    assert "leak" not in diff
    assert "bGVhaz" not in diff


def test_a_new_secret_is_masked_whole() -> None:
    (found,) = build_differences({}, {"apps": [manifest("Secret", "login", stringData={"user": "leak", "n": "leak"})]})
    diff = "\n".join(found.object.lines)
    assert "leak" not in diff
    assert diff.count("(secret)") == 2


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    sources = {
        "argocd": [found for found in stack_render("dev") if found["kind"] == "ConfigMap"],
        "apps": [manifest("Secret", "a", data={"x": "1\n2"})],
        "projects": [],
    }
    write_manifest_files(sources, tmp_path / "made")
    assert load_manifest_files(tmp_path / "made") == sources


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "cannot be read: while parsing"),
        ("just text", "holds something that is not a Kubernetes object"),
        ("kind: ConfigMap", "holds something that is not a Kubernetes object"),
        ("{kind: X, apiVersion: v1, metadata: []}", "holds something that is not a Kubernetes object"),
    ],
)
def test_a_file_of_something_else_is_named(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "apps.yaml"
    file.write_text(text)
    with pytest.raises(GitOpsStackError) as refused:
        load_manifest_files(tmp_path)
    assert str(refused.value).startswith(f"{file}: {said}")
