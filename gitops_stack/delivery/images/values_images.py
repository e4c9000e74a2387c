"""The images in Helm values, by the keys that `delivery.yaml` names once per application. Reads only.

`delivery.yaml` is an authored file in the application's folder or in one above it:

    images:
      guestbook:                        # the word in `gitops-stack image set APP/guestbook=…`
        values: values-{stack}.yaml     # from this file's folder; {stack} stands for the stack's name
        repository: image.repository    # keys in the values file; a list such as [image, "a.b", 0] where dots do not do
        registry: image.registry        # where it is apart; taken by itself when it stands beside the repository
        tag: image.tag
        digest: image.digest
        # or one key for all of it:  reference: image

Argo CD ignores the file: it has neither `apiVersion` nor `kind` (reposerver/repository, `getObjsFromYAMLOrJson`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from gitops_stack.delivery.edits.helm_values import load_value, resolve_key, set_value
from gitops_stack.delivery.image_reference import ImageReference, normalise_repository, split_registry
from gitops_stack.delivery.images.image_file import Slot
from gitops_stack.delivery.tree_reader import TreeReader, join
from gitops_stack.edits.yaml_source import Scalar, find_node, load_data, load_source
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings.types import Settings

DELIVERY_FILE = "delivery.yaml"
_NAMED = 8  # keys of a values file, in a sentence


def _split_key(value: object) -> object:
    if isinstance(value, str):
        if not all(value.split(".")):
            raise ValueError("needs a key such as image.tag")
        return tuple(value.split("."))
    return value


Key = Annotated[tuple[str | int, ...], BeforeValidator(_split_key), Field(min_length=1)]


class ValuesKeys(Settings):
    """Where one image stands in a values file."""

    values: str = Field(min_length=1, description="Values file, from the folder of delivery.yaml; {stack} is replaced.")
    reference: Key | None = Field(None, description="Key of the whole reference.")
    registry: Key | None = Field(None, description="Key of the registry, where it is apart from the repository.")
    repository: Key | None = Field(None, description="Key of the repository.")
    tag: Key | None = Field(None, description="Key of the tag.")
    digest: Key | None = Field(None, description="Key of the digest.")

    @property
    def places(self) -> dict[str, tuple[str | int, ...]]:
        """The keys that are given, by what stands there."""
        words = ("reference", "registry", "repository", "tag", "digest")
        return {word: key for word in words if (key := getattr(self, word))}

    @model_validator(mode="after")
    def _says_where(self) -> ValuesKeys:
        parts = any((self.registry, self.repository, self.tag, self.digest))
        if self.registry and not self.repository:
            raise ValueError("registry needs repository beside it")
        if bool(self.reference) == bool(self.tag or self.digest) or (self.reference and parts):
            raise ValueError("needs either reference, or tag or digest or both beside the repository")
        return self


class DeliveryFile(Settings):
    """The content of `delivery.yaml`."""

    images: dict[str, ValuesKeys] = Field(min_length=1, description="The application's images.")


@dataclass(frozen=True)
class ValuesImages:
    """The images `delivery.yaml` at ``place`` names. ``files`` maps each to its values file, ``texts`` path to text."""

    place: str
    keys: dict[str, ValuesKeys]
    files: dict[str, str]
    texts: dict[str, str]
    open_ended: bool = False

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every image of `delivery.yaml`."""
        return tuple(
            _read(name, self.texts[self.files[name]], keys, self.files[name]) for name, keys in self.keys.items()
        )

    def build_texts(self, name: str, image: ImageReference) -> dict[str, str]:
        """Write the keys of one image; a part the new image does not have is written as an empty text."""
        file, keys = self.files[name], self.keys[name]
        text = before = self.texts[file]
        for key, value in self._values(name, keys, image):
            if value or load_value(text, key, file):
                text = set_value(text, key, value, file)
        return {} if text == before else {file: text}

    def _values(self, name: str, keys: ValuesKeys, image: ImageReference) -> list[tuple[Any, str]]:
        if keys.reference:
            return [(keys.reference, str(image))]
        where = f"{self.place}: images.{name}"
        if image.repository and not keys.repository:
            raise GitOpsStackError(
                Problem("has no key for the repository", "add `repository:`, or give only :TAG", where)
            )
        if image.digest and not keys.digest:
            raise GitOpsStackError(
                Problem("has no key for the digest", "add `digest:`, or set the image by its tag alone", where)
            )
        if image.tag and not keys.tag and not image.digest:
            raise GitOpsStackError(
                Problem("has no key for the tag", "add `tag:`, or set the image by its digest", where)
            )
        parts = [(keys.tag, image.tag), (keys.digest, image.digest)]
        same = normalise_repository(self._repository(name)) == normalise_repository(image.repository)
        if keys.repository and image.repository and not same:
            registry, repository = split_registry(image.repository) if keys.registry else ("", image.repository)
            parts = [(keys.registry, registry), (keys.repository, repository), *parts]
        return [(key, value or "") for key, value in parts if key]

    def _repository(self, name: str) -> str:
        """Return the repository in use, with its registry."""
        return _join_repository(self.texts[self.files[name]], self.keys[name], self.files[name])


def load_values_images(tree: TreeReader, folder: str, stack: str) -> ValuesImages | None:
    """Read the `delivery.yaml` of the application in ``folder``; None when there is none. Raises GitOpsStackError."""
    place = _find(tree, folder)
    if place is None:
        return None
    images = _load(tree.load_text(place) or "", place).images
    files = {
        name: join(posixpath.dirname(place), keys.values.replace("{stack}", stack)) for name, keys in images.items()
    }
    texts = {file: tree.load_text(file) for file in files.values()}
    if missing := [file for file, text in texts.items() if text is None]:
        raise GitOpsStackError(
            Problem(f"found {missing[0]}, which is not a file", "correct it or add the file", place, "values")
        )
    known = {file: text or "" for file, text in texts.items()}
    resolved = {name: _resolve(keys, known[files[name]], files[name]) for name, keys in images.items()}
    found = ValuesImages(place, resolved, files, known)
    GitOpsStackError.raise_for(_check_keys(found))
    return found


def _check_keys(images: ValuesImages) -> Iterator[str]:
    """Yield the keys no values file has: a key that is written where no chart reads it changes nothing.

    A chart may have the default of one, so it may be missing beside another key of the same image.
    """
    for name, keys in images.keys.items():
        file = images.files[name]
        text = images.texts[file]
        beside = {key[:-1] for key in keys.places.values() if _has(text, key, file)}
        for word, key in keys.places.items():
            if key[:-1] not in beside:
                there = sorted(_list_keys(load_data(text, file)[:1]), key=str)
                known = [found for found in there if found[-1] == key[-1]] or there
                shown = ", ".join([_show(found) for found in known[:_NAMED]] + ["…"] * (len(known) > _NAMED)) or "none"
                yield (
                    f"{images.place}: images.{name}.{word}: found {_show(key)}, which {file} does not have; correct it "
                    f"or add it there; keys there: {shown}"
                )


def _has(text: str, key: tuple[str | int, ...], file: str) -> bool:
    held, last = load_value(text, key[:-1], file), key[-1]
    return last in held if isinstance(held, dict) else isinstance(held, list) and last in range(len(held))


def _list_keys(documents: list[Any]) -> Iterator[tuple[str | int, ...]]:
    """Yield the keys of all single values of the first document; what aliases share, once."""
    left: list[tuple[tuple[str | int, ...], Any]] = [((), held) for held in documents]
    seen = set()
    while left:
        key, held = left.pop()
        if isinstance(held, (dict, list)) and id(held) not in seen:
            seen.add(id(held))
            below = held.items() if isinstance(held, dict) else enumerate(held)
            left += [((*key, step), one) for step, one in below]
        elif key and not isinstance(held, (dict, list)):
            yield key


def _show(key: tuple[str | int, ...]) -> str:
    return ".".join(map(str, key))


def _find(tree: TreeReader, folder: str) -> str | None:
    while True:
        if tree.load_text(place := join(folder, DELIVERY_FILE)) is not None:
            return place
        if folder in ("", "."):
            return None
        folder = posixpath.dirname(folder)


def _load(text: str, place: str) -> DeliveryFile:
    documents = load_data(text, place)
    try:
        return DeliveryFile.model_validate(documents[0] if documents else {})
    except ValidationError as error:
        found = [(".".join(map(str, one["loc"])) or "the file", one["msg"]) for one in error.errors(include_url=False)]
        raise GitOpsStackError(
            *(f"{place}: {where}: {said.removeprefix('Value error, ')}" for where, said in found)
        ) from None


def _resolve(keys: ValuesKeys, text: str, file: str) -> ValuesKeys:
    """Take the digits of a key for an index where a list stands, and the registry beside the repository for it."""
    found = {word: resolve_key(text, key, file) for word, key in keys.places.items()}
    if "repository" in found and "registry" not in found:
        beside = (*found["repository"][:-1], "registry")
        if isinstance(held := load_value(text, beside, file), str) and held:
            found["registry"] = beside
    return keys.model_copy(update=found)


def _read(name: str, text: str, keys: ValuesKeys, file: str) -> Slot:
    problem = next(_check_texts(text, keys, file), "")
    if keys.reference:
        found = _load_text(text, keys.reference, file)
        return Slot(name, (found,) if found else (), problem)
    tag, digest = (_load_text(text, key, file) for key in (keys.tag, keys.digest))
    image = str(ImageReference(_join_repository(text, keys, file), tag or None, digest or None))
    return Slot(name, (image,) if image else (), problem, by_chart=not (tag or digest))


def _join_repository(text: str, keys: ValuesKeys, file: str) -> str:
    registry, repository = (_load_text(text, key, file) for key in (keys.registry, keys.repository))
    return f"{registry}/{repository}" if registry and repository else repository


def _check_texts(text: str, keys: ValuesKeys, file: str) -> Iterator[str]:
    """Yield the values that YAML takes for something else than a text: each chart renders those in a way of its own."""
    for key in keys.places.values():
        found = load_value(text, key, file)
        if found is not None and not isinstance(found, str):
            node = find_node(load_source(text, file)[0], key)
            written = node.value if isinstance(node, Scalar) else "a map or a list"
            yield f"{file}: {_show(key)}: found {written}, which is not text to YAML; put quotes around it"


def _load_text(text: str, key: tuple[str | int, ...] | None, file: str) -> str:
    found = load_value(text, key, file) if key else None
    return found if isinstance(found, str) else ""
