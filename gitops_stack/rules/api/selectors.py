"""Label selectors: whether they are one, and whether they select given labels (apimachinery `labels`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.rules.api.formats import FORMATS, is_label_value, is_qualified_name
from gitops_stack.rules.api.parts import Part, Violation, parts, show
from gitops_stack.rules.fields import mapping, sequence, text


def check_labels(labels: object, place: str) -> Iterator[Violation]:
    """Check keys and values of labels; values that are no text are the schema's."""
    for key, value in mapping(labels).items():
        if not is_qualified_name(str(key)):
            yield place, f"found the key {show(key)}", FORMATS["qualified"].needs
        if isinstance(value, str) and not is_label_value(value):
            yield f'{place}["{key}"]', f"found {show(value)}", FORMATS["label-value"].needs


def check_annotations(annotations: object, place: str) -> Iterator[Violation]:
    """Check keys and size of annotations."""
    size = 0
    for key, value in mapping(annotations).items():
        size += len(str(key).encode()) + len(text(value).encode())
        if not is_qualified_name(str(key).lower()):
            yield place, f"found the key {show(key)}", FORMATS["qualified"].needs
    if size > _ANNOTATIONS:
        yield place, f"found {size} bytes", f"needs at most {_ANNOTATIONS} bytes in all"


_ANNOTATIONS = 256 * 1024
_WITHOUT_VALUES = ("Exists", "DoesNotExist")


def check_requirement(part: Part) -> Iterator[Violation]:
    """Check that an expression has the values its operator needs."""
    operator, values = text(part.get("operator")), sequence(part.get("values"))
    if operator in ("In", "NotIn") and not values:
        yield "values", "is missing", f"operator {operator} needs values"
    if operator in _WITHOUT_VALUES and values:
        yield "values", "found values", f"operator {operator} takes no values; remove them"
    if operator in ("Gt", "Lt") and len(values) != 1:
        yield "values", f"found {len(values)} values", f"operator {operator} needs exactly one"


def check_selector(part: Part) -> Iterator[Violation]:
    """Check the labels of a selector."""
    yield from check_labels(part.get("matchLabels"), "matchLabels")


def selects(selector: object, labels: Mapping[str, Any]) -> bool:
    """Tell whether a selector selects ``labels``; an unknown operator selects nothing."""
    chosen = mapping(selector)
    if any(labels.get(key) != value for key, value in mapping(chosen.get("matchLabels")).items()):
        return False
    return all(_fits(found, labels) for _, found in parts(chosen, "matchExpressions"))


def _fits(requirement: Part, labels: Mapping[str, Any]) -> bool:
    key, values = text(requirement.get("key")), sequence(requirement.get("values"))
    match requirement.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
