"""The images in Helm values, by the keys that `delivery.yaml` names once per application. Reads only.

`delivery.yaml` is an authored file in the application's folder or in one above it:

    images:
      guestbook:                        # the word in `gitops-stack image set APP/guestbook=…`
        values: values-{stack}.yaml     # from this file's folder; {stack} stands for the stack's name
        repository: image.repository    # keys in the values file; a list such as [image, "a.b", 0] where dots do not do
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

from gitops_stack.delivery.edits.helm_values import load_value, set_value
from gitops_stack.delivery.image_reference import ImageReference
from gitops_stack.delivery.images.image_file import Slot
from gitops_stack.delivery.tree_reader import TreeReader, join
from gitops_stack.edits.yaml_source import load_data
from gitops_stack.errors import GitOpsStackError
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
    repository: Key | None = Field(None, description="Key of the repository.")
    tag: Key | None = Field(None, description="Key of the tag.")
    digest: Key | None = Field(None, description="Key of the digest.")

    @property
    def places(self) -> dict[str, tuple[str | int, ...]]:
        """The keys that are given, by what stands there."""
        keys = {"reference": self.reference, "repository": self.repository, "tag": self.tag, "digest": self.digest}
        return {word: key for word, key in keys.items() if key}

    @model_validator(mode="after")
    def _says_where(self) -> ValuesKeys:
        parts = any((self.repository, self.tag, self.digest))
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
            Slot(name, _read(self.texts[self.files[name]], keys, self.files[name])) for name, keys in self.keys.items()
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
            raise GitOpsStackError(f"{where}: has no key for the repository; add `repository:`, or give only :TAG")
        if image.digest and not keys.digest:
            raise GitOpsStackError(
                f"{where}: has no key for the digest; add `digest:`, or set the image by its tag alone"
            )
        if image.tag and not keys.tag and not image.digest:
            raise GitOpsStackError(f"{where}: has no key for the tag; add `tag:`, or set the image by its digest")
        parts = ((keys.repository, image.repository), (keys.tag, image.tag), (keys.digest, image.digest))
        return [(key, value or "") for key, value in parts if key]


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
        raise GitOpsStackError(f"{place}: values: found {missing[0]}, which is no file; correct it or add the file")
    found = ValuesImages(place, dict(images), files, {file: text or "" for file, text in texts.items()})
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


def _read(text: str, keys: ValuesKeys, file: str) -> tuple[str, ...]:
    if keys.reference:
        found = _load_text(text, keys.reference, file)
        return (found,) if found else ()
    repository, tag, digest = (_load_text(text, key, file) for key in (keys.repository, keys.tag, keys.digest))
    return (str(ImageReference(repository, tag or None, digest or None)),) if tag or digest else ()


def _load_text(text: str, key: tuple[str | int, ...] | None, file: str) -> str:
    """Return a text; a tag that YAML takes for a number is none, as charts render numbers in ways of their own."""
    found = load_value(text, key, file) if key else None
    return found if isinstance(found, str) else ""
