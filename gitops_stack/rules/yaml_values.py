"""Texts of a ConfigMap that a program reads as YAML: whether they are, and have the shape it wants."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from gitops_stack.errors import shorten

MAP, LIST, TEXT, FLAG = "a map", "a list", "text", "true or false"
_FLAGS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")  # Go's strconv.ParseBool


def check_shape(value: str, shape: str) -> Iterator[tuple[str, str]]:
    """Yield (problem, remedy) for a value that is not YAML, or not of ``shape``; an empty one is of every shape."""
    if shape == TEXT:
        return
    if shape == FLAG:
        fits = value in _FLAGS
    else:
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" at line {mark.line + 1}" if mark else ""
            yield f"is not YAML{where}", "correct it; kubectl and kustomize take any text there"
            return
        fits = read is None or isinstance(read, dict if shape == MAP else list)
    if not fits:
        yield f"found {shorten(' '.join(value.split()), 60)}", f"write {shape}"
