"""Add a stack to an application that is there: its base or chart stays as it is, and the overlay has to fit it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gitops_stack.config import load_stack_file
from gitops_stack.delivery.edits.kustomization import load_entries, transform_image
from gitops_stack.delivery.edits.manifest import load_images
from gitops_stack.delivery.image_reference import split_image
from gitops_stack.edits.yaml_source import load_data
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.scaffold.app_manifests import (
    WORKLOADS,
    AppSource,
    build_chart_overlays,
    build_image_entry,
    build_overlays,
)
from gitops_stack.scaffold.plan import load_stacks, load_text
from gitops_stack.scaffold.promotion import load_promotion_order

_KUSTOMIZATION = "kustomization.yaml"


def is_kept(project: Path, name: str, *, helm: bool) -> bool:
    """Tell whether the application has a base, or a chart, already."""
    root = "chart/Chart.yaml" if helm else f"base/{_KUSTOMIZATION}"
    return (project / WORKLOADS / name / root).is_file()


def build_added_overlays(
    project: Path, name: str, source: AppSource, stacks: Sequence[str], *, helm: bool
) -> tuple[dict[str, str], list[str]]:
    """Build the overlays of more stacks (path -> text) and notes that say which image they have, and whose it is.

    An image that is not the sample's was asked for. Otherwise the stacks run what another stack of the application
    does: the first of the promotion order that has it, where a new image comes first. Raises
    :class:`GitOpsStackError` where the base does not say which of its images is meant.
    """
    if source != AppSource(port=source.port, health_path=source.health_path):
        entry = {} if helm else build_image_entry(_base_image(project, name), source)
        return (
            build_chart_overlays(name, source, stacks) if helm else build_overlays([entry], name, stacks),
            [],
        )
    for stack, folder in _other_overlays(project, name):
        if helm and (values := folder / "values.yaml").is_file():
            image = _chart_image(mapping(dig(_load(project, values), name, "image")), values.relative_to(project))
            if image:
                files = build_chart_overlays(name, AppSource(image), stacks)
                return files, [_note(name, image, stack)]
        if not helm and (kustomization := folder / _KUSTOMIZATION).is_file():
            place = kustomization.relative_to(project).as_posix()
            entries = load_entries(load_text(project, place), place)
            shown = ", ".join(transform_image(str(mapping(one).get("name")), entries) for one in entries)
            return build_overlays(entries, name, stacks), [_note(name, shown or "what its base says", stack)]
    if helm:
        return build_chart_overlays(name, source, stacks), []
    named = _base_images(project, name)
    entries = [build_image_entry(name, source)] if named == [name] else []
    return build_overlays(entries, name, stacks), [] if entries else [f"{name}: runs the image its base says"]


def _note(name: str, image: str, stack: str) -> str:
    return f"{name}: runs {image}, as in {stack}; choose another with --image REPOSITORY:TAG"


def _other_overlays(project: Path, name: str) -> Iterator[tuple[str, Path]]:
    order, known = load_promotion_order(project), load_stacks(project)
    for stack in [*(one for one in order if one in known), *(one for one in known if one not in order)]:
        settings = load_stack_file(project, stack)
        workload = settings.workloads.get(name)
        if workload and settings.is_own_repository(workload.repo_url):
            yield stack, project / workload.path


def _base_image(project: Path, name: str) -> str:
    found = _base_images(project, name)
    if len(found) != 1:
        raise GitOpsStackError(
            Problem(
                f"{WORKLOADS}/{name}/base has {', '.join(found) or 'no image'}, so it is not clear which one is meant",
                "leave it out and pin the image in the new overlay",
                "app add",
                "--image",
            )
        )
    return found[0]


def _base_images(project: Path, name: str) -> list[str]:
    """List the repositories an overlay's `images` can name: the base's, after its own `images`."""
    folder = project / WORKLOADS / name / "base"
    kustomization = _load(project, folder / _KUSTOMIZATION)
    entries = list(sequence(dig(kustomization, "images")))
    files = [folder / text(one) for one in sequence(dig(kustomization, "resources"))]
    places = [file.relative_to(project).as_posix() for file in files if file.is_file()]
    images = [image for place in places for image in load_images(load_text(project, place), place)]
    return sorted({split_image(transform_image(image, entries))[0] for image in images})


def _chart_image(image: Mapping[str, Any], place: Path) -> str:
    for key, value in image.items():
        if key in ("tag", "digest") and value is not None and not isinstance(value, str):
            raise GitOpsStackError(Problem("is not text to YAML", "put quotes around it", str(place), f"image.{key}"))
    repository, tag, digest = (text(image.get(key)) for key in ("repository", "tag", "digest"))
    pin = f"@{digest}" if digest else f":{tag}" if tag else ""
    return f"{repository}{pin}" if repository and pin else ""


def _load(project: Path, file: Path) -> object:
    place = file.relative_to(project).as_posix()
    documents = load_data(load_text(project, place), place)
    return documents[0] if documents else {}
