"""Build many kustomizations with one process of kustomize, whose start takes most of the time of a small one.

One kustomization lists all folders, each through an overlay that adds a field with the folder's number to its objects.
What kustomize does after everything has been put together (names of generated objects, references to them) could mix
folders up; ``batch_candidate`` leaves out what can cause that, and what could still be mixed up is seen in the result.
Whatever is not answered here is built alone, which also gives a failure its own folder.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.kustomize import render_kustomization
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig
from gitops_stack.tree_check.batch_candidate import FIELD, Candidate, load_candidate

MOST = 16  # beyond it a folder costs no less: kustomize compares every object with all others
_HASHED = re.compile(r"^(?P<name>.+)-[2456789bcdfghkmt]{10}$")  # kustomize's hasher.encode


@dataclass(frozen=True)
class Built:
    """What a folder renders to, in kustomize's order; ``key`` is that of its files before (:meth:`Closure.key`)."""

    key: str
    manifests: list[Manifest]


def build_together(
    folders: Iterable[Path], build: Callable[[Path], list[Manifest]] = render_kustomization
) -> dict[Path, Built]:
    """Build those of ``folders`` that can be built together; the same objects as a build of each alone.

    A folder that is not in the result has to be built alone.
    """
    candidates = [found for folder in dict.fromkeys(folders) if (found := load_candidate(folder))]
    made: dict[Path, Built] = {}
    for group in _group(candidates):
        made |= _build_group(group, build)
    return made


def _group(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Put together what reads no manifest in common: two overlays of one base have the same objects."""
    groups: list[tuple[list[Candidate], set[Path]]] = []
    for candidate in candidates:
        for members, read in groups:
            if len(members) < MOST and read.isdisjoint(candidate.manifests):
                members.append(candidate)
                read.update(candidate.manifests)
                break
        else:
            groups.append(([candidate], set(candidate.manifests)))
    yield from (members for members, _ in groups if len(members) > 1)


def _build_group(group: Sequence[Candidate], build: Callable[[Path], list[Manifest]]) -> dict[Path, Built]:
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        for number, candidate in enumerate(group):
            _write_overlay(root / str(number), candidate.folder, number)
        _write(root, {"resources": [str(number) for number in range(len(group))]})
        try:
            documents = build(root)
        except (GitOpsStackError, yaml.YAMLError):  # said by the folder that is at fault, when it is built alone
            return {}
    found: dict[int, list[Manifest]] = defaultdict(list)
    for document in documents:
        mark = document.pop(FIELD, None)
        if mark is None:  # a kustomize that does otherwise
            return {}
        found[int(mark["folder"])].append(document)
    mixed = find_mixed(found)
    return {
        candidate.folder: Built(candidate.key, found[number])
        for number, candidate in enumerate(group)
        if found[number] and number not in mixed
    }


def find_mixed(found: dict[int, list[Manifest]]) -> set[int]:
    """Return the folders between which kustomize may have followed a name, in either direction.

    It follows a reference to an object whose name has changed, and writes name and namespace of a ServiceAccount into
    subjects (api/filters/nameref). Names change by a hash alone in what is built together. So two folders are apart
    when no text of the one is, or was, the name of such an object of the other.
    """
    owners: dict[str, set[int]] = defaultdict(set)
    for number, objects in found.items():
        for name in _followed(objects):
            owners[name].add(number)
    mixed: set[int] = set()
    for number, objects in found.items():
        for text in (*_texts(objects), *_followed(objects)):
            if text in owners and (others := owners[text] - {number}):
                mixed |= {number, *others}
    return mixed


def _followed(objects: Iterable[Manifest]) -> Iterator[str]:
    for found in objects:
        name = str(dig(found, "metadata", "name"))
        hashed = _HASHED.match(name)
        if hashed or found.get("kind") == "ServiceAccount":
            yield name
        if hashed:
            yield hashed["name"]


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - anything YAML has
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    else:
        yield str(value)


def _write_overlay(folder: Path, base: Path, number: int) -> None:
    mark = {
        "apiVersion": "builtin",
        "kind": "AnnotationsTransformer",
        "metadata": {"name": "mark"},
        "annotations": {"folder": str(number)},
        "fieldSpecs": [{"path": FIELD, "create": True}],
    }
    folder.mkdir()
    # A link, as kustomize refuses absolute bases and takes some relative ones for addresses; it goes where it leads.
    (folder / "base").symlink_to(base.absolute(), target_is_directory=True)
    _write(folder, {"resources": ["base"], "transformers": [json.dumps(mark)]})


def _write(folder: Path, kustomization: Manifest) -> None:
    # JSON, which is YAML and written in no time.
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization), encoding="utf-8")
