"""Expand ApplicationSets whose generators Git alone decides: lists, folders and files of this repository.

Placeholders are replaced as plain text, in both template languages; anything beyond a dotted name is left to Argo CD.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.conventions import RESOURCES_FINALIZER
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests import Manifest
from gitops_stack.patterns import match_glob, same_repository
from gitops_stack.policies.fields import dig, mapping, sequence, text

_PLACEHOLDER = re.compile(r"\{\{\s*(\.?[\w.\[\]-]+)\s*\}\}")
_LEFT = re.compile(r"\{\{")
Parameters = dict[str, Any]


class NotExpandableError(Exception):
    """A generator or template that needs more than this repository."""


def expand_application_set(found: Manifest, project: Path, repo_url: str) -> tuple[list[Manifest], list[Path]]:
    """Build the Applications of a set, and list the folders and files that decide which there are.

    Raises :class:`NotExpandableError` with the reason.
    """
    spec = mapping(found.get("spec"))
    read: list[Path] = []
    if spec.get("templatePatch"):
        raise NotExpandableError("it has a templatePatch")
    parameters = [
        one
        for generator in sequence(spec.get("generators"))
        for one in _generate(mapping(generator), project, repo_url, read)
    ]
    namespace = text(dig(found, "metadata", "namespace"))
    # The controller adds the finalizer itself unless it is told to preserve (docs: "Application Pruning & Deletion").
    preserved = dig(spec, "syncPolicy", "preserveResourcesOnDeletion") is True
    finalizers = {} if preserved else {"finalizers": [RESOURCES_FINALIZER]}
    made = []
    for one in parameters:
        template = _fill(dict(mapping(spec.get("template"))), one)
        metadata = {"namespace": namespace, **finalizers, **mapping(template.get("metadata"))}
        made.append({"apiVersion": found.get("apiVersion"), "kind": "Application", **template, "metadata": metadata})
    return made, read


def _generate(generator: Mapping[str, Any], project: Path, repo_url: str, read: list[Path]) -> Iterator[Parameters]:
    if "list" in generator and "elementsYaml" not in mapping(generator["list"]):
        yield from (dict(mapping(one)) for one in sequence(dig(generator, "list", "elements")))
    elif "git" in generator and same_repository(text(dig(generator, "git", "repoURL")), repo_url):
        yield from _generate_from_git(mapping(generator["git"]), project, read)
    elif "matrix" in generator:
        inner = [
            list(_generate(mapping(one), project, repo_url, read))
            for one in sequence(dig(generator, "matrix", "generators"))
        ]
        for combined in itertools.product(*inner):
            yield {key: value for one in combined for key, value in one.items()}
    else:
        raise NotExpandableError(
            f"its generator {', '.join(sorted(generator)) or 'is empty'} needs more than this repository"
        )


def _generate_from_git(git: Mapping[str, Any], project: Path, read: list[Path]) -> Iterator[Parameters]:
    values = {f"values.{key}": value for key, value in mapping(git.get("values")).items()}
    for folder in _matching(project, sequence(git.get("directories")), read, folders=True):
        yield {**path_parameters(folder), **values}
    for file in _matching(project, sequence(git.get("files")), read, folders=False):
        try:
            documents = load_documents((project / file).read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            raise NotExpandableError(f"{file} is no YAML") from None
        for one in (
            inner for document in documents for inner in (document if isinstance(document, list) else [document])
        ):
            yield {**_flat(one), **path_parameters(str(Path(file).parent)), **values}


def _matching(project: Path, entries: Any, read: list[Path], *, folders: bool) -> list[str]:  # noqa: ANN401 - from YAML
    patterns = [(text(mapping(entry).get("path")), mapping(entry).get("exclude") is True) for entry in entries]
    included = [pattern for pattern, excluded in patterns if not excluded]
    found = set()
    for pattern in included:
        try:
            paths = list(project.glob(pattern))
        except (ValueError, IndexError, NotImplementedError):  # what pathlib has no meaning for: empty, absolute, `a**`
            raise NotExpandableError(
                f"found {pattern or 'no text'}, which is no pattern of paths below the repository"
            ) from None
        for path in paths:
            name = path.relative_to(project).as_posix()
            if path.is_dir() == folders and not any(part.startswith(".") for part in path.relative_to(project).parts):
                found.add(name)
        fixed = itertools.takewhile(lambda part: not re.search(r"[*?\[{]", part), Path(pattern).parts)
        read.append(project.joinpath(*fixed))
    denied = [pattern for pattern, excluded in patterns if excluded]
    return sorted(name for name in found if not any(match_glob(pattern, name, "/") for pattern in denied))


def path_parameters(path: str) -> Parameters:
    """Build what the git generator gives for a folder."""
    parts = Path(path).parts
    base = parts[-1] if parts else ""
    normalized = re.sub(r"[^a-z0-9.-]", "-", base.lower())
    return {
        "path": path,
        "path.path": path,
        "path.basename": base,
        "path.basenameNormalized": normalized,
        **{f"path[{index}]": part for index, part in enumerate(parts)},
    }


def _flat(value: object, prefix: str = "") -> Parameters:
    flat: Parameters = {}
    for key, inner in mapping(value).items():
        flat |= _flat(inner, f"{prefix}{key}.") if isinstance(inner, Mapping) else {f"{prefix}{key}": inner}
    return flat


def _fill(value: Any, parameters: Parameters) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        return {_fill(key, parameters): _fill(inner, parameters) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, parameters) for inner in value]
    if not isinstance(value, str):
        return value

    def replaced(found: re.Match[str]) -> str:
        name = found[1].lstrip(".")
        if name not in parameters:
            raise NotExpandableError(f"its template uses {found[0]}, which no generator gives")
        return str(parameters[name])

    filled = _PLACEHOLDER.sub(replaced, value)
    if _LEFT.search(filled):
        raise NotExpandableError("its template uses functions")
    return filled
