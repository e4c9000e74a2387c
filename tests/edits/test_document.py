"""Files as people, editors and other systems leave them: after an edit only the lines meant differ."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_stack.account.kubeconfig import merge_kubeconfig
from gitops_stack.delivery.edits.helm_values import set_value
from gitops_stack.delivery.edits.kustomization import set_kustomization_image
from gitops_stack.delivery.edits.manifest import set_manifest_image
from gitops_stack.delivery.image_reference import ImageReference
from gitops_stack.edits.document import YamlDocument
from gitops_stack.edits.yaml_source import decode_text
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.scaffold.application_sets import AuthoredSet
from gitops_stack.scaffold.promotion import render_promotion
from gitops_stack.scaffold.stack_text import StackText, write_release

PROPERTY = settings(max_examples=60, deadline=None, database=None)
COMMIT = "a" * 40
STACK = """\
# head
encryptionsalt:   v1:abc=
config:
  "aws:region": eu-west-1
  gitops-stack:gitops: { repoUrl: 'https://github.com/acme/p.git',  revision: main }
  gitops-stack:argocd:
      version:   v3.4.0   # the release
      commit: 0000000000000000000000000000000000000000
      cm: &shared {a.b: ~}
      params: *shared
  gitops-stack:workloads:
    web: {path: a, namespace: b,   project: c}

# tail
"""
ORDER = "# ours\norder:\n- dev   # first\n- prd\nother: ~\n"
KUBECONFIG = """\
apiVersion: v1
kind:   Config
clusters:
- cluster: {server: https://a, proxy-url: 12:30:45}
  name: kind
contexts: []
users:
- name: kind   # mine
  user:
    token: 0123
preferences: ~
current-context: kind
"""
ADDED: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "new", "cluster": {"server": "https://b"}}],
    "users": [{"name": "new", "user": {"exec": {"args": ["a"], "env": None}}}],
    "contexts": [{"name": "new", "context": {"cluster": "new", "user": "new"}}],
    "current-context": "new",
}


def release(text: str) -> str:
    document = StackText(text, "f")
    document.set(("gitops-stack:argocd", "version"), "v3.5.1")
    document.set(("gitops-stack:argocd", "commit"), COMMIT)
    return document.text


def addition(text: str) -> str:
    document = StackText(text, "f")
    document.set(("gitops-stack:workloads", "api"), {"path": "x", "namespace": "y"})
    return document.text


def removal(text: str) -> str:
    document = StackText(text, "f")
    document.remove(("gitops-stack:workloads", "web"))
    return document.text


KUSTOMIZATION = """\
resources:
  - ../base   # ours
images:
  - name: acme/web
    newTag:   v1   # the release
namePrefix: ~
labels: { a: b,  c: [1, 2] }
"""
VALUES = "image:\n    repository:   acme/web   # ours\n    tag: v1\nreplicas: 0123\nother: {a: ~,  b: 12:30}\n"
MANIFEST = """\
kind: Pod
metadata: { name: a,  labels: {b: ~} }
spec:
  containers:
  - name: web   # first
    image:   acme/web:v1   # ours
  - name: other
    image: acme/other:v1
"""
SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: regions}
spec:
  generators:
  - list:
      elements:
      - name: eu   # first
        wave: "1"
  template: { spec: {project:   team} }
"""


def new_element(text: str) -> str:
    return AuthoredSet("dev", "f", text, load_documents(text.removeprefix(chr(0xFEFF)))[0]).with_element({"name": "us"})


def image(text: str) -> str:
    return set_kustomization_image(text, "acme/web", ImageReference("acme/web", "v2"), "f")


EDITS: dict[str, tuple[str, Callable[[str], str], int]] = {  # text, edit, lines that differ
    "lock --version": (STACK, release, 2),
    "app add": (STACK, addition, 1),
    "app remove": (STACK, removal, 2),
    "stack add": (ORDER, lambda text: render_promotion(["dev", "stg", "prd"], text), 1),
    "image set, kustomization": (KUSTOMIZATION, image, 1),
    "image set, values": (VALUES, lambda text: set_value(text, ("image", "tag"), "v2", "f"), 1),
    "image set, manifest": (
        MANIFEST,
        lambda text: set_manifest_image(text, "acme/web", ImageReference("acme/web", "v2"), "f"),
        1,
    ),
    "app add, set": (SET, new_element, 1),
    "kubeconfig --update": (KUBECONFIG, lambda text: merge_kubeconfig(text, ADDED, "f"), 11),
}


@st.composite
def texts(draw: st.DrawFn, text: str) -> str:
    """Leave the file as some editor would: breaks, mark, last newline, trailing tabs, a second document."""
    breaks = draw(st.sampled_from(["\n", "\r\n", "mixed"]))
    lines = text.split("\n")[:-1]
    if draw(st.booleans()):
        lines = [line if "#" not in line else line.replace("   #", "\t#") for line in lines]
    if draw(st.booleans()):
        lines = [line.replace(":   ", ":\t") for line in lines]
    if draw(st.booleans()):
        lines += ["---", "second: {a: 1,  b: ~}", "..."]
    if draw(st.booleans()):
        lines.insert(0, "---")
    found = ["\n" if breaks == "\n" or (breaks == "mixed" and draw(st.booleans())) else "\r\n" for _ in lines]
    made = "".join(map("".join, zip(lines, found, strict=True)))
    if draw(st.booleans()):
        made = made.rstrip("\r\n")
    return f"{draw(st.sampled_from(['', chr(0xFEFF)]))}{made}"


@pytest.mark.parametrize("name", EDITS)
@PROPERTY
@given(st.data())
def test_only_the_lines_meant_change(name: str, data: st.DataObject) -> None:
    original, edit, differing = EDITS[name]
    text = data.draw(texts(original))
    if "second:" in text and name in ("image set, kustomization", "image set, values"):
        with pytest.raises(GitOpsStackError, match=r"^f: found 2 documents"):
            edit(text)
        return
    changed = edit(text)
    before, after = text.splitlines(keepends=True), changed.splitlines(keepends=True)
    kept = [line.rstrip("\r\n") for line in after]
    unchanged = [line for line in before if line.rstrip("\r\n") in kept]
    assert len(before) - len(unchanged) + len(after) - len(unchanged) <= 2 * differing
    rest = iter(after)
    last = before[-1].rstrip("\r\n") if before else ""
    for line in unchanged:  # in their order, with their breaks; a last line without one may get one
        assert any(one == line or (line.rstrip("\r\n") == last and one.rstrip("\r\n") == last) for one in rest), line
    assert changed.startswith("\ufeff") == text.startswith("\ufeff")
    assert load_documents(changed.removeprefix("\ufeff"))[1:] == load_documents(text.removeprefix("\ufeff"))[1:]


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("a: &x {b: 1}\nc: *x\n", ("a", "b"), "f: line 1: the value cannot be changed without changing something else"),
        ("a: &x {b: 1}\nc: *x\n", ("c", "b"), "f: line 2: c.b: c is an alias; write it out, then edit"),
        ("x: &x {b: 1}\nc:\n  <<: *x\n", ("c", "b"), "f: line 3: c.b: b comes by a merge key"),
        ("a: 1\na: 2\n", ("a",), None),
        ("a: !!str 5\n", ("a",), "f: line 1: the value cannot be changed without changing something else"),
        ("- 1\n", ("a",), "f: found no map; write `key: value` lines"),
        ("a: {b: [1}\n", ("a",), "f: is not YAML: "),
        ("a: 1\r  b: 2\n", ("a",), "f: is not YAML: "),
        ("a: 1\n", ("a", "b"), "f: line 1: a: found no map; b cannot be set in it"),
        ("", ("a",), "f: found no map"),
    ],
)
def test_what_cannot_be_edited_is_one_sentence_with_its_line(
    text: str, path: tuple[str, ...], said: str | None
) -> None:
    document = YamlDocument(text, "f")
    if said is None:
        document.set(path, 3)
        assert document.text == "a: 1\na: 3\n"
        return
    with pytest.raises(GitOpsStackError) as raised:
        document.set(path, 3)
    assert str(raised.value).startswith(said)
    assert document.text == text


def test_bytes_that_are_no_text_are_named_by_their_line() -> None:
    with pytest.raises(GitOpsStackError, match=r"^f: line 2: is not UTF-8 text; save the file as UTF-8$"):
        decode_text(b"a: 1\nb: \xff\n", "f")


def test_a_release_is_written_into_a_file_with_windows_breaks_and_a_mark(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    before = b"\xef\xbb\xbf" + STACK.replace("\n", "\r\n").encode()
    file.write_bytes(before)
    assert write_release(file, "v3.5.1", COMMIT)
    assert file.read_bytes() == before.replace(b"v3.4.0", b"v3.5.1").replace(b"0" * 40, COMMIT.encode())
    assert not write_release(file, "v3.5.1", COMMIT)


SCALARS = ["x", "0123", "1.10", "~", "12:30", "'q'", '"d"', "{a: 1}", "[1, 2]", "|\n    text\n", "&n x", ""]


@pytest.mark.parametrize(("old", "new"), list(itertools.product(SCALARS, ["v1.10", "1.10", "a: b", "# c", True, None])))
def test_any_value_can_be_written_over_any_other(old: str, new: object) -> None:
    text = f"top:\n  before: ~\n  key: {old}\n  after: 0123 # c\n".replace("\n\n", "\n")
    document = YamlDocument(text, "f")
    document.set(("top", "key"), new)
    assert document.value("top", "key") == new
    lines = document.text.splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("top:", "  before: ~", "  after: 0123 # c")
