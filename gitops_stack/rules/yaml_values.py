"""Texts of a ConfigMap that a program reads as YAML: whether they are, and have the shape it wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml

from gitops_stack.errors import shorten

MAP, LIST, TEXT, FLAG = "a map", "a list", "text", "true or false"
_SET, _UNSET = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


Load = Callable[[str], list[Any]]
"""Reads the documents of a text as Go does, and raises ``yaml.YAMLError``: `gitops_tree.yaml_text.load_documents`."""


def is_flag_set(value: str) -> bool:
    """Tell whether Go's strconv.ParseBool takes a text for true."""
    return value in _SET


def read_first(value: str, load: Load) -> Any:  # noqa: ANN401 - any YAML value
    """Read the first document, as Go's Unmarshal does; none of an empty text. Raises ``yaml.YAMLError``."""
    return next(iter(load(value)), None)


def check_shape(value: str, shape: str, load: Load) -> Iterator[tuple[str, str]]:
    """Yield (problem, remedy) for a value that is not YAML, or not of ``shape``; an empty one is of every shape."""
    if shape == TEXT:
        return
    if shape == FLAG:
        fits = value in _SET + _UNSET
    else:
        try:
            read = read_first(value, load)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" at line {mark.line + 1}" if mark else ""
            yield f"is not YAML{where}", "correct it; kubectl and kustomize take any text there"
            return
        fits = read is None or isinstance(read, dict if shape == MAP else list)
    if not fits:
        shown = shorten(" ".join(value.split()), 60)
        yield f"found {shown}" if shown else "is empty", f"write {shape}"
