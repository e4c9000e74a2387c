"""Names that kustomize's generators make: NAME-HASH, with the hash of the content. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable

from gitops_stack.rules.finding import ObjectName

# kustomize api/hasher: ten digits of SHA-256, with 0, 1, 3, a and e written as g, h, k, m and t.
_HASHED = re.compile(r"(?P<name>.+)-[24-9bcdfghkmt]{10}")
_KINDS = (("", "ConfigMap"), ("", "Secret"))


def find_successors(before: Collection[ObjectName], after: Collection[ObjectName]) -> dict[ObjectName, ObjectName]:
    """Map what one generator made before to what it makes afterwards, where the content and so the hash changed."""
    gone, new = _by_generator(set(before) - set(after)), _by_generator(set(after) - set(before))
    return {
        old[0]: new[generator][0] for generator, old in gone.items() if len(old) == len(new.get(generator, ())) == 1
    }


def _by_generator(names: Iterable[ObjectName]) -> dict[tuple[str, str, str], list[ObjectName]]:
    found: dict[tuple[str, str, str], list[ObjectName]] = defaultdict(list)
    for name in names:
        hashed = _HASHED.fullmatch(name.name) if (name.group, name.kind) in _KINDS else None
        if hashed is not None:
            found[name.kind, name.namespace, hashed["name"]].append(name)
    return found
