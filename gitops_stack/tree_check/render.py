"""Render one source as Argo CD's repo-server would: kustomize, Helm, or a folder of manifests."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.kustomize import (
    KUSTOMIZATIONS,
    BuildOptionNeededError,
    find_kustomize,
    kustomization_file,
    render_kustomization,
)
from gitops_stack.gitops_tree.render_cache import render_key
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import mapping
from gitops_stack.tree_check.batch import Built, build_together
from gitops_stack.tree_check.bounds import check_links, is_inside
from gitops_stack.tree_check.chart import render_chart
from gitops_stack.tree_check.closure import Closure, load_closure
from gitops_stack.tree_check.directory import render_directory
from gitops_stack.tree_check.inflated_charts import InflatedChart
from gitops_stack.tree_check.inputs import stamp_program
from gitops_stack.tree_check.kustomize_edits import edit_kustomization, find_unknown, has_edits, list_named
from gitops_stack.tree_check.random_values import settle_made_values
from gitops_stack.tree_check.result_cache import entry_key, load_entry, write_entry
from gitops_stack.tree_check.source import Render, Request
from gitops_stack.tree_check.source_copy import copy_source
from gitops_stack.tree_check.source_type import override_files, prepare
from gitops_stack.tree_check.unknown_hosts import find_unknown_host, note_unknown

RENDERS = "applications"
# Of kustomize.buildOptions: these run programs of the tree, or programs that a change of it names. They are left out,
# as what has no plugins renders to the same without them; kustomize refuses all else then.
_STARTING = ("--enable-exec", "--enable-alpha-plugins", "--network", "--as-current-user")
_STARTING_WITH = ("--mount", "--network-name", "--helm-command")
_WRITING = re.compile(r"--output\b|(?<!\S)-o")
_NOT_DONE = "with which a tree starts programs; that is not done here"
_ANYWHERE = "LoadRestrictionsNone"
_UNREACHED = "it needs what cannot be reached or is not installed"


def render_sources(requests: Sequence[Request]) -> list[Render]:
    """Render several sources, as :func:`render_source` does; kustomizations that can be are built together."""
    kept = [load_kept_render(request) for request in requests]
    made = zip(requests, kept, strict=True)
    plain = [request.folder for request, found in made if found is None and not _edited(request)]
    together = build_together(plain, _build_quickly) if len(plain) > 1 else {}
    return [found or render_source(request, together) for request, found in zip(requests, kept, strict=True)]


def render_source(request: Request, together: Mapping[Path, Built] = MappingProxyType({})) -> Render:
    """Render one source; what is wrong in it becomes a problem.

    ``together`` is what was built of it and others already; taken only if the files are still the same.

    Raises :class:`EnvironmentProblem` when this machine has no kustomize.
    """
    try:
        return _render(*prepare(request), together.get(request.folder))
    except EnvironmentProblem:
        raise
    except GitOpsStackError as error:
        return Render(failed=error.problems, pinned=False)
    except OSError as error:  # a file that may not be read, a disk that is full
        place = str(error.filename or request.folder)
        said = Problem(f"cannot be read: {error.strerror}", "check its permissions", place)
        return Render(failed=(said,), pinned=False)


def _render(kind: str, applied: Request, built: Built | None) -> Render:
    if kind == "plugin":
        return Render(skipped="a config management plugin renders it")
    if outside := tuple(check_links(applied.folder, applied.repository)):
        return Render(failed=outside, pinned=False)
    if kind == "helm":
        return render_chart(applied)
    if kind == "kustomize":
        return _render_kustomization(applied, built)
    return render_directory(applied)


def load_source_closure(request: Request) -> Closure:
    """Find the files of a source's kustomization, and those of what its Application adds."""
    return load_closure(request.folder, list_named(mapping(request.options.get("kustomize"))), request.repository)


def source_key(request: Request, closure: Closure, program: str = "", content: str = "") -> str:
    """Compute what a kustomization's render by ``program`` is kept under; empty when it may change without a change.

    ``content`` is the key of the closure, if that has been computed.
    """
    if not closure.pinned:
        return ""
    options = dict(mapping(request.options.get("kustomize")))
    written = render_document(options) if options else "{}\n"  # of thousands, most have none
    decided = [written, *([program] if program else [])]
    if request.tools.build_options:
        decided.append(request.tools.build_options)
    if closure.charts:
        decided += [stamp_program("helm"), request.kubernetes_version, *request.api_versions]
    if "$" in decided[0] or request.tools.build_options:  # only then do the Application's variables matter
        decided.append(render_document(request.environment))
    return entry_key((content or closure.key(request.folder), *decided))


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
    if kind != "kustomize":
        return None
    closure = load_source_closure(applied)
    key = source_key(applied, closure, load_program())
    kept = load_entry(RENDERS, key) if key else None
    return None if kept is None else _kustomized(applied, closure, kept)


def _render_kustomization(request: Request, built: Built | None) -> Render:
    folder, options = request.folder, mapping(request.options.get("kustomize"))
    closure = load_source_closure(request)
    nothing = Render(files=closure.files, pinned=False, kustomized=True)
    if why := _refuse_options(request, options, closure):
        return replace(nothing, skipped=why)
    # Of a base's charts too: kustomize keeps to its folders, helm follows links.
    linked = [one for chart in closure.charts for one in check_links(chart.folder, request.repository)]
    if linked:
        raise GitOpsStackError(*dict.fromkeys(linked))
    if noted := find_unknown_host(closure.remotes):
        host, said = noted
        return replace(nothing, skipped=_UNREACHED, lacking=f"{folder}/{KUSTOMIZATIONS[0]}: {said}", hosts=(host,))
    program, content = load_program(), closure.key(folder)
    key = source_key(request, closure, program, content)
    if built and not _edited(request) and built.key == content:  # before the build, as it is now
        if key:
            write_entry(RENDERS, key, built.manifests)
        return _kustomized(request, closure, built.manifests)
    if key and (found := load_entry(RENDERS, key)) is not None:
        return _kustomized(request, closure, found)
    try:
        # The installation has a cache of its own.
        own = render_key(folder) and not has_edits(options)
        made = load_manifests(folder) if own else _build(request, closure.fetching)
    except (GitOpsStackError, yaml.YAMLError) as error:
        find_kustomize()  # raises: what this machine lacks altogether is not a finding about a tree
        return _explain(error, request, nothing, closure)
    if key and not own and source_key(request, load_source_closure(request), program) == key:  # else it was written to
        write_entry(RENDERS, key, made)
    return _kustomized(request, closure, made)


def _explain(error: Exception, request: Request, nothing: Render, closure: Closure) -> Render:
    if isinstance(error, BuildOptionNeededError):
        options = request.tools.build_options
        unsaid = options is None or request.tools.guessed
        why = "which nothing says; name --kustomize-build-options" if unsaid else ""
        if error.option in {word.partition("=")[0] for word in (options or "").split()}:  # it was left out
            why = _NOT_DONE
        if why:
            pinned = closure.pinned or closure.opaque
            return replace(nothing, skipped=f"it needs {error.option}, {why}", pinned=pinned)
    if isinstance(error, EnvironmentProblem):
        return replace(nothing, skipped=_UNREACHED, lacking=str(error), hosts=note_unknown(error.problems[0]))
    problems = error.problems if isinstance(error, GitOpsStackError) else (Problem(" ".join(str(error).split())),)
    seen = replace(nothing, files=(*closure.files, *closure.missing), links=(*closure.links, *closure.missing))
    lacks = any(f"lstat {place}: no such file" in one.found for place in closure.missing for one in problems)
    return replace(seen, failed=problems, pinned=closure.pinned or lacks)


def _refuse_options(request: Request, options: Mapping[str, Any], closure: Closure) -> str:
    """Say why a kustomization is not built: of the installation's options whoever changes the tree chooses some."""
    if unknown := find_unknown(options):
        return f"its kustomize options {', '.join(unknown)} are not known here"
    written = request.tools.build_options or ""
    if found := _WRITING.search(written):
        return f"kustomize.buildOptions has {found[0]}, which writes files and prints nothing"
    if "--helm-command" in written and (closure.opaque or closure.charts or closure.remotes):
        return f"kustomize.buildOptions has --helm-command, {_NOT_DONE}"
    root = request.repository.resolve()
    if why := _refuse_charts(closure.charts, root):
        return why
    if _ANYWHERE in written:
        outside = [file for file in closure.files if not file.resolve().is_relative_to(root)]
        if outside:
            return f"it reads {outside[0]}, which is outside of the repository"
    return ""


def _refuse_charts(charts: Sequence[InflatedChart], root: Path) -> str:
    """Say why charts are not left to helm, which writes to the places that a tree names and shows what is there."""
    if any(chart.configured for chart in charts):  # helm's plugins are in it
        return f"its helmGlobals have configHome, {_NOT_DONE}"
    places = (place for chart in charts for place in (chart.home, chart.folder))
    away = next((one for one in places if not is_inside(one, root)), None)
    return f"its charts are in {away}, which is outside of the repository" if away else ""


def _build_quickly(folder: Path) -> list[Manifest]:
    # Many small objects: a collection of garbage at each doubling of a few MB takes a fifth of the time.
    return render_kustomization(folder, (), {"GOGC": os.environ.get("GOGC", "400")})


def _edited(request: Request) -> bool:
    """Tell whether a kustomization is built otherwise than its folder says."""
    return bool(request.tools.build_options) or has_edits(mapping(request.options.get("kustomize")))


def _build(request: Request, fetching: Sequence[Path]) -> list[Manifest]:
    # Argo CD takes the words apart at spaces; quotes are part of them (util/kustomize parseKustomizeBuildOptions).
    options = list(_list_passed((request.tools.build_options or "").split()))
    if "--enable-helm" in options and (version := request.kubernetes_version):
        options += ["--helm-kube-version", version]
        options += [word for one in request.api_versions for word in ("--helm-api-versions", one)]
    made = _build_once(request, options, fetching)
    if "--enable-helm" in options and any(found.get("kind") == "Secret" for found in made):
        return settle_made_values(made, _build_once(request, options, fetching))
    return made


def _list_passed(options: Sequence[str]) -> Iterator[str]:
    """List the options of the build without those that start programs."""
    words = iter(options)
    for word in words:
        name, given, _ = word.partition("=")
        if name in _STARTING_WITH and not given:
            next(words, None)
        elif name not in (*_STARTING, *_STARTING_WITH):
            yield word


def _build_once(request: Request, options: Sequence[str], fetching: Sequence[Path]) -> list[Manifest]:
    edited = has_edits(mapping(request.options.get("kustomize")))
    if not edited and not fetching:
        return render_kustomization(request.folder, options, request.environment)
    program = shutil.which("kustomize")
    if edited and program is None:
        find_kustomize()
        raise EnvironmentProblem(
            Problem(
                "found no kustomize, which the Application's own options need (kubectl has no `edit`)",
                "install it",
                "PATH",
            )
        )
    # Charts that are fetched are written beside the kustomization that names them.
    with copy_source(request.folder, request.repository, fetching) as copy:
        if edited and program:
            edit_kustomization(program, copy, request)
        try:
            return render_kustomization(copy, options, request.environment)
        except GitOpsStackError as error:  # the copy is gone when it is read
            error.problems = tuple(_moved(one, str(copy), str(request.folder)) for one in error.problems)
            raise


def _moved(problem: Problem, copy: str, folder: str) -> Problem:
    return replace(problem, place=problem.place.replace(copy, folder), found=problem.found.replace(copy, folder))


def _kustomized(request: Request, closure: Closure, made: list[Manifest]) -> Render:
    file = str(kustomization_file(request.folder) or request.folder)
    added = list_named(mapping(request.options.get("kustomize")))
    awaited = [Path(os.path.normpath(request.folder / one / name)) for one in added for name in KUSTOMIZATIONS]
    return Render(
        tuple((file, found) for found in made),
        files=(*closure.files, *override_files(request), *(one for one in awaited if not one.exists())),
        links=closure.links,
        pinned=closure.pinned,
        kustomized=True,
    )
