"""The lines of an RBAC policy: read as Argo CD's server reads them, and what is wrong with each. Pure.

Source: util/rbac (`loadPolicyLine`, `Resources`, `Actions`, `ProjectScoped`) of v3.2.11 and v3.5.1: one line that it
cannot read ends the server at start, and on a reload leaves the policy before it in force (argo-cd#14464).
tests/e2e/test_access.py holds it against the server.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

_MANAGED = ("create", "delete", "get", "update")
# What the server ever asks for: the table of docs/operator-manual/rbac.md, with what `argocd admin settings rbac can`
# takes beside it (`validRBACResourcesActions`).
ACTIONS_OF = {
    "accounts": ("create", "get", "update"),
    "applications": ("action", *_MANAGED, "override", "sync"),
    "applicationsets": _MANAGED,
    "certificates": _MANAGED,  # never asked for `update`, and Argo CD's own built-in policy has it
    "clusters": _MANAGED,
    "exec": ("create",),
    "extensions": ("invoke",),
    "gpgkeys": ("create", "delete", "get"),
    "logs": ("get",),
    "projects": _MANAGED,
    "repositories": _MANAGED,
    "write-repositories": _MANAGED,
}
RESOURCES = tuple(ACTIONS_OF)
ACTIONS = tuple(sorted({action for actions in ACTIONS_OF.values() for action in actions}))
BUILT_IN_ROLES = ("role:admin", "role:readonly")
_WITH_PARTS = ("action", "delete", "update")  # `update/*` is an action of its own (docs/operator-manual/rbac.md)
_OBJECT_NEEDED = frozenset({"applications", "applicationsets", "logs", "exec"})
_LENGTHS = {"p": 6, "g": 3}
_SHAPES = {"p": "p, SUBJECT, RESOURCE, ACTION, OBJECT, allow", "g": "g, GROUP OR ACCOUNT, ROLE"}
_PATTERN = re.compile(r"[*?\[\]{}\\.^$|()+]")


@dataclass(frozen=True)
class PolicyFinding:
    """What is wrong with one line, and what to do; ``line`` counts from 1, ``text`` is the line."""

    line: int
    text: str
    problem: str
    remedy: str


@dataclass(frozen=True)
class PolicyLine:
    """One line that Argo CD can read: its fields, `p` or `g` first."""

    number: int
    text: str
    fields: tuple[str, ...]


def read_policy(text: str) -> tuple[list[PolicyLine], list[PolicyFinding]]:
    """Read a policy; lines that Argo CD would refuse are findings, empty lines and comments are left out."""
    lines: list[PolicyLine] = []
    findings: list[PolicyFinding] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        fields = _split(line)
        refused = _check_shape(line, fields)
        if refused is not None:
            findings.append(PolicyFinding(number, line, *refused))
        elif fields is not None:
            lines.append(PolicyLine(number, line, tuple(fields)))
    return lines, findings


def defined_roles(lines: Collection[PolicyLine]) -> set[str]:
    """Return the roles that `p` lines define or that get another role's rights by `g`, and the built-in ones."""
    roles = {line.fields[1] for line in lines if line.fields[0] == "p"}
    return roles | {line.fields[1] for line in lines if line.fields[0] == "g"} | set(BUILT_IN_ROLES)


def check_policy(text: str, known_roles: Collection[str] = ()) -> Iterator[PolicyFinding]:
    """Yield a finding for each line that Argo CD refuses, or that does nothing.

    ``known_roles`` are defined elsewhere.
    """
    lines, findings = read_policy(text)
    yield from findings
    roles = defined_roles(lines) | set(known_roles)
    for line in lines:
        for problem, remedy in _check_line(line.fields, roles):
            yield PolicyFinding(line.number, line.text, problem, remedy)


def _check_shape(line: str, fields: list[str] | None) -> tuple[str, str] | None:
    if fields is None:
        return "a quote is in the wrong place", "quote a whole field, or none of it"
    kind = fields[0]
    if kind not in _LENGTHS:
        return "it begins with neither p nor g", f"write {_SHAPES['g' if line.startswith('g') else 'p']}"
    if len(fields) == _LENGTHS[kind]:
        return None
    repaired = _repair(fields, _LENGTHS[kind])
    return (
        ("a comma is missing", f"write {repaired}")
        if repaired
        else (f"it has {len(fields)} fields and not {_LENGTHS[kind]}", f"write {_SHAPES[kind]}")
    )


def _check_line(fields: Sequence[str], roles: Collection[str]) -> Iterator[tuple[str, str]]:
    if trailing := [field for field in fields if field != field.rstrip()]:
        yield f"a space before a comma belongs to '{trailing[0]}'", "take the space away"
    elif fields[0] == "g":
        if fields[2] not in roles and not fields[2].startswith("proj:"):
            yield f"no line defines {fields[2]}", f"define it, or name {_closest(fields[2], roles)}"
    else:
        yield from check_permission(fields)


def _repair(fields: list[str], length: int) -> str:
    """Return the line with commas where only spaces stand, if that makes it whole."""
    parts = [part for field in fields for part in field.split()]
    return ", ".join(parts) if len(fields) < length == len(parts) else ""


def check_permission(fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (problem, remedy) for a `p` line whose resource, action, object or effect gives nothing."""
    _, _, resource, action, target, effect = fields
    if effect not in ("allow", "deny"):
        yield f"it ends in {effect or 'nothing'}", "end it with allow or deny"
    if not _PATTERN.search(resource) and resource not in RESOURCES:
        yield f"Argo CD has no resource {resource}", f"name {_nearest(resource, RESOURCES)}"
        return
    verb, slash, _ = action.partition("/")
    of_applications = resource == "applications" or _PATTERN.search(resource) is not None
    if not _PATTERN.search(verb) and verb not in ACTIONS:
        yield f"Argo CD has no action {action}", f"name {_nearest(verb, ACTIONS)}"
    elif slash and verb in ACTIONS and (verb not in _WITH_PARTS or not of_applications):
        yield f"the action {verb} has no parts", f"name {verb}"
    elif action == "action":
        yield "the action lacks what it acts on", "write action/GROUP/KIND/NAME, or action/*"
    elif verb in ACTIONS and verb not in ACTIONS_OF.get(resource, ACTIONS):
        yield f"Argo CD never asks for {verb} on {resource}", f"name {_nearest(verb, ACTIONS_OF[resource])}"
    if resource in _OBJECT_NEEDED and "/" not in target and not _PATTERN.search(target):
        yield f"{target} is not a PROJECT/NAME", f"write {target}/* for all of a project"


def _nearest(word: str, words: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, words, 1) or (words if len(words) == 1 else ())
    return near[0] if near else f"one of {', '.join(words)}"


def _closest(role: str, roles: Collection[str]) -> str:
    near = difflib.get_close_matches(role, sorted(roles), 1)
    return near[0] if near else ", ".join(sorted(role for role in roles if role.startswith("role:")))


def _split(line: str) -> list[str] | None:
    """Split as Go's encoding/csv does with TrimLeadingSpace; ``None`` for a quote that it refuses."""
    fields: list[str] = []
    rest = line
    while True:
        rest = rest.lstrip()
        if rest.startswith('"'):
            quoted = re.match(r'"((?:[^"]|"")*)"(?=,|$)', rest)
            if quoted is None:
                return None
            fields.append(quoted[1].replace('""', '"'))
            rest = rest[quoted.end() :]
        else:
            field, _, _ = rest.partition(",")
            if '"' in field:
                return None
            fields.append(field)
            rest = rest[len(field) :]
        if not rest:
            return fields
        rest = rest[1:]
