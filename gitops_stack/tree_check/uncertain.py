"""What of a folder's errors is not certain, as nothing tells what the folder is deployed with: those are warnings."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from typing import Any

from gitops_stack.rules.fields import mapping, sequence
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.secret_values import is_placeholder

_WITHIN = re.compile(r"\$\{[^}\n]+\}|<[A-Za-z][\w.-]*>")
_WHOLE = ("project-", "destination-")  # rules about all that a field holds; of a Secret, the other values are there
_STEP = re.compile(r'\.?(?:\["(?P<quoted>[^"]*)"\]|\[(?P<index>\d+)\])')


def soften(
    findings: Iterable[Finding], objects: Iterable[RenderedObject], guessed: Container[str]
) -> Iterator[Finding]:
    """Take an error for a warning in a chart of ``guessed`` folders, and at a value that something fills in later.

    Argo CD fills in nothing; Flux does, and so do plugins and whoever runs envsubst.
    """
    known = {(one.file, one.folder, one.name): one.manifest for one in objects}
    for one in findings:
        manifest = known.get((one.file, one.folder, one.object)) if one.object is not None else None
        mild = one.severity == "error" and (
            one.folder in guessed or _is_filled_in(one, find_value(manifest, one.field))
        )
        yield replace(one, severity="warning") if mild else one


def _is_filled_in(finding: Finding, value: object) -> bool:
    if isinstance(value, dict) and finding.rule.startswith(_WHOLE):
        return _WITHIN.search(json.dumps(value, default=str)) is not None
    return isinstance(value, str) and (is_placeholder(value) or _WITHIN.search(value) is not None)


def find_value(value: Any, field: str) -> Any:  # noqa: ANN401 - any YAML value
    """Find what is at a finding's ``field``, such as `spec.rules[0].host`; keys may have dots. None: it is missing."""
    if not field or value is None:
        return value
    if step := _STEP.match(field):
        rest = field[step.end() :]
        if step["index"] is None:
            return find_value(mapping(value).get(step["quoted"]), rest)
        found = sequence(value)[int(step["index"]) :][:1]
        return find_value(found[0], rest) if found else None
    field = field.removeprefix(".")
    for key, inner in mapping(value).items():
        if field.startswith(str(key)) and field[len(str(key)) :][:1] in ("", ".", "["):
            found = find_value(inner, field[len(str(key)) :])
            if found is not None:
                return found
    return None
