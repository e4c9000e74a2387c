"""What of a folder without a stack is to be checked: charts, kustomizations nobody builds on, manifests.

A repository holds more YAML than manifests: patches, tests, templates, files of tools that never see a cluster. They
are passed over, and counted in a note.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitops_stack.gitops_tree.kustomize import KUSTOMIZATIONS
from gitops_stack.gitops_tree.yaml_text import MANIFEST_SUFFIXES
from gitops_stack.patterns import match_glob
from gitops_stack.tree_check.closure import Closure, load_closure
from gitops_stack.tree_check.passed_over import ARE_TEMPLATES, KIND, OF_TESTS, PATCH, TEMPLATE, find_reason, is_readable

_NO_PART = frozenset({"node_modules", "__pycache__", "venv"})
_TEST_STEP = re.compile(r"\d\d-assert.*\.ya?ml|chainsaw-test\.ya?ml|kuttl-test\.ya?ml")
# Backstage writes ${{ values.name }}; no plugin of Argo CD does.
_OF_SCAFFOLD = "${{"
# Folders of test data by every language's habit; `tests` alone may be an environment.
_TEST_DATA = re.compile(r"(^|/)(testdata|test-data|fixtures|__tests__|tests?/(data|golden|expected|snapshots?))/")
# An item of a list that is switched off, alone in its comment: a path, or a patch with one. Prose is not.
_SWITCHED_OFF = re.compile(
    r"^[ \t]*#[# \t]*-[ \t]+(?:path:[ \t]+)?[\"']?([^\s\"'#]+)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE
)


@dataclass
class FolderFiles:
    """The sources of a folder by kind, and how many files were ``passed_over``, by the reason."""

    charts: list[Path] = field(default_factory=list)
    kustomizations: list[Path] = field(default_factory=list)
    manifests: list[Path] = field(default_factory=list)
    jsonnet: list[Path] = field(default_factory=list)
    passed_over: dict[str, list[Path]] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)


def list_folder(folder: Path, project: Path, exclude: Sequence[str] = ()) -> FolderFiles:
    """List what of ``folder`` is to be checked; ``exclude`` are globs relative to the project."""
    found = FolderFiles()
    found.files += _walk(folder, project, exclude, found.folders)
    test_data = {file for file in found.files if _TEST_DATA.search(file.relative_to(folder).as_posix())}
    own = [file for file in found.files if file not in test_data]
    charts = sorted(file.parent for file in own if file.name == "Chart.yaml")
    charts = [one for one in charts if not any(one.is_relative_to(other) for other in charts if other != one)]
    kustomized = sorted({file.parent for file in own if file.name in KUSTOMIZATIONS})
    closures = {one: load_closure(one) for one in kustomized}
    used = {file.parent for one, closure in closures.items() for file in closure.files if file.parent != one.resolve()}
    built = [one for one in kustomized if one.resolve() not in used and not _is_component(one)]
    templates = {one: file for one in built if (file := _find_template(closures[one].files))}
    templates |= {one: file for one in charts if (file := _find_template([one / "Chart.yaml", one / "values.yaml"]))}
    found.kustomizations = [one for one in built if one not in templates]
    inflated = {Path(os.path.realpath(chart.folder)) for closure in closures.values() for chart in closure.charts}
    found.charts = [one for one in charts if one not in templates and one.resolve() not in inflated]
    found.jsonnet = [file for file in own if file.suffix == ".jsonnet"]
    _sort_files(found, own, closures, charts)
    if templates:
        found.passed_over.setdefault(ARE_TEMPLATES, []).extend(sorted(set(templates.values())))
    if left := [file for file in found.files if file in test_data and file.suffix in MANIFEST_SUFFIXES]:
        found.passed_over.setdefault(OF_TESTS, []).extend(left)
    return found


def _walk(folder: Path, project: Path, exclude: Sequence[str], folders: list[Path]) -> Iterator[Path]:
    for place, inner, names in os.walk(folder):
        here = Path(place)
        folders.append(here)
        inner[:] = sorted(
            name
            for name in inner
            if not name.startswith(".") and name not in _NO_PART and not is_excluded(here / name, project, exclude)
        )
        yield from (here / name for name in sorted(names) if not is_excluded(here / name, project, exclude))


def is_excluded(path: Path, project: Path, exclude: Iterable[str]) -> bool:
    """Tell whether a path, or a folder it is in, matches one of the globs (`*` stops at `/`, `**` does not)."""
    shown = os.path.relpath(path.absolute(), project.absolute()).replace(os.sep, "/")
    parts = shown.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return any(
        match_glob(glob.rstrip("/"), one, "/") or match_glob(glob, f"{one}/", "/") for glob in exclude for one in above
    )


def _is_component(folder: Path) -> bool:
    """Tell whether a kustomization is a component, which only others can build."""
    for name in KUSTOMIZATIONS:
        if (folder / name).is_file():
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
            return any(kind == "Component" for kind in KIND.findall(text))
    return False


def _find_template(files: Iterable[Path]) -> Path | None:
    """Find the first file of a kustomization or chart that a tool fills in before anybody renders it."""
    for file in files:
        if file.name in (*KUSTOMIZATIONS, "Chart.yaml", "values.yaml") and file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            if TEMPLATE.search(text) and (_OF_SCAFFOLD in text or not is_readable(file, text)):
                return file
    return None


def _sort_files(
    found: FolderFiles, own: Sequence[Path], closures: Mapping[Path, Closure], chart_folders: Iterable[Path]
) -> None:
    taken = {file for closure in closures.values() for file in closure.files}
    charts = {str(chart) for chart in chart_folders}
    kustomized = {str(one) for one in closures}
    tested = {file.parent for file in own if _TEST_STEP.fullmatch(file.name)}
    unnamed = set(_list_unnamed(closures, own))
    passed_over: dict[str, list[Path]] = defaultdict(list)
    for file in own:
        above = {str(one) for one in file.parents}
        if file.suffix not in MANIFEST_SUFFIXES or above & charts or not file.is_file() or file.resolve() in taken:
            continue
        if str(file.parent) in kustomized or file in unnamed or (_is_patch(file, kustomized) and above & kustomized):
            why = "" if file.name in KUSTOMIZATIONS else "no kustomization names them"
        elif tested & {*file.parents}:
            why = OF_TESTS
        else:
            why = find_reason(file)
            if not why:
                found.manifests.append(file)
        if why:
            passed_over[why].append(file)
    found.passed_over = dict(passed_over)


def _list_unnamed(closures: Mapping[Path, Closure], own: Sequence[Path]) -> Iterator[Path]:
    """List files in folders below a kustomization of which it names some files and not these, and files switched off.

    A folder with a kustomization of its own is rendered by that.
    """
    inner: dict[Path, set[Path]] = defaultdict(set)
    for file in own:
        if file.parent not in closures:
            inner[file.parent].add(file)
    for folder, closure in closures.items():
        base = folder.resolve()
        below = {folder / file.parent.relative_to(base) for file in closure.files if file.is_relative_to(base)}
        for place in below:
            yield from inner.get(place, ())
        yield from (file for file in _list_switched_off(folder) if file in inner.get(file.parent, ()))


def _list_switched_off(folder: Path) -> Iterator[Path]:
    """List what a kustomization has as items of lists in comments, as people do who switch a resource off."""
    for name in KUSTOMIZATIONS:
        if (folder / name).is_file():
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
            yield from (Path(os.path.normpath(folder / named)) for named in _SWITCHED_OFF.findall(text))


def _is_patch(file: Path, kustomized: set[str]) -> bool:
    inner = []
    for place in (file, *file.parents):
        if str(place) in kustomized:
            break
        inner.append(place.stem if place == file else place.name)
    return any(PATCH.search(name.lower()) for name in inner)
