"""Which value of which file becomes which image: settings and texts in, texts out. Pure but for reading the tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Generic, TypeVar

from typing_extensions import Self

from gitops_stack.delivery.image_reference import (
    ImageReference,
    goes_back,
    parse_image_reference,
    parse_pin,
    short_name,
    split_image,
)
from gitops_stack.delivery.images.application_images import load_application_images
from gitops_stack.delivery.images.image_file import ImageFile, Slot
from gitops_stack.delivery.images.slot_matching import (
    find_by_repository,
    find_counterpart,
    is_equal,
    list_short_names,
)
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings import StackSettings

_Change = TypeVar("_Change")
_Content = TypeVar("_Content", bound="str | bytes")
PIN_LENGTH = 12
"""Digits of a digest in a title or the name of a branch."""


@dataclass(frozen=True)
class Target:
    """An application, and one of its images where it has several: `APP` or `APP/NAME` on the command line."""

    application: str
    name: str | None = None

    def __str__(self) -> str:
        return f"{self.application}/{self.name}" if self.name else self.application


@dataclass(frozen=True)
class Assignment:
    """What `APP[/NAME]=IMAGE` says. An image without a repository keeps the one in use."""

    target: Target
    image: ImageReference


@dataclass(frozen=True)
class ImageChange:
    """One image of one application that changes. ``before`` is empty when the files did not say.

    ``kept``: the application's other images, which may be the same.
    """

    application: str
    name: str
    folder: str
    before: tuple[str, ...]
    after: str
    kept: tuple[str, ...] = ()
    kind: ClassVar[str] = "image"

    @property
    def subject(self) -> str:
        """The image in a few words: its short name and what pins it."""
        name, tag, digest = split_image(self.after)
        return f"{name.rpartition('/')[2]} {tag or digest[: digest.find(':') + 1 + PIN_LENGTH]}"

    @property
    def pin(self) -> str:
        """What tells this image from others of its repository, short enough for the name of a branch."""
        _, tag, digest = split_image(self.after)
        return digest.rpartition(":")[2][:PIN_LENGTH] or tag


@dataclass(frozen=True)
class StackPlan(Generic[_Change, _Content]):
    """The changes of one stack, and path -> new content of each file. Empty when everything is as wanted already."""

    stack: str
    changes: tuple[_Change, ...] = ()
    texts: dict[str, _Content] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    promoted_from: str | None = None

    def with_warnings(self, warnings: Sequence[str]) -> Self:
        """Return the plan with more warnings."""
        return replace(self, warnings=(*self.warnings, *warnings))


@dataclass(frozen=True)
class ImagePlan(StackPlan[ImageChange, str]):
    """The images of one stack that change; files are of the repository with the applications."""


def parse_target(text: str) -> Target:
    """Read `APP` or `APP/NAME`. Raises :class:`GitOpsStackError`."""
    application, slash, name = text.partition("/")
    if not application or (slash and not name):
        raise GitOpsStackError(Problem("needs APP, or APP/NAME for one of its images", place=f"{text!r}"))
    return Target(application, name or None)


def parse_assignment(text: str) -> Assignment:
    """Read `APP=IMAGE` or `APP/NAME=IMAGE`. Raises :class:`GitOpsStackError`."""
    target, equals, image = text.partition("=")
    if not equals:
        raise GitOpsStackError(Problem("needs APP=REPOSITORY:TAG or APP=REPOSITORY@DIGEST", place=f"{text!r}"))
    return Assignment(parse_target(target), parse_pin(image, target))


def plan_image_set(tree: TreeReader, settings: StackSettings, assignments: Sequence[Assignment]) -> ImagePlan:
    """Plan the images that people or pipelines name. Raises :class:`GitOpsStackError` with what is known instead."""
    plan = ImagePlan(settings.stack)
    named: dict[tuple[str, str], Target] = {}
    for assignment in assignments:
        target = assignment.target
        images = _load(tree, settings, target.application)
        slot = select_slot(target, images, assignment.image.repository, settings.stack)
        if (target.application, slot.name) in named:
            other = named[target.application, slot.name]
            shown = f"{other} and {target} name" if other != target else f"found {target} twice, which names"
            raise GitOpsStackError(Problem(f"{shown} one image, {slot.name}", "give it once", "image set"))
        named[target.application, slot.name] = target
        image = _filled(target, slot, assignment.image, images)
        plan, tree = _with_change(plan, tree, images, target, slot, image, settings)
    return plan


def plan_promotion(
    tree: TreeReader, source: StackSettings, destination: StackSettings, targets: Sequence[Target]
) -> ImagePlan:
    """Plan to run in ``destination`` exactly what ``source`` runs. Raises :class:`GitOpsStackError`.

    Every image of an application that both stacks have is taken; one that differs has to be pinned in ``source``.
    """
    plan = ImagePlan(destination.stack, promoted_from=source.stack)
    for target in targets:
        origin, images = (_load(tree, settings, target.application) for settings in (source, destination))
        pairs = list(_pairs(target, origin, images, source.stack))
        if not any(slot for _, slot in pairs):
            raise GitOpsStackError(
                Problem(
                    f"{destination.stack} has none of the images {source.stack} runs",
                    f"known in {images.place}: {_known(images)}",
                    str(target),
                )
            )
        for running, slot in pairs:
            if running.problem:
                raise GitOpsStackError(running.problem)
            if slot is None or not ((running.images and not running.by_chart) or target.name):
                why = "has no counterpart" if slot is None else "says no version"
                warning = f"{target.application}: {running.name} of {source.stack} {why}; it is left out"
                plan = replace(plan, warnings=(*plan.warnings, warning))
            elif not is_equal(running, slot):
                image = _promoted(target, running, source.stack, origin.place)
                if image.digest is None:
                    warning = f"{target.application}: {source.stack} runs {image} by its tag, which could be moved"
                    plan = replace(plan, warnings=(*plan.warnings, warning))
                if later := [one for one in slot.images if goes_back(split_image(one)[1], image.tag or "")]:
                    warning = (
                        f"{target.application}: goes back from {later[0]} to {image}: {source.stack} runs an earlier "
                        f"version than {destination.stack}"
                    )
                    plan = replace(plan, warnings=(*plan.warnings, warning))
                plan, tree = _with_change(plan, tree, images, target, slot, image, destination)
                images = _load(tree, destination, target.application)
    return plan


def select_slot(target: Target, images: ImageFile, repository: str, stack: str) -> Slot:
    """Find the image that is meant: by its name, else by its repository, else the only one there is."""
    slots = images.slots
    if target.name:
        found = [slot for slot in slots if target.name == slot.name] or [
            slot for slot in slots if target.name in list_short_names(slot)
        ]
        if not found and images.open_ended:
            return Slot(target.name, ())
    else:
        found = find_by_repository(slots, repository) if repository else []
        found = found or (list(slots) if len(slots) == 1 and not images.open_ended else [])
        found = found or [slot for slot in slots if repository and short_name(repository) in list_short_names(slot)]
    if len(found) == 1:
        return found[0]
    problem = "is several images" if found else "is not an image that is known"
    wanted = target.name or repository or target.application
    raise GitOpsStackError(
        Problem(
            f"{wanted} {problem} of {target.application} in {stack}",
            f"name one as {target.application}/NAME=…, known in {images.place}: {_known(images)}",
            str(target),
        )
    )


def check_applications(settings: StackSettings, applications: Iterable[str], own_checkout: bool) -> None:
    """Refuse applications the stack does not have, or whose files are in different repositories.

    ``own_checkout``: whether the caller named the checkout of their repository. Raises :class:`GitOpsStackError`.
    """
    names = list(dict.fromkeys(applications))
    known = ", ".join(settings.workloads) or "none"
    GitOpsStackError.raise_for(
        f"{name}: is not an application of stack {settings.stack}; known in Pulumi.{settings.stack}.yaml: {known}"
        for name in names
        if name not in settings.workloads
    )
    urls = {settings.workload_source(name)[0]: name for name in names}
    if len(urls) > 1:
        raise GitOpsStackError(
            Problem("have their files in different repositories", "take them one by one", f"{', '.join(names)}")
        )
    if not own_checkout and (others := [url for url in urls if not settings.is_own_repository(url)]):
        raise GitOpsStackError(
            Problem(f"has its files in {others[0]}", "name a checkout of it with --repository", f"{names[0]}")
        )


def check_promotion(source: StackSettings, destination: StackSettings, applications: Iterable[str]) -> None:
    """Refuse a promotion whose two ends are not on one branch: what runs in ``source`` could not be read from it."""
    for name in applications:
        ends = [(settings.stack, *settings.workload_source(name)) for settings in (source, destination)]
        if ends[0][1:] != ends[1][1:]:
            shown = " and ".join(f"{stack} follows {revision} of {url}" for stack, url, revision in ends)
            raise GitOpsStackError(
                Problem(shown, "a promotion needs one branch, so use `gitops-stack image set`", name)
            )


def _load(tree: TreeReader, settings: StackSettings, application: str) -> ImageFile:
    return load_application_images(tree, settings.workloads[application].path, settings.stack)


def _with_change(
    plan: ImagePlan, tree: TreeReader, images: ImageFile, target: Target, slot: Slot, image: ImageReference,
    settings: StackSettings,
) -> tuple[ImagePlan, TreeReader]:  # fmt: skip
    texts = images.build_texts(slot.name, image)
    if not texts:
        return plan, tree
    folder = settings.workloads[target.application].path
    kept = tuple(image for other in images.slots if other.name != slot.name for image in other.images)
    change = ImageChange(target.application, slot.name, folder, slot.images, str(image), kept)
    changed = replace(plan, changes=(*plan.changes, change), texts={**plan.texts, **texts})
    return changed, tree.with_texts(texts)


def _filled(target: Target, slot: Slot, image: ImageReference, images: ImageFile) -> ImageReference:
    if image.repository or not images.slots:
        return image
    repositories = {split_image(running)[0] for running in slot.images}
    if len(repositories) != 1:
        raise GitOpsStackError(
            Problem(f"{images.place} does not say one repository", f"give REPOSITORY{image}", str(target))
        )
    return replace(image, repository=repositories.pop())


def _pairs(target: Target, origin: ImageFile, images: ImageFile, source: str) -> Iterable[tuple[Slot, Slot | None]]:
    chosen = [select_slot(target, origin, "", source)] if target.name else list(origin.slots)
    if not chosen:
        raise GitOpsStackError(Problem(f"{origin.place} has no image to promote", place=str(target)))
    for running in chosen:
        yield running, find_counterpart(running, len(chosen) == 1, images.slots)


def _promoted(target: Target, running: Slot, stack: str, place: str) -> ImageReference:
    remedy = f"set it first: gitops-stack image set {target}=… --stack {stack}"
    if running.by_chart:
        raise GitOpsStackError(
            Problem(f"{place} leaves the version of {running.name} to the chart", remedy, str(target))
        )
    if len(running.images) != 1:
        shown = ", ".join(running.images) or "nothing"
        raise GitOpsStackError(
            Problem(f"{place} has {shown} for {running.name}", "one image is needed to promote it", str(target))
        )
    where = f"{target}: {place}"
    pinned = parse_pin if not split_image(running.images[0])[0] else parse_image_reference
    try:
        return pinned(running.images[0], where)
    except GitOpsStackError as error:
        raise GitOpsStackError(*(Problem(finding, remedy) for finding in error.findings)) from None


def _known(images: ImageFile) -> str:
    return ", ".join(slot.name for slot in images.slots) or "none"
