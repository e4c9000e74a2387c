"""The order in which an image travels through stacks: `gitops/promotion.yaml`, written by people and `stack add`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gitops_stack.edits.document import YamlDocument
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import load_yaml_file

PROMOTION = "gitops/promotion.yaml"
GATES = ("check", "try", "status")


def load_promotion_order(project: Path) -> list[str]:
    """Read the order, first stack first; empty when there is no file.

    Raises :class:`GitOpsStackError` unless the file is a map with a list `order` of different names.
    """
    file = project / PROMOTION
    if not file.is_file():
        return []
    documents = load_yaml_file(file)
    order = documents[0].get("order") if documents and isinstance(documents[0], dict) else None
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order) or len(set(order)) < len(order):
        raise GitOpsStackError(
            Problem("found no `order:` with a list of different stacks", "write order: [dev, prd]", str(file))
        )
    return order


def find_stack_before(project: Path, stack: str) -> str | None:
    """Return the stack before ``stack`` in `gitops/promotion.yaml`, or None for the first one and without an order."""
    order = load_promotion_order(project)
    place = order.index(stack) if stack in order else 0
    return order[place - 1] if place else None


@dataclass(frozen=True)
class Gate:
    """What has to be green before images come into a stack: one of ours by its name, or a ``command`` of a shell."""

    name: str
    command: str = ""


def load_gates(project: Path, stack: str) -> list[Gate]:
    """Read what `requires:` says of a stack, in its order; nothing where it says nothing.

    Raises :class:`GitOpsStackError` for an entry that is not known, of whichever stack.
    """
    file = project / PROMOTION
    if not file.is_file():
        return []
    documents = load_yaml_file(file)
    requires = documents[0].get("requires") if documents and isinstance(documents[0], dict) else None
    if requires is None:
        return []
    if not isinstance(requires, dict) or not all(isinstance(listed, list) for listed in requires.values()):
        raise GitOpsStackError(
            Problem("needs a list for each stack, such as {prd: [check, status]}", place=str(file), field="requires")
        )
    order = load_promotion_order(project)
    GitOpsStackError.raise_for(
        f"{file}: requires.{name}: is not a stack of order: [{', '.join(order)}]; correct the name"
        for name in requires
        if name not in order
    )
    gates = {name: [_read_gate(one, f"{file}: requires.{name}") for one in listed] for name, listed in requires.items()}
    return gates.get(stack, [])


def _read_gate(written: object, place: str) -> Gate:
    if written in GATES:
        return Gate(str(written))
    if isinstance(written, dict) and written.keys() == {"command"} and isinstance(written["command"], str):
        if not written["command"].strip():
            raise GitOpsStackError(Problem("found an empty command", "needs one such as {command: ./smoke.sh}", place))
        return Gate(f"`{written['command']}`", written["command"])
    raise GitOpsStackError(
        Problem(f"found {written!r}", f"needs {', '.join(GATES)}, or {{command: ./smoke.sh}}", place)
    )


def insert_stack(order: list[str], stack: str, *, source: str, after: str | None) -> list[str]:
    """Return ``order`` with ``stack`` behind ``after``, else before ``source`` when that is last, else behind it.

    A copy of production stands before production; a copy of any other stack follows it.
    """
    if after is not None:
        place = order.index(after) + 1
    elif source not in order:
        place = len(order)
    else:
        place = order.index(source) + (source != order[-1])
    return [*order[:place], stack, *order[place:]]


def render_promotion(order: list[str], text: str) -> str:
    """Return the file's ``text`` with the stacks of ``order`` that it does not have yet, each at its place."""
    document = YamlDocument(text, PROMOTION)
    for index, stack in enumerate(order):
        if stack not in document.value("order"):
            document.insert(("order",), index, stack)
    return document.text
