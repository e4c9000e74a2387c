"""What a plan announces, held against what is rendered before and after it: exactly that changes, or nothing does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_stack.delivery.image_reference import normalise_repository, split_image
from gitops_stack.delivery.plan import ImageChange
from gitops_stack.errors import Problem
from gitops_stack.gitops_tree.manifest_set import ObjectKey, object_key, object_name
from gitops_stack.manifests import Manifest

_SHOWN = 5  # differences in a sentence
_IMAGE_KEYS = ("image", "reference")
_POD = re.compile(r"(^|\.)((initC|c)ontainers\.\d+\.image|volumes\.\d+\.image\.reference)", re.ASCII)


@dataclass(frozen=True)
class RenderedWorkloads:
    """What applications render to: name -> objects, and name -> why where that is not known."""

    objects: Mapping[str, Sequence[Manifest]] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Proof:
    """What the render of one application says: ``findings`` refuse the change, ``consequences`` go with it.

    ``unchanged``: the images that were announced and are not rendered, as (change, what is rendered instead).
    """

    findings: tuple[str, ...] = ()
    consequences: tuple[str, ...] = ()
    unchanged: tuple[tuple[ImageChange, tuple[str, ...]], ...] = ()


@dataclass
class _Found:
    elsewhere: list[str] = field(default_factory=list)
    consequences: list[str] = field(default_factory=list)
    done: set[ImageChange] = field(default_factory=set)
    left: dict[ImageChange, list[str]] = field(default_factory=dict)


def prove_announcement(
    changes: Iterable[ImageChange], before: RenderedWorkloads, after: RenderedWorkloads
) -> dict[str, Proof]:
    """Hold the changes of every application that is rendered on both sides against it: application -> proof.

    The announced image stands where the old one stood, at least once; every other difference but a part of the image
    that is copied elsewhere (a label with the tag) is a finding.
    """
    proofs = {}
    by_application: dict[str, list[ImageChange]] = {}
    for change in changes:
        by_application.setdefault(change.application, []).append(change)
    for name, own in by_application.items():
        if name in before.objects and name in after.objects:
            proofs[name] = _prove(own[0].folder, own, before.objects[name], after.objects[name])
    return proofs


def _prove(folder: str, changes: list[ImageChange], before: Sequence[Manifest], after: Sequence[Manifest]) -> Proof:
    found = _compare_all(changes, before, after)
    findings = (
        [str(describe_more(folder, "the image", found.elsewhere, "nothing is committed"))] if found.elsewhere else []
    )
    unchanged = [(change, tuple(found.left.get(change, ()))) for change in changes
                 if change not in found.done or change in found.left]  # fmt: skip
    return Proof(tuple(findings), tuple(dict.fromkeys(found.consequences)), tuple(unchanged))


def find_changes(before: Sequence[Manifest], after: Sequence[Manifest]) -> list[str]:
    """Return everything that differs between two renders, a line each."""
    return _compare_all([], before, after).elsewhere


def describe_more(place: str, subject: str, changes: Sequence[str], end: str) -> Problem:
    """Build the problem of ``changes`` that go beyond ``subject``, which alone is announced."""
    more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    return Problem(f"more than {subject} would change: {'; '.join(changes[:_SHOWN])}{more}", end, place)


def _compare_all(changes: list[ImageChange], before: Sequence[Manifest], after: Sequence[Manifest]) -> _Found:
    old, new = _by_key(before), _by_key(after)
    found = _Found()
    for key in dict.fromkeys([*old, *new]):
        name = object_name(key)
        if len(old.get(key, ())) != len(new.get(key, ())):
            found.elsewhere.append(f"{name} would {'go' if key in old else 'appear'}")
            continue
        for one, other in zip(old[key], new[key], strict=True):
            _compare(changes, name, one, other, found)
    return found


def _compare(changes: list[ImageChange], name: str, old: Manifest, new: Manifest, found: _Found) -> None:
    for path, one, other in _leaves(old, new):
        where = f"{name} {path}"
        if one == other:
            _judge_equal(changes, where, other, found, in_pod=_POD.search(path) is not None)
            continue
        explained = [change for change in changes if _is_announced(change, one, other)]
        if explained:
            found.done.update(explained)
        elif any(_is_part(change, one, other) for change in changes):
            found.consequences.append(f"{where}: {one} -> {other}")
        elif old.get("kind") == "Secret":
            found.elsewhere.append(where)
        else:
            found.elsewhere.append(f"{where}: {_shown(one)} -> {_shown(other)}")


def is_image(rendered: object, announced: str) -> bool:
    """Tell whether a rendered text is the announced image; one without a repository is any with that tag or digest."""
    if not isinstance(rendered, str) or not announced:
        return False
    name, *pin = split_image(announced)
    own, *found = split_image(rendered)
    return pin == found and (not name or normalise_repository(name) == normalise_repository(own))


def list_images(manifests: Iterable[Manifest]) -> Iterator[str]:
    """Yield every text that stands where an image does, in objects of whatever kind."""
    for manifest in manifests:
        for path, value, _ in _leaves(manifest, manifest):
            if isinstance(value, str) and path.rpartition(".")[2] in _IMAGE_KEYS:
                yield value


def _is_announced(change: ImageChange, old: object, new: object) -> bool:
    if not is_image(new, change.after) or not isinstance(old, str):
        return False
    if not change.before:
        return True
    repository = normalise_repository(split_image(old)[0])
    for image in change.before:
        name, tag, digest = split_image(image)
        same = not name or normalise_repository(name) == repository
        if same and (is_image(old, image) or not (tag or digest)):  # without a pin, the chart says one
            return True
    return False


def _is_part(change: ImageChange, old: object, new: object) -> bool:
    """Tell whether a part of the image stands there: a tag in a label, a repository in a variable."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return False
    after = split_image(change.after)
    return any(old == part and new == after[place] and part for image in change.before
               for place, part in enumerate(split_image(image)))  # fmt: skip


def _judge_equal(changes: list[ImageChange], where: str, value: object, found: _Found, *, in_pod: bool) -> None:
    """Judge a value that stays: it may be the new image already, or the old one, which others than pods may keep."""
    for change in changes:
        own = [image for image in change.before if split_image(image)[0] and image not in change.kept]
        if is_image(value, change.after):
            found.done.update([change] if in_pod else [])
        elif any(is_image(value, image) for image in own):
            if in_pod:
                found.left.setdefault(change, []).append(f"{where} stays {value}")
            else:
                found.consequences.append(f"{where} stays {value}")


def _by_key(manifests: Sequence[Manifest]) -> dict[ObjectKey, list[Manifest]]:
    found: dict[ObjectKey, list[Manifest]] = {}
    for manifest in manifests:
        found.setdefault(object_key(manifest), []).append(manifest)
    return found


def _leaves(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - any YAML value
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from _leaves(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from _leaves(*pair, f"{path}.{index}")
    else:
        yield path, old, new


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"  # noqa: PLR2004 - of a sentence
