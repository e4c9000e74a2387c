"""A Helm chart, rendered by the program `helm` with the arguments Argo CD gives it.

Held against reposerver/repository helmTemplate and getResolvedValueFiles, util/helm Cmd.template of v3.5.1. What a
chart asks of the cluster (`lookup`, `.Capabilities.APIVersions`) is empty here.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.charts.helm import HelmTimeout, find_error, find_helm, run_helm
from gitops_stack.errors import Problem, shorten
from gitops_stack.gitops_tree.yaml_text import build_no_yaml, load_documents, load_yaml_file, render_document
from gitops_stack.patterns import is_version, match_doublestar
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.tree_check.bounds import is_fetched, is_inside
from gitops_stack.tree_check.inflated_charts import list_chart_files
from gitops_stack.tree_check.random_values import list_varying, may_make_values, settle_made_values
from gitops_stack.tree_check.source import ChartProblem, Render, Request
from gitops_stack.tree_check.source_copy import copy_source
from gitops_stack.tree_check.unknown_hosts import find_unknown_host, note_unknown

_NO_PLUGIN = re.compile(r"could not find protocol handler for: ([\w+.-]+)")
_UNREACHED = "helm cannot reach what the chart needs"
_WRONG = re.compile(r"parse error at|.*cannot load |.*Chart\.yaml")  # whatever the values
_MISSING_DEPENDENCY = re.compile(r"found in (Chart|requirements)\.yaml, but missing in charts")
NAMING, LOCKING = ("Chart.yaml", "requirements.yaml"), ("Chart.lock", "requirements.lock")
_BESIDE = "file://"
_NAMED = ("@", "alias:")  # names of `helm repo add`; Argo CD has those of its repository Secrets
_UNREACHABLE = re.compile(r"no such host|connection refused|i/o timeout|dial tcp|cannot be reached|could not download")


class _UnrenderedError(Exception):
    """Why there is nothing to show of a chart; ``fields`` are those of its Render."""

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401 - as Render takes them
        super().__init__(str(fields))
        self.fields = fields


def render_chart(request: Request) -> Render:
    """Render a chart; what is wrong in it becomes a problem."""
    files = list_chart_files(request.folder, request.repository)
    try:
        printed, again, pinned = _template(request, files)
        documents = load_documents(printed)
        varying = {}
        if again:
            other = load_documents(again)
            documents = settle_made_values(documents, other)
            varying = list_varying(documents, other)
    except _UnrenderedError as error:
        return Render(files=tuple(files), **{"pinned": False, **error.fields})
    except yaml.YAMLError as error:
        said = build_no_yaml("what helm rendered", error).at(str(request.folder))
        return Render(failed=(said,), files=tuple(files), pinned=False)
    place = str(request.folder / "Chart.yaml")
    made = tuple((place, found) for found in documents)
    return Render(made, files=tuple(files), pinned=pinned, varying=varying)


def _template(request: Request, files: list[Path]) -> tuple[str, str, bool]:
    """Return what helm prints, the same once more if it makes values, and whether files alone decide it.

    Adds the files it reads to ``files``. A version of a published chart is taken for one that stays what it is.

    Not so are dependencies without a version, values from elsewhere, and patterns, which a new file may match.
    """
    helm, folder = find_helm(), request.folder
    if helm is None:
        raise _UnrenderedError(skipped="it is a Helm chart and helm is not on PATH", pinned=True)
    if (elsewhere := _foreign_values(request)) is not None:
        raise _UnrenderedError(skipped=f"its Helm values come from source {elsewhere}, which is not here")
    options = mapping(request.options.get("helm"))
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as made:
        values, inline = Path(made) / "values.yaml", options.get("valuesObject")
        written = text(options.get("values")) if inline is None else render_document(inline)
        values.write_text(written, encoding="utf-8")
        named = list(_value_files(request, options))
        said_files = [text(name) for name in sequence(options.get("valueFiles"))]
        said_files += [text(mapping(one).get("path")) for one in sequence(options.get("fileParameters"))]
        pinned = not any(is_fetched(one) or re.search(r"[*?\[]", one) for one in said_files)
        read = [*named, *(_resolve(one, request) for one in said_files)]  # one that may be missing may come
        files += [Path(one) for one in read if not is_fetched(one)]
        arguments = [*_arguments(request, options, named), f"--values={values}"]
        try:
            done, again = _run_twice(helm, request.repository, folder, arguments)
            if done.returncode and _MISSING_DEPENDENCY.search(done.stderr):
                if known := next((url for url in _repositories(folder) if url.startswith(_NAMED)), None):
                    raise _UnrenderedError(skipped=f"only Argo CD's settings know its repository {known}", pinned=True)
                if noted := find_unknown_host(_repositories(folder)):
                    host, said = noted
                    raise _UnrenderedError(skipped=_UNREACHED, lacking=f"{folder}: {said}", hosts=(host,))
                done, again = _render_with_dependencies(helm, request, arguments, Path(made))
                pinned = pinned and _are_fixed(folder)
                files += _list_neighbours(request)
        except HelmTimeout as late:
            raise _UnrenderedError(failed=(Problem(str(late), place=str(folder)),)) from None
    said = shorten(find_error(done.stderr))
    if done.returncode and _UNREACHABLE.search(done.stderr):
        lacking = Problem(f"{_UNREACHED}: {said}", "check the network", str(folder))
        raise _UnrenderedError(skipped=_UNREACHED, lacking=str(lacking), hosts=note_unknown(lacking))
    if done.returncode and (plugin := _NO_PLUGIN.search(done.stderr)):
        raise _UnrenderedError(skipped=f"helm has no plugin for {plugin[1]} here")
    if done.returncode:
        mendable, needs = _WRONG.match(said) is None, "correct the chart or its values"
        failed = ChartProblem(f"helm failed: {said}", needs, str(folder), said=said, mendable=mendable)
        raise _UnrenderedError(failed=(failed,), pinned=pinned)
    return done.stdout, again, pinned


def _run_twice(
    helm: str, root: Path, folder: Path, arguments: list[str], **variables: str
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Render a chart, and once more if it makes values anew at every render."""
    done = run_helm(helm, folder, *arguments, **variables)
    templates = (path for name in ("templates", "charts") for path in list_chart_files(folder / name, folder, root))
    makes = done.returncode == 0 and may_make_values(templates)
    return done, run_helm(helm, folder, *arguments, **variables).stdout if makes else ""


def _render_with_dependencies(
    helm: str, request: Request, arguments: list[str], made: Path
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Build the chart's dependencies in a copy of it, as the repo-server does in its checkout, and render that."""
    home = {f"HELM_{name}_HOME": str(made / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    with copy_source(request.folder, request.repository) as copy:
        fetched = (url for url in _repositories(copy) if url.startswith(("http://", "https://")))
        for number, url in enumerate(fetched):
            done = run_helm(helm, copy, "repo", "add", f"repository-{number}", url, **home)
            if done.returncode:
                return done, ""
        done = run_helm(helm, copy, "dependency", "build", **home)
        return (done, "") if done.returncode else _run_twice(helm, request.repository, copy, arguments, **home)


def _repositories(chart: Path) -> list[str]:
    """List the repositories of a chart's dependencies; of HTTP ones helm builds from those it knows alone."""
    return list(dict.fromkeys(text(one.get("repository")) for one in list_dependencies(chart, NAMING)))


def list_dependencies(chart: Path, names: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the dependencies that the files of a chart with these ``names`` list; missing files list none.

    Raises :class:`GitOpsStackError` for one that is not YAML.
    """
    for file in (chart / name for name in names):
        documents = load_yaml_file(file) if file.is_file() else []
        yield from map(mapping, sequence(mapping(documents[0] if documents else None).get("dependencies")))


def _are_fixed(chart: Path) -> bool:
    """Tell whether dependencies are whole versions, in the lock or without one, or charts beside this one."""
    found = list(list_dependencies(chart, LOCKING)) or list(list_dependencies(chart, NAMING))
    return all(text(one.get("repository")).startswith(_BESIDE) or is_version(text(one.get("version"))) for one in found)


def _list_neighbours(request: Request) -> Iterator[Path]:
    """Yield the files of dependencies that are charts beside this one."""
    for url in _repositories(request.folder):
        place = Path(os.path.normpath(request.folder / url.removeprefix(_BESIDE)))
        if url.startswith(_BESIDE) and place.is_relative_to(request.repository):
            yield from list_chart_files(place, request.repository)


def _arguments(request: Request, options: Mapping[str, Any], values: list[str]) -> Iterator[str]:
    name = text(options.get("releaseName")) or request.name or request.folder.name
    yield from ("template", ".", "--name-template", name)
    if namespace := text(options.get("namespace")) or request.namespace:
        yield from ("--namespace", namespace)
    if version := request.kubernetes_version:
        yield from ("--kube-version", version)
    for parameter in map(mapping, sequence(options.get("parameters"))):
        flag = "--set-string" if parameter.get("forceString") is True else "--set"
        yield f"{flag}={text(parameter.get('name'))}={_escape(request.substitute(text(parameter.get('value'))))}"
    for parameter in map(mapping, sequence(options.get("fileParameters"))):
        found = _resolve(text(parameter.get("path")), request)
        yield f"--set-file={text(parameter.get('name'))}={_escape(found)}"
    yield from (f"--values={value}" for value in values)
    yield from (f"--api-versions={one}" for one in request.api_versions)
    if options.get("skipCrds") is not True:
        yield "--include-crds"
    if options.get("skipSchemaValidation") is True:
        yield "--skip-schema-validation"
    if options.get("skipTests") is True:
        yield "--skip-tests"


def _escape(value: str) -> str:
    """Escape commas, which `--set` would take for the end of the value, but not those of `{a,b}`."""
    if value.startswith("{") and value.endswith("}"):
        return value
    return re.sub(r"(?<!\\),", r"\\,", value)


def _foreign_values(request: Request) -> str | None:
    """Return the first `$ref` of another source that is not here."""
    here = {name for name, _ in request.refs}
    named = [text(name) for name in sequence(mapping(request.options.get("helm")).get("valueFiles"))]
    refs = [name.partition("/")[0] for name in named if name.startswith("$")]
    return next((ref for ref in refs if ref[1:] not in here and request.several), None)


def _value_files(request: Request, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values files in their order, each once; of a pattern's files those that are not named themselves."""
    named = [_resolve(text(name), request) for name in sequence(options.get("valueFiles"))]
    lenient = options.get("ignoreMissingValueFiles") is True
    seen: set[str] = set()
    for written, found in zip(sequence(options.get("valueFiles")), named, strict=True):
        if is_fetched(found):
            matches = [found]
        elif re.search(r"[*?\[]", found):
            matches = [one for one in _glob(found, request) if one not in named]
            if not matches and not lenient:
                raise _refuse_values(request, f"found {written}, which matches no file", "correct it")
        else:
            matches = [] if lenient and not Path(found).exists() else [found]
        for one in matches:
            if one not in seen:
                seen.add(one)
                yield one


def _glob(pattern: str, request: Request) -> list[str]:
    fixed = re.split(r"[*?\[{]", pattern)[0].rpartition("/")[0]
    found = sorted(str(file) for file in Path(fixed).rglob("*") if file.is_file())
    matching = [one for one in found if match_doublestar(pattern, one)]
    for one in matching:
        _check_bounds(Path(one), one, request)
    return matching


def _resolve(written: str, request: Request) -> str:
    """Return where a values file is: `$ref/…` in another source, `/…` from the root, else in the folder."""
    ref, _, rest = written.partition("/")
    place = dict(request.refs).get(ref.removeprefix("$")) if ref.startswith("$") else None
    if place is not None:
        found = Path(os.path.abspath(place / request.substitute(f"/{rest}").lstrip("/")))  # noqa: PTH100 - as below
        _check_bounds(found, written, request, place)
        return str(found)
    name = request.substitute(written)
    if is_fetched(name):
        return name
    within = request.repository / name.lstrip("/") if name.startswith("/") else request.folder / name
    found = Path(os.path.abspath(within))  # noqa: PTH100 - helm runs in the chart's folder; links stay as they are
    _check_bounds(found, name, request)
    return str(found)


def _check_bounds(file: Path, written: str, request: Request, root: Path | None = None) -> None:
    if not is_inside(file, root or request.repository):
        raise _refuse_values(request, f"found {written}", "needs a file of the repository")


def _refuse_values(request: Request, found: str, needs: str) -> _UnrenderedError:
    return _UnrenderedError(failed=(Problem(found, needs, str(request.folder), "valueFiles"),))
