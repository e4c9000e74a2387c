"""The `config` of a stack file as the program gets it: keys in their namespaces, the project's defaults filled in.

Rules: pulumi/sdk `workspace/loaders.go` (a key without a namespace belongs to the project) and
`resource/config/key.go`; pulumi/pkg `workspace/config.go` (what Pulumi.yaml gives where the stack file gives nothing).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_stack.config.engine_yaml import read_document
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.edits.yaml_source import decode_text
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.stack_files import find_stacks, stack_file

PROJECT_FILE = "Pulumi.yaml"
_SEPARATORS = re.compile(r"[-_. ]")
_NEAR = 0.9  # of the letters of two namespaces: a letter more, one less, or two that changed places


@dataclass(frozen=True)
class StackConfig:
    """Values by their whole key, such as `gitops-stack:gitops`; ``written`` as :class:`EngineDocument` has it.

    ``project_name`` is the Pulumi project's.
    """

    values: Mapping[str, Any]
    written: Mapping[tuple[str, ...], str]
    project_name: str


def load_stack_config(project: Path, stack: str) -> StackConfig:
    """Read the config of ``stack`` in the folder ``project``.

    Raises :class:`EnvironmentProblem` for a missing file and :class:`GitOpsStackError` for one that Pulumi refuses.
    """
    name, defaults = _load_project(project)
    place = stack_file(stack)
    file = project / place
    if not file.is_file():
        raise EnvironmentProblem(
            Problem("is missing", f"stacks found here: {', '.join(find_stacks(project)) or 'none'}", str(file))
        )
    read = read_document(decode_text(file.read_bytes(), place), place)
    config = read.data.get("config") if isinstance(read.data, dict) else None
    if not isinstance(config, dict):
        raise GitOpsStackError(Problem("found no `config:`", "write the stack's settings under it", place))
    if {(), ("config",)} & read.mixed:
        raise GitOpsStackError(
            Problem("found a key that is not text, which Pulumi refuses", "put quotes around it", place)
        )
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for key, value in config.items():
        full = whole_key(key, name, place)
        GitOpsStackError.raise_for(_check_namespace(place, full, name))
        if full in values:
            raise GitOpsStackError(
                Problem(
                    f"stands there as {origin[full]} and as {key}, of which Pulumi takes either",
                    "leave one",
                    place,
                    full,
                )
            )
        values[full], origin[full] = "" if value is None else value, key  # what the program gets for nothing
    written = {
        (whole_key(path[1], name, place), *path[2:]): text
        for path, text in read.written.items()
        if path[:1] == ("config",)
    }
    left = {key: value for key, value in defaults.items() if key not in values}
    return StackConfig({**left, **values}, written, name)


def load_project_name(project: Path) -> str:
    """Return the Pulumi project's name; this library's where there is no Pulumi.yaml."""
    return _load_project(project)[0]


def _check_namespace(place: str, key: str, project_name: str) -> Iterator[str]:
    """Refuse a namespace that is this library's but for a slip: Pulumi would take it, and nobody read it."""
    namespace, _, rest = key.partition(":")
    if namespace in (PULUMI_PROJECT, project_name):
        return
    found, own = (_SEPARATORS.sub("", one.lower()) for one in (namespace, PULUMI_PROJECT))
    if abs(len(found) - len(own)) <= 1 and difflib.SequenceMatcher(None, found, own).ratio() >= _NEAR:
        yield f"{place}: {key}: is read by nobody; did you mean {PULUMI_PROJECT}:{rest}?"


def whole_key(key: str, project_name: str, place: str) -> str:
    """Return ``key`` with its namespace. Raises :class:`GitOpsStackError` for what Pulumi refuses as a key."""
    words = key.split(":")
    if len(words) == 1:
        return f"{project_name}:{key}"
    if len(words) == 2:  # noqa: PLR2004 - namespace:name
        return key
    if len(words) == 3 and words[1] == "config" and words[0] and words[2]:  # noqa: PLR2004 - an old form of it
        return f"{words[0]}:{words[2]}"
    raise GitOpsStackError(
        Problem("is not a key of Pulumi's", "write NAMESPACE:NAME, as in gitops-stack:gitops", place, key)
    )


def engine_text(value: object) -> str:
    """Return the text in which the engine hands a value to the program."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _load_project(project: Path) -> tuple[str, dict[str, Any]]:
    file = project / PROJECT_FILE
    if not file.is_file():
        return PULUMI_PROJECT, {}
    data = read_document(decode_text(file.read_bytes(), PROJECT_FILE), PROJECT_FILE).data
    found = data if isinstance(data, dict) else {}
    name = found.get("name")
    if not isinstance(name, str) or not name:
        raise GitOpsStackError(
            Problem("is missing", "write the name of the Pulumi project, in letters", PROJECT_FILE, "name")
        )
    config = found.get("config")
    GitOpsStackError.raise_for(_check_folder(found))
    declared = {whole_key(str(key), name, PROJECT_FILE): one for key, one in (config or {}).items()} if isinstance(
        config, dict) else {}  # fmt: skip
    return name, {key: value for key, one in declared.items() if (value := _default(one)) is not None}


def _check_folder(project: Mapping[str, Any]) -> Iterator[str]:
    """Refuse another folder for stack files, under its own key or the one it had before: a stale file may lie here."""
    config = project.get("config")
    folders = {"stackConfigDir": project.get("stackConfigDir"), "config": config if isinstance(config, str) else None}
    for key, folder in folders.items():
        if folder not in (None, "", "."):
            yield (
                f"{PROJECT_FILE}: {key}: found {folder}, a folder for stack files; gitops-stack reads those beside "
                f"{PROJECT_FILE} alone, so move them there and remove this key"
            )


def _default(declared: object) -> Any:  # noqa: ANN401 - any YAML value
    """Return what a declared key is without the stack's word; a key may also be declared by its value alone."""
    if not isinstance(declared, dict):
        return declared
    return declared.get("default", declared.get("value"))
