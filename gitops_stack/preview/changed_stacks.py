"""Which stacks a set of changed files concerns. Pure.

When in doubt, a stack is previewed: a preview too many costs a minute, one too few costs the review.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gitops_stack.gitops_tree.read_paths import is_read

_NO_STACK = re.compile(
    r"(docs|tests|bench|\.github|\.ci|\.vscode|\.idea)/.*|[^/]*\.(md|txt\.license)|LICENSE|Makefile"
    r"|\.gitignore|\.gitattributes|\.editorconfig|\.gitlab-ci\.yml|\.pre-commit-config\.yaml"
)
_STACK_FILE = re.compile(r"Pulumi\.([^/]+)\.ya?ml")


def find_changed_stacks(paths: Iterable[str], stacks: Mapping[str, Iterable[str]]) -> list[str]:
    """List the stacks whose preview a change of ``paths`` needs, sorted.

    ``paths`` are relative to the project's folder; ``stacks`` maps each stack to the files and folders it reads: its
    GitOps tree, its workloads, and what those are rendered from (`gitops_tree.read_paths`). A change

    - of `Pulumi.<stack>.yaml` or of what a stack reads concerns that stack,
    - beside an overlay, in the same workload (`…/guestbook/base`), every stack with an overlay of that workload,
    - of documentation, tests or continuous integration, none,
    - of anything else (program, library, requirements, `Pulumi.yaml`), all.
    """
    folders = {stack: tuple(path.strip("/") or "." for path in own) for stack, own in stacks.items()}
    found: set[str] = set()
    for path in paths:
        found |= _concerned(path, folders)
    return sorted(found)


def _concerned(path: str, stacks: Mapping[str, tuple[str, ...]]) -> set[str]:
    if named := _STACK_FILE.fullmatch(path):
        return {named[1]} & stacks.keys()
    owners = {stack for stack, own in stacks.items() if is_read(path, own)}
    if any(is_read(path, (one for one in stacks[stack] if one != ".")) for stack in owners):
        return owners
    return owners | _concerned_by_kind(path, stacks)  # to read the whole repository does not make its program one's own


def _concerned_by_kind(path: str, stacks: Mapping[str, tuple[str, ...]]) -> set[str]:
    sharing = {stack for stack, own in stacks.items() if any(_is_shared(path, folder) for folder in own)}
    if sharing or _NO_STACK.fullmatch(path):
        return sharing
    return set() if _is_foreign_overlay(path, stacks) else set(stacks)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _workload_root(folder: str) -> str:
    return folder.rpartition("/overlays/")[0]


def _is_shared(path: str, folder: str) -> bool:
    root = _workload_root(folder)
    return bool(root) and _is_below(path, root) and not _is_below(path, f"{root}/overlays")


def _is_foreign_overlay(path: str, stacks: Mapping[str, tuple[str, ...]]) -> bool:
    """Tell whether a path is in an overlay of a known workload that none of these stacks names."""
    roots = {_workload_root(folder) for own in stacks.values() for folder in own}
    return any(root and _is_below(path, f"{root}/overlays") for root in roots)
