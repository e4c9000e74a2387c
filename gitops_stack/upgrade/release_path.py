"""Whether there is a way from one release of Argo CD to another, by upstream's own rules. Pure."""

from __future__ import annotations

import re

from gitops_stack.errors import Problem
from gitops_stack.gitops_tree.release import check_release
from gitops_stack.upgrade.release_facts import load_fact_table
from gitops_stack.versions import parse_minor

_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?:-rc(\d+))?", re.ASCII)


def check_path(old: str, new: str, *, downgrade: bool = False) -> list[Problem]:
    """Return one problem per reason not to go from ``old`` to ``new``; both are releases such as v3.5.1.

    Upstream: minors may be skipped, with the notes of each read; a major is entered from the last minor before it;
    nothing describes a way back (docs/operator-manual/upgrading/overview.md).
    """
    if not _VERSION.fullmatch(new):
        return [Problem(f"found {new}", "needs a release such as v3.5.1, which does not move", "--to")]
    problems = check_release(new)
    if _order(new) < _order(old) and not downgrade:
        needs = (
            "upstream describes no way back, and schemas of the older release drop what only the newer one knows; give "
            "--downgrade when that is meant"
        )
        problems.append(Problem(f"{new} is older than {old}", needs, "--to"))
    crossed = range(parse_minor(old)[0], parse_minor(new)[0])
    for major in crossed:
        last = load_fact_table().last_minors.get(major)
        if last is not None and parse_minor(old)[0] == major and parse_minor(old) != last:
            found = f"{new} is another major than {old}, and upstream describes the way from {last[0]}.{last[1]} only"
            problems.append(Problem(found, f"take the newest v{last[0]}.{last[1]} first", "--to"))
    if len(crossed) > 1:
        problems.append(Problem(f"{new} is {len(crossed)} majors after {old}", "take one major at a time", "--to"))
    return problems


def check_known(new: str) -> list[str]:
    """Return a warning when the table of facts ends before ``new``, or when ``new`` is a candidate."""
    table = load_fact_table()
    newest = max(table.minors)
    warnings = []
    if parse_minor(new) > newest:
        warnings.append(
            f"{new}: what its minor changes is not in the table of {table.as_of}, which ends with "
            f"{newest[0]}.{newest[1]}; read upstream's upgrade notes"
        )
    if "-rc" in new:
        warnings.append(f"{new}: is a release candidate")
    return warnings


def is_downgrade(old: str, new: str) -> bool:
    """Tell whether ``new`` comes before ``old``."""
    return _order(new) < _order(old)


def _order(version: str) -> tuple[int, int, int, int]:
    found = _VERSION.fullmatch(version)
    major, minor, patch, candidate = found.groups() if found else ("0", "0", "0", None)
    return int(major), int(minor), int(patch), int(candidate) if candidate else 1 << 30
