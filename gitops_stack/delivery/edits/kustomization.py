"""The `images` of a kustomization, with the meaning kustomize gives them. Pure.

Rules (kustomize v5 api/filters/imagetag `updater.go`, api/image `IsImageMatched`, measured with v5.5.0): the entries
run in order, each on what the one before it made. `name` is matched against the whole repository and may be a regular
expression. `newName` replaces the repository; `newTag` or `digest`, where there is one, replaces tag *and* digest.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from typing import Any

from gitops_stack.delivery.image_reference import ImageReference, split_image
from gitops_stack.edits.text_edit import (
    TextEdit,
    add_entry,
    add_item,
    apply_checked,
    mapping_of,
    remove_entry,
    rename_key,
    replace_value,
)
from gitops_stack.edits.value_text import Value
from gitops_stack.edits.yaml_source import Mapping, Node, Scalar, Sequence, find_node, load_data, load_source
from gitops_stack.errors import GitOpsStackError, Problem

_PINS = ("newTag", "digest")
_KEYS = ("name", "newName", "newTag", "tagSuffix", "digest")
_BY_LOWER = {key.lower(): key for key in _KEYS}
_CLASS = re.compile(r"\[:(\w+):\]")  # of Go's regexp/syntax, within brackets
_CLASSES = {"alpha": "A-Za-z", "alnum": "0-9A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z", "word": r"\w"}
_REMAINDER = r"(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z][a-zA-Z0-9]*:[a-zA-Z0-9_.{}-]*)?"


def transform_image(image: str, entries: list[Any]) -> str:
    """Return what kustomize makes of ``image`` with the `images` of one kustomization."""
    for entry in entries:
        image = _apply(image, entry)
    return image


def matches_image(image: str, name: str) -> bool:
    """Tell whether an entry of that ``name`` changes ``image``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what Python may read otherwise one day, such as `[[a]`
            pattern = _CLASS.sub(lambda found: _CLASSES.get(found[1], found[0]), name)
            return bool(name) and re.fullmatch(f"{pattern}{_REMAINDER}", image, re.ASCII) is not None
    except re.error:
        return split_image(image)[0] == name


def set_kustomization_image(text: str, original: str, image: ImageReference, place: str) -> str:
    """Make kustomize turn the repository ``original`` into ``image``; the text is returned unchanged if it does so.

    ``original`` is the repository as the resources (or a base) name it. The last entry that matches is changed, a new
    one added when there is none. Raises :class:`GitOpsStackError` where that cannot be done at its own place.
    """
    root = _root(text, place)
    entries = load_entries(text, place)
    index, reaching = _last_match(original, entries)
    if index is not None and transform_image(f"{original}:any", entries) == str(image):
        return text
    if index is None:
        if not matches_image(f"{original}:any", original):
            said = f"kustomize reads names as regular expressions, and {original} does not match itself"
            raise GitOpsStackError(Problem(said, "change the image where it is written", place, "images"))
        new = _new_entry(original, image)
        edits = [_append(text, root, new, place)]
    else:
        new = _changed_entry(entries[index], reaching, image)
        edits = _edit_entry(text, _entry_node(root, index, place), new)
    changed = apply_checked(text, edits, lambda documents: _intend(documents[0], index, new), place)
    if transform_image(f"{original}:any", load_entries(changed, place)) != str(image):
        raise GitOpsStackError(
            Problem(f"two entries of images: change {original} one after the other", "leave one of them", place)
        )
    return changed


def load_entries(text: str, place: str) -> list[Any]:
    """Return the `images` of a kustomization's text; none when there are none.

    Raises :class:`GitOpsStackError` for what kustomize refuses or reads as another key: it decodes JSON (api/types
    `Kustomization.Unmarshal`), where `newtag` is `newTag` and wins over it, and where a number is not text.
    """
    documents = load_data(text, place)
    fields = documents[0] if documents and isinstance(documents[0], dict) else {}
    for key in fields:
        if str(key).lower() in ("images", "imagetags") and key != "images":
            raise GitOpsStackError(
                Problem("is not a field of kustomize's that can be changed", "write images", place, key)
            )
    found = fields.get("images")
    entries = found if isinstance(found, list) else []
    GitOpsStackError.raise_for(_check_entries(text, entries, place))
    return entries


def _check_entries(text: str, entries: list[Any], place: str) -> Iterator[str]:
    for index, entry in enumerate(entries):
        for key, value in entry.items() if isinstance(entry, dict) else ():
            where = f"{place}: images[{index}].{key}"
            if key not in _KEYS:
                meant = _BY_LOWER.get(str(key).lower())
                what = (
                    f"reads as {meant} to kustomize; write {meant}"
                    if meant
                    else "is not a key of an image; take it out"
                )
                yield f"{where}: {what}"
            elif value is not None and not isinstance(value, str):
                node = find_node(load_source(text, place)[0], ("images", index, key))
                written = node.value if isinstance(node, Scalar) else value
                yield f"{where}: found {written}, which is not text to YAML: kustomize refuses it; put quotes around it"


def _apply(image: str, entry: Any) -> str:  # noqa: ANN401 - whatever stands in the list
    if not isinstance(entry, dict) or not matches_image(image, str(entry.get("name") or "")):
        return image
    name, tag, digest = split_image(image)
    new_tag, new_digest = str(entry.get("newTag") or ""), str(entry.get("digest") or "")
    if new_tag or new_digest:
        tag, digest = new_tag, new_digest
    elif entry.get("tagSuffix"):  # v5.5.0 adds it twice, later releases once: what runs is not known from here
        tag = digest = ""
    name = str(entry.get("newName") or "") or name
    return f"{name}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"


def _last_match(original: str, entries: list[Any]) -> tuple[int | None, str]:
    """Return the last entry that changes ``original``, and the repository as it reaches that entry."""
    index, reaching, image = None, original, f"{original}:any"
    for place, entry in enumerate(entries):
        if isinstance(entry, dict) and matches_image(image, str(entry.get("name") or "")):
            index, reaching = place, split_image(image)[0]
        image = _apply(image, entry)
    return index, reaching


def _new_entry(original: str, image: ImageReference) -> dict[str, str]:
    entry = {"name": original, "newName": image.repository if image.repository != original else ""}
    entry |= {"newTag": image.tag or "", "digest": image.digest or ""}
    return {key: value for key, value in entry.items() if value}


def _changed_entry(entry: AnyMapping[str, Any], reaching: str, image: ImageReference) -> dict[str, str]:
    """Return the keys to set; an empty value is a key to leave out."""
    named = "newName" in entry or reaching != image.repository
    return {**({"newName": image.repository} if named else {}), "newTag": image.tag or "", "digest": image.digest or ""}


def _edit_entry(text: str, node: Mapping, wanted: dict[str, str]) -> list[TextEdit]:
    edits = [_set(text, node, "newName", wanted["newName"])] if "newName" in wanted else []
    missing = [key for key in _PINS if wanted[key] and not node.entry(key)]
    unwanted = [(key, entry) for key in _PINS if not wanted[key] and (entry := node.entry(key))]
    if missing and unwanted:  # one takes the other's place, and the comment beside it
        own, value = unwanted[0][1]
        return [*edits, rename_key(own, missing[0]), replace_value(text, value, wanted[missing[0]])]
    edits += [_set(text, node, key, wanted[key]) for key in _PINS if wanted[key]]
    edits += [remove_entry(text, node, key) for key, _ in unwanted]
    return _merged(edits)


def _set(text: str, node: Mapping, key: str, value: str) -> TextEdit:
    entry = node.entry(key)
    return replace_value(text, entry[1], value) if entry else add_entry(text, node, key, value)


def _merged(edits: list[TextEdit]) -> list[TextEdit]:
    """Join insertions at the same position in the order they were made."""
    joined: dict[tuple[int, int], TextEdit] = {}
    for edit in edits:
        at = (edit.start, edit.end)
        joined[at] = TextEdit(*at, joined[at].text + edit.text) if at in joined else edit
    return list(joined.values())


def _intend(document: Any, index: int | None, wanted: dict[str, str]) -> None:  # noqa: ANN401 - any YAML value
    if index is None:
        document["images"] = [*(document.get("images") or []), wanted]
        return
    entry = document["images"][index]
    for key, value in wanted.items():
        entry.pop(key, None)
        if value:
            entry[key] = value


def _root(text: str, place: str) -> Mapping:
    nodes = [node for node in load_source(text, place) if not (isinstance(node, Scalar) and not node.value)]
    if len(nodes) != 1 or (root := mapping_of(nodes[0])) is None or not root.entries:
        raise GitOpsStackError(
            Problem(f"found {len(nodes)} documents", "needs one kustomization, a map of its fields", place)
        )
    return root


def _entry_node(root: Mapping, index: int, place: str) -> Mapping:
    found = root.entry("images")
    listed: Node | None = found[1] if found else None
    entry = mapping_of(listed.items[index]) if isinstance(listed, Sequence) else None
    if entry is None or any(isinstance(own, Scalar) and own.value == "<<" for own, _ in entry.entries):
        raise GitOpsStackError(
            Problem(f"images[{index}] is shared by an anchor", "write the entry out in its own place", place)
        )
    return entry


def _append(text: str, root: Mapping, new: dict[str, str], place: str) -> TextEdit:
    item: Value = dict(new.items())
    found = root.entry("images")
    if found is None:
        return add_entry(text, root, "images", [item])
    node = found[1]
    if isinstance(node, Sequence):
        return add_item(text, node, item)
    if isinstance(node, Scalar) and node.style == "" and node.value in ("", "~", "null"):
        return replace_value(text, node, [item])
    raise GitOpsStackError(Problem("is not a list in its own place", "write it out", place, "images"))
