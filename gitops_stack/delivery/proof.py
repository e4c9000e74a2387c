"""Refuse a change of images that would not happen as announced, and name the place that wins. Reads the checkout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gitops_stack.delivery.announcement import RenderedWorkloads, is_image, list_images, prove_announcement
from gitops_stack.delivery.image_reference import split_image
from gitops_stack.delivery.images.kustomization_images import find_kustomization
from gitops_stack.delivery.plan import ImageChange, ImagePlan
from gitops_stack.delivery.tree_reader import TreeReader, join
from gitops_stack.edits.yaml_source import load_data
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.read_paths import is_read, load_read_paths

_NAMED = 3  # places in a sentence
_FILES = 2000  # that are searched for the place which wins


def prove(
    root: Path, plan: ImagePlan, before: RenderedWorkloads, after: RenderedWorkloads, readers: Mapping[str, str]
) -> list[str]:
    """Hold ``plan``, which is written into the checkout ``root``, against the renders before and after it.

    ``readers``: what else may read the changed files, in words -> its folder. Returns warnings: what changes with the
    image, and charts that cannot be rendered here. Raises :class:`GitOpsStackError` with everything else.
    """
    tree = TreeReader(root)
    findings = [*_check_overrides(tree, plan), *_check_readers(root, plan, readers)]
    warnings: list[str] = []
    for name, folder in dict.fromkeys((change.application, change.folder) for change in plan.changes):
        why = before.unseen.get(name) or after.unseen.get(name)
        if why is None:
            continue
        if name in before.objects:
            findings.append(f"{folder}: would no longer render: {why}; nothing is committed")
        elif _is_chart(tree, folder):
            warnings.append(f"{folder}: what the chart makes of it was not looked at: {why}")
        else:
            findings.append(f"{folder}: cannot be rendered, so nobody can say what would change: {why}")
    for name, proof in prove_announcement(plan.changes, before, after).items():
        findings += proof.findings
        warnings += [f"{name}: {found}" for found in proof.consequences]
        rendered = list(dict.fromkeys(list_images(before.objects[name])))
        findings += [_build_unchanged(root, change, left, rendered) for change, left in proof.unchanged]
    GitOpsStackError.raise_for(findings)
    return warnings


def check_origin(
    root: Path, stack: str, folders: Mapping[str, str], changes: Iterable[ImageChange], running: RenderedWorkloads
) -> Iterator[str]:
    """Yield the images that are said to run in ``stack`` and that its applications (name -> folder) do not render."""
    tree = TreeReader(root)
    for change in changes:
        if why := running.unseen.get(change.application):
            if not _is_chart(tree, folders[change.application]):
                yield f"{folders[change.application]}: cannot be rendered, so nobody can say what {stack} runs: {why}"
            continue
        found = list(list_images(running.objects.get(change.application, ())))
        if found and not any(is_image(image, change.after) for image in found):
            yield (
                f"{change.application}: {change.name} of {stack} reads as {change.after}, and renders "
                f"{', '.join(found[:_NAMED])}; it does not run what would be promoted"
            )


def _is_chart(tree: TreeReader, folder: str) -> bool:
    return find_kustomization(tree, folder) is None and tree.load_text(join(folder, "Chart.yaml")) is not None


def _build_unchanged(root: Path, change: ImageChange, left: tuple[str, ...], rendered: list[str]) -> str:
    pins = {part for image in change.before for part in split_image(image)[1:] if part}
    places = _find_places(root, change.folder, pins)
    said = f"{change.folder}: {change.application}: {change.after} is not what would be rendered"
    if not left and not any(is_image(image, one) for image in rendered for one in change.before):
        known = ", ".join(rendered[:_NAMED]) or "none"
        return f"{said}: nothing that is rendered has the image {change.name}; images there: {known}"
    wins = f"; {', '.join(places)} wins, change it there" if places else "; another place wins, change it there"
    return f"{said}: {'; '.join(left[:_NAMED]) or 'the render stays as it is'}{wins}"


def _find_places(root: Path, folder: str, words: Iterable[str]) -> list[str]:
    """Find the lines that have one of ``words``, in the files that ``folder`` is rendered from, as `FILE:LINE`."""
    found: list[str] = []
    wanted = tuple(words)
    read = load_read_paths(root, [folder])
    files = {one for path in read for one in ((root / path).rglob("*") if (root / path).is_dir() else [root / path])}
    for file in sorted(files, key=lambda one: (not one.is_relative_to(root / folder), one))[:_FILES]:
        if not file.is_file() or ".git" in file.parts:
            continue
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        at = [number for number, line in enumerate(lines, 1) if any(word in line for word in wanted)]
        found += [f"{file.relative_to(root).as_posix()}:{number}" for number in at]
    return found[:_NAMED]


def _check_overrides(tree: TreeReader, plan: ImagePlan) -> Iterator[str]:
    """Yield the files by which Argo CD changes the source again (docs/user-guide/parameters.md), where they have it."""
    for change in plan.changes:
        for name in (".argocd-source.yaml", f".argocd-source-{change.application}.yaml"):
            place = join(change.folder, name)
            documents = load_data(tree.load_text(place) or "", place)
            kustomize = documents[0].get("kustomize") if documents and isinstance(documents[0], dict) else None
            entries = kustomize.get("images") if isinstance(kustomize, dict) else None
            known = {change.name, *(split_image(image)[0] for image in (*change.before, change.after))}
            for entry in entries if isinstance(entries, list) else ():
                if split_image(str(entry).partition("=")[0])[0] in known:
                    yield f"{place}: kustomize.images has {entry}, which Argo CD applies last; change it there"


def _check_readers(root: Path, plan: ImagePlan, readers: Mapping[str, str]) -> Iterator[str]:
    for reader, folder in readers.items():
        read = load_read_paths(root, [folder])
        for path in plan.texts:
            if is_read(path, read):
                yield (
                    f"{path}: is read by {reader} too ({folder}), which would change with it; give each a folder of "
                    "its own, then set the image there"
                )
