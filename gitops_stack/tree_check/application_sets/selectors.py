"""Label selectors (apimachinery's, and Argo CD's copy of it in applicationset/utils/selector.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.tree_check.application_sets.errors import RefusedError

_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"(?=.{{1,317}}$)([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?{_NAME}")
_VALUE = re.compile(rf"({_NAME})?")
_TAKES_VALUES = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}


def is_selected(selector: object, labels: Mapping[str, str], *, of_labels: bool = False) -> bool:
    """Tell whether ``selector`` picks ``labels``; ``of_labels`` also holds its values to be those of labels.

    Raises :class:`RefusedError` for a selector that Argo CD refuses.
    """
    wanted = mapping(mapping(selector).get("matchLabels"))
    requirements = [(key, "In", [text(value)]) for key, value in wanted.items()]
    for one in map(mapping, sequence(mapping(selector).get("matchExpressions"))):
        values = [text(value) for value in sequence(one.get("values"))]
        requirements.append((text(one.get("key")), text(one.get("operator")), values))
    for requirement in requirements:
        _check(*requirement, of_labels=of_labels)
    return all(_matches(labels, *requirement) for requirement in requirements)


def _check(key: str, operator: str, values: list[str], *, of_labels: bool) -> None:
    if not _KEY.fullmatch(key):
        raise RefusedError(f"selector key {key} is not a label's name")
    if operator not in _TAKES_VALUES:
        raise RefusedError(f"selector operator {operator} does not exist")
    if _TAKES_VALUES[operator] != bool(values):
        raise RefusedError(f"selector {key} {operator} has {'no' if not values else 'needless'} values")
    for value in values if of_labels else ():
        if not _VALUE.fullmatch(value):
            raise RefusedError(f"selector value {value} is not a label's value")


def _matches(labels: Mapping[str, Any], key: str, operator: str, values: list[str]) -> bool:
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    return (key in labels) == (operator == "Exists")
