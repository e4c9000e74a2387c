"""Render one source as Argo CD's repo-server would: kustomize, Helm, or a folder of manifests."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.kustomize import (
    BuildOptionNeededError,
    find_kustomize,
    kustomization_file,
    render_kustomization,
)
from gitops_stack.gitops_tree.render_cache import render_key
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.manifests import Manifest
from gitops_stack.policies.fields import mapping
from gitops_stack.tree_check.batch import Built, build_together
from gitops_stack.tree_check.bounds import check_links
from gitops_stack.tree_check.chart import render_chart
from gitops_stack.tree_check.closure import Closure, load_closure
from gitops_stack.tree_check.directory import render_directory
from gitops_stack.tree_check.inputs import stamp_program
from gitops_stack.tree_check.kustomize_edits import edit_kustomization, find_unknown, has_edits
from gitops_stack.tree_check.result_cache import entry_key, load_entry, write_entry
from gitops_stack.tree_check.source import Render, Request
from gitops_stack.tree_check.source_copy import copy_source
from gitops_stack.tree_check.source_type import override_files, prepare

RENDERS = "applications"
# Of kustomize.buildOptions: these run programs of the tree, or programs that a change of it names.
_STARTING = re.compile(
    r"--(enable-exec|enable-alpha-plugins|network|mount|helm-command|as-current-user)\b|-o\b|--output"
)
_ANYWHERE = "LoadRestrictionsNone"


def render_sources(requests: Sequence[Request]) -> list[Render]:
    """Render several sources, as :func:`render_source` does; kustomizations that can be are built together."""
    plain = [
        request.folder
        for request in requests
        if not request.tools.build_options and not has_edits(mapping(request.options.get("kustomize")))
    ]
    together = build_together(plain, _build_quickly) if len(plain) > 1 else {}
    return [render_source(request, together) for request in requests]


def render_source(request: Request, together: Mapping[Path, Built] = MappingProxyType({})) -> Render:
    """Render one source; what is wrong in it becomes a sentence.

    ``together`` is what was built of it and others already; taken only if the files are still the same.

    Raises :class:`EnvironmentProblem` when this machine has no kustomize.
    """
    try:
        kind, applied = prepare(request)
    except GitOpsStackError as error:
        return Render(failed=error.findings, pinned=False)
    if kind == "plugin":
        return Render(skipped="a config management plugin renders it")
    if outside := tuple(check_links(request.folder, request.repository)):
        return Render(failed=outside, pinned=False)
    if kind == "helm":
        return render_chart(applied)
    if kind == "kustomize":
        return _render_kustomization(applied, together.get(request.folder))
    return render_directory(applied)


def source_key(request: Request, closure: Closure, program: str = "") -> str:
    """Compute what a kustomization's render by ``program`` is kept under; empty when it may change without a change."""
    if not closure.pinned:
        return ""
    options = dict(mapping(request.options.get("kustomize")))
    decided = [render_document(options), *([program] if program else [])]
    if request.tools.build_options:
        decided.append(request.tools.build_options)
    if "$" in decided[0] or request.tools.build_options:  # only then do the Application's variables matter
        decided.append(render_document(request.environment))
    return entry_key((closure.key(request.folder), *decided))


def load_program() -> str:
    """Return what tells the program that renders kustomizations from another release of it."""
    return stamp_program("kustomize" if shutil.which("kustomize") else "kubectl")


def load_kept_render(request: Request) -> Render | None:
    """Return what a kustomization rendered to when its files were last as they are now, if that is kept."""
    if kustomization_file(request.folder) is None:
        return None
    try:
        kind, applied = prepare(request)
    except GitOpsStackError:  # said when it is rendered
        return None
    return _load_kept(applied, load_closure(request.folder)) if kind == "kustomize" else None


def _load_kept(request: Request, closure: Closure) -> Render | None:
    key = source_key(request, closure, load_program())
    kept = load_entry(RENDERS, key) if key else None
    return None if kept is None else _kustomized(request, closure, kept)


def _render_kustomization(request: Request, built: Built | None) -> Render:
    folder, options = request.folder, mapping(request.options.get("kustomize"))
    closure = load_closure(folder)
    nothing = Render(files=closure.files, pinned=False, kustomized=True)
    if why := _refuse_options(request, options, closure):
        return replace(nothing, skipped=why)
    if (kept := _load_kept(request, closure)) is not None:
        return kept
    program = load_program()
    key = source_key(request, closure, program)
    try:
        # The installation has a cache of its own.
        own = render_key(folder) and not has_edits(options)
        made = load_manifests(folder) if own else _build(request, built, closure)
    except (GitOpsStackError, yaml.YAMLError) as error:
        find_kustomize()  # raises: what this machine lacks altogether is no finding about a tree
        return _explain(error, request, nothing)
    if key and not own and source_key(request, load_closure(folder), program) == key:  # else it was written to
        write_entry(RENDERS, key, made)
    return _kustomized(request, closure, made)


def _explain(error: Exception, request: Request, nothing: Render) -> Render:
    if isinstance(error, BuildOptionNeededError) and request.tools.build_options is None:
        return replace(nothing, skipped=f"it needs {error.option}, which nothing says; name --kustomize-build-options")
    if isinstance(error, EnvironmentProblem):
        return replace(nothing, skipped="it needs what cannot be reached or is not installed", lacking=str(error))
    said = error.findings if isinstance(error, GitOpsStackError) else (" ".join(str(error).split()),)
    return replace(nothing, failed=said)


def _refuse_options(request: Request, options: Mapping[str, Any], closure: Closure) -> str:
    """Say why a kustomization is not built: of the installation's options whoever changes the tree chooses some."""
    if unknown := find_unknown(options):
        return f"its kustomize options {', '.join(unknown)} are not known here"
    written = request.tools.build_options or ""
    if found := _STARTING.search(written):
        return f"kustomize.buildOptions has {found[0]}, with which a tree starts programs; that is not done here"
    if _ANYWHERE in written:
        root = request.repository.resolve()
        outside = [file for file in closure.files if not file.resolve().is_relative_to(root)]
        if outside:
            return f"it reads {outside[0]}, which is outside of the repository"
    return ""


def _build_quickly(folder: Path) -> list[Manifest]:
    # Many small objects: a collection of garbage at each doubling of a few MB takes a fifth of the time.
    return render_kustomization(folder, (), {"GOGC": os.environ.get("GOGC", "400")})


def _build(request: Request, built: Built | None, closure: Closure) -> list[Manifest]:
    options = shlex.split(request.tools.build_options or "")
    if "--enable-helm" in options and (version := request.tools.kubernetes_version):
        options += ["--helm-kube-version", version]
    if not has_edits(mapping(request.options.get("kustomize"))):
        if built and not options and built.key == closure.key(request.folder):
            return built.manifests
        return render_kustomization(request.folder, options, request.environment)
    program = shutil.which("kustomize")
    if program is None:
        find_kustomize()
        raise EnvironmentProblem(
            "PATH: found no kustomize, which the Application's own options need (kubectl has no `edit`); install it"
        )
    with copy_source(request.folder, request.repository) as copy:
        edit_kustomization(program, copy, request)
        try:
            return render_kustomization(copy, options, request.environment)
        except GitOpsStackError as error:  # the copy is gone when it is read
            error.findings = tuple(found.replace(str(copy), str(request.folder)) for found in error.findings)
            error.args = ("\n".join(error.findings),)
            raise


def _kustomized(request: Request, closure: Closure, made: list[Manifest]) -> Render:
    file = str(kustomization_file(request.folder) or request.folder)
    return Render(
        tuple((file, found) for found in made),
        files=(*closure.files, *override_files(request)),
        links=closure.links,
        pinned=closure.pinned,
        kustomized=True,
    )
