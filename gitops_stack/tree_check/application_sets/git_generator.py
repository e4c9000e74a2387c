"""The git generator: one set of parameters for each folder, or for each entry of each file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.patterns import match_doublestar, match_path
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.tree_check.application_sets.errors import RefusedError
from gitops_stack.tree_check.application_sets.filling import Filling, Parameters
from gitops_stack.tree_check.application_sets.git_paths import match_file
from gitops_stack.tree_check.application_sets.parameters import append_values, flatten
from gitops_stack.tree_check.application_sets.repository import Listing, Repository
from gitops_stack.tree_check.go_template import StringList
from gitops_stack.tree_check.go_template.text_functions import base_name, sanitize_name
from gitops_stack.tree_check.go_template.values import as_go


def generate_from_git(
    git: Mapping[str, Any], filling: Filling, repository: Repository, read: list[Path], *, new_globbing: bool
) -> Iterator[Parameters]:
    """Yield the parameters of a git generator, and note in ``read`` the folders and files that decide them.

    Raises :class:`RefusedError` and :class:`NotExpandableError`.
    """
    listing = repository.open(text(git.get("repoURL")), text(git.get("revision")))
    prefix = text(git.get("pathParamPrefix"))
    if sequence(git.get("directories")):
        for folder in _find_folders(listing, _patterns(git["directories"])):
            parameters = path_parameters(folder, prefix, go_template=filling.go_template)
            yield append_values(parameters, git.get("values"), filling)
        _note(listing, _patterns(git["directories"]), read)
    elif sequence(git.get("files")):
        patterns = _patterns(git["files"])
        _note(listing, patterns, read)
        matching = _find_files(listing, patterns, new_globbing=new_globbing)
        read += [listing.folder / file for file in matching]
        for file in matching:
            for entry in _read_entries(listing, file):
                known = entry if filling.go_template else flatten(entry)
                places = path_parameters(str(PurePosixPath(file).parent), prefix, file, go_template=filling.go_template)
                yield append_values({**known, **places}, git.get("values"), filling)
    else:
        raise RefusedError("its git generator has neither directories nor files")


def _patterns(entries: object) -> list[tuple[str, bool]]:
    found = [mapping(entry) for entry in sequence(entries)]
    return [(text(entry.get("path")), entry.get("exclude") is True) for entry in found]


def _find_folders(listing: Listing, patterns: list[tuple[str, bool]]) -> Iterator[str]:
    for folder in listing.folders:
        excludes = {excluded for pattern, excluded in patterns if match_path(pattern, folder)}
        if excludes == {False}:
            yield folder


def _find_files(listing: Listing, patterns: list[tuple[str, bool]], *, new_globbing: bool) -> list[str]:
    matches = match_doublestar if new_globbing else match_file
    found: set[str] = set()
    for pattern, _ in (one for one in patterns if not one[1]):
        found |= {file for file in listing.files if matches(pattern, file)}
    for pattern, _ in (one for one in patterns if one[1]):
        found = {file for file in found if not matches(pattern, file)}
    return sorted(found)


def _read_entries(listing: Listing, file: str) -> list[Parameters]:
    content = listing.read(file)
    if content is None:
        return []
    try:
        found = as_go(next(iter(load_documents(content.decode("utf-8-sig"))), None))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise RefusedError(f"{file} is not valid YAML") from None
    entries = found if isinstance(found, list) else [found]
    if not all(entry is None or isinstance(entry, dict) for entry in entries):
        raise RefusedError(f"{file} is neither a map nor a list of maps")
    return [entry or {} for entry in entries]


def _note(listing: Listing, patterns: list[tuple[str, bool]], read: list[Path]) -> None:
    for pattern, excluded in patterns:
        if not excluded:
            fixed = takewhile(lambda part: not re.search(r"[*?\[{\\]", part), PurePosixPath(pattern).parts)
            read.append(listing.folder.joinpath(*(part for part in fixed if part != "/")))


def path_parameters(folder: str, prefix: str = "", file: str = "", *, go_template: bool = False) -> Parameters:
    """Build what the generator says about a folder, or about the folder of ``file``."""
    name = base_name(folder)
    known = {"basename": name, "basenameNormalized": sanitize_name(name)}
    if file:
        known |= {"filename": base_name(file), "filenameNormalized": sanitize_name(base_name(file))}
    if go_template:
        path = {"path": folder, **known, "segments": StringList(folder.split("/"))}
        return {prefix: {"path": path}} if prefix else {"path": path}
    place = f"{prefix}.path" if prefix else "path"
    segments = {f"{place}[{index}]": part for index, part in enumerate(folder.split("/")) if part}
    return {place: folder, **{f"{place}.{key}": value for key, value in known.items()}, **segments}
