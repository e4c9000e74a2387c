"""Values that a chart makes anew at every render: Argo CD would never see them as synced, and every sync changes them.

Where a value may be any text, whoever renders puts `MADE_ANEW` in its place; other fields are listed with the object.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_stack.patterns import match_glob
from gitops_stack.rules.application_spec import ApplicationSpec
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject

RULE = "value-made-anew"
MADE_ANEW = "<made anew at every render>"
MADE_ANEW_ENCODED = base64.b64encode(MADE_ANEW.encode()).decode()
RESPECT = "RespectIgnoreDifferences=true"
Path = tuple[str | int, ...]
_HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")  # Argo CD compares no hook
_STEP = re.compile(
    r"""\.?\["(?P<quoted>[^"\\]*)"\]|\."(?P<dotted>[^"\\]*)"|\.(?P<plain>[A-Za-z_]\w*)|\.?\[(?P<index>\d*)\]"""
)


def check_made_values(
    spec: ApplicationSpec | None, found: RenderedObject, everywhere: Sequence[Mapping[str, Any]] = ()
) -> Iterator[Finding]:
    """Yield the values of an object that are other ones at every render, unless its Application ignores them.

    ``everywhere`` are entries of ignoreDifferences for all Applications of the installation.
    """
    if any(name in found.annotations for name in _HOOKS):
        return
    application = spec.object.spec if spec else {}
    ignored = [*map(mapping, sequence(application.get("ignoreDifferences"))), *everywhere]
    options = sequence(mapping(application.get("syncPolicy")).get("syncOptions"))
    for path in dict.fromkeys([*_list_placeholders(found.manifest), *found.varying]):
        live = _live_path(found, path)
        covered = any(_matches(one, found) and _ignores(one, live) for one in ignored)
        if covered and RESPECT in options:
            continue
        said = "the chart makes it anew at every render"
        if covered:
            said += ", and ignoreDifferences alone does not stop a sync from writing it"
            needs = f"add {RESPECT} to the Application's syncPolicy.syncOptions"
        elif path[-2:] == ("metadata", "name"):
            needs = "give it a name in the chart's values"
        else:
            needs = _build_remedy(found, live)
        yield found.finding(show_path(path), said, needs, rule=RULE)


def show_path(path: Path) -> str:
    """Return a path as findings show fields: `webhooks[0].clientConfig.caBundle`."""
    shown = ""
    for step in path:
        shown += f"[{step}]" if isinstance(step, int) else f".{step}" if shown else step
    return shown


def _build_remedy(found: RenderedObject, live: Path) -> str:
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in live)
    group = f"group: {found.group}, " if found.group else ""
    entry = f"{{{group}kind: {found.kind}, name: {found.name.name}, jsonPointers: [{pointer}]}}"
    own = "name a Secret of your own in the chart's values, or " if found.kind == "Secret" else ""
    return f"{own}add {entry} to the Application's ignoreDifferences and {RESPECT} to its syncPolicy.syncOptions"


def _list_placeholders(value: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        for key, held in value.items():
            yield from _list_placeholders(held, (*path, str(key)))
    elif isinstance(value, list):
        for index, held in enumerate(value):
            yield from _list_placeholders(held, (*path, index))
    elif value in (MADE_ANEW, MADE_ANEW_ENCODED):
        yield path


def _live_path(found: RenderedObject, path: Path) -> Path:
    """Return where the cluster has it: Argo CD compares stringData as data (gitops-engine, NormalizeSecret)."""
    return ("data", *path[1:]) if found.kind == "Secret" and path[:1] == ("stringData",) else path


def _matches(entry: Mapping[str, Any], found: RenderedObject) -> bool:
    """Tell whether an entry is about an object (util/argo/normalizers, ignoreNormalizer.Normalize)."""
    return (
        match_glob(text(entry.get("group")), found.group)
        and match_glob(text(entry.get("kind")), found.kind)
        and text(entry.get("name")) in ("", found.name.name)
        and text(entry.get("namespace")) in ("", found.namespace)
    )


def _ignores(entry: Mapping[str, Any], path: Path) -> bool:
    pointers = (text(one) for one in sequence(entry.get("jsonPointers")))
    if any(_begins(path, _read_pointer(one)) for one in pointers):
        return True
    expressions = (text(one) for one in sequence(entry.get("jqPathExpressions")))
    return any(_begins(path, _read_expression(one)) for one in expressions)


def _begins(path: Path, steps: tuple[str, ...] | None) -> bool:
    """Tell whether ``steps`` lead to ``path`` or above it; `*` is any item. What cannot be read may do so."""
    if steps is None:
        return True
    if not steps or len(steps) > len(path):
        return False
    return all(step in ("*", str(own)) for step, own in zip(steps, path, strict=False))


def _read_pointer(pointer: str) -> tuple[str, ...]:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _read_expression(expression: str) -> tuple[str, ...] | None:
    """Read a plain path of jq; None for anything that computes."""
    rest, steps = expression.strip().replace("?", ""), []
    while rest:
        step = _STEP.match(rest)
        if step is None:
            return None
        named = next((step[name] for name in ("quoted", "dotted", "plain") if step[name] is not None), None)
        steps.append(named if named is not None else step["index"] or "*")
        rest = rest[step.end() :]
    return tuple(steps)
