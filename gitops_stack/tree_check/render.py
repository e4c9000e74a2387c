"""Render one source as Argo CD's repo-server would: kustomize, Helm, or a folder of YAML."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.errors import GitOpsStackError, last_line, shorten
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.kustomize import find_kustomize, kustomization_file, render_kustomization
from gitops_stack.gitops_tree.render_cache import render_key
from gitops_stack.gitops_tree.yaml_text import (
    MANIFEST_SUFFIXES,
    build_no_yaml,
    load_documents,
    load_yaml_file,
    render_document,
)
from gitops_stack.manifests import Manifest
from gitops_stack.patterns import match_glob
from gitops_stack.policies.fields import dig, mapping, sequence, text
from gitops_stack.tree_check.bounds import check_links, check_values, is_elsewhere, locate_values
from gitops_stack.tree_check.closure import Closure, load_closure
from gitops_stack.tree_check.inputs import stamp_program
from gitops_stack.tree_check.result_cache import entry_key, load_entry, write_entry

RENDERS = "applications"
_HELM_SECONDS = 120.0
_SUPPORTED = {
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "commonAnnotations",
    "images",
    "replicas",
    "patches",
}


@dataclass(frozen=True)
class Request:
    """One source to render: ``options`` is the source as the Application writes it."""

    folder: Path
    options: dict[str, Any]
    name: str = ""
    namespace: str = ""


@dataclass(frozen=True)
class Render:
    """What came out: documents with their files; or why it ``failed``, or why it was ``skipped``.

    ``links`` are the folders that a kustomization reads by another name than their own.
    """

    documents: tuple[tuple[str, Any], ...] = ()
    failed: tuple[str, ...] = ()
    skipped: str = ""
    files: tuple[Path, ...] = ()
    links: tuple[Path, ...] = ()
    pinned: bool = True
    kustomized: bool = False


def render_source(request: Request) -> Render:
    """Render one source; what is wrong in it becomes a sentence.

    Raises :class:`EnvironmentProblem` when this machine has no kustomize.
    """
    kind = find_kind(request)
    if kind == "plugin":
        return Render(skipped="a config management plugin renders it")
    if outside := (*check_links(request.folder), *check_values(request.folder, _value_files(request))):
        return Render(failed=outside, pinned=False)
    if kind == "helm":
        return _render_chart(request)
    if kind == "kustomize":
        return _render_kustomization(request)
    return _render_directory(request.folder, mapping(request.options.get("directory")))


def find_kind(request: Request) -> str:
    """Tell what renders a source, as the repo-server finds out: what the Application says, then the folder's files."""
    for kind in ("plugin", "helm", "kustomize", "directory"):
        if kind in request.options:
            return kind
    if (request.folder / "Chart.yaml").is_file():
        return "helm"
    return "directory" if kustomization_file(request.folder) is None else "kustomize"


def source_key(request: Request, closure: Closure, program: str = "") -> str:
    """Compute what a kustomization's render by ``program`` is kept under; empty when it may change without a change."""
    options = dict(mapping(request.options.get("kustomize")))
    made_by = [program] if program else []
    return entry_key((closure.key(request.folder), render_document(options), *made_by)) if closure.pinned else ""


def load_program() -> str:
    """Return what tells the program that renders kustomizations from another release of it."""
    return stamp_program("kustomize" if shutil.which("kustomize") else "kubectl")


def load_kept_render(request: Request) -> Render | None:
    """Return what a kustomization rendered to when its files were last as they are now, if that is kept."""
    if kustomization_file(request.folder) is None or find_kind(request) != "kustomize":
        return None
    closure = load_closure(request.folder)
    key = source_key(request, closure, load_program())
    kept = load_entry(RENDERS, key) if key else None
    return None if kept is None else _kustomized(request.folder, closure, kept)


def _render_kustomization(request: Request) -> Render:
    folder, wanted = request.folder, dict(mapping(request.options.get("kustomize")))
    unknown = sorted(set(wanted) - _SUPPORTED - {"version"})
    if unknown:
        return Render(skipped=f"its kustomize options {', '.join(unknown)} are not known here")
    if (kept := load_kept_render(request)) is not None:
        return kept
    closure = load_closure(folder)
    program = load_program()
    key = source_key(request, closure, program)
    try:
        if render_key(folder):
            return _kustomized(folder, closure, load_manifests(folder))  # the installation has a cache of its own
        made = _render_with_options(folder, wanted) if set(wanted) - {"version"} else render_kustomization(folder)
    except (GitOpsStackError, yaml.YAMLError) as error:
        find_kustomize()  # raises: what this machine lacks is no finding about a tree
        sentences = error.findings if isinstance(error, GitOpsStackError) else (" ".join(str(error).split()),)
        return Render(failed=sentences, files=closure.files, pinned=False, kustomized=True)
    if key and source_key(request, load_closure(folder), program) == key:  # else it was written to meanwhile
        write_entry(RENDERS, key, made)
    return _kustomized(folder, closure, made)


def _kustomized(folder: Path, closure: Closure, made: list[Manifest]) -> Render:
    file = str(kustomization_file(folder) or folder)
    return Render(
        tuple((file, found) for found in made),
        files=closure.files,
        links=closure.links,
        pinned=closure.pinned,
        kustomized=True,
    )


def _render_with_options(folder: Path, wanted: dict[str, Any]) -> list[Manifest]:
    """Render through an overlay: Argo CD runs `kustomize edit`, which means the same for these options."""
    with tempfile.TemporaryDirectory() as made:
        overlay = {key: value for key, value in wanted.items() if key != "version"}
        if "images" in overlay:
            overlay["images"] = [_image(text(image)) for image in sequence(overlay["images"])]
        base = os.path.relpath(folder.resolve(), Path(made).resolve())  # kustomize refuses absolute bases
        text_of_overlay = render_document({"resources": [base], **overlay})
        (Path(made) / "kustomization.yaml").write_text(text_of_overlay, encoding="utf-8")
        return render_kustomization(Path(made))


def _image(written: str) -> dict[str, str]:
    """Read `[NAME=]NEWNAME[:TAG][@DIGEST]`, as `kustomize edit set image` does."""
    name, equals, target = written.partition("=")
    new, _, digest = (target if equals else name).partition("@")
    repository, colon, tag = new.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = new, ""
    image = {"name": name if equals else repository, "newName": repository}
    return image | ({"newTag": tag} if tag else {}) | ({"digest": digest} if digest else {})


def _render_chart(request: Request) -> Render:
    helm = shutil.which("helm")
    if helm is None:
        return Render(skipped="it is a Helm chart and helm is not on PATH")
    folder, options = request.folder, mapping(request.options.get("helm"))
    names = _value_files(request)
    if any(is_elsewhere(name) for name in names):
        return Render(skipped="its Helm values come from another source")
    with tempfile.TemporaryDirectory() as made:
        values = Path(made) / "values.yaml"
        inline = options.get("valuesObject")
        values.write_text(render_document(inline) if inline else text(options.get("values")), encoding="utf-8")
        command = [helm, "template", text(options.get("releaseName")) or request.name or folder.name, str(folder)]
        command += ["--namespace", request.namespace or "default", "--include-crds"]
        command += [f"--values={locate_values(folder, name)}" for name in names] + [f"--values={values}"]
        for parameter in map(mapping, sequence(options.get("parameters"))):
            flag = "--set-string" if parameter.get("forceString") is True else "--set"
            command.append(f"{flag}={parameter.get('name')}={parameter.get('value')}")
        try:
            done = subprocess.run(
                command, capture_output=True, encoding="utf-8", errors="replace", timeout=_HELM_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return Render(failed=(f"{folder}: helm did not end in {_HELM_SECONDS:.0f} s",), pinned=False)
    if done.returncode:
        return Render(
            failed=(f"{folder}: helm failed: {shorten(last_line(done.stderr))}; correct the chart or its values",),
            pinned=False,
        )
    files = tuple(path for path in sorted(folder.rglob("*")) if path.is_file())
    place = str(folder / "Chart.yaml")
    try:
        documents = tuple((place, found) for found in load_documents(done.stdout))
    except yaml.YAMLError as error:
        return Render(failed=(build_no_yaml(f"{folder}: what helm rendered", error),), files=files, pinned=False)
    return Render(documents, files=files, pinned=False)


def _value_files(request: Request) -> list[str]:
    return [text(name) for name in sequence(mapping(request.options.get("helm")).get("valueFiles"))]


def _render_directory(folder: Path, options: Any) -> Render:  # noqa: ANN401 - a mapping from YAML
    found = sorted(folder.rglob("*") if options.get("recurse") is True else folder.glob("*"))
    include, exclude = text(options.get("include")), text(options.get("exclude"))
    documents: list[tuple[str, Any]] = []
    failed: list[str] = []
    files = []
    for file in found:
        name = file.relative_to(folder).as_posix()
        wanted = file.suffix in MANIFEST_SUFFIXES and (not include or match_glob(include, name)) and file.is_file()
        if not wanted or (exclude and match_glob(exclude, name)):
            continue
        files.append(file)
        try:
            documents += [(str(file), document) for document in load_yaml_file(file)]
        except GitOpsStackError as error:
            failed += error.findings
    return Render(tuple(documents), failed=tuple(failed), files=tuple(files))


def flatten(documents: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield documents with those inside of a List in its place."""
    for file, document in documents:
        if text(dig(document, "kind")).endswith("List") and isinstance(dig(document, "items"), list):
            yield from ((file, item) for item in document["items"])
        else:
            yield file, document
