"""What an Application says of a kustomization, done as Argo CD does it: by `kustomize edit` in the source's folder.

Held against util/kustomize Build of v3.5.1, whose order and flags these are. Patches have no such command; upstream
appends them to the file.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gitops_stack.errors import GitOpsStackError, Problem, last_line, shorten
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.kustomize import kustomization_file
from gitops_stack.gitops_tree.yaml_text import load_yaml_file, render_document
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.tree_check.source import Request

_SECONDS = 60.0
EDITED = (
    "namePrefix", "nameSuffix", "images", "replicas", "commonLabels", "commonAnnotations", "namespace", "patches",
    "components",
)  # fmt: skip
_OTHERS = {
    "version", "forceCommonLabels", "forceCommonAnnotations", "commonAnnotationsEnvsubst", "ignoreMissingComponents",
    "labelWithoutSelector", "labelIncludeTemplates", "kubeVersion", "apiVersions",
}  # fmt: skip
_PATCH_KEYS = ("path", "patch", "target", "options")


def has_edits(options: Mapping[str, Any]) -> bool:
    """Tell whether the `kustomize` section of a source changes the kustomization."""
    return any(options.get(key) for key in EDITED)


def list_named(options: Mapping[str, Any]) -> list[str]:
    """List the places, relative to the source's folder, that a `kustomize` section reads beside the kustomization."""
    patches = (text(mapping(one).get("path")) for one in sequence(options.get("patches")))
    components = (text(one) for one in sequence(options.get("components")))
    return [one for one in (*components, *patches) if one]


def find_unknown(options: Mapping[str, Any]) -> list[str]:
    """List the keys of a `kustomize` section that Argo CD v3.5 does not have."""
    return sorted(set(options) - set(EDITED) - _OTHERS)


def edit_kustomization(program: str, folder: Path, request: Request) -> None:
    """Edit the kustomization in ``folder``, a copy, as the Application of ``request`` says.

    Raises :class:`GitOpsStackError` with what kustomize said.
    """
    options = mapping(request.options.get("kustomize"))
    for command in _commands(options, folder, request):
        if command[0] == "patches":
            _append_patches(folder, sequence(options.get("patches")))
            continue
        try:
            done = subprocess.run(
                [program, "edit", *command], cwd=folder, capture_output=True, encoding="utf-8", errors="replace",
                env=build_caller_environment(), timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            late = Problem(f"kustomize edit did not end in {_SECONDS:.0f} s", place=str(request.folder))
            raise GitOpsStackError(late) from None
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]  # the usage follows it
            said = shorten((lines or [last_line(done.stderr)])[0].removeprefix("Error: "))
            failed = f"kustomize edit {command[0]} {command[1]} failed: {said}"
            raise GitOpsStackError(Problem(failed, place=str(request.folder)))


def _commands(options: Mapping[str, Any], folder: Path, request: Request) -> Iterator[list[str]]:
    if prefix := text(options.get("namePrefix")):
        yield ["set", "nameprefix", "--", prefix]
    if suffix := text(options.get("nameSuffix")):
        yield ["set", "namesuffix", "--", suffix]
    if images := sequence(options.get("images")):
        yield ["set", "image", *(request.substitute(text(image)) for image in images)]
    if replicas := sequence(options.get("replicas")):
        yield ["set", "replicas", *(_replica(mapping(one), request.folder) for one in replicas)]
    yield from _metadata(options, request)
    if namespace := text(options.get("namespace")):
        yield ["set", "namespace", "--", namespace]
    if sequence(options.get("patches")):
        yield ["patches"]
    components = [text(one) for one in sequence(options.get("components"))]
    if options.get("ignoreMissingComponents") is True:
        components = [one for one in components if (folder / one).exists()]
    if components:
        yield ["add", "component", *components]


def _metadata(options: Mapping[str, Any], request: Request) -> Iterator[list[str]]:
    if labels := mapping(options.get("commonLabels")):
        flags = ["--force"] if options.get("forceCommonLabels") is True else []
        flags += ["--without-selector"] if options.get("labelWithoutSelector") is True else []
        flags += ["--include-templates"] if options.get("labelIncludeTemplates") is True else []
        yield ["add", "label", *flags, *(f"{key}:{request.substitute(text(value))}" for key, value in labels.items())]
    if annotations := mapping(options.get("commonAnnotations")):
        flags = ["--force"] if options.get("forceCommonAnnotations") is True else []
        filled = options.get("commonAnnotationsEnvsubst") is True
        values = {key: request.substitute(text(one)) if filled else text(one) for key, one in annotations.items()}
        yield ["add", "annotation", *flags, *(f"{key}:{value}" for key, value in values.items())]


def _replica(replica: Mapping[str, Any], folder: Path) -> str:
    count = replica.get("count")
    if count is None or (isinstance(count, float) and count.is_integer()):
        count = int(count or 0)  # Go's zero value, and JSON has no other 2.0 than 2
    if isinstance(count, bool) or not re.fullmatch(r"[+-]?[0-9]+", str(count)):
        raise GitOpsStackError(
            Problem(f"found count {count}", "needs a whole number", str(folder), "kustomize.replicas")
        )
    return f"{text(replica.get('name'))}={int(count)}"


def _append_patches(folder: Path, patches: Any) -> None:  # noqa: ANN401 - a list from YAML
    file = kustomization_file(folder)
    if file is None:
        raise GitOpsStackError(Problem("holds no kustomization", "kustomize.patches needs one", str(folder)))
    documents = load_yaml_file(file)
    written = documents[0] if documents else {}
    present = written.get("patches", []) if isinstance(written, dict) else None
    if not isinstance(present, list):
        raise GitOpsStackError(Problem("found no list of patches", "correct it", str(file)))
    added = [{key: one[key] for key in _PATCH_KEYS if key in one} for one in map(mapping, patches)]
    file.write_text(render_document({**written, "patches": [*present, *added]}), encoding="utf-8")
